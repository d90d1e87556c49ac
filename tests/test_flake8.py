"""The plugin inside the real flake8: its options, its configuration and its own `# noqa` govern."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint.flake8_plugin import Plugin

if TYPE_CHECKING:
    from tests.conftest import RunCli

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"


def flake8(*arguments: str, cwd: Path, stdin: str | None = None) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-m", "flake8", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


@pytest.fixture
def leak(tmp_path: Path) -> Path:
    (tmp_path / "leak.py").write_text(LEAK)
    return tmp_path


def test_select_shows_our_findings(leak: Path) -> None:
    status, out = flake8("--select", "CNC", cwd=leak)
    assert status == 1
    (line,) = out.splitlines()
    assert line.startswith("./leak.py:6:5: CNC101 an exception in `work()` (line 7) leaves `lock` held")


def test_the_default_rules_run_without_being_selected(leak: Path) -> None:
    assert "CNC101" in flake8("--isolated", cwd=leak)[1]


def test_flake8_decides_what_is_shown(leak: Path) -> None:
    assert "CNC101" not in flake8("--extend-ignore=CNC1", cwd=leak)[1]
    (leak / ".flake8").write_text("[flake8]\nselect = CNC\nper-file-ignores =\n    leak.py: CNC101\n")
    assert flake8(cwd=leak) == (0, "")
    (leak / ".flake8").write_text("[flake8]\nselect = CNC\nignore = E501\n")
    assert flake8(cwd=leak)[0] == 1


def test_noqa_is_flake8s(leak: Path) -> None:
    (leak / "leak.py").write_text(LEAK.replace("acquire()", "acquire()  # noqa: CNC101"))
    assert flake8("--select", "CNC", cwd=leak) == (0, "")
    assert flake8("--select", "CNC", "--disable-noqa", cwd=leak)[0] == 1


def test_standard_input_and_its_name(leak: Path) -> None:
    status, out = flake8("--select=CNC", "--stdin-display-name=src/app.py", "-", cwd=leak, stdin=LEAK)
    assert (status, out.split(" ")[0]) == (1, "src/app.py:6:5:")


def test_what_does_not_parse_is_e999_alone(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import threading\nx = (\n")
    _, out = flake8("--select=CNC,E999", cwd=tmp_path)
    assert [line.split()[1] for line in out.splitlines()] == ["E999"]


@pytest.mark.slow  # test_fixtures asks the plugin about each of them, this flake8 itself
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_on_all_fixtures_flake8_and_the_command_line_agree(jobs: str, root: Path, run_cli: RunCli) -> None:
    fixtures = root / "tests" / "fixtures"
    ours = run_cli("--select=ALL", "--output-format=concise", "-q", ".", cwd=fixtures).stdout
    _, theirs = flake8("--isolated", "--select=CNC", f"-j{jobs}", ".", cwd=fixtures)
    expected = sorted(f"./{line}" for line in ours.splitlines() if ": CNC900 " not in line)
    assert sorted(theirs.splitlines()) == expected


EXTRA = (
    "import threading\nlock = threading.Lock()\n\n\n"
    "def f():\n    lock.acquire()\n    try:\n        work()\n    finally:\n        lock.release()\n"
)
"""What CNC103 speaks of, a rule that is not in the default set."""

TYPED = "import a\nmine = a.B()\n\n\ndef f():\n    mine.acquire()\n    work()\n    mine.release()\n"

STARTS = "import multiprocessing\np = multiprocessing.Process(target=print)\np.start()\np.join()\n"


@pytest.mark.parametrize(
    ("config", "is_shown"),
    [
        ("", False),
        ("ignore = E501", False),
        ("select = E,CNC101", False),
        ("select = CNC103", True),
        ("select = CNC", True),
        ("select = C", True),
        ("extend-select = CNC10", True),
    ],
)
def test_rules_outside_the_default_set_run_only_where_selected(config: str, is_shown: bool, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(EXTRA)
    (tmp_path / ".flake8").write_text(f"[flake8]\n{config}\n")
    assert ("CNC103" in flake8("a.py", cwd=tmp_path)[1]) is is_shown


def agree(cwd: Path, run_cli: RunCli, *ours: str, theirs: tuple[str, ...] = ()) -> list[str]:
    """The findings of the command and of flake8 on all that is in ``cwd``, which must be the same."""
    found = run_cli("--output-format=concise", "-q", *ours, ".", cwd=cwd).stdout.splitlines()
    _, out = flake8("--extend-ignore=E,F,W", *theirs, ".", cwd=cwd)
    assert sorted(out.splitlines()) == sorted(f"./{line}" for line in found)
    return found


def test_the_files_that_set_our_options_hold_in_flake8_too(leak: Path, run_cli: RunCli) -> None:
    assert len(agree(leak, run_cli)) == 1
    (leak / "pyproject.toml").write_text("[tool.conclint]\nignore = ['CNC101']\n")
    assert agree(leak, run_cli) == []
    (leak / "pyproject.toml").write_text("[tool.conclint.per-file-ignores]\n'leak.py' = ['CNC1']\n")
    assert agree(leak, run_cli) == []
    (leak / "pyproject.toml").write_text(
        "[tool.conclint]\nextend-select = ['CNC103']\n[tool.conclint.types]\n'a.B' = 'lock'\n"
    )
    (leak / "extra.py").write_text(EXTRA)
    (leak / "typed.py").write_text(TYPED)
    assert [line.split()[1] for line in agree(leak, run_cli, theirs=("--extend-select=CNC103",))] == [
        "CNC103",
        "CNC101",
        "CNC101",
    ]


def test_a_broken_file_of_options_is_said_once(leak: Path) -> None:
    (leak / "more.py").write_text(LEAK)
    (leak / "conclint.toml").write_text("selct = ['CNC101']\n")
    status, out = flake8("--select=CNC", cwd=leak)
    assert status == 1
    (line,) = [line for line in out.splitlines() if "conclint" in line]
    assert line.endswith("conclint.toml: unknown key 'selct'; did you mean 'select'?")


def test_a_broken_file_of_options_further_down_is_said_where_it_counts(leak: Path) -> None:
    (leak / "sub").mkdir()
    (leak / "sub" / "conclint.toml").write_text("x")
    (leak / "sub" / "a.py").write_text(LEAK)
    lines = flake8("--select=CNC", cwd=leak)[1].splitlines()
    assert [line.split()[:2] for line in sorted(lines)] == [["./leak.py:6:5:", "CNC101"], ["./sub/a.py:1:1:", "CNC900"]]
    assert f" CNC900 not checked: {leak / 'sub' / 'conclint.toml'}: is no TOML: " in "".join(lines)


def test_our_options_in_flake8s_file(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "a.py").write_text(STARTS)
    assert len(agree(tmp_path, run_cli)) == 1
    (tmp_path / ".flake8").write_text("[flake8]\nconclint-start-method = fork\n")
    assert agree(tmp_path, run_cli, "--start-method=fork") == []
    (tmp_path / ".flake8").write_text("[flake8]\nconclint-config = other/conclint.toml\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "conclint.toml").write_text("start-method = 'fork'\n")
    assert agree(tmp_path, run_cli, "--config=other/conclint.toml") == []
    (tmp_path / ".flake8").write_text("[flake8]\nconclint-target-version = 2.7\n")
    assert "'2.7' is no version of Python between" in flake8(cwd=tmp_path)[1]


def test_a_problem_of_ours_is_seen_in_flake8_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    def crash(text: str) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("conclint.parsing.read_by_python", crash)
    ((line, column, text, _),) = Plugin(ast.Module([], []), ["import threading\n"], "a.py").run()
    assert (line, column) == (1, 0)
    assert text.startswith("CNC900 internal error: RuntimeError: oops")


def test_a_mistake_in_a_file_of_options_is_told_by_file_and_key(leak: Path) -> None:
    (leak / "sub").mkdir()
    (leak / "sub" / "app.py").write_text(LEAK)
    (leak / "sub" / "conclint.toml").write_text('"\\u001b[2J" = []')
    status, out = flake8("--isolated", "--select=CNC", "-j2", cwd=leak)
    assert status == 1
    assert "./sub/app.py:1:1: CNC900 not checked: " in out
    assert "sub/conclint.toml: unknown key '\\x1b[2J'; did you mean" in out
    assert "./leak.py:6:5: CNC101 " in out


def test_source_in_a_message_is_escaped(leak: Path) -> None:
    (leak / "leak.py").write_text("import threading  # conclint: ignore[a\x1b[2Jb]\n")
    out = flake8("--isolated", "--select=CNC", cwd=leak)[1]
    assert "CNC902 `a\\x1b[2Jb` names no rule" in out
    assert "\x1b" not in out

"""The plugin inside the real flake8: its options, its configuration and its own `# noqa` govern."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import flake8_plugin
from conclint.config import resolve
from conclint.flake8_plugin import Plugin
from conclint.model import Rule, Severity
from conclint.registry import rules

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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_on_all_fixtures_flake8_and_the_command_line_agree(jobs: str, root: Path, run_cli: RunCli) -> None:
    fixtures = root / "tests" / "fixtures"
    ours = run_cli("--select=ALL", "--output-format=concise", "-q", ".", cwd=fixtures).stdout
    _, theirs = flake8("--isolated", "--select=CNC", f"-j{jobs}", ".", cwd=fixtures)
    expected = sorted(f"./{line}" for line in ours.splitlines() if ": CNC900 " not in line)
    assert sorted(theirs.splitlines()) == expected


def options(select: list[str] | None = None, extend_select: list[str] | None = None) -> Namespace:
    return Namespace(select=select, extend_select=extend_select, enable_extensions=None)


@pytest.mark.parametrize(
    ("chosen", "added"),
    [
        (options(), []),
        (options(select=["E", "CNC101"]), []),
        (options(select=["CNC199"]), ["CNC199"]),
        (options(select=["CNC"]), ["ALL"]),
        (options(extend_select=["CNC19"]), ["CNC199"]),
    ],
)
def test_rules_outside_the_default_set_run_only_where_selected(
    chosen: Namespace, added: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = Rule("CNC199", "extra", "", Severity.NOTE, lambda context: (), default=False)
    made = (*rules(), extra)
    monkeypatch.setattr(flake8_plugin, "rules", lambda: made)
    monkeypatch.setattr("conclint.config.rules", lambda: made)
    monkeypatch.setattr("conclint.registry.rules", lambda: made)
    monkeypatch.setattr(Plugin, "settings", None)
    Plugin.parse_options(chosen)
    settings: object = Plugin.settings
    assert settings == resolve(extend_select=added)


def test_a_problem_of_ours_is_seen_in_flake8_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    def crash(text: str) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("conclint.tree.parse", crash)
    ((line, column, text, _),) = Plugin(ast.Module([], []), ["import threading\n"], "a.py").run()
    assert (line, column) == (1, 0)
    assert text.startswith("CNC900 internal error: RuntimeError: oops")

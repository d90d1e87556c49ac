"""What --baseline, --write-baseline and --add-noqa do, and what comments do in flake8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint.config import resolve
from conclint.engine import Checker, check_bytes

if TYPE_CHECKING:
    from tests.conftest import RunCli

HEAD = "import threading\nlock = threading.Lock()\n\n\n"
LEAK = HEAD + "def f():\n    lock.acquire()\n    work()\n    lock.release()\n"
SECOND = "\n\ndef g():\n    lock.acquire()\n    more()\n    lock.release()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "leak.py").write_text(LEAK)
    (tmp_path / "other.py").write_text(LEAK)
    return tmp_path


def test_a_baseline_hides_what_is_known_and_survives_moved_lines(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--write-baseline", "base.json", cwd=project)
    assert (result.returncode, result.stdout, result.stderr) == (0, "Wrote 2 findings to base.json.\n", "")
    document = json.loads((project / "base.json").read_text())
    assert document["version"] == 1
    assert [(f["path"], f["code"], f["count"]) for f in document["findings"]] == [
        ("other.py", "CNC101", 1),
        ("src/leak.py", "CNC101", 1),
    ]
    result = run_cli("--baseline", "base.json", cwd=project)
    assert result.returncode == 0
    assert result.stdout == "No findings in 2 files.\n2 findings of base.json are not shown.\n"
    (project / "src" / "leak.py").write_text("# moved\n\n\n" + LEAK + SECOND)
    result = run_cli("--baseline", "base.json", "--output-format=concise", "-q", cwd=project)
    assert result.returncode == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("src/leak.py:15:5: CNC101 ")


def test_a_baseline_means_the_same_from_everywhere_and_in_any_order(project: Path, run_cli: RunCli) -> None:
    run_cli("--write-baseline=base.json", "src", "other.py", cwd=project)
    first = (project / "base.json").read_bytes()
    run_cli("../other.py", ".", "--write-baseline", "../base.json", cwd=project / "src")
    assert (project / "base.json").read_bytes() == first
    (project / "link").symlink_to(project)
    for cwd, file, paths in [
        (project / "src", "../base.json", ["..", "leak.py"]),
        (project.parent, str(project / "base.json"), [str(project)]),
        (project / "link" / "src", str(project / "link" / "base.json"), ["leak.py", str(project / "other.py")]),
    ]:
        assert run_cli(*paths, "--baseline", file, "-q", cwd=cwd).stdout == ""


def test_entries_that_occur_no_more_are_said_and_taken_out(project: Path, run_cli: RunCli) -> None:
    run_cli("--write-baseline", "base.json", cwd=project)
    (project / "other.py").write_text(HEAD)
    said = "1 entry of base.json occurs no more: --baseline and --write-baseline together take them out"
    assert said in run_cli("--baseline", "base.json", cwd=project).stdout
    # What was not looked at, or for what no rule ran, may well be there.
    for arguments in (["src"], ["--select", "CNC2"]):
        assert "no more" not in run_cli("--baseline", "base.json", *arguments, cwd=project).stdout
    (project / "other.py").unlink()
    assert said in run_cli("--baseline", "base.json", "src", cwd=project).stdout
    result = run_cli("--baseline=base.json", "--write-baseline=base.json", "src", cwd=project)
    assert result.stdout == "Wrote 1 finding to base.json.\n"
    assert run_cli("--baseline", "base.json", cwd=project).stdout.endswith("1 finding of base.json is not shown.\n")


def test_rewriting_keeps_what_the_run_did_not_check(project: Path, run_cli: RunCli) -> None:
    assert run_cli("--baseline=a.json", "--write-baseline=a.json", "src", cwd=project).returncode == 0
    run_cli("--write-baseline=base.json", cwd=project)
    (project / "sub").mkdir()
    result = run_cli("--baseline=base.json", "--write-baseline=sub/new.json", "src", cwd=project)
    assert result.stdout == "Wrote 1 finding to sub/new.json, and kept 1 of what this run did not check.\n"
    assert run_cli("--baseline=sub/new.json", cwd=project).returncode == 0


def test_the_same_mistake_once_more_is_new(project: Path, run_cli: RunCli) -> None:
    run_cli("--write-baseline=base.json", cwd=project)
    (project / "other.py").write_text(LEAK + "    lock.acquire()\n    work()\n    lock.release()\n")
    assert "Found 1 error in 1 file" in run_cli("--baseline=base.json", cwd=project).stdout


def test_machine_formats_stay_clean(project: Path, run_cli: RunCli) -> None:
    run_cli("--write-baseline=base.json", cwd=project)
    result = run_cli("--baseline=base.json", "--output-format=json", cwd=project)
    assert json.loads(result.stdout)["findings"] == []
    assert result.stderr == "2 findings of base.json are not shown.\n"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is no baseline: no JSON: Expecting value (line 1, column 1)"),
        (b"\xff\xfe", "is no baseline: not UTF-8 at byte 0"),
        (b"[" * 100_000, "is no baseline: no JSON: "),
        (b"[]", "is no baseline: it has no version"),
        (b'{"version": 2, "findings": []}', "is a baseline of version 2, this conclint reads version 1; make it"),
        (b'{"version": "\\u001b[2J"}', "is a baseline of version '\\x1b[2J'"),
        (b'{"version": true, "findings": []}', "is a baseline of version True"),
        (b'{"version": 1}', "`findings` is no list"),
        (b'{"version": 1, "findings": [3]}', "entry 1 of `findings` is no object"),
        (b'{"version": 1, "findings": [{"path": "a"}]}', "entry 1 of `findings` has no text as `code`"),
        (
            b'{"version": 1, "findings": [{"path": "a", "code": "b", "fingerprint": "c", "count": 0}]}',
            "entry 1 of `findings` has no number from 1 to 1000000000 as `count`",
        ),
        (
            b'{"version": 1, "findings": [{"path": "a", "code": "b", "fingerprint": "c", "count": %s}]}'
            % (b"9" * 4000),
            "entry 1 of `findings` has no number from 1 to 1000000000 as `count`",
        ),
        (b'{"version": ' + b"[" * 300 + b"]" * 300 + b"}", "is a baseline of version " + "[" * 40 + ", this conclint"),
    ],
)
def test_a_bad_baseline_is_2_and_one_line(contents: bytes, said: str, project: Path, run_cli: RunCli) -> None:
    (project / "base.json").write_bytes(contents)
    result = run_cli("--baseline", "base.json", cwd=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("conclint: base.json: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert (project / "base.json").read_bytes() == contents


def test_a_baseline_that_is_not_there_or_cannot_be_written_is_2(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--baseline", "gone.json", cwd=project)
    said = "conclint: gone.json: the baseline cannot be read: no such file or directory\n"
    assert (result.returncode, result.stderr) == (2, said)
    for path, cause in [("gone/base.json", "no such file or directory"), ("src", "is a directory")]:
        result = run_cli("--write-baseline", path, cwd=project)
        assert result.returncode == 2
        assert result.stderr == f"conclint: {path}: the baseline cannot be written: {cause}\n"


def test_a_baseline_that_cannot_be_written_is_said_before_anything_is_changed(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--fix", "--write-baseline", "gone/base.json", cwd=project)
    said = "conclint: gone/base.json: the baseline cannot be written: no such file or directory\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", said)
    assert (project / "other.py").read_text() == LEAK


@pytest.mark.parametrize("option", ["--baseline", "--write-baseline", "--output-file"])
def test_a_name_that_is_empty_names_no_file(option: str, project: Path, run_cli: RunCli) -> None:
    result = run_cli(option, "", cwd=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("spelled", ["base.json", "./base.json", "src/../base.json"])
def test_the_baseline_of_a_file_of_options_can_be_written_for_the_first_time(
    spelled: str, project: Path, run_cli: RunCli
) -> None:
    (project / "conclint.toml").write_text("baseline = 'base.json'")
    assert run_cli(cwd=project).returncode == 2
    assert run_cli("--write-baseline", spelled, cwd=project).returncode == 0
    assert run_cli(cwd=project).returncode == 0
    assert run_cli(cwd=project / "src").returncode == 0


def test_what_was_written_is_not_said_where_a_document_is_expected(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--write-baseline=base.json", "--output-format=json", cwd=project)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "Wrote 2 findings to base.json.\n")


def test_add_noqa_silences_each_finding_in_its_place(project: Path, run_cli: RunCli) -> None:
    (project / "other.py").write_text(HEAD)
    (project / "src" / "leak.py").write_text(
        HEAD
        + "def f():\n    lock.acquire()  # noqa: E501\n    work()\n    lock.release()\n"
        + "def g():\n    lock.acquire(\n        True,\n    )  # noqa: E501,W291 reason\n    work()\n"
        + "    lock.release()\n"
        + 'def h():\n    print("""\n    """); lock.acquire()  # held\n    work()\n    lock.release()\n'
        + "def i():\n    lock \\\n        .acquire()\n    work()\n    lock.release()\n"
        + "def j():\n    with lock:  # conclint: ignore[CNC101]\n        work()\n"
    )
    result = run_cli("--add-noqa", cwd=project)
    assert (result.returncode, result.stdout, result.stderr) == (0, "Silenced 5 findings in 1 file.\n", "")
    assert (project / "src" / "leak.py").read_text() == (
        HEAD
        + "def f():\n    lock.acquire()  # noqa: E501, CNC101\n    work()\n    lock.release()\n"
        + "def g():\n    lock.acquire(\n        True,\n    )  # noqa: E501,W291, CNC101 reason\n    work()\n"
        + '    lock.release()\ndef h():\n    print("""\n    """); lock.acquire()  # held  # noqa: CNC101\n    work()\n'
        + "    lock.release()\ndef i():\n    lock \\\n        .acquire()  # noqa: CNC101\n    work()\n"
        + "    lock.release()\ndef j():\n    with lock:  # conclint: ignore[CNC101]  # noqa: CNC901\n        work()\n"
    )
    assert run_cli(cwd=project).returncode == 0
    assert run_cli("--add-noqa", cwd=project).stdout == "Silenced 0 findings in 0 files.\n"


def test_add_noqa_keeps_encoding_newlines_mode_and_links(project: Path, run_cli: RunCli) -> None:
    text = "# coding: latin-1\r\n" + LEAK.replace("\n", "\r\n").replace("work()", "work('\xe9')")
    real = project / "src" / "leak.py"
    real.write_bytes(text.encode("latin-1").removesuffix(b"\r\n"))
    real.chmod(0o640)
    (project / "other.py").unlink()
    (project / "other.py").symlink_to("src/leak.py")
    (project / "bom.py").write_bytes(b"\xef\xbb\xbf" + LEAK.replace("\n", "\r").encode())
    assert run_cli("--add-noqa", cwd=project).stdout == "Silenced 2 findings in 2 files.\n"
    wanted = text.replace("acquire()", "acquire()  # noqa: CNC101").encode("latin-1").removesuffix(b"\r\n")
    assert real.read_bytes() == wanted
    assert real.stat().st_mode & 0o777 == 0o640
    assert (project / "other.py").is_symlink()
    wanted = LEAK.replace("acquire()", "acquire()  # noqa: CNC101").replace("\n", "\r").encode()
    assert (project / "bom.py").read_bytes() == b"\xef\xbb\xbf" + wanted
    assert sorted(os.listdir(project)) == ["bom.py", "other.py", "src"]


def test_add_noqa_changes_only_what_a_baseline_does_not_hold(project: Path, run_cli: RunCli) -> None:
    run_cli("src", "--write-baseline=base.json", cwd=project)
    assert run_cli("--add-noqa", "--baseline=base.json", cwd=project).stdout == "Silenced 1 finding in 1 file.\n"
    assert (project / "src" / "leak.py").read_text() == LEAK


def test_add_noqa_leaves_what_it_cannot_change_and_says_so(project: Path, run_cli: RunCli) -> None:
    (project / "src" / "bad.py").write_text("import threading\nx = (\n")
    result = run_cli("--add-noqa", cwd=project)
    assert (result.returncode, result.stdout) == (2, "Silenced 2 findings in 2 files.\n")
    assert result.stderr == "conclint: src/bad.py: not changed: it does not parse\n"
    for options in (["-"], ["--write-baseline=a.json"]):
        result = run_cli("--add-noqa", *options, cwd=project, stdin="")
        assert (result.returncode, result.stdout) == (2, "")


def flake8(cwd: Path, root: Path) -> list[str]:
    command = [sys.executable, "-m", "flake8", "--isolated", "--select=CNC", "."]
    here = {**os.environ, "PYTHONPATH": str(root)}
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=here)
    assert result.stderr == ""
    return result.stdout.splitlines()


def test_our_own_comments_hold_in_flake8_and_its_noqa_is_judged(tmp_path: Path, root: Path, run_cli: RunCli) -> None:
    (tmp_path / "a.py").write_text(LEAK.replace("acquire()", "acquire()  # conclint: ignore[CNC101]"))
    (tmp_path / "b.py").write_text("# conclint: skip-file\n" + LEAK)
    (tmp_path / "c.py").write_text(LEAK.replace("acquire()", "acquire()  # noqa: CNC101"))
    (tmp_path / "d.py").write_text("x = 1  # noqa: CNC101\n# conclint: ignore[CNC199]\n")
    found = [line.split(" ")[:2] for line in flake8(tmp_path, root)]
    assert found == [["./d.py:1:16:", "CNC901"], ["./d.py:2:20:", "CNC902"]]
    ours = run_cli("--output-format=concise", "-q", cwd=tmp_path).stdout.splitlines()
    assert [f"./{line}" for line in ours] == flake8(tmp_path, root)


def codes(text: str, *select: str) -> list[tuple[int, str]]:
    found = check_bytes(text.encode(), "a.py", resolve(select=select or ["ALL"])).findings
    return [(finding.span.line, finding.code) for finding in found]


def test_a_rule_that_did_not_run_is_not_unused() -> None:
    text = HEAD + "with lock:  # noqa: CNC101\n    f()\nwith lock:  # conclint: ignore[CNC1, CNC107]\n    f()\n"
    assert codes(text) == [(5, "CNC901"), (7, "CNC901")]
    assert codes(text, "CNC9", "CNC107") == [(7, "CNC901")]
    assert codes(text, "CNC101") == []


def test_a_comment_on_a_line_of_its_own_is_unused_and_goes_with_its_line() -> None:
    text = HEAD + "# noqa: CNC101\nwith lock:\n    f()\n"
    (finding,) = Checker(lambda _: resolve()).text(text, "a.py").findings
    assert finding.message.endswith("a comment on a line of its own speaks for no other line")
    assert finding.fix is not None
    assert finding.fix.edits == (((4, 1, 5, 15), ""),)


@pytest.mark.parametrize("text", ["x = (\n# noqa: CNC101\n", LEAK + "# conclint: skip-file\n", "'# noqa: CNC101'\n"])
def test_files_whose_comments_are_not_judged(text: str) -> None:
    assert "CNC901" not in {code for _, code in codes(text)}


def test_a_file_that_is_skipped_need_not_parse() -> None:
    assert codes("import threading\n# conclint: skip-file: a template\nclass {{ name }}:\n") == []
    assert codes("import threading\nx = '# conclint: skip-file'\nclass {{ name }}:\n") == [(3, "CNC900")]

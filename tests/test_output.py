"""Where a report goes: files that are replaced in one step, colours, the bar, statistics."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import output, progress
from conclint.report import FORMATS, load
from tests import report_samples as samples
from tests.test_bad_input import obey_permissions
from tests.test_cli import LEAK, imported_by_a_run

if TYPE_CHECKING:
    from tests.conftest import RunCli

ESCAPE = re.compile(r"\x1b\[[\d;]*m")

SUMMARY = "Found 1 error in 1 file (1 checked).\n1 can be fixed with --fix --unsafe-fixes.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "leak.py").write_text(LEAK)
    return tmp_path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_report_goes_to_a_file_and_the_summary_to_the_terminal(project: Path, run_cli: RunCli) -> None:
    for name in FORMATS:
        printed = run_cli("--output-format", name, "--quiet", cwd=project).stdout
        result = run_cli("--output-format", name, "--output-file", "report", ".", "gone.py", cwd=project)
        assert (result.returncode, result.stdout) == (2, SUMMARY)
        assert result.stderr == "conclint: gone.py: cannot be read: no such file or directory\n"
        assert run_cli("--output-format", name, "--output-file", "report", "-q", cwd=project).stdout == ""
        assert (project / "report").read_text() == printed
        assert [path.name for path in project.iterdir() if path.name.startswith(".conclint")] == []


def test_the_documents_are_alone_on_standard_output(project: Path, run_cli: RunCli) -> None:
    for name in ("json", "sarif", "gitlab"):
        json.loads(run_cli("--output-format", name, cwd=project).stdout)
    assert run_cli("--output-format=junit", cwd=project).stdout.endswith("</testsuites>\n")
    assert run_cli("--output-format=github", cwd=project).stdout.endswith(f"\n{SUMMARY}")


def test_gitlab_has_no_place_for_problems_so_they_are_said(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format=gitlab", "gone.py", cwd=project)
    assert (result.returncode, result.stdout) == (2, "[]\n")
    assert result.stderr == "conclint: gone.py: cannot be read: no such file or directory\n"


def test_a_file_keeps_its_mode_and_a_link_leads_to_it(project: Path, run_cli: RunCli) -> None:
    report, link = project / "report.json", project / "link.json"
    report.write_text("old")
    report.chmod(0o640)
    link.symlink_to("report.json")
    run_cli("--output-format=json", "--output-file=link.json", cwd=project)
    assert link.is_symlink()
    assert json.loads(report.read_text())["files"] == 1
    assert stat.S_IMODE(report.stat().st_mode) == 0o640
    run_cli("--output-format=json", "--output-file=new.json", cwd=project)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((project / "new.json").stat().st_mode) == 0o666 & ~umask


def test_devices_and_pipes_are_written_to(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format=concise", "--output-file=/dev/stdout", "-q", cwd=project)
    assert result.stdout.startswith("leak.py:6:5: CNC101 ")
    assert run_cli("--output-file=/dev/null", cwd=project).returncode == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "is a directory"),
        ("gone/report.json", "no such file or directory"),
        ("leak.py/report.json", "not a directory"),
        ("locked/report.json", "permission denied"),
        ("locked.json", "permission denied"),
        ("x" * 300, "file name too long"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_run(name: str, why: str, project: Path, run_cli: RunCli) -> None:
    (project / "locked").mkdir()
    (project / "locked").chmod(0o555)
    (project / "locked.json").write_text("old")
    (project / "locked.json").chmod(0o444)
    result = run_cli("--output-file", name, "leak.py", cwd=project, preexec_fn=obey_permissions)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"conclint: {name}: cannot be written: {why}\n"
    assert (project / "locked.json").read_text() == "old"


def test_a_name_that_is_an_escape_is_printed_as_text(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-file", "\x1b[2J/\n::error::x", cwd=project)
    assert result.returncode == 2
    assert result.stderr == "conclint: \\x1b[2J/\\x0a::error::x: cannot be written: no such file or directory\n"


def test_what_fails_while_it_is_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "report.txt"
    report.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(output.OutputError, match="cannot be written: no space left on device"):
        output.deliver(
            samples.ordinary(), "json", file=str(report), color="auto", statistics=False, quiet=True, stdout=sys.stdout
        )
    assert report.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.txt"]


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "wanted"),
    [
        ("auto", Terminal(), {"TERM": "xterm"}, True),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("auto", Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        ("auto", io.StringIO(), {"TERM": "xterm"}, False),
        ("auto", io.StringIO(), {"FORCE_COLOR": "1"}, True),
        ("auto", io.StringIO(), {"FORCE_COLOR": "0"}, False),
        ("auto", io.StringIO(), {"FORCE_COLOR": ""}, False),
        ("auto", io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", None, {"FORCE_COLOR": "1"}, False),
        ("always", None, {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
    ],
)
def test_when_colour_helps(choice: str, stream: io.StringIO | None, environ: dict[str, str], wanted: bool) -> None:
    assert output.wants_color(choice, stream, environ) is wanted


@pytest.mark.parametrize("name", ["full", "concise", "github", "json", "sarif", "gitlab", "junit"])
def test_colour_changes_no_text(name: str, project: Path, run_cli: RunCli) -> None:
    plain = run_cli("--output-format", name, cwd=project).stdout
    painted = run_cli("--output-format", name, "--color=always", cwd=project).stdout
    assert "\x1b" not in plain
    assert ("\x1b" in painted) == (name in ("full", "concise"))
    assert ESCAPE.sub("", painted) == plain


def test_statistics_have_colour_too(project: Path, run_cli: RunCli) -> None:
    painted = run_cli("--statistics", "--color=always", "-q", cwd=project).stdout
    assert painted == "1  \x1b[1;31mCNC101\x1b[0m  lock-not-released\n"


def test_statistics_as_json(project: Path, run_cli: RunCli) -> None:
    (project / "more.py").write_text(LEAK)
    result = run_cli("--statistics", "--output-format=json", ".", "gone.py", cwd=project)
    assert (result.returncode, result.stderr) == (2, "")
    assert json.loads(result.stdout) == {
        "version": 1,
        "statistics": [{"code": "CNC101", "name": "lock-not-released", "severity": "error", "count": 2}],
        "errors": [{"path": "gone.py", "message": "cannot be read: no such file or directory", "fatal": True}],
        "files": 2,
        "fixed": 0,
    }


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_strings_and_sources_are_shown_and_not_obeyed(name: str) -> None:
    run = samples.hostile()._replace(lines=lambda path: [samples.NASTY.replace("\n", "")] * 5)
    text = load(name).render(run)
    assert text.replace("\n", "").isprintable()
    assert text.encode().decode() == text  # no half of a surrogate pair
    if name != "github":
        assert not re.search(r"^\s*::\w", text, re.MULTILINE)


def test_a_path_that_is_a_command_stays_a_path(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "::error::x.py").write_text(LEAK)
    for name in ("full", "concise"):
        for line in run_cli("--output-format", name, cwd=tmp_path).stdout.splitlines():
            assert not line.lstrip().startswith("::")
    for line in run_cli("--output-format=github", "-q", cwd=tmp_path).stdout.splitlines():
        assert line.startswith("::error title=CNC101 lock-not-released,file=%3A%3Aerror%3A%3Ax.py,line=6,")


def test_the_bar_is_for_terminals_and_long_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY", 0.05)
    items = list(range(100))

    def shown(stream: io.StringIO, total: int) -> str:
        monkeypatch.setattr(sys, "stderr", stream)
        for item in progress.watched(items[:total], total):
            time.sleep(0.002 * (item % 2))
        return stream.getvalue()

    assert shown(io.StringIO(), 100) == ""
    assert shown(Terminal(), progress.SHORT) == ""
    bar = shown(Terminal(), 100)
    assert "/100" in bar
    assert bar.endswith("\r")  # and nothing of it stays
    assert list(progress.watched(items, 100)) == items
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress.watched(items, 100)) == items


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_at_a_terminal_there_is_colour_and_in_a_pipe_there_is_none(project: Path, root: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(root), "TERM": "xterm"}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "conclint", "--output-format=concise", "-q"], cwd=project, stdout=theirs, env=environment
    )
    os.close(theirs)
    assert process.wait(60) == 1
    printed = os.read(ours, 10_000).decode()
    os.close(ours)
    assert printed.startswith("\x1b[1mleak.py\x1b[0m:6:5: \x1b[1;31mCNC101\x1b[0m ")


def test_the_bar_is_imported_only_where_it_is_shown(project: Path, run_cli: RunCli) -> None:
    (project / "leak.py").unlink()
    for number in range(2 * progress.SHORT):
        (project / f"clean{number}.py").write_text(f"print({number})\n")
    assert "tqdm" not in imported_by_a_run(project, run_cli)


def test_a_report_never_takes_the_place_of_what_is_read(project: Path, run_cli: RunCli) -> None:
    (project / "link").symlink_to("leak.py")
    for option in ("--output-file", "--write-baseline"):
        for name in ("leak.py", "link"):
            result = run_cli(option, name, cwd=project)
            said = "conclint: leak.py: cannot be written: it is one of the files to check\n"
            assert (result.returncode, result.stdout, result.stderr) == (2, "", said)
    assert (project / "leak.py").read_text() == LEAK
    assert run_cli("--write-baseline", "base.json", cwd=project).returncode == 0
    result = run_cli("--baseline", "base.json", "--output-file", "./base.json", cwd=project)
    assert (result.returncode, result.stderr) == (2, "conclint: base.json: cannot be written: it is the baseline\n")

"""The command line end to end: options, exit statuses, streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import __version__, cli
from conclint.registry import rules

if TYPE_CHECKING:
    from tests.conftest import RunCli

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
CLEAN = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    with lock:\n        work()\n"

SUMMARY = "Found 1 error in 1 file (3 checked).\n1 can be fixed with --fix --unsafe-fixes.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "clean.py").write_text(CLEAN)
    (tmp_path / "other.py").write_text("print('no threads here')\n")
    return tmp_path


def test_findings_are_printed_and_the_status_is_1(project: Path, run_cli: RunCli) -> None:
    result = run_cli(cwd=project)
    assert result.returncode == 1
    assert result.stderr == ""
    assert result.stdout.startswith("error[CNC101 lock-not-released]: ")
    assert " 6 |     lock.acquire()\n   |     ^^^^^^^^^^^^^^" in result.stdout
    assert result.stdout.endswith(f"\n\n{SUMMARY}")


def test_nothing_found_is_0(project: Path, run_cli: RunCli) -> None:
    result = run_cli("sub", "other.py", cwd=project)
    assert (result.returncode, result.stdout, result.stderr) == (0, "No findings in 2 files.\n", "")


def test_concise(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format=concise", "-q", cwd=project)
    assert result.returncode == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("leak.py:6:5: CNC101 ")


def test_json(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format", "json", ".", "gone.py", cwd=project)
    assert (result.returncode, result.stderr) == (2, "")
    document = json.loads(result.stdout)
    assert [(f["path"], f["line"], f["code"], f["symbol"]) for f in document["findings"]] == [
        ("leak.py", 6, "CNC101", "f")
    ]
    assert document["files"] == 3
    assert document["errors"] == [
        {"path": "gone.py", "message": "cannot be read: no such file or directory", "fatal": True}
    ]


def test_exit_zero_forgives_findings_but_not_errors(project: Path, run_cli: RunCli) -> None:
    assert run_cli("--exit-zero", cwd=project).returncode == 0
    result = run_cli("--exit-zero", ".", "gone.py", cwd=project)
    assert result.returncode == 2
    assert result.stderr == "conclint: gone.py: cannot be read: no such file or directory\n"
    assert "CNC101" in result.stdout


def test_select_and_ignore(project: Path, run_cli: RunCli) -> None:
    for options in (["--ignore", "CNC1"], ["--select=CNC900"], ["--select", "CNC3,CNC5", "--select", "CNC9"]):
        assert run_cli(*options, cwd=project).returncode == 0
    for options in (["--select", "lock-not-released"], ["--select=CNC9", "--extend-select=CNC101"]):
        assert run_cli(*options, cwd=project).returncode == 1


def test_noqa_is_honoured(project: Path, run_cli: RunCli) -> None:
    leak = project / "leak.py"
    leak.write_text(LEAK.replace("lock.acquire()", "lock.acquire()  # noqa: lock-not-released"))
    assert run_cli(cwd=project).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--select", "CNC10l"], "unknown rule 'CNC10l'; did you mean 'CNC101'?"),
        (["--ignore", "lock-not-relaesed"], "did you mean 'lock-not-released'?"),
        (["--explain", "CNC"], "unknown rule 'CNC'; did you mean"),
        (["--output-format", "xml"], "invalid choice: 'xml'"),
        (["--sel", "CNC101"], "unrecognized arguments: --sel"),
        (["--statistics", "--output-format", "sarif"], "--statistics needs one of the formats full, concise, json"),
        (["--select", ","], "--select names no rule"),
        (["--\x1b[2J\n::error::x.py"], "unrecognized arguments: --\\x1b[2J\\x0a::error::x.py"),
        (["--add-noqa", "--output-file", "report"], "--add-noqa and --write-baseline show no findings, so not with"),
        (["--write-baseline", "base.json", "--statistics"], "show no findings, so not with --statistics"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_wrong(
    arguments: list[str], said: str, project: Path, run_cli: RunCli
) -> None:
    result = run_cli(*arguments, cwd=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_standard_input(project: Path, run_cli: RunCli) -> None:
    result = run_cli("-", "--output-format=concise", cwd=project, stdin=LEAK)
    assert result.returncode == 1
    assert result.stdout.startswith("<stdin>:6:5: CNC101 ")
    result = run_cli("-", "--stdin-filename", "src/app.py", cwd=project, stdin=LEAK)
    assert "--> src/app.py:6:5" in result.stdout
    assert " 6 |     lock.acquire()" in result.stdout
    result = run_cli("-", cwd=project, stdin="def f(:\n")
    assert "CNC900" in result.stdout


def test_standard_input_and_files_come_in_one_order(project: Path, run_cli: RunCli) -> None:
    result = run_cli("-", "leak.py", "-q", "--output-format=concise", "--stdin-filename=z.py", cwd=project, stdin=LEAK)
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["leak.py", "z.py"]


def test_the_order_of_arguments_does_not_matter(project: Path, run_cli: RunCli) -> None:
    (project / "sub" / "leak.py").write_text(LEAK)
    paths = ["sub", "leak.py", "sub/leak.py"]
    assert run_cli(*paths, cwd=project).stdout == run_cli(*reversed(paths), cwd=project).stdout


def test_statistics(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--statistics", cwd=project)
    assert result.returncode == 1
    assert result.stdout == f"1  CNC101  lock-not-released\n{SUMMARY}"


def test_options_for_what_is_to_come_are_accepted(project: Path, run_cli: RunCli) -> None:
    assert run_cli("--isolated", "--no-cache", cwd=project).returncode == 1


def test_version_and_help(project: Path, run_cli: RunCli) -> None:
    assert run_cli("--version", cwd=project).stdout == f"conclint {__version__}\n"
    text = run_cli("--help", cwd=project).stdout
    for group in ("what to check", "what to print", "how to run", "to learn"):
        assert f"{group}" in text


def test_rules_lists_every_rule(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--rules", cwd=project)
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [rule.code for rule in rules()]


@pytest.mark.parametrize("python", [(), ("-OO",)])
def test_explain_prints_the_page(python: tuple[str, ...], project: Path, run_cli: RunCli) -> None:
    by_name = run_cli("--explain", "syntax-error", cwd=project, python=python)
    assert by_name.returncode == 0
    assert by_name.stdout.startswith("# syntax-error (CNC900)\n\n## What it finds\n")
    assert run_cli("--explain", "cnc900", cwd=project).stdout == by_name.stdout


def test_no_python_files_is_said(tmp_path: Path, run_cli: RunCli) -> None:
    result = run_cli(cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "conclint: no Python files found\n")


def test_a_closed_pipe_ends_quietly(project: Path, root: Path) -> None:
    for number in range(300):
        (project / f"leak{number}.py").write_text(LEAK)
    process = subprocess.Popen(
        [sys.executable, "-m", "conclint", str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) in (0, 1)
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_one_line(project: Path, root: Path) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "conclint", str(project)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
    assert (result.returncode, result.stderr) == (2, "conclint: no space left on device\n")


def test_ctrl_c_ends_the_run_at_once_and_without_a_traceback(tmp_path: Path, root: Path) -> None:
    (tmp_path / "long.py").write_text("import threading\n" + "x = f(1, 2, 3)\n" * 200_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "conclint", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("closed", ["1", "2"])
def test_without_one_of_the_streams_the_status_stays(closed: str, project: Path, root: Path) -> None:
    for arguments, status in [
        ("leak.py", 1),
        ("sub", 0),
        ("gone.py --output-format=gitlab", 2),
        ("--diff --unsafe-fixes leak.py", 1),
    ]:
        result = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -m conclint {arguments} {closed}>&-"],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert result.returncode == status
        assert "Traceback" not in result.stderr
        assert "conclint: " not in result.stdout


def test_a_file_that_is_called_as_a_command_is_listed_as_a_path(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "::error::x.py").write_text("")
    assert run_cli("--show-files", cwd=tmp_path).stdout == "./::error::x.py\n"


def test_what_a_terminal_cannot_show_is_escaped(tmp_path: Path, root: Path) -> None:
    (tmp_path / "é\x1b.py").write_text(LEAK.replace("lock", "schloß"))
    result = subprocess.run(
        [sys.executable, "-m", "conclint", "."],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 1
    assert b"--> \\xe9\\x1b.py:6:5" in result.stdout
    assert b"schlo\\xdf.acquire()" in result.stdout


def test_main_can_be_called_in_process(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    assert cli.main(["sub"]) == 0
    assert cli.main(["."]) == 1
    assert "CNC101" in capsys.readouterr().out


HEAVY = {"libcst", "dataclasses", "json", "tomllib", "tokenize", "ast", "inspect", "hashlib", "threading", "shutil"}
HEAVY |= {"msgspec", "tomli", "tqdm", "difflib", "tempfile", "random", "xml.etree.ElementTree", "asyncio"}


def test_where_nothing_needs_parsing_nothing_heavy_is_imported(project: Path, run_cli: RunCli) -> None:
    (project / "leak.py").unlink()
    (project / "sub" / "clean.py").unlink()
    assert not imported_by_a_run(project, run_cli) & {*HEAVY, "pathspec"}
    (project / ".gitignore").write_text("build/\n*.pyc\n")
    assert imported_by_a_run(project, run_cli) & {"libcst", "pathspec"} == {"pathspec"}


def test_where_nothing_is_said_libcst_is_not_imported(project: Path, run_cli: RunCli) -> None:
    (project / "leak.py").unlink()
    assert imported_by_a_run(project, run_cli) & {"libcst", "conclint.quick"} == {"conclint.quick"}


def imported_by_a_run(project: Path, run_cli: RunCli) -> set[str]:
    result = run_cli(cwd=project, python=("-X", "importtime"))
    assert result.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "conclint.engine" in imported
    return imported

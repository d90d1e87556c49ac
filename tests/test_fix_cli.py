"""`--fix`, `--unsafe-fixes` and `--diff` as users see them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import RunCli

NAMES = "import threading\nt = threading.Thread(target=print)\nt.setDaemon(True)\nprint(t.getName(), t.isDaemon())\n"
NEW_NAMES = "import threading\nt = threading.Thread(target=print)\nt.daemon = True\nprint(t.name, t.daemon)\n"
LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
NO_LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    with lock:\n        work()\n"
UNFIXABLE = "import threading\nlock = threading.Lock()\n\n\ndef g():\n    lock.acquire()\n    work()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "names.py").write_text(NAMES)
    (tmp_path / "other.py").write_text("print('no threads here')\n")
    return tmp_path


ALL = ("--select", "CNC101,CNC316", "--output-format", "concise")
EVERYTHING = (*ALL, "--unsafe-fixes")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_fixed_is_0_and_says_how_much(project: Path, run_cli: RunCli) -> None:
    result = run_cli(*EVERYTHING, "--fix", cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "Fixed 4 findings. No findings in 3 files.\n"
    assert contents(project) == {
        "leak.py": NO_LEAK.encode(), "names.py": NEW_NAMES.encode(), "other.py": b"print('no threads here')\n"
    }  # fmt: skip
    again = run_cli(*EVERYTHING, "--fix", cwd=project)
    assert (again.returncode, again.stdout) == (0, "No findings in 3 files.\n")


def test_what_remains_is_printed_at_its_new_place(project: Path, run_cli: RunCli) -> None:
    (project / "leak.py").write_text(LEAK + UNFIXABLE.partition("Lock()\n")[2])
    result = run_cli(*EVERYTHING, "--fix", cwd=project)
    assert result.returncode == 1
    finding, summary = result.stdout.splitlines()
    assert finding.startswith("leak.py:11:5: CNC101 ")
    assert summary == "Fixed 4 findings. Found 1 error in 1 file (3 checked)."
    full = run_cli("--fix", cwd=project)
    assert "11 |     lock.acquire()" in full.stdout


def test_unsafe_fixes_are_made_only_where_they_are_wanted(tmp_path: Path, run_cli: RunCli) -> None:
    source = "import threading\n\n\ndef q(x):\n    pass\n\n\nthreading.Thread(target=q(x)).start()\n"
    (tmp_path / "a.py").write_text(source)
    for options in ([], ["--fix"], ["--unsafe-fixes"], ["--diff"]):
        result = run_cli("--select=CNC305", *options, cwd=tmp_path)
        assert "Fixed" not in result.stdout
        assert ("1 can be fixed with --fix --unsafe-fixes." in result.stdout) == (not options)
        assert ("1 can be fixed with --fix." in result.stdout) == (options == ["--unsafe-fixes"])
        assert ("1 more can be fixed with --unsafe-fixes." in result.stdout) == (options == ["--fix"])
        assert contents(tmp_path) == {"a.py": source.encode()}
        assert result.returncode == (0 if options == ["--diff"] else 1)
    assert run_cli("--select=CNC305", "--diff", "--unsafe-fixes", cwd=tmp_path).returncode == 1
    assert run_cli("--select=CNC305", "--fix", "--unsafe-fixes", cwd=tmp_path).returncode == 0
    assert "target=q, args=(x,)" in (tmp_path / "a.py").read_text()


def test_json_counts_what_was_fixed(project: Path, run_cli: RunCli) -> None:
    (project / "more.py").write_text(UNFIXABLE)
    arguments = ("--select=CNC101,CNC316", "--unsafe-fixes", "--output-format=json")
    assert json.loads(run_cli(*arguments, cwd=project).stdout)["fixed"] == 0
    result = run_cli(*arguments, "--fix", cwd=project)
    document = json.loads(result.stdout)
    assert (result.returncode, document["fixed"], document["files"]) == (1, 4, 4)
    assert [(finding["path"], finding["line"]) for finding in document["findings"]] == [("more.py", 6)]


def test_a_diff_changes_nothing_and_is_what_patch_takes(project: Path, run_cli: RunCli) -> None:
    before = contents(project)
    result = run_cli(*EVERYTHING, "--diff", cwd=project)
    assert (result.returncode, result.stderr) == (1, "Would fix 4 findings in 2 files.\n")
    assert contents(project) == before
    assert "-    lock.acquire()\n-    work()\n-    lock.release()\n+    with lock:\n+        work()\n" in result.stdout
    assert result.stdout.startswith("--- leak.py\n+++ leak.py\n@@ ")
    assert run_cli(*EVERYTHING, "--diff", "--fix", cwd=project).stdout == result.stdout
    assert contents(project) == before
    assert run_cli(*EVERYTHING, "--diff", "--exit-zero", cwd=project).returncode == 0
    run_cli(*EVERYTHING, "--fix", cwd=project)
    done = run_cli(*EVERYTHING, "--diff", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing to fix.\n")
    assert run_cli(*EVERYTHING, "--diff", "-q", cwd=project).stderr == ""


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["\n", ""])
def test_patch_makes_of_the_diff_what_fix_makes(newline: str, last: str, tmp_path: Path, root: Path) -> None:
    source = (LEAK.rstrip("\n") + last).replace("\n", newline).replace("work()", "work('é')")
    for name in ("fixed", "patched"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a b.py").write_bytes(("# coding: latin-1" + newline + source).encode("latin-1"))

    def run(option: str, folder: str) -> bytes:
        command = [sys.executable, "-m", "conclint", option, *EVERYTHING]
        return subprocess.run(
            command,
            cwd=tmp_path / folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            check=False,
        ).stdout

    diff = run("--diff", "patched")
    run("--fix", "fixed")
    subprocess.run(["patch", "--binary", "-p0"], input=diff, cwd=tmp_path / "patched", check=True, capture_output=True)
    assert contents(tmp_path / "patched") == contents(tmp_path / "fixed")
    assert b"with lock:" in contents(tmp_path / "fixed")["a b.py"]


def test_names_and_source_cannot_speak_to_the_terminal(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "a\x1b[31m\n+++.py").write_text(NAMES)
    result = run_cli(*ALL, "--diff", cwd=tmp_path)
    assert result.stdout.startswith("--- a\\x1b[31m\\x0a+++.py\n+++ a\\x1b[31m\\x0a+++.py\n@@ ")


def test_standard_input_comes_out_fixed_and_findings_on_the_other_stream(tmp_path: Path, run_cli: RunCli) -> None:
    result = run_cli("-", "--fix", *ALL, cwd=tmp_path, stdin=NAMES)
    assert (result.returncode, result.stdout) == (0, NEW_NAMES)
    assert result.stderr == "Fixed 3 findings. No findings in 1 file.\n"
    result = run_cli("-", "--fix", *ALL, "-q", "--stdin-filename=x.py", cwd=tmp_path, stdin=UNFIXABLE)
    assert (result.returncode, result.stdout) == (1, UNFIXABLE)
    assert result.stderr.startswith("x.py:6:5: CNC101 ")
    diff = run_cli("-", "--diff", *ALL, "-q", "--stdin-filename=x.py", cwd=tmp_path, stdin=NAMES)
    assert diff.stdout.startswith("--- x.py\n+++ x.py\n")
    assert diff.returncode == 1


@pytest.mark.parametrize("source", ["", "def f(:\n", "print()", "# coding: nonsense\nimport threading\n"])
def test_standard_input_that_cannot_be_fixed_comes_out_as_it_is(source: str, tmp_path: Path, run_cli: RunCli) -> None:
    assert run_cli("-", "--fix", *ALL, cwd=tmp_path, stdin=source).stdout == source


def test_what_is_suppressed_is_not_fixed(tmp_path: Path, run_cli: RunCli) -> None:
    source = NAMES.replace("t.setDaemon(True)", "t.setDaemon(True)  # noqa: CNC316")
    (tmp_path / "a.py").write_text(source)
    assert run_cli(*ALL, "--fix", cwd=tmp_path).stdout == "Fixed 2 findings. No findings in 1 file.\n"
    assert "t.setDaemon(True)  # noqa" in (tmp_path / "a.py").read_text()
    (tmp_path / "a.py").write_text(source)
    assert "setDaemon" not in run_cli(*ALL, "--ignore=CNC316", "--diff", cwd=tmp_path).stdout


def test_fixes_of_one_file_do_not_wait_for_another(project: Path, run_cli: RunCli) -> None:
    (project / "broken.py").write_text("import threading\ndef f(:\n")
    result = run_cli(*EVERYTHING, "--fix", ".", "gone.py", cwd=project)
    assert result.returncode == 2
    assert "CNC900" in result.stdout
    assert "Fixed 4 findings. Found 1 error" in result.stdout
    assert result.stderr == "conclint: gone.py: cannot be read: no such file or directory\n"


STARTS = "import multiprocessing\n\ndef start():\n    p = multiprocessing.Process(target=f)\n    p.start()\n    {}\n\n"


@pytest.mark.parametrize("last", ["p.join()", "pass"], ids=["silent once fixed", "not silent once fixed"])
@pytest.mark.parametrize("how", ["--fix", "--diff"])
def test_a_fix_may_hang_on_a_file_that_was_just_fixed(how: str, last: str, tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "a.py").write_text(STARTS.format(last) + "start()\n")
    (tmp_path / "b.py").write_text("from a import start\n\nstart()\n")
    result = run_cli("--select=CNC401,CNC402", "--unsafe-fixes", how, cwd=tmp_path)
    assert "internal error" not in result.stderr
    said = result.stdout if how == "--fix" else result.stderr
    assert ("Fixed 2 findings." if how == "--fix" else "Would fix 2 findings in 2 files.") in said


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_is_left_alone(what: str, project: Path, run_cli: RunCli) -> None:
    locked = project / "names.py" if what == "file" else project
    locked.chmod(0o444 if what == "file" else 0o555)
    result = run_cli(*EVERYTHING, "--fix", "names.py", cwd=project)
    locked.chmod(0o755)
    assert result.returncode == 2
    assert result.stderr == "conclint: names.py: not fixed: it cannot be replaced: permission denied\n"
    assert "CNC316" in result.stdout
    assert (project / "names.py").read_text() == NAMES


def test_the_wrong_options_together(project: Path, run_cli: RunCli) -> None:
    result = run_cli("--diff", "--statistics", cwd=project)
    assert result.returncode == 2
    assert "--diff shows no findings that --statistics could count" in result.stderr
    assert run_cli("--fix", "--statistics", "--select=CNC316", cwd=project).stdout == (
        "Fixed 3 findings. No findings in 3 files.\n"
    )


def test_what_was_fixed_is_said_with_what_was_accepted(project: Path, run_cli: RunCli) -> None:
    (project / "leak.py").write_text(UNFIXABLE)
    result = run_cli("--fix", "--write-baseline", "base.json", cwd=project)
    assert result.stdout == "Fixed 3 findings. Wrote 1 finding to base.json.\n"

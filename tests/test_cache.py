"""The cache: it says what a run without it says, whatever has happened to the files, to it and to earlier runs."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import cache as cache_module
from conclint.cache import Cache, Entry, Needs
from conclint.model import FileReport
from tests.test_bad_input import obey_permissions

if TYPE_CHECKING:
    from tests.conftest import RunCli

WITH_CACHE = {"CONCLINT_NO_CACHE": ""}

BASE = "import threading\n\n\nclass Worker(threading.Thread):\n    pass\n"
NO_BASE = "import threading\n\n\nclass Worker(threading.local):\n    def start(self):\n        pass\n"
USE = "from base import Worker\n\n\ndef f():\n    worker = Worker()\n    worker.start()\n"
LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
NO_LEAK = LEAK.replace("lock.acquire()", "print( lock )").replace("lock.release()", "print( lock )")
"""Of the same size, and without a finding."""

Check = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "quiet.py").write_text("print(1)\n")
    return tmp_path


@pytest.fixture
def check(project: Path, run_cli: RunCli) -> Check:
    """Runs with a cache twice, and once without: all must say the same, which is handed back."""

    def run(*arguments: str) -> str:
        outputs = [
            run_cli("--output-format=json", *arguments, cwd=project, env=env).stdout
            for env in (WITH_CACHE, WITH_CACHE, {})
        ]
        assert outputs[0] == outputs[1] == outputs[2]
        return outputs[0]

    return run


def stored(project: Path) -> list[Path]:
    return sorted((project / ".conclint_cache").glob("*.bin"))


def test_what_has_not_changed_is_not_analysed_again(project: Path, check: Check, root: Path) -> None:
    assert "CNC301" in check()
    env = {**os.environ, "PYTHONPATH": str(root), "CONCLINT_NO_CACHE": ""}
    code = "import sys\nfrom conclint.cli import main\nmain(['-q'])\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=env, capture_output=True, text=True, check=True
    )
    assert "leak.py:6" in result.stdout
    modules = set(result.stdout.splitlines()[-1].split())
    assert "conclint.cache" in modules
    assert not modules & {"conclint.facts", "conclint.syntax", "conclint.quick", "libcst"}


def test_a_file_that_changes_is_checked_anew(project: Path, check: Check) -> None:
    assert "leak.py" in check()
    (project / "leak.py").write_text(
        LEAK.replace("lock.acquire()", "print(lock)").replace("lock.release()", "print(lock)")
    )
    assert '"path": "leak.py"' not in check()
    (project / "leak.py").write_text(LEAK)
    assert "leak.py" in check()


def test_a_change_of_what_a_file_imports_counts(project: Path, check: Check) -> None:
    assert "use.py" in check()
    (project / "base.py").write_text(NO_BASE)
    assert "use.py" not in check()
    (project / "base.py").write_text(BASE)
    assert "use.py" in check()
    (project / "base.py").unlink()
    assert "use.py" not in check()


def test_a_change_two_files_away_counts(project: Path, check: Check) -> None:
    (project / "middle.py").write_text("from base import Worker as Inner\n\n\nclass Middle(Inner):\n    pass\n")
    (project / "use.py").write_text(USE.replace("from base import Worker", "from middle import Middle as Worker"))
    assert "use.py" in check()
    (project / "base.py").write_text(NO_BASE)
    assert "use.py" not in check()
    (project / "base.py").write_text(BASE)
    assert "use.py" in check()


def test_a_new_file_that_an_import_now_means_counts(project: Path, check: Check) -> None:
    (project / "app").mkdir()
    shutil.move(project / "use.py", project / "app" / "use.py")
    assert "use.py" in check()
    (project / "app" / "base.py").write_text(NO_BASE)
    assert "use.py" not in check()


def test_a_new_user_of_a_lock_counts(project: Path, check: Check) -> None:
    (project / "one.py").write_text(
        "import threading\nimport two\n\na_lock = threading.Lock()\n\n\n"
        "def f():\n    with a_lock:\n        with two.b_lock:\n            work()\n"
    )
    (project / "two.py").write_text("import threading\nb_lock = threading.Lock()\n")
    (project / "three.py").write_text("import threading\nimport one\nimport two\n")
    assert "CNC107" not in check()
    (project / "three.py").write_text(
        "import threading\nimport one\nimport two\n\n\n"
        "def g():\n    with two.b_lock:\n        with one.a_lock:\n            work()\n"
    )
    assert "CNC107" in check()


def test_settings_count(project: Path, check: Check) -> None:
    both = check()
    assert check("--ignore=CNC101") != both
    assert "CNC103" not in check("--select=CNC301")
    (project / "conclint.toml").write_text("[per-file-ignores]\n'use.py' = ['ALL']\n")
    assert '"path": "use.py"' not in check()
    (project / "conclint.toml").unlink()
    assert check() == both
    source = "import asyncio\n\n\nasync def f():\n    lock = asyncio.Lock()\n    async with lock:\n        pass\n"
    (project / "leak.py").write_text(source)
    check("--target-version=3.9")
    check("--target-version=3.12")
    (project / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.8'\n")
    check()
    (project / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.13'\n")
    check()


def test_which_files_are_named_counts(project: Path, check: Check) -> None:
    (project / "broken.py").write_text("x = (\n")
    assert "broken.py" not in check()
    assert "CNC900" in check("broken.py", "leak.py")
    assert "broken.py" not in check()


def test_a_file_that_hides_its_change_is_found_out(project: Path, check: Check) -> None:
    assert "leak.py" in check()
    path = project / "leak.py"
    before = path.stat()
    path.write_text(
        LEAK.replace("lock.acquire()", "print(lock)   "[:14]).replace("lock.release()", "print(lock)   "[:14])
    )
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "CNC101" not in check()


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "flipped", "of another type", "a folder"])
def test_a_damaged_cache_is_as_none(damage: str, project: Path, check: Check) -> None:
    expected = check()
    for path in stored(project):
        data = path.read_bytes()
        path.unlink()
        if damage == "a folder":
            path.mkdir()
        else:
            path.write_bytes(
                {
                    "cut": data[: len(data) // 2],
                    "empty": b"",
                    "garbage": random.Random(1).randbytes(1000),
                    "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
                    "of another type": data[: len(cache_module._MAGIC)] + b"\0" * 16 + b"\x90",
                }[damage]
            )
    assert check() == expected


def test_values_of_wrong_types_are_not_taken(tmp_path: Path) -> None:
    made = Cache(str(tmp_path / "c"))
    made.keep(b"key", b"run", Entry(FileReport((), ()), Needs(), b""))
    made.save()
    (path,) = [path for path in (tmp_path / "c").glob("*.bin") if "outlines" not in path.name]
    for value in ([1, 2], [{}, {}, {}, {b"key": 5}], [{b"a": 1}, {}, {}, {}], "text", None):
        cache_module._store(str(path), value)
        assert Cache(str(tmp_path / "c")).entry(b"key") is None


@pytest.mark.skipif(os.name == "nt", reason="permissions are different there")
def test_a_folder_that_cannot_be_written_costs_nothing_but_time(project: Path, run_cli: RunCli) -> None:
    (project / ".conclint_cache").mkdir()
    (project / ".conclint_cache").chmod(0o500)
    result = run_cli(cwd=project, env=WITH_CACHE, preexec_fn=obey_permissions)
    assert ("leak.py" in result.stdout, result.stderr) == (True, "")
    (project / ".conclint_cache").chmod(0o700)
    assert stored(project) == []


def test_a_file_where_the_folder_should_be_costs_nothing_but_time(project: Path, check: Check) -> None:
    (project / ".conclint_cache").write_text("mine")
    assert "leak.py" in check()
    assert (project / ".conclint_cache").read_text() == "mine"


def test_git_does_not_see_it(project: Path, check: Check) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    check()
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True)
    assert ".conclint_cache" not in status.stdout
    assert (project / ".conclint_cache" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172")


def test_where_it_is(project: Path, run_cli: RunCli) -> None:
    run_cli("--no-cache", cwd=project, env=WITH_CACHE)
    run_cli(cwd=project)
    assert not (project / ".conclint_cache").exists()
    run_cli("--cache-dir", "mine", cwd=project, env=WITH_CACHE)
    assert list((project / "mine").glob("*.bin"))
    run_cli(cwd=project, env={**WITH_CACHE, "CONCLINT_CACHE_DIR": "theirs"})
    assert list((project / "theirs").glob("*.bin"))
    (project / "conclint.toml").write_text("cache-dir = 'build/cache'\n")
    (project / "sub").mkdir()
    (project / "sub" / "a.py").write_text(LEAK)
    run_cli(cwd=project / "sub", env=WITH_CACHE)
    assert list((project / "build" / "cache").glob("*.bin"))
    (project / "conclint.toml").write_text("")
    run_cli(cwd=project / "sub", env=WITH_CACHE)
    assert stored(project)


def test_runs_at_the_same_time_do_not_harm_one_another(project: Path, check: Check, root: Path) -> None:
    expected = check()
    env = {**os.environ, "PYTHONPATH": str(root), "CONCLINT_NO_CACHE": ""}
    for _ in range(2):
        for path in stored(project):
            path.unlink()
        command = [sys.executable, "-m", "conclint", "--output-format=json"]
        runs = [subprocess.Popen(command, cwd=project, env=env, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        assert {run.communicate()[0] for run in runs} == {expected}
    assert check() == expected
    assert not list((project / ".conclint_cache").glob("*.tmp"))


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_run_that_is_killed_leaves_a_whole_cache_or_none(project: Path, check: Check, root: Path) -> None:
    expected = check()
    env = {**os.environ, "PYTHONPATH": str(root), "CONCLINT_NO_CACHE": ""}
    for delay in (0.05, 0.15, 0.25, 0.4):
        (project / "leak.py").write_text(LEAK + f"# {delay}\n")
        run = subprocess.Popen([sys.executable, "-m", "conclint"], cwd=project, env=env, stdout=subprocess.DEVNULL)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.wait()
        check()
    (project / "leak.py").write_text(LEAK)
    assert check() == expected


def test_it_does_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES", 2_000)
    for number in range(60):
        made = Cache(str(tmp_path))
        made.keep(f"{number}".encode(), b"run", Entry(FileReport((), ()), Needs(), bytes(100)))
        made.save()
    size = sum(path.stat().st_size for path in tmp_path.glob("*.bin"))
    assert 500 < size < 6_000
    assert Cache(str(tmp_path)).entry(b"59") is not None


def test_fixes_are_made_from_what_is_known(project: Path, check: Check, run_cli: RunCli) -> None:
    assert "leak.py" in check()
    result = run_cli("--fix", "--unsafe-fixes", cwd=project, env=WITH_CACHE)
    assert "with lock:" in (project / "leak.py").read_text()
    assert "Fixed 1 finding" in result.stdout
    assert '"path": "leak.py"' not in check()


def test_few_files_that_can_hold_no_finding_need_no_cache(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "plain.py").write_text("print('no threads here')\n")
    assert run_cli("plain.py", cwd=tmp_path, env=WITH_CACHE).returncode == 0
    assert not (tmp_path / ".conclint_cache").exists()

"""Worker processes: results, deaths, and what is left when the parent goes."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conclint.workers import Died, Workers

if TYPE_CHECKING:
    from tests.conftest import RunCli

METHODS = [method for method in ("fork", "spawn", "forkserver") if method in multiprocessing.get_all_start_methods()]


def squares(summand: int) -> Callable[[int], tuple[int, int]]:
    def work(task: int) -> tuple[int, int]:
        if task == 13:
            faulthandler.disable()  # of pytest, where processes are forked
            signal.raise_signal(signal.SIGSEGV)
        if task == 14:
            os._exit(3)
        return task * task + summand, os.getpid()

    return work


@pytest.fixture(params=METHODS)
def start_method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(multiprocessing, "Process", context.Process)
    monkeypatch.setattr(multiprocessing, "Pipe", context.Pipe)


@pytest.mark.usefixtures("start_method")
@pytest.mark.parametrize("count", [1, 2, 4])
def test_each_task_has_its_result(count: int) -> None:
    found: dict[int, Any] = dict(Workers(count, squares, (1,)).run(range(10)))
    assert {number: result[0] for number, result in found.items()} == {n: n * n + 1 for n in range(10)}
    pids = {result[1] for result in found.values()}
    assert os.getpid() not in pids
    assert len(pids) <= count


@pytest.mark.usefixtures("start_method")
def test_a_worker_that_dies_loses_only_its_own_task() -> None:
    tasks = [1, 13, 2, 14, 3, 4]
    found: dict[int, Any] = dict(Workers(2, squares, (0,)).run(tasks))
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert found[1] == Died(-signal.SIGSEGV)
    assert found[3] == Died(3)
    assert [found[number][0] for number in (0, 2, 4, 5)] == [1, 4, 9, 16]
    assert Died(-signal.SIGSEGV).reason == "the worker process was killed by SIGSEGV"
    assert Died(3).reason == "the worker process ended with status 3"


def test_nothing_to_do_starts_nothing() -> None:
    assert list(Workers(4, squares, (0,)).run([])) == []


def test_workers_end_with_whoever_stops_reading() -> None:
    results = Workers(2, squares, (0,)).run(range(1000))
    next(results)
    children = multiprocessing.active_children()
    assert children
    del results
    assert not any(child.is_alive() for child in children)


SOURCE = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"


def large_project(folder: Path, files: int) -> None:
    part = "\n\ndef g{}(lock):\n    with lock:\n        return work()\n"
    filler = "".join(part.format(number) for number in range(400))
    for number in range(files):
        (folder / f"m{number:02}.py").write_text(SOURCE + filler)


def test_any_number_of_processes_finds_the_same(tmp_path: Path, run_cli: RunCli) -> None:
    large_project(tmp_path, 12)
    (tmp_path / "broken.py").write_text("import threading\nx = (\n")
    show = "--output-format=json"
    outputs = {run_cli("-j", jobs, show, cwd=tmp_path).stdout for jobs in ("1", "2", "4", "0", "auto")}
    assert len(outputs) == 1
    names = [f"m{number:02}.py" for number in range(11, -1, -1)]
    assert run_cli("-j2", show, *names, "broken.py", cwd=tmp_path).stdout in outputs


@pytest.mark.parametrize("jobs", ["-1", "two", "1.5"])
def test_a_wrong_number_is_refused(jobs: str, tmp_path: Path, run_cli: RunCli) -> None:
    result = run_cli(f"--jobs={jobs}", cwd=tmp_path)
    assert result.returncode == 2
    assert f"{jobs!r} is no number of processes" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process(number: signal.Signals, tmp_path: Path, root: Path) -> None:
    large_project(tmp_path, 60)
    mark = f"conclint-test-{os.getpid()}-{number}"
    run = subprocess.Popen(
        [sys.executable, "-m", "conclint", "-j3", "--stdin-filename", mark],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        deadline = time.monotonic() + 60
        while len(children_of(run.pid)) < 2:
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = children_of(run.pid)
        run.send_signal(number)
        assert run.wait(60) == -number
        while any(map(is_running, workers)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert run.stderr is not None
        assert "Traceback" not in run.stderr.read()


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_running(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()[:1] not in ("", "Z")

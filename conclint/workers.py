"""Worker processes: tasks out, results in, and no task lost where a worker dies.

The standard library's executor gives up all that is under way when one worker dies, and cannot tell what killed it.
Here each worker has a pipe of its own and one task at a time. Nothing depends on how processes are started: what a
worker needs is sent to it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, TypeVar

from .parsing import on_large_stack

T = TypeVar("T")
R = TypeVar("R")


class Died(NamedTuple):
    """What stands in for the result of a task whose worker died."""

    exitcode: int | None

    @property
    def reason(self) -> str:
        """How the worker ended, in words."""
        if self.exitcode is not None and self.exitcode < 0:
            with contextlib.suppress(ValueError):
                return f"the worker process was killed by {signal.Signals(-self.exitcode).name}"
        return f"the worker process ended with status {self.exitcode}"


class Workers(Generic[T, R]):
    """So many processes (``count``), in each of which ``make(*arguments)`` gives the function that does the tasks.

    ``make``, its arguments, tasks and results are pickled; nothing else is shared.
    """

    def __init__(self, count: int, make: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...]) -> None:
        self._count = count
        self._make = make
        self._arguments = arguments

    def run(self, tasks: Sequence[T]) -> Iterator[tuple[int, R | Died]]:
        """The result of each task with its number, as they come.

        Neighbours go to the same worker, which may keep what it has learned from one for the next.
        """
        shares = _shares(len(tasks), self._count)
        workers: dict[Connection, _Worker] = {}
        try:
            for share in shares:
                self._start(workers, share, shares, tasks)
            while workers:
                for ready in wait(list(workers)):
                    assert isinstance(ready, Connection)
                    worker = workers.pop(ready)
                    number = worker.number
                    try:
                        result: R | Died = ready.recv()
                    except (EOFError, OSError):
                        result = Died(worker.ended())
                    if isinstance(result, Died):
                        self._start(workers, worker.share, shares, tasks)
                    elif worker.give(shares, tasks):
                        workers[ready] = worker
                    else:
                        worker.dismiss()
                    yield number, result
        finally:
            for worker in workers.values():
                worker.kill()

    def _start(
        self, workers: dict[Connection, _Worker], share: deque[int], shares: list[deque[int]], tasks: Sequence[T]
    ) -> None:
        """Starts a worker, if there is something left to do."""
        if not any(shares):
            return
        worker = _Worker(self._make, self._arguments, share)
        worker.give(shares, tasks)
        workers[worker.connection] = worker


class _Worker:
    """A process, the parent's end of its pipe, and the number of the task that it does."""

    def __init__(self, make: Callable[..., object], arguments: tuple[Any, ...], share: deque[int]) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self.share = share
        self.number = -1
        self._process = multiprocessing.Process(target=_work, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, shares: list[deque[int]], tasks: Sequence[Any]) -> bool:
        """Sends the next task of its own share, or the last of the largest; False where none is left."""
        if self.share:
            self.number = self.share.popleft()
        else:
            largest = max(shares, key=len)
            if not largest:
                return False
            self.number = largest.pop()
        with contextlib.suppress(OSError):  # it has died; reading from it will tell
            self.connection.send(tasks[self.number])
        return True

    def ended(self) -> int | None:
        """Its exit status, once its pipe is closed."""
        self.connection.close()
        self._process.join()
        return self._process.exitcode

    def dismiss(self) -> None:
        """Lets it end: told so, since siblings that were forked later hold this end of the pipe open."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.connection.close()
        self._process.join()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self.ended()


def _shares(tasks: int, count: int) -> list[deque[int]]:
    """The numbers of the tasks in as many runs of neighbours as there are workers."""
    count = max(1, min(count, tasks))
    bounds = [tasks * part // count for part in range(count + 1)]
    return [deque(range(start, stop)) for start, stop in zip(bounds, bounds[1:])]  # noqa: B905, RUF007


def _work(connection: Connection, make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    """What a worker does until the parent says that there is no more, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches all processes of a terminal
    parent = multiprocessing.parent_process()
    ends: list[Any] = [connection] if parent is None else [connection, parent.sentinel]

    def loop() -> None:
        do = make(*arguments)
        # Where processes are forked, its siblings hold the parent's end of the pipe too: only the sentinel tells.
        while connection in wait(ends):
            try:
                task = connection.recv()
            except EOFError:
                return
            if task is None:
                return
            connection.send(do(task))

    on_large_stack(loop)

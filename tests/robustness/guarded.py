"""Checks made in a process of its own, which may crash or hang without harm to the run.

The processor time of an input is limited by the operating system, so that a busy machine makes nothing look as if it
hung; what waits without working is told by the clock. Either way the process says where it was.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from . import Check, Input, Outcome

_MEMORY = 6 << 30
"""Address space, in bytes; most of it is what stacks might need."""

_BY_THE_CLOCK = 20
"""So many times its processor time an input may take by the clock."""

_TOLD = 15
"""Lines of where the process was that are shown."""


class Guarded:
    """Calls ``check`` in another process.

    ``hash_seed`` decides the order of sets there, and ``patience`` is the part of the time that an input has.
    """

    def __init__(self, check: Check, hash_seed: int = 0, patience: float = 1) -> None:
        self._check = check
        self._patience = patience
        self._hash_seed = hash_seed
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._trace = Path(self._folder.name, "trace")

    def close(self) -> None:
        """Ends the process."""
        self._stop()
        self._folder.cleanup()

    def __call__(self, given: Input) -> Outcome:
        """What comes of ``given``, also if that is the end of the process."""
        if self._connection is None:
            self._start()
        assert self._connection is not None
        self._connection.send(given)
        try:
            if self._connection.poll(self._patience * (60 + _BY_THE_CLOCK * given.seconds)):
                outcome = self._connection.recv()
                assert isinstance(outcome, Outcome)
                return outcome
        except (EOFError, ConnectionError):
            return Outcome((self._how_it_ended(hangs=False),))
        return Outcome((self._how_it_ended(hangs=True),))

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._check, str(self._trace), self._patience))
        before = os.environ.get("PYTHONHASHSEED")
        os.environ["PYTHONHASHSEED"] = str(self._hash_seed)
        try:
            self._process.start()
        finally:
            del os.environ["PYTHONHASHSEED"]
            if before is not None:
                os.environ["PYTHONHASHSEED"] = before
        theirs.close()
        self._connection.recv()  # it has started

    def _how_it_ended(self, hangs: bool) -> str:
        assert self._process is not None
        assert self._process.pid is not None
        if hangs:
            os.kill(self._process.pid, signal.SIGABRT)  # has it say where it waits
        self._process.join(10)
        code = self._process.exitcode
        self._stop()
        trace = "\n".join(self._trace.read_text("utf-8", "replace").splitlines()[:_TOLD])
        if hangs:
            return f"hangs\n{trace}"
        if hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU:
            return f"does not end\n{trace}"
        return f"the process ended with {code}\n{trace}"

    def _stop(self) -> None:
        if self._process is not None and self._connection is not None:
            self._connection.close()
            self._process.join(1)
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection, check: Check, trace: str, patience: float) -> None:
    """Answers what comes until nothing does any more."""
    with open(trace, "w", encoding="utf-8") as file:
        faulthandler.enable(file)
        if hasattr(signal, "SIGXCPU"):
            faulthandler.register(signal.SIGXCPU, file, chain=True)
        if sys.platform == "linux":
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            connection.send("started")
            while True:
                given = connection.recv()
                _limit(patience * given.seconds)
                connection.send(check(given))


def _limit(seconds: float) -> None:
    """Has the system end this process where it works for so much longer."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))

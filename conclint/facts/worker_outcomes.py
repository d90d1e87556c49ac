"""Whether anybody looks at how a worker ended: still running after a timed join, or with an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Instance
from ..names import Names
from .running import Worker
from .values import Use
from .worker_uses import WorkerUse, WorkerUses

_LOOKS_ALIVE = frozenset({"is_alive", "isAlive", "terminate", "kill"})
_LOOKS_ENDED = frozenset({"exitcode", "sentinel"})
_HANDED_OVER = frozenset({"argument", "return", "await", "with", "wait", "escape"})
_NO_CHANNELS = frozenset({"lock", "rlock", "condition", "semaphore", "bounded_semaphore", "event", "barrier"})


class Unchecked(NamedTuple):
    """A ``join()`` after which nobody looks at what it has come to."""

    worker: Worker
    join: s.Call
    receiver: s.Expr


class WorkerOutcomes:
    """Answers for every worker of a module."""

    def __init__(self, names: Names, uses: WorkerUses) -> None:
        self._names = names
        self._uses = uses

    def unchecked_timeouts(self) -> Iterator[Unchecked]:
        """The timed joins of workers of which nobody asks whether they still run."""
        told: set[s.Node] = set()
        for use in self._uses.all():
            if use.is_daemon or self._is_looked_at(use):
                continue
            joins = use.calls("join")
            if all(self._is_timed(join) for join in joins):
                for join in joins:
                    if join.node not in told and not self._is_last_resort(join.node):
                        told.add(join.node)
                        yield self._unchecked(use, join)

    def unchecked_exit_codes(self) -> Iterator[Unchecked]:
        """The joins of processes whose exit code nobody reads, and that have no other way to tell."""
        told: set[s.Node] = set()
        for use in self._uses.all("process"):
            if use.is_daemon or use.calls("terminate", "kill", "is_alive") or self._is_looked_at(use):
                continue
            if self._has_channel(use.worker.call) or self._runs_nothing(use.worker):
                continue
            if self._uses.handles_its_errors(use.worker):
                continue
            for join in use.calls("join")[:1]:
                if join.node not in told and not self._is_timed(join):
                    told.add(join.node)
                    yield self._unchecked(use, join)

    @staticmethod
    def _unchecked(use: WorkerUse, join: Use) -> Unchecked:
        assert isinstance(join.node, s.Call)
        return Unchecked(use.worker, join.node, join.origin)

    @staticmethod
    def _is_looked_at(use: WorkerUse) -> bool:
        return any(
            one.kind in _HANDED_OVER
            or (one.kind == "method" and one.name in _LOOKS_ALIVE)
            or (one.kind == "attribute" and one.name in _LOOKS_ENDED | _LOOKS_ALIVE)
            for one in use.uses
        )

    @staticmethod
    def _is_timed(join: Use) -> bool:
        timeout = join.node.argument(0, "timeout") if isinstance(join.node, s.Call) else None
        return not s.is_nothing(timeout)

    @staticmethod
    def _is_last_resort(join: s.Node) -> bool:
        """Whether the object that waits is on its way out anyway."""
        function = s.enclosing_function(join)
        return function is not None and function.name == "__del__"

    @staticmethod
    def _runs_nothing(worker: Worker) -> bool:
        """Whether it is given nothing to do: ``Process()``, made to see that processes can be."""
        return worker.subclass is None and not worker.call.args

    def _has_channel(self, call: s.Call) -> bool:
        """Whether what a process is given may carry its result: a queue, a pipe, shared memory."""
        for argument in call.args:
            for node in s.walk(argument.value):
                if isinstance(node, (s.Name, s.Attribute)) and self._is_channel(node):
                    return True
        return call.has_star

    def _is_channel(self, expr: s.Expr) -> bool:
        for kind in self._names.kinds(expr):
            if isinstance(kind, Instance):
                return kind.type.kind not in _NO_CHANNELS
        found = self._names.scopes.lookup(expr.id, expr) if isinstance(expr, s.Name) else None
        return found is not None and any(
            isinstance(binding.value, s.Call)
            and (self._names.qualified(binding.value.func) or "").startswith("multiprocessing.")
            for binding in found[1]
        )

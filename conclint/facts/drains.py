"""Processes that are waited for while what they put into a queue is still in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Graph, StepKind
from .flow import Flow
from .objects import Objects, Operation, Tracked
from .running import Running, Worker
from .values import Use, ValueFlow

_PUTS = ("put", "put_nowait")
_GETS = ("get", "get_nowait")
_LETS_GO = ("cancel_join_thread", "join", "task_done")
"""Who calls these on a queue does not wait for its feeder, or has a protocol of his own."""
_ENDS = frozenset({"terminate", "kill"})
_DEEPEST = 4


class Undrained(NamedTuple):
    """A ``join()`` that waits for a process, which waits for somebody to read a queue."""

    join: s.Call
    process: s.Expr
    """The expression that the ``join()`` is of."""
    put: Operation
    get: Operation
    """The call that would read the queue, after the ``join()``."""


class Drains:
    """The queues between the processes of a module."""

    def __init__(self, flow: Flow, objects: Objects, values: ValueFlow, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._values = values
        self._running = running

    def undrained(self) -> Iterator[Undrained]:
        """Each ``join()`` of a process that puts, before which nobody gets, once."""
        seen: set[s.Call] = set()
        for tracked in self._objects.made("queue"):
            if not self._is_fed(tracked) or tracked.escapes or tracked.named(*_LETS_GO):
                continue
            puts, gets = tracked.named(*_PUTS), tracked.named(*_GETS)
            readers = {s.enclosing_scope(get.where) for get in gets}
            if len(readers) != 1 or any(operation.call is None for operation in [*puts, *gets]):
                continue
            reader = readers.pop()
            for worker in self._running.workers:
                put = self._put_by(worker, puts) if s.enclosing_scope(worker.call) is reader else None
                found = None if put is None else self._joined_first(worker, put, gets, tracked)
                if found is not None and found.join not in seen:
                    seen.add(found.join)
                    yield found

    def _is_fed(self, tracked: Tracked) -> bool:
        made = tracked.made
        return isinstance(made, s.Call) and self._names.is_call_of(made, self._names.catalog.fed_queues)

    def _put_by(self, worker: Worker, puts: list[Operation]) -> Operation | None:
        """The first ``put()`` that runs in a process, of what may be too much for the pipe behind the queue."""
        if worker.kind != "process" or len(self._names.kinds(worker.call.func)) != 1:
            return None
        functions = self._run(worker)
        return next(
            (put for put in puts if s.enclosing_scope(put.where) in functions and not self._is_little(put)), None
        )

    def _run(self, worker: Worker) -> set[s.Scope]:
        """The functions of this file that run in a process."""
        found: set[s.Scope] = set()
        work = self._running.targets(worker)
        for _ in range(_DEEPEST):
            found.update(work)
            calls = (node for function in work for node in s.own_nodes(function) if isinstance(node, s.Call))
            work = [callee for call in calls for callee in self._flow.callees(call) if callee not in found]
        return found

    def _is_little(self, put: Operation) -> bool:
        """Whether one small item is put, once, which always has room in the pipe: a constant, a flag, an exception."""
        item = None if put.call is None else put.call.argument(0, "obj")
        for parent in s.ancestors(put.where):
            if isinstance(parent, s.Function):
                break
            if isinstance(parent, (s.For, s.While, s.Comprehension)):
                return False
            if isinstance(parent, s.Handler) and isinstance(item, s.Name) and parent.name == item.id:
                return True
        if isinstance(item, s.Call):
            return None not in self._flow.classes.handled(item.func)
        return isinstance(item, (s.Constant, s.Compare, s.Not))

    def _joined_first(
        self, worker: Worker, put: Operation, gets: list[Operation], tracked: Tracked
    ) -> Undrained | None:
        uses = self._values.uses(worker.call)
        if any(use.kind in ("method", "attribute") and use.name in _ENDS for use in uses):
            return None
        reader = s.enclosing_scope(worker.call)
        graph = self._flow.graph(reader)
        taken = {get.where for get in gets}
        drained = _after(graph, taken, tracked.made)
        for use in uses:
            join = use.node
            if not self._is_join(use) or not isinstance(join, s.Call) or s.enclosing_scope(join) is not reader:
                continue
            if join in drained or join not in _after(graph, {worker.call}, tracked.made):
                continue
            late = _after(graph, {join}, tracked.made)
            get = next((get for get in gets if get.where in late), None)
            if get is not None:
                return Undrained(join, use.origin, put, get)
        return None

    @staticmethod
    def _is_join(use: Use) -> bool:
        """Whether a process is waited for, however long it takes."""
        if use.kind != "method" or use.name != "join" or not isinstance(use.node, s.Call):
            return False
        return not use.node.has_star and s.is_nothing(use.node.argument(0, "timeout"))


def _after(graph: Graph, nodes: set[s.Node], anew: s.Node | None) -> set[s.Node]:
    """The nodes of the steps that may come after one of ``nodes``, up to ``anew``, which makes a new object."""
    work = [step.id for step in graph.steps if step.node in nodes]
    seen = set(work)
    found: set[s.Node] = set()
    while work:
        step = graph.steps[work.pop()]
        following = [edge.target for edge in step.edges]
        if step.exc is not None and step.kind is not StepKind.RAISE_EXIT:
            following.append(step.exc)
        for number in following:
            node = graph.steps[number].node
            if node is not anew:
                found.add(node)
                if number not in seen:
                    seen.add(number)
                    work.append(number)
    return found

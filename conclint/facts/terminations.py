"""Processes that are stopped by force while they share locks and queues with others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..dataflow import Anything, explore
from .flow import Flow
from .running import Running, Worker
from .values import ValueFlow

_STOPS = frozenset({"terminate", "kill"})


class Termination(NamedTuple):
    """A call that may leave what processes share in a state of which nothing good comes."""

    call: s.Call
    worker: Worker
    shared: s.Expr
    is_queue: bool


class Terminations:
    """The processes of a module that are stopped by force."""

    def __init__(self, flow: Flow, running: Running, values: ValueFlow) -> None:
        self._flow = flow
        self._names = flow.names
        self._running = running
        self._values = values

    def of_sharing(self) -> Iterator[Termination]:
        """Every process that is given a lock, queue or value and stopped by force, where what it shares lives on."""
        seen: set[s.Node] = set()
        for worker in self._running.workers:
            shared = list(self._shared(worker)) if worker.kind == "process" else []
            if not shared:
                continue
            for use in self._values.uses(worker.call):
                if use.kind == "method" and use.name in _STOPS and isinstance(use.node, s.Call):
                    found = next((expr for expr in shared if self._lives_on(expr, use.node)), None)
                    if found is not None and use.node not in seen:
                        seen.add(use.node)
                        yield Termination(use.node, worker, found, self._kind(found) == "queue")

    def _shared(self, worker: Worker) -> Iterator[s.Expr]:
        """What is among the worker's arguments, and has a lock inside."""
        for argument in worker.call.args:
            value = argument.value
            if isinstance(value, s.Display):
                parts: list[s.Expr] = value.elements
            else:
                parts = value.values if isinstance(value, s.DictDisplay) else [value]
            yield from (part for part in parts if self._kind(part) is not None)

    def _kind(self, expr: s.Expr) -> str | None:
        """``lock``, ``queue`` or ``value`` for what one process can leave in a bad state for the others."""
        instance = self._names.instance(expr)
        if instance is None or instance.type.api != "multiprocessing":
            return None
        made = instance.made_at
        if isinstance(made, s.Call) and isinstance(made.func, s.Attribute):
            owner = self._names.instance(made.func.value)
            if owner is not None and owner.type.kind == "manager":
                return None  # the manager's own process holds it
        kind = instance.type.kind
        if kind in self._names.catalog.lock_kinds:
            return "lock"
        return {"queue": "queue", "shared_value": "value"}.get(kind)

    def _lives_on(self, shared: s.Expr, stop: s.Call) -> bool:
        """Whether somebody may use the shared object after ``stop``: it is not only a local that is given up."""
        scope = s.enclosing_scope(stop)
        if not isinstance(shared, s.Name):
            return True
        found = self._names.scopes.lookup(shared.id, shared)
        if found is None or found[0].node is not scope or not isinstance(scope, s.Function):
            return True
        after = self._after(scope, stop)
        loads = self._values.loads(found[0], shared.id)
        return any(s.statement_of(load) in after for load in loads)

    def _after(self, scope: s.Scope, stop: s.Call) -> set[s.Node]:
        """The statements of ``scope`` that may run after ``stop``."""
        graph = self._flow.graph(scope)
        reached = explore(graph, None, Anything(), ())
        stops = [graph.steps[number] for number in reached.states if graph.steps[number].node is stop]
        after = graph.reachable(edge.target for step in stops for edge in step.edges)
        return {s.statement_of(graph.steps[number].node) for number in after} - {s.statement_of(stop)}

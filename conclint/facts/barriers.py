"""Barriers, and the parties that may never get there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Graph, Label, Step, StepKind
from ..dataflow import explore
from .flow import Flow
from .objects import Objects, Operation, Tracked
from .running import Running
from .witness import Witness


class Deserted(NamedTuple):
    """A ``wait()`` that a party does not reach when it fails before."""

    wait: s.Call
    receiver: s.Expr
    path: Witness


class _PartyTransfer:
    """Whether the party has failed while a ``wait()`` was still before it, and nobody has been told."""

    def __init__(self, flow: Flow, before: set[int], waits: set[s.Call], aborts: set[s.Node]) -> None:
        self._harmless = flow.names.catalog.channel_methods
        self._before = before
        self._waits = waits
        self._aborts = aborts

    def leave(self, step: Step, edge: Edge, state: bool) -> Iterable[bool]:
        if step.node in self._waits or s.statement_of(step.node) in self._aborts:
            return (False,)
        return (state,)

    def raised(self, step: Step, state: bool) -> Iterable[bool]:
        call = step.node
        if step.cleanup and step.kind is not StepKind.RAISE:
            return ()
        if step.kind is StepKind.EVAL and isinstance(step.node, s.Subscript):
            return ()  # its own share of a list that was made for the parties
        if isinstance(call, s.Call) and isinstance(call.func, s.Attribute) and call.func.attr in self._harmless:
            return ()
        if step.node in self._waits:
            return (False,)  # broken: the others know
        return (state or step.id in self._before,)


class Barriers:
    """The barriers that a module makes."""

    def __init__(self, flow: Flow, objects: Objects, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._entries = {entry.function for entry in running.entries}

    def deserted(self) -> Iterator[Deserted]:
        """The first ``wait()`` of each worker that may fail before it, where nothing then frees the others."""
        for tracked in self._objects.made("barrier"):
            if _has_deadline(tracked) or tracked.escapes:
                continue
            scopes = dict.fromkeys(s.enclosing_function(wait.where) for wait in tracked.named("wait"))
            for scope in scopes:
                if scope is not None and scope in self._entries and self._flow.affords(scope):
                    found = self._deserted(scope, tracked)
                    if found is not None:
                        yield found

    def _deserted(self, scope: s.Function, tracked: Tracked) -> Deserted | None:
        graph = self._flow.graph(scope)
        calls = [op for op in tracked.named("wait") if op.call is not None and s.enclosing_function(op.where) is scope]
        waits = {op.call for op in calls if op.call is not None}
        aborts = {s.statement_of(op.where) for op in tracked.named("abort", "reset")}
        transfer = _PartyTransfer(self._flow, _leading_to(graph, waits), waits, aborts)
        reached = explore(graph, False, transfer, skip=(Label.UNCAUGHT_BASE,))
        for end in (graph.raise_exit, graph.exit):
            if reached.complete and True in reached.at(end):
                witness = Witness(reached.path(end, True))
                return _first_ahead(calls, witness)
        return None


def _first_ahead(waits: list[Operation], witness: Witness) -> Deserted | None:
    """The first ``wait()`` that the path has not passed when it ends."""
    passed = {move.step.node for move in witness.moves}
    for wait in sorted(waits, key=lambda operation: operation.where in passed):
        if wait.call is not None:
            return Deserted(wait.call, wait.receiver, witness)
    return None


def _has_deadline(tracked: Tracked) -> bool:
    """Whether the barrier breaks by itself when a party stays away."""
    made = tracked.made
    if isinstance(made, s.Call) and (made.has_star or made.argument(2, "timeout") is not None):
        return True
    return any(wait.call is None or wait.call.args for wait in tracked.named("wait"))


def _leading_to(graph: Graph, waits: set[s.Call]) -> set[int]:
    """The steps from which one of ``waits`` lies ahead on a normal path."""
    into: dict[int, list[int]] = {}
    for step in graph.steps:
        for edge in step.edges:
            into.setdefault(edge.target, []).append(step.id)
    work = [step.id for step in graph.steps if step.node in waits]
    found: set[int] = set()
    while work:
        for before in into.get(work.pop(), ()):
            if before not in found:
                found.add(before)
                work.append(before)
    return found

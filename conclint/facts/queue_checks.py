"""Asking a queue whether it is empty, and acting on the answer when it may have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import explore
from .flow import Flow
from .objects import Objects, Tracked
from .queue_items import enclosing_loops
from .running import Entry, Running

_DEEPEST_CALLER = 5
_SIZE_SIDES = {
    (">", 0): Label.TRUE,
    ("!=", 0): Label.TRUE,
    (">=", 1): Label.TRUE,
    ("==", 0): Label.FALSE,
    ("<=", 0): Label.FALSE,
    ("<", 1): Label.FALSE,
}


class StaleCheck(NamedTuple):
    """A blocking ``get()`` that relies on a check made before it."""

    get: s.Call
    receiver: s.Expr
    check: s.Call


class _CheckTransfer:
    """Remembers the last check that said there is something to get."""

    def __init__(self, checks: set[s.Call], gets: set[s.Call]) -> None:
        self._checks = checks
        self._gets = gets

    def leave(self, step: Step, edge: Edge, state: s.Call | None) -> Iterable[s.Call | None]:
        if step.kind is StepKind.BRANCH and isinstance(step.node, s.Expr):
            found = _says_filled(step.node, edge.label)
            if found in self._checks:
                return (found,)
        if step.kind is StepKind.CALL and step.node in self._gets:
            return (None,)
        return (state,)

    def raised(self, step: Step, state: s.Call | None) -> Iterable[s.Call | None]:
        return (state,)


class QueueChecks:
    """The checks of a module's queues between threads or processes; a coroutine is alone until it awaits."""

    def __init__(self, flow: Flow, objects: Objects, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._running = running
        self._entries: dict[s.Function, list[Entry]] = {}
        for entry in running.entries:
            self._entries.setdefault(entry.function, []).append(entry)

    def stale(self) -> Iterator[StaleCheck]:
        """Each blocking ``get()`` after a check, where another consumer may get between."""
        seen: set[s.Call] = set()
        for tracked in self._objects.made("queue"):
            checks = {op.call for op in tracked.named("empty", "qsize") if op.call is not None}
            is_async = tracked.instance is not None and tracked.instance.type.api == "asyncio"
            if checks and not is_async and self._has_other_consumers(tracked):
                for found in self._stale(tracked, checks):
                    if found.get not in seen:
                        seen.add(found.get)
                        yield found

    def _stale(self, tracked: Tracked, checks: set[s.Call]) -> Iterator[StaleCheck]:
        gets = {op.call: op for op in tracked.named("get", "get_nowait") if op.call is not None}
        scopes = dict.fromkeys(s.enclosing_scope(get) for get in gets)
        asking = {s.enclosing_scope(check) for check in checks}
        for scope in scopes:
            if scope not in asking or not self._flow.affords(scope):
                continue
            graph = self._flow.graph(scope)
            start: s.Call | None = None
            reached = explore(graph, start, _CheckTransfer(checks, set(gets)))
            for step in graph.steps:
                if step.kind is StepKind.CALL and isinstance(step.node, s.Call) and step.node in gets:
                    states = reached.at(step.id)
                    check = states[0] if states and None not in states else None  # else it means to wait anyway
                    get = gets[step.node]
                    if (
                        check is not None
                        and get.name == "get"
                        and _blocks(step.node)
                        and not self._is_locked(step.node)
                    ):
                        yield StaleCheck(step.node, get.receiver, check)

    def _has_other_consumers(self, tracked: Tracked) -> bool:
        """Whether somebody else may take items: other code, or the same code in another thread."""
        functions = {s.enclosing_function(op.where) for op in tracked.named("get", "get_nowait")}
        if tracked.escapes or len(functions) > 1:
            return True
        return any(function is not None and self._runs_in_several(function) for function in functions)

    def _runs_in_several(self, function: s.Function) -> bool:
        """Whether more than one thread or process may run ``function``, directly or through its callers."""
        seen = {function}
        level = [function]
        for _ in range(_DEEPEST_CALLER):
            entries = [entry for found in level for entry in self._entries.get(found, ())]
            if len(entries) > 1 or any(self._is_repeated(entry) for entry in entries):
                return True
            callers = {s.enclosing_function(call) for found in level for call in self._names.calls_of(found)}
            level = [caller for caller in callers if caller is not None and caller not in seen]
            seen.update(level)
        return False

    def _is_repeated(self, entry: Entry) -> bool:
        """Whether a function is handed over again and again: in a loop, to a pool, by objects of one class."""
        sites: list[s.Node] = [entry.site]
        if isinstance(entry.site, s.ClassDef):
            sites = [worker.call for worker in self._running.workers if worker.subclass is entry.site]
        return len(sites) != 1 or entry.place == "pool task" or any(enclosing_loops(sites[0]))

    def _is_locked(self, call: s.Call) -> bool:
        """Whether the call stands under a lock, which the other consumers may take too."""
        return any(
            isinstance(parent, s.With) and any(self._flow.is_lock(item.context) for item in parent.items)
            for parent in s.ancestors(call)
        )


def _says_filled(test: s.Expr, label: Label) -> s.Call | None:
    """The ``empty()`` or ``qsize()`` by which the ``label`` side of a test knows that there is something."""
    if isinstance(test, s.Call) and isinstance(test.func, s.Attribute):
        filled = Label.FALSE if test.func.attr == "empty" else Label.TRUE
        return test if label is filled else None
    if isinstance(test, s.Compare) and len(test.ops) == 1 and isinstance(test.left, s.Call):
        right = test.rights[0]
        if isinstance(right, s.Constant):
            if isinstance(right.value, bool):  # `q.empty() == False`
                asked = right.value == (test.ops[0] in ("==", "is"))
                return _says_filled(test.left, label if asked else _other(label))
            if isinstance(right.value, int) and _SIZE_SIDES.get((test.ops[0], right.value)) is label:
                return test.left
    return None


def _other(label: Label) -> Label:
    return {Label.TRUE: Label.FALSE, Label.FALSE: Label.TRUE}.get(label, label)


def _blocks(call: s.Call) -> bool:
    """Whether ``get(...)`` waits for ever."""
    block = call.argument(0, "block")
    if call.has_star or (block is not None and not (isinstance(block, s.Constant) and block.value)):
        return False
    timeout = call.argument(1, "timeout")
    return s.is_nothing(timeout)

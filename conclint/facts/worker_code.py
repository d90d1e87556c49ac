"""Which code runs in workers: the functions handed to them, what these call, and what the main thread runs too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from .calls import Calls
from .running import Entry, Running
from .values import ValueFlow


class Reach(NamedTuple):
    """How a function comes to run in a worker."""

    function: s.Function
    entry: Entry
    site: s.Node | None
    """What runs it, in the function of ``caller``; ``None`` for the function that is handed over itself."""
    caller: Reach | None

    def chain(self) -> list[Reach]:
        """From the function handed over to this one."""
        steps: list[Reach] = []
        step: Reach | None = self
        while step is not None:
            steps.append(step)
            step = step.caller
        return steps[::-1]


class WorkerCode:
    """The worker code of a module."""

    def __init__(self, calls: Calls, running: Running, values: ValueFlow) -> None:
        self._calls = calls
        self._names = running.names
        self._running = running
        self._values = values

    @cached_property
    def alone(self) -> dict[s.Function, Entry]:
        """The functions handed to workers, and the private helpers that only they call."""
        code: dict[s.Function, Entry] = {}
        for entry in self._running.entries:
            code.setdefault(entry.function, entry)
        pending = list(code)
        while pending:
            caller = pending.pop()
            for node in s.own_nodes(caller):
                if isinstance(node, s.Call):
                    for callee in self._names.functions(node.func):
                        if callee not in code and (caller.is_lambda or self._only_called_from(callee, code)):
                            code[callee] = code[caller]
                            pending.append(callee)
        return code

    def _only_called_from(self, function: s.Function, code: dict[s.Function, Entry]) -> bool:
        if not function.name.startswith("_") or function.name.endswith("__"):
            return False
        if function.is_async or function.is_generator:
            return False
        references: list[s.Expr] = [*self._values.attribute_reads(function.name)]
        statement = function.parent
        if statement is not None:
            scope = self._names.scopes.scope_of(statement)
            references.extend(self._values.loads(scope, function.name))
        return all(
            isinstance(node.parent, s.Call) and node.parent.func is node and s.enclosing_function(node) in code
            for node in references
        )

    def reached(
        self, entries: Iterable[Entry], through: Callable[[s.Node], bool] | None = None
    ) -> dict[s.Function, Reach]:
        """What runs because of ``entries``, each function once, by the shortest way.

        ``through`` says of a call whether to follow it.
        """
        found: dict[s.Function, Reach] = {}
        for entry in entries:
            found.setdefault(entry.function, Reach(entry.function, entry, None, None))
        pending = list(found.values())
        for reach in pending:  # it grows
            for site in s.own_nodes(reach.function):
                for callee in self._run_by(site):
                    if callee not in found and (through is None or through(site)):
                        found[callee] = Reach(callee, reach.entry, site, reach)
                        pending.append(found[callee])
        return found

    def _run_by(self, site: s.Node) -> Iterator[s.Function]:
        yield from self._calls.run_by(site)
        yield from self._calls.overriding(site)

    @cached_property
    def in_main_thread(self) -> frozenset[s.Function]:
        """The functions that may also run in the main thread, as far as this file knows."""
        return main_code(self._calls, frozenset(entry.function for entry in self._running.entries))


def main_code(calls: Calls, apart: frozenset[s.Function]) -> frozenset[s.Function]:
    """The functions that may run in the main thread: those that nothing in this file runs, and all that they call.

    A function of ``apart`` is handed to something else, and starts nothing there.
    """
    work: list[s.Function] = []
    for function in calls.module.functions:
        sites = calls.to(function)
        starts = function not in apart and (not sites or function in calls.values)
        if starts or any(s.enclosing_function(site) is None for site in sites):
            work.append(function)
    reached: set[s.Function] = set()
    while work:
        current = work.pop()
        if current not in reached:
            reached.add(current)
            for node in s.own_nodes(current):
                work += calls.run_by(node)
    return frozenset(reached)

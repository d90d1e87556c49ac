"""What accounts for the items of one queue: the calls of ``task_done()``, and what leads to them."""

from __future__ import annotations

from collections.abc import Iterable

from .. import syntax as s
from ..cfg import Edge, Label, Step
from ..dataflow import explore
from .flow import Flow
from .quiet import Quiet


class Marks:
    """The nodes of a module that account for an item, by the function they stand in."""

    def __init__(self, module: s.Module, direct: set[s.Node]) -> None:
        self._module = module
        self.direct = direct
        """The calls of ``task_done`` themselves."""
        self.statements: set[s.Node] = set()
        """The statements that name a function which calls it."""
        self._by_scope: dict[s.Node, list[s.Node]] = {}
        self._missing: dict[s.Function, bool] = {}
        for node in direct:
            self._by_scope.setdefault(s.enclosing_scope(node), []).append(node)

    def add(self, mention: s.Node) -> None:
        """Say that ``mention`` names a function that accounts for the item."""
        self.statements.add(s.statement_of(mention))
        self._by_scope.setdefault(s.enclosing_scope(mention), []).append(mention)

    def within(self, scope: s.Node) -> list[s.Node]:
        """Those that stand in the body of ``scope`` itself."""
        return self._by_scope.get(scope, [])

    def are_elsewhere(self, scope: s.Node) -> bool:
        """Whether another function than ``scope`` accounts for items."""
        return any(s.enclosing_function(node) is not scope for node in self.direct)

    def account(self, step: Step) -> bool:
        """Whether ``step`` accounts for the item, or may do so through the functions that it names."""
        return step.node in self.direct or s.statement_of(step.node) in self.statements

    def may_miss(self, function: s.Function, flow: Flow, quiet: Quiet) -> bool:
        """Whether an exception may leave ``function``, which accounts for an item itself, before it has done so."""
        known = self._missing.get(function)
        if known is None:
            known = False
            if any(node in self.direct for node in self.within(function)) and flow.affords(function):
                graph = flow.graph(function)
                reached = explore(graph, True, _Helper(self, quiet), skip=(Label.UNCAUGHT_BASE,))
                known = reached.complete and True in reached.at(graph.raise_exit)
            self._missing[function] = known
        return known


class _Helper:
    """Whether the item is still to be accounted for, in a function that is to do so."""

    def __init__(self, marks: Marks, quiet: Quiet) -> None:
        self._marks = marks
        self._quiet = quiet

    def leave(self, step: Step, edge: Edge, state: bool) -> Iterable[bool]:
        return (state and not self._marks.account(step),)

    def raised(self, step: Step, state: bool) -> Iterable[bool]:
        return (state and not self._marks.account(step),) if self._quiet.may_raise(step) else ()

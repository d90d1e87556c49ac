"""Functions that let no error out of the ordinary kind: they handle their own, and call only such as do so too."""

from __future__ import annotations

from collections.abc import Iterable

from .. import syntax as s
from ..cfg import Label, Step, StepKind
from ..dataflow import Anything, explore
from ..kinds import LocalFunction
from .flow import Flow

_DEEPEST_CALL = 8


class Quiet(Anything):
    """Answers for calls; what is done in handlers, and what ``except Exception`` lets through, is left aside."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._known: dict[s.Function, bool] = {}
        self._depth = 0

    def is_quiet(self, call: s.Call) -> bool:
        """Whether ``call`` runs only functions of this file that let no exception out."""
        names = self._flow.names
        functions: list[s.Function] = []
        for kind in names.kinds(call.func):
            if isinstance(kind, LocalFunction):
                functions += [kind.function, *names.overrides(kind.function, kind.receiver)]
        return bool(functions) and all(self._lets_nothing_out(function) for function in functions)

    def _lets_nothing_out(self, function: s.Function) -> bool:
        known = self._known.get(function)
        if known is None:
            if self._depth >= _DEEPEST_CALL or not _does_something(function):
                return False
            self._known[function] = False  # for recursion
            self._depth += 1
            graph = self._flow.graph(function)
            reached = explore(graph, None, self, skip=(Label.UNCAUGHT_BASE,))
            known = self._known[function] = not reached.at(graph.raise_exit)
            self._depth -= 1
        return known

    def may_raise(self, step: Step) -> bool:
        """Whether a step that is likely to raise still is, for all that is known of what it calls."""
        if step.kind is StepKind.RAISE:
            return True
        node = step.node.value if isinstance(step.node, s.Await) else step.node
        return not step.cleanup and not (isinstance(node, s.Call) and self.is_quiet(node))

    def raised(self, step: Step, state: None) -> Iterable[None]:
        return (None,) if self.may_raise(step) else ()


def _does_something(function: s.Function) -> bool:
    """Whether it is more than a place for subclasses to fill."""
    return any(isinstance(node, (s.Call, s.Handler)) for node in s.own_nodes(function))

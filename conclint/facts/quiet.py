"""What raises in earnest: a second look at the steps that the flow graph calls likely to raise.

For who asks whether a worker survives its work, cancellation and a broken program are not in question: functions that
handle their own errors raise nothing, nor do assertions, sleeping, or handing work and results to others.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import syntax as s
from ..cfg import Label, Level, Step, StepKind
from ..dataflow import Anything, explore
from ..kinds import Container, Instance, LocalFunction
from .flow import Flow

_DEEPEST_CALL = 8
_REPORTERS = frozenset({"put_nowait", "set_result", "set_exception", "task_done"})


class Quiet(Anything):
    """Answers for single steps, and so for functions that hold no others."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._names = flow.names
        self._known: dict[s.Function, bool] = {}
        self._depth = 0

    def may_raise(self, step: Step) -> bool:
        """Whether a step that is likely to raise still is; what is done in handlers is trusted."""
        node = step.node
        if step.kind is StepKind.RAISE:
            return not isinstance(node, s.Assert)
        if step.cleanup or (step.kind is StepKind.BIND and isinstance(step.target, s.Subscript)):
            return False
        if step.kind is StepKind.ITERATE and isinstance(node, (s.For, s.Clause)):
            return not isinstance(node.iter, (s.Name, s.Attribute))
        if isinstance(node, s.WithItem):
            return not self._flow.is_lock(node.context)
        if isinstance(node, s.Operation):
            return not self._is_guarded(node)
        if isinstance(node, s.Await):
            return not self._is_quiet_await(node.value)
        return not (isinstance(node, s.Call) and self._is_quiet_call(node))

    def raised(self, step: Step, state: None) -> Iterable[None]:
        return (None,) if self.may_raise(step) else ()

    # ---- steps

    def _is_guarded(self, division: s.Operation) -> bool:
        """Whether a division stands under a test of what it divides by."""
        divisor = self._names.place(division.operands[-1])
        return divisor is not None and any(
            self._names.place(part) == divisor
            for parent in s.ancestors(division)
            if isinstance(parent, (s.If, s.While, s.IfExp))
            for part in s.walk(parent.test)
            if isinstance(part, (s.Name, s.Attribute))
        )

    def _is_quiet_await(self, value: s.Expr) -> bool:
        if not isinstance(value, s.Call):
            instances = [kind for kind in self._names.kinds(value) if isinstance(kind, Instance)]
            made = [instance.made_at for instance in instances if instance.made_at is not None]
            return bool(made) and all(self._is_quiet_task(call) for call in made)
        functions = self._names.functions(value.func)
        if functions and all(self._flow.function_level(function) < Level.LIKELY for function in functions):
            return True
        return self._is_quiet_call(value)

    def _is_quiet_task(self, made: s.Node | None) -> bool:
        """Whether ``made`` is ``create_task(...)`` of a coroutine that has nothing to raise."""
        coroutine = made.positional(0) if isinstance(made, s.Call) else None
        return isinstance(coroutine, s.Call) and self._is_quiet_await(coroutine)

    def _is_quiet_call(self, call: s.Call) -> bool:
        catalog = self._names.catalog
        if self._names.functions(call.func):
            return self._runs_quiet(call)
        name = self._names.qualified(call.func)
        if name in catalog.calls["sleeps"] or name in catalog.calls["lookups"] or name in catalog.runs:
            return True
        if self._makes_task(call) or self._is_coroutine_of_task(call):
            return True
        func = call.func
        if not isinstance(func, s.Attribute):
            return False
        return func.attr in _REPORTERS or (func.attr == "put" and self._may_be_queue(func.value))

    def _makes_task(self, call: s.Call) -> bool:
        return any(isinstance(kind, Instance) and kind.type.kind == "task" for kind in self._names.kinds(call))

    def _is_coroutine_of_task(self, call: s.Call) -> bool:
        """Whether ``call`` only makes the coroutine that a task is made of."""
        argument = call.parent
        return (
            isinstance(argument, s.Argument)
            and isinstance(argument.parent, s.Call)
            and argument.parent.positional(0) is call
            and self._makes_task(argument.parent)
        )

    def _may_be_queue(self, receiver: s.Expr) -> bool:
        instance = self._names.instance(receiver)
        if instance is not None:
            return instance.type.kind == "queue"
        return all(isinstance(kind, Container) for kind in self._names.kinds(receiver))  # what is put in makes it one

    # ---- functions of this file

    def _runs_quiet(self, call: s.Call) -> bool:
        functions: list[s.Function] = []
        for kind in self._names.kinds(call.func):
            if isinstance(kind, LocalFunction):
                functions += [kind.function, *self._names.overrides(kind.function, kind.receiver)]
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


def _does_something(function: s.Function) -> bool:
    """Whether it is more than a place for subclasses to fill."""
    return any(isinstance(node, (s.Call, s.Handler)) for node in s.own_nodes(function))

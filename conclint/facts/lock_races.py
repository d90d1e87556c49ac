"""Locks that are asked whether they are free and then taken, as if nobody else could be quicker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Graph, Label, Step, StepKind
from ..kinds import Place
from .flow import Flow
from .lock_ops import Action
from .locks import LockUses

_PAUSES = frozenset({StepKind.AWAIT, StepKind.YIELD})


class Race(NamedTuple):
    """A test of ``locked()`` that decides about an acquire."""

    test: s.Call
    """The call that asks: ``locked()``, or a function of the file that returns what it says."""
    receiver: s.Expr
    """The lock, as the one who asks names it."""
    acquire: s.Node
    """The ``with`` item or call that takes the lock."""
    is_async: bool


class _Question(NamedTuple):
    call: s.Call
    receiver: s.Expr
    place: Place
    is_async: bool
    """Whether only other tasks could come between, and those only at an ``await``."""


class LockRaces:
    """The check-then-act races on the locks of a module."""

    def __init__(self, flow: Flow, uses: LockUses) -> None:
        self._flow = flow
        self._names = flow.names
        self._uses = uses

    def each(self) -> Iterator[Race]:
        """Every race, at the test."""
        for question in self._questions():
            scope = s.enclosing_scope(question.call)
            if not self._flow.affords(scope):
                continue
            for step in self._flow.graph(scope).steps:
                free = self._label_when_free(step, question.call)
                if free is not None:
                    acquire = self._decided(self._flow.graph(scope), step, free, question)
                    if acquire is not None:
                        yield Race(question.call, question.receiver, acquire, question.is_async)
                        break

    def _questions(self) -> Iterator[_Question]:
        """The calls that tell whether a lock is taken."""
        calls = self._names.module.all(s.Call)
        answers: dict[s.Function, _Question] = {}
        for call in calls:
            func = call.func
            if isinstance(func, s.Attribute) and func.attr in self._names.catalog.locked_methods:
                place = self._flow.names.place(func.value)
                if place is not None and self._flow.is_lock(func.value) and not self._uses.is_private(place):
                    function = s.enclosing_function(call)
                    lock = self._names.instance(func.value)
                    in_coroutine = function is not None and function.is_async
                    is_async = in_coroutine if lock is None else lock.type.api == "asyncio"
                    question = _Question(call, func.value, place, is_async)
                    if isinstance(call.parent, s.Return) and function is not None and len(function.body) <= 2:
                        answers[function] = question
                    yield question
        names = {function.name for function in answers}
        for call in calls if answers else ():
            if s.last_name(call.func) in names:
                for function in self._names.functions(call.func):
                    answer = answers.get(function)
                    if answer is not None and self._is_same_object(call, answer.place):
                        yield answer._replace(call=call)

    def _is_same_object(self, call: s.Call, place: Place) -> bool:
        """Whether a place of the callee is the caller's too: a global, or an attribute of the same ``self``."""
        if place.root[0] == "global":
            return True
        return (
            place.root[0] == "self"
            and isinstance(call.func, s.Attribute)
            and isinstance(call.func.value, s.Name)
            and self._names.self_of(call.func.value) is not None
        )

    def _label_when_free(self, step: Step, asked: s.Call) -> Label | None:
        """The edge of a branch on the answer that is taken when the lock is free."""
        if step.kind is not StepKind.BRANCH or not isinstance(step.node, s.Expr):
            return None
        if isinstance(s.statement_of(step.node), s.Assert):
            return None  # says what is so, and decides nothing
        test, free = step.node, Label.FALSE
        if isinstance(test, s.Compare) and len(test.ops) == 1 and test.ops[0] in ("is", "=="):
            if isinstance(test.rights[0], s.Constant) and test.rights[0].value is False:
                free = Label.TRUE
                test = test.left
        if isinstance(test, s.Name):
            return free if self._names.sole_value(test) is asked else None
        return free if test is asked else None

    def _decided(self, graph: Graph, branch: Step, free: Label, question: _Question) -> s.Node | None:
        """What takes the lock on the free side of ``branch``, and only there."""
        acquired = self._next_acquires(graph, branch, [e.target for e in branch.edges if e.label is free], question)
        if acquired:
            busy = [e.target for e in branch.edges if e.label in (Label.TRUE, Label.FALSE) and e.label is not free]
            acquired -= self._next_acquires(graph, branch, busy, question._replace(is_async=False))
        first = min(acquired, default=None)
        if first is None:
            return None
        node = graph.steps[first].node
        return None if self._is_gated(question, node) or self._is_slot(question, node) else node

    def _next_acquires(self, graph: Graph, branch: Step, starts: list[int], question: _Question) -> set[int]:
        """The steps that take the lock first on the ways from ``starts``, not by way of the same test again."""
        found: set[int] = set()
        seen: set[tuple[int, bool]] = set()
        work = [(start, not question.is_async) for start in starts]
        while work:
            number, apart = item = work.pop()
            step = graph.steps[number]
            if item in seen or (step.node is branch.node and step.kind is StepKind.BRANCH):
                continue
            seen.add(item)
            action = self._action(step, question.place)
            if action is not None:
                if action is Action.ACQUIRE and apart:
                    found.add(number)
                continue
            apart = apart or step.kind in _PAUSES or _is_async_with(step)
            work += [(edge.target, apart) for edge in step.edges]
        return found

    def _action(self, step: Step, place: Place) -> Action | None:
        if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
            return next((op.action for op in self._uses.ops.get(step.node, ()) if op.place == place), None)
        if step.kind is StepKind.ENTER and isinstance(step.node, s.WithItem):
            return Action.ACQUIRE if place in self._uses.taken_by(step.node) else None
        return None

    def _is_slot(self, question: _Question, acquire: s.Node) -> bool:
        """Whether the lock is one of many, taken here and released by others: a mark that its number is in use."""
        if isinstance(acquire, s.WithItem) or not any(part.startswith("[") for part in question.place.path):
            return False
        scope = s.enclosing_scope(acquire)
        return not any(op.action is Action.RELEASE for op in self._uses.at(scope, question.place))

    def _is_gated(self, question: _Question, acquire: s.Node) -> bool:
        """Whether test and acquire stand in the ``with`` of another lock, which keeps others from between them."""
        around = set(s.ancestors(acquire))
        return any(
            isinstance(parent, s.With)
            and parent in around
            and any(
                self._flow.is_lock(item.context) and self._flow.names.place(item.context) != question.place
                for item in parent.items
            )
            for parent in s.ancestors(question.call)
        )


def _is_async_with(step: Step) -> bool:
    if step.kind is StepKind.ITERATE:
        return isinstance(step.node, (s.For, s.Clause)) and step.node.is_async
    parent = step.node.parent
    return step.kind in (StepKind.ENTER, StepKind.LEAVE) and isinstance(parent, s.With) and parent.is_async

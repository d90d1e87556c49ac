"""The state of one lock along a path, and what each step does to it.

One place at a time is followed through the flow graph of one function. The count is relative to the caller: 0 on
entry, +1 for each acquire, -1 for each release, so that an un-lock section (``release(); ...; acquire()``) is as
natural as a lock section.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Graph, Label, Level, Step, StepKind
from ..kinds import Place
from .conditions import RETURN, Conditions, Known, bound_place
from .flow import Flow
from .lock_ops import Action, LockOp, is_to_fail
from .locks import LockUses

HANDED_OVER = 99
NO_SITE = -1
_NEVER_RAISE = frozenset(
    {StepKind.BRANCH, StepKind.YIELD, StepKind.CALL, StepKind.ENTER, StepKind.LEAVE, StepKind.JUMP}
)


class Last(Enum):
    """What last became of the lock on a path on which it is not held."""

    UNTOUCHED = "untouched"
    RAISED = "raised"
    """An exception came before any acquire."""
    NOT_ACQUIRED = "not acquired"
    """An acquire was tried and failed, or raised."""
    RELEASED = "released"


class LockState(NamedTuple):
    """What is known of the lock at a step."""

    held: int
    """How often it is acquired, relative to the function's entry."""
    site: int
    """The step of the acquire that the next release ends; of the last acquire, where nothing is held."""
    last: Last
    known: Known
    outer: tuple[int, ...] = ()
    """The acquires around that one that are not released either, outermost first."""

    @property
    def is_held(self) -> bool:
        """Whether this function holds the lock, and nobody else has been given it."""
        return 0 < self.held < HANDED_OVER

    @property
    def is_open(self) -> bool:
        """Whether ``site`` is still to be released; below zero, too, where it makes up for what was given back."""
        return self.site != NO_SITE and (self.held > 0 or bool(self.outer) or self.last is Last.UNTOUCHED)


class LockTransfer:
    """The transfer function for one place."""

    def __init__(self, uses: LockUses, flow: Flow, graph: Graph, place: Place, conditions: Conditions) -> None:
        self._uses = uses
        self._flow = flow
        self._place = place
        self._conditions = conditions
        self._blocks = uses.blocks_its_holder(place)
        self._steps = graph.steps
        self._ops: dict[int, LockOp] = {}
        for step in graph.steps:
            op = self._op(step)
            if op is not None:
                self._ops[step.id] = op

    def op(self, step: Step) -> LockOp | None:
        """The lock operation that ``step`` performs."""
        return self._ops.get(step.id)

    def is_with(self, step: Step) -> bool:
        """Whether ``step`` enters or leaves a ``with`` on the lock."""
        return isinstance(step.node, s.WithItem) and self._place in self._uses.taken_by(step.node)

    def _op(self, step: Step) -> LockOp | None:
        node: s.Node = step.node
        if step.kind is StepKind.AWAIT and isinstance(node, s.Await):
            node = node.value
            if isinstance(node, s.Call) and node not in self._uses.ops:  # await wait_for(lock.acquire(), 1)
                first = node.positional(0)
                node = first if isinstance(first, s.Call) else node
        elif step.kind is not StepKind.CALL:
            return None
        if not isinstance(node, s.Call):
            return None
        for op in self._uses.ops.get(node, ()):
            if op.place == self._place:
                awaited = self._uses.result_node(node)
                if step.node is awaited:
                    return op
        return None

    def leave(self, step: Step, edge: Edge, state: LockState) -> Iterable[LockState]:
        kind = step.kind
        if kind is StepKind.CALL or kind is StepKind.AWAIT:
            return self._called(step, state)
        if kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None or (edge.label is Label.FALSE and self.asks_locked(step.node) and 0 < state.held < 4):
                return ()
            return (state._replace(known=known),)
        if kind is StepKind.BIND:
            return (self._bound(step, state),)
        if kind is StepKind.ITERATE and edge.label is Label.FALSE and state.held > 0 and self._is_item(step.node):
            return (state._replace(held=HANDED_OVER),)  # a loop that took one lock after the other
        if kind is StepKind.ENTER and self.is_with(step):
            return self._entered(step, state)
        if kind is StepKind.LEAVE and self.is_with(step):
            return (self._released(step, state),)
        if kind is StepKind.RETURN and isinstance(step.node, s.Return):
            return (self._returned(step.node, state),)
        if kind is StepKind.YIELD and state.held > 0 and self._uses.hands_over(step.node, self._place):
            return (state._replace(held=HANDED_OVER),)
        return (state,)

    def raised(self, step: Step, state: LockState) -> Iterable[LockState]:
        if step.level is Level.NEVER and step.kind in _NEVER_RAISE:
            return ()  # however pessimistic one is
        if step.kind is StepKind.EVAL and isinstance(step.node, s.Expr) and self._names_it(step.node):
            return ()  # `locks[key]` has been looked up before
        if step.kind is StepKind.ITERATE and state.held > 0 and self._is_item(step.node):
            return (state._replace(held=HANDED_OVER),)
        if state.is_held and self._asserts_acquired(step.node):
            return ()  # `assertTrue(lock.acquire(False))` raises where the lock was not acquired
        op = self._ops.get(step.id)
        if op is None:
            if step.kind is StepKind.CALL and self._makes_coroutine(step.node):
                return ()
            if step.kind is StepKind.LEAVE and self.is_with(step):
                return (self._released(step, state),)
            if step.kind is StepKind.CALL and state.held > 0 and self._uses.hands_over(step.node, self._place):
                return (state._replace(held=HANDED_OVER),)
            if state.held == 0 and state.last is Last.UNTOUCHED:
                return (state._replace(last=Last.RAISED),)
            return (state,)
        if op.action is Action.RELEASE:
            return (self._released(step, state),)
        if step.cleanup:
            return ()  # taking it again at the end of an un-lock section, which nothing can protect
        if state.held == 0:
            return (state._replace(last=Last.NOT_ACQUIRED),)
        return (state,)

    def _called(self, step: Step, state: LockState) -> Iterable[LockState]:
        op = self._ops.get(step.id)
        if op is None:
            if state.held > 0 and self._uses.hands_over(step.node, self._place):
                return (state._replace(held=HANDED_OVER),)
            return (state,)
        if op.action is Action.RELEASE:
            return (self._released(step, state),)
        if op.action is Action.ACQUIRE and self._waits_for_itself(state):
            return ()
        held = self._acquired(step, state)
        outcome = self._uses.result_node(op.call)
        if not self._uses.result_used(op.call) or isinstance(outcome.parent, s.Argument):
            return (held,)  # `assertTrue(lock.acquire(False))`: whoever gets the result sees to it
        key = ("result", outcome)
        if op.action is Action.ACQUIRE:
            return (held._replace(known=self._conditions.learn(held.known, key, True)),) if op.direct else (held,)
        taken = held._replace(known=self._conditions.learn(held.known, key, True))
        if op.is_reentrant and state.is_held and state.site != NO_SITE:
            return (taken,)
        if self._blocks and state.is_held:  # somebody else must have given it back
            taken = taken._replace(held=HANDED_OVER)
        missed = state._replace(known=self._conditions.learn(state.known, key, False))
        if state.held == 0:
            missed = missed._replace(last=Last.NOT_ACQUIRED)
        return taken, missed

    def _asserts_acquired(self, node: s.Node) -> bool:
        """Whether ``node`` is a call that is given the outcome of acquiring the lock, also where it ought to fail."""
        if not isinstance(node, s.Call):
            return False
        for argument in node.args:
            made = argument.value.value if isinstance(argument.value, s.Await) else argument.value
            if isinstance(made, s.Call) and any(op.place == self._place for op in self._uses.ops.get(made, ())):
                return True
            if isinstance(made, s.Call) and isinstance(made.func, s.Attribute) and is_to_fail(made):
                return self._names_it(made.func.value)
        return False

    def _makes_coroutine(self, node: s.Node) -> bool:
        """Whether ``node`` is the call in ``await lock.acquire()``, which does nothing until it is awaited."""
        if not isinstance(node, s.Call) or self._uses.result_node(node) is node:
            return False
        return any(op.place == self._place for op in self._uses.ops.get(node, ()))

    def _is_item(self, loop: s.Node) -> bool:
        """Whether the lock is, or hangs on, what ``loop`` binds anew each time."""
        if not isinstance(loop, (s.For, s.Clause)):
            return False
        targets = loop.target.elements if isinstance(loop.target, s.Display) else [loop.target]
        return any(self._hangs_on(target) for target in targets)

    def _hangs_on(self, target: s.Expr) -> bool:
        """Whether binding ``target`` makes the lock's name mean another lock."""
        places = (bound_place(self._flow.names, target), self._flow.names.place(target))
        return any(place is not None and self._place.starts_with(place) for place in places)

    def _names_it(self, expr: s.Expr) -> bool:
        return self._flow.names.place(expr) == self._place

    def asks_locked(self, test: s.Node) -> bool:
        """Whether ``test`` is ``lock.locked()``, which is true while this function holds the lock."""
        if not isinstance(test, s.Call) or not isinstance(test.func, s.Attribute) or test.func.attr != "locked":
            return False
        return self._names_it(test.func.value)

    def _entered(self, step: Step, state: LockState) -> Iterable[LockState]:
        return () if self._waits_for_itself(state) else (self._acquired(step, state),)

    def _waits_for_itself(self, state: LockState) -> bool:
        """Whether a blocking acquire never comes back, since this very function holds the lock."""
        return self._blocks and state.is_held

    def _acquired(self, step: Step, state: LockState) -> LockState:
        if state.held == HANDED_OVER:
            return state
        outer = (*state.outer, state.site)[-2:] if state.is_open else ()
        known = self._conditions.learn(state.known, ("truth", self._place), True)  # what has methods is not None
        return state._replace(held=min(state.held + 1, 3), site=step.id, last=Last.UNTOUCHED, outer=outer, known=known)

    def _released(self, step: Step, state: LockState) -> LockState:
        if state.held == HANDED_OVER:
            return state
        sites = (*state.outer, state.site)
        if state.outer:
            ended = self._ended_by(step, sites)
            sites = sites[:ended] + sites[ended + 1 :]
        return state._replace(held=max(state.held - 1, -2), site=sites[-1], last=Last.RELEASED, outer=sites[:-1])

    def _ended_by(self, step: Step, sites: tuple[int, ...]) -> int:
        """Which of the acquires a release ends: the last; but a ``with`` ends its own, and no other release does."""
        for index in reversed(range(len(sites))):
            entered = self._steps[sites[index]].node
            if entered is step.node or (not isinstance(step.node, s.WithItem) and not isinstance(entered, s.WithItem)):
                return index
        return len(sites) - 1

    def _bound(self, step: Step, state: LockState) -> LockState:
        state = state._replace(known=self._conditions.bind(step, state.known))
        if step.target is None:
            return state
        target = bound_place(self._flow.names, step.target)
        is_item = isinstance(step.node, (s.For, s.Clause)) and self._hangs_on(step.target)
        if is_item or (target is not None and self._place.starts_with(target)):
            if state.held > 0:  # the handle moves on (a loop over locks): what it held is somebody else's to release
                return state._replace(held=HANDED_OVER)
            return LockState(0, NO_SITE, Last.UNTOUCHED, state.known)
        if state.held > 0 and isinstance(step.target, (s.Attribute, s.Subscript)) and step.value is not None:
            if self._flow.names.place(step.value) == self._place:
                return state._replace(held=HANDED_OVER)
        return state

    def _returned(self, node: s.Return, state: LockState) -> LockState:
        if state.held > 0 and self._uses.hands_over(node, self._place):
            return state._replace(held=HANDED_OVER)
        truth = False if node.value is None else self._conditions.truth(node.value, state.known)
        known = frozenset((k, v) for k, v in state.known if k[0] != "result")
        if truth is not None:
            known = self._conditions.learn(known, RETURN, truth)
        return state._replace(known=known)

"""One lock followed through one function: where it is held, and what a call of the function does to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .. import syntax as s
from ..cfg import Level, Step, StepKind
from ..dataflow import LIKELY, Reached, explore
from ..kinds import Place
from .conditions import RETURN, Conditions
from .flow import Flow
from .lock_ops import Action
from .lock_states import HANDED_OVER, NO_SITE, Last, LockState, LockTransfer
from .locks import LockUses
from .witness import Witness

_RUNS = frozenset(
    {StepKind.CALL, StepKind.AWAIT, StepKind.YIELD, StepKind.ENTER, StepKind.EVAL, StepKind.ITERATE, StepKind.RETURN}
)
"""The steps that stand for their node being evaluated."""


class Others(Protocol):
    """What other functions of the file do with a lock."""

    def gives_back(self, place: Place, beside: s.Node) -> bool:
        """Whether one other than ``beside`` releases the lock without having acquired it."""

    def takes_for_good(self, place: Place, beside: s.Node, *, itself: bool = False) -> bool:
        """Whether one other than ``beside`` ends with the lock taken, for its caller or for ``beside`` to give back.

        With ``itself``, one that takes it by its own ``acquire()``, not by calling a helper.
        """

    def passes_on(self, place: Place, function: s.Node) -> bool:
        """Whether one that holds the lock hands on ``function``, which is then to release it."""

    def is_rescued(self, place: Place, function: s.Node) -> bool:
        """Whether some caller of ``function`` would give the lock back where it raises."""

    def is_released_by(self, node: s.Node, place: Place) -> bool:
        """Whether ``node`` is a call that runs a function of this file that releases the lock, perhaps."""


class LockWalks:
    """The part of :class:`conclint.facts.lock_paths.LockPaths` that explores, each way once."""

    def __init__(self, uses: LockUses, flow: Flow, scope: s.Scope, place: Place, others: Others) -> None:
        self._others = others
        self._uses = uses
        self._flow = flow
        self._scope = scope
        self._place = place
        self.graph = flow.graph(scope)
        self._ops_here = ops = uses.at(scope, place)
        nodes: set[s.Node] = {op.call for op in ops}
        nodes.update(uses.items(place))
        results: set[s.Node] = {uses.result_node(op.call) for op in ops if op.action is not Action.RELEASE}
        releases: set[s.Node] = {op.call for op in ops if op.action is Action.RELEASE}
        self._conditions = Conditions(flow.names, self.graph, nodes, results, releases)
        self._transfer = LockTransfer(uses, flow, self.graph, place, self._conditions)
        self._explored: dict[tuple[frozenset[Level], int], Reached[LockState]] = {}
        self._by_node: dict[s.Node, list[Step]] | None = None
        self._acquires = [step for step in self.graph.steps if self._does(step, Action.ACQUIRE, Action.TRY_ACQUIRE)]
        self._releases = [step for step in self.graph.steps if self._does(step, Action.RELEASE)]

    def _explore(self, raising: frozenset[Level], start: int = 0) -> Reached[LockState]:
        key = (raising, start)
        known = self._explored.get(key)
        if known is None:
            state = LockState(start, NO_SITE, Last.UNTOUCHED, self._conditions.at_entry)
            known = self._explored[key] = explore(self.graph, state, self._transfer, raising)
        return known

    @property
    def complete(self) -> bool:
        """Whether every path was followed; where not, nothing is said."""
        return self._explore(LIKELY).complete

    # ---- where it is held

    def held(self) -> Iterator[tuple[s.Node, s.Expr, s.Node]]:
        """What runs while this function holds the lock: where it was taken, what names it there, and the node."""
        for step, state in self._explore(LIKELY).pairs():
            if state.is_held and state.site != NO_SITE and step.kind in _RUNS:
                site = self.graph.steps[state.site]
                op = self._transfer.op(site)
                if op is not None:
                    yield op.call, op.receiver, step.node
                elif isinstance(site.node, s.WithItem):
                    yield site.node, site.node.context, step.node

    def counts(self, node: s.Node) -> set[int]:
        """How often the lock is held, relative to the function's entry, where ``node`` is reached."""
        reached = self._explore(LIKELY)
        return {state.held for step in self._steps_of(node) for state in reached.at(step.id)}

    def is_callers(self, node: s.Node) -> bool:
        """Whether ``node`` can be reached with the lock as the caller has it.

        Not so after an acquire in this function: if the caller held the lock, control would not have got past it.
        """
        reached = self._explore(LIKELY)
        return any(
            state.held == 0 and state.last is not Last.RELEASED
            for step in self._steps_of(node)
            for state in reached.at(step.id)
        )

    def witness(self, site: s.Node, node: s.Node) -> Witness | None:
        """A path on which the lock, taken at ``site``, is held when ``node`` is reached."""
        reached = self._explore(LIKELY)
        for step in self._steps_of(node):
            for state in reached.at(step.id):
                if state.is_held and state.site != NO_SITE:
                    taken = self.graph.steps[state.site]
                    op = self._transfer.op(taken)
                    if (taken.node if op is None else op.call) is site:
                        return Witness(reached.path(step.id, state, since=state.site))
        return None

    def _steps_of(self, node: s.Node) -> list[Step]:
        if self._by_node is None:
            self._by_node = {}
            for step in self.graph.steps:
                if step.kind in _RUNS:
                    self._by_node.setdefault(step.node, []).append(step)
        return self._by_node.get(node, [])

    def _does(self, step: Step, *actions: Action) -> bool:
        op = self._transfer.op(step)
        return op is not None and op.action in actions

    def releases_unasked(self) -> bool:
        """Whether some path releases a lock that this function has not acquired: its caller's, or another's.

        A re-entrant one may be taken once more before that: more is given back than was taken.
        """
        reached = self._explore(LIKELY)
        if not reached.complete:
            return True
        if any(op.is_reentrant for op in self._ops_here) and any(
            state.held < 0 for state in reached.at(self.graph.exit)
        ):
            return True
        return any(
            state.held <= 0 and state.site == NO_SITE for step in self._releases for state in reached.at(step.id)
        )

    def restores(self) -> bool:
        """Whether the caller finds the lock as it was: what was given back has been taken again."""
        return {state.held for state in self._explore(LIKELY).at(self.graph.exit)} == {0}

    # ---- the whole function, for its callers

    def effect(self) -> Action | None:
        """What a call does to the lock: +1, -1, perhaps +1 (told by the result), or nothing certain."""
        reached = self._explore(LIKELY)
        ends = reached.at(self.graph.exit)
        counts = {state.held for state in ends}
        if not ends or HANDED_OVER in counts or not reached.complete:
            return None
        if counts == {1}:
            return Action.ACQUIRE
        if counts == {-1}:
            return Action.RELEASE
        if counts == {0, 1}:
            held = [state for state in ends if state.held == 1]
            let_go = [state for state in ends if state.held == 0]
            true = all(dict(state.known).get(RETURN) is True for state in held)
            if true and all(dict(state.known).get(RETURN) is False for state in let_go):
                return Action.TRY_ACQUIRE
        return None

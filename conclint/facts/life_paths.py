"""The life of what one call makes, along the paths of its function: made, started, seen to by somebody."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import Reached, explore
from ..kinds import Place
from .conditions import Conditions, Known, bound_place
from .flow import Flow
from .values import Use


class Life(IntEnum):
    """How far it has come; ``NONE`` where the variable holds something else."""

    NONE = 0
    MADE = 1
    STARTED = 2
    SEEN_TO = 3


class LifeState(NamedTuple):
    """Where one path has brought it."""

    life: Life
    known: Known


class _LifeTransfer:
    """One variable that holds a worker, or (``runs_at_once``) the result of a call already under way."""

    def __init__(
        self,
        flow: Flow,
        made: s.Call,
        place: Place,
        seen_to: set[s.Node],
        conditions: Conditions,
        *,
        runs_at_once: bool,
    ) -> None:
        self._made_life = Life.STARTED if runs_at_once else Life.MADE
        self._names = flow.names
        self._made = made
        self._place = place
        self._seen_to = seen_to
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: LifeState) -> Iterable[LifeState]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None:
                return ()
            state = state._replace(known=known)
        if state.life in (Life.MADE, Life.STARTED) and s.statement_of(step.node) in self._seen_to:
            return (state._replace(life=Life.SEEN_TO),)
        if step.kind is StepKind.CALL and isinstance(step.node, s.Call) and state.life is Life.MADE:
            func = step.node.func
            if isinstance(func, s.Attribute) and func.attr == "start" and self._names.place(func.value) == self._place:
                return (state._replace(life=Life.STARTED),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
            if step.target is not None and bound_place(self._names, step.target) == self._place:
                return (state._replace(life=self._made_life if step.value is self._made else Life.NONE),)
        return (state,)

    def raised(self, step: Step, state: LifeState) -> Iterable[LifeState]:
        return ()


class LifePaths:
    """Follows what calls make through the normal paths of their functions."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._names = flow.names

    def follow(
        self, made: s.Call, home: s.Name | s.Attribute, seen_to: list[Use], *, runs_at_once: bool
    ) -> Reached[LifeState] | None:
        """The life of what ``made`` makes and puts in ``home``; the uses ``seen_to`` see to it.

        ``None`` where that is not all there is to follow: other functions or names see to it too.
        """
        scope = s.enclosing_scope(made)
        place = bound_place(self._names, home)
        if place is None or not self._is_own(home, scope) or not self._flow.affords(scope):
            return None
        for use in seen_to:
            if not isinstance(use.origin, (s.Name, s.Attribute)) or bound_place(self._names, use.origin) != place:
                return None
            if s.enclosing_scope(use.origin) is not scope:
                return None
        graph = self._flow.graph(scope)
        statements: set[s.Node] = {s.statement_of(use.origin) for use in seen_to}
        conditions = Conditions(self._names, graph, {*statements, made}, set())
        transfer = _LifeTransfer(self._flow, made, place, statements, conditions, runs_at_once=runs_at_once)
        reached = explore(graph, LifeState(Life.NONE, conditions.at_entry), transfer, ())
        return reached if reached.complete else None

    def _is_own(self, home: s.Name | s.Attribute, scope: s.Scope) -> bool:
        """Whether ``home`` is a variable of ``scope`` itself, or an attribute."""
        if isinstance(home, s.Attribute):
            return True
        found = self._names.scopes.lookup(home.id, home)
        return found is not None and found[0].node is scope


def is_overwritten(reached: Reached[LifeState], made: s.Call) -> bool:
    """Whether the variable gets the next object while nobody has seen to the one before."""
    return any(
        step.kind is StepKind.BIND and step.value is made and state.life is Life.STARTED
        for step, state in reached.pairs()
    )


def home_of(made: s.Expr) -> s.Expr | None:
    """The name or attribute that what ``made`` makes is first stored in."""
    parent = made.parent
    if isinstance(parent, s.Assign) and parent.value is made:
        return parent.targets[0]
    if isinstance(parent, s.NamedExpr):
        return parent.target
    return None


def is_false(expr: s.Expr | None) -> bool:
    """Whether ``expr`` is a constant that says no: ``False``, ``None``, ``0``."""
    return isinstance(expr, s.Constant) and (expr.value is False or expr.value is None or expr.value == 0)

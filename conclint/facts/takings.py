"""What functions do to the locks that their callers may hold: the summaries for deadlocks.

A *taking* is a blocking acquire that a call of a function may come to, in that function or in those it calls. Only an
acquire of a lock that the function does not hold itself, and has not given back for its caller, is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import explore
from ..kinds import Place
from .calls import Calls, Site
from .conditions import Conditions, Known
from .flow import Flow
from .lock_facts import LockFacts
from .locks import Action
from .sections import Sections

_ROUNDS = 8
"""How many calls deep takings are followed; recursion ends there at the latest."""
_LONGEST_PLACE = 4
"""Attributes in a place that is carried from callee to caller; a recursive structure would make ever longer ones."""


class Taking(NamedTuple):
    """A blocking acquire that a function comes to."""

    place: Place
    """The lock, as the function sees it."""
    site: s.Node
    """The ``acquire()``, ``with`` item, or call that comes to it, in the function itself."""
    callee: s.Function | None
    """For a call, the function that is called."""
    inner: Taking | None
    """For a call, what the callee does."""

    @property
    def origin(self) -> Taking:
        """The acquire itself."""
        taking = self
        while taking.inner is not None:
            taking = taking.inner
        return taking

    @property
    def node(self) -> s.Node:
        """What a finding points at: for a ``with`` item the expression, without its ``as``."""
        return self.site.context if isinstance(self.site, s.WithItem) else self.site

    def chain(self) -> Iterator[Taking]:
        """This taking and those inside it, the acquire last."""
        taking: Taking | None = self
        while taking is not None:
            yield taking
            taking = taking.inner


class Takings:
    """The takings of every function of a module."""

    def __init__(self, flow: Flow, calls: Calls, locks: LockFacts, sections: Sections) -> None:
        self._flow = flow
        self._names = flow.names
        self._calls = calls
        self._locks = locks
        self._sections = sections
        self._of: dict[s.Scope, dict[Place, Taking]] = {}
        self._propagate(self._direct())

    def of(self, scope: s.Scope) -> dict[Place, Taking]:
        """The takings of one function, by lock; the ones with the fewest calls between."""
        return self._of.get(scope, {})

    def at(self, event: s.Node) -> Iterator[Taking]:
        """What evaluating ``event`` comes to: its own acquire, or those of the function it calls."""
        if isinstance(event, s.WithItem):
            for place in self._locks.uses.taken_by(event):
                yield Taking(place, event, None, None)
        elif isinstance(event, (s.Call, s.Attribute)):
            if isinstance(event, s.Call):
                for op in self._locks.uses.ops.get(event, ()):
                    if op.direct and self._waits(event, op.action):
                        yield Taking(op.place, event, None, None)
            for callee in (*self._calls.run_by(event), *self._calls.overriding(event)):
                for taking in self.of(callee).values():
                    seen = self._calls.translate(taking.place, event, callee)
                    if seen is not None and len(seen.path) <= _LONGEST_PLACE:
                        yield Taking(seen, event, callee, taking)

    def is_feasible(self, taking: Taking) -> bool:
        """Whether the acquire can be come to, given the constants that each call on the way passes."""
        while taking.inner is not None and taking.callee is not None:
            given = self._calls.given(taking.site, taking.callee)
            if given and not self._reaches(taking.callee, taking.inner.site, given):
                return False
            taking = taking.inner
        return True

    # ---- finding them

    def _direct(self) -> Iterator[tuple[s.Scope, Taking]]:
        uses = self._locks.uses
        for scope in self._sections.scopes:
            for op in uses.of(scope):
                if op.direct:
                    if self._waits(op.call, op.action) and self._sections.is_callers(op.call, op.place):
                        yield scope, Taking(op.place, op.call, None, None)
        for item in uses.with_items():
            for place in uses.taken_by(item):
                if self._sections.is_callers(item, place):
                    yield s.enclosing_function(item) or self._calls.module, Taking(place, item, None, None)

    def _propagate(self, direct: Iterator[tuple[s.Scope, Taking]]) -> None:
        fresh: dict[s.Function, None] = {}
        for scope, taking in direct:
            self._add(scope, taking, fresh)
        for _ in range(_ROUNDS):
            changed: dict[s.Function, None] = {}
            for function in fresh:
                for site in self._calls.to(function):
                    scope = s.enclosing_function(site) or self._calls.module
                    for taking in list(self._of[function].values()):
                        self._carry(taking, site, function, scope, changed)
            fresh = changed
            if not fresh:
                break

    def _carry(
        self, taking: Taking, site: Site, callee: s.Function, scope: s.Scope, changed: dict[s.Function, None]
    ) -> None:
        place = self._calls.translate(taking.place, site, callee)
        if place is None or len(place.path) > _LONGEST_PLACE or place in self.of(scope):
            return
        if self._sections.is_callers(site, place):
            self._add(scope, Taking(place, site, callee, taking), changed)

    def _add(self, scope: s.Scope, taking: Taking, changed: dict[s.Function, None]) -> None:
        takings = self._of.setdefault(scope, {})
        if taking.place not in takings:
            takings[taking.place] = taking
            if isinstance(scope, s.Function):
                changed[scope] = None

    def _waits(self, call: s.Call, action: Action) -> bool:
        """Whether the acquire waits for as long as it takes."""
        outcome = self._flow.outcome(call)
        if isinstance(outcome, s.Await) and outcome.value is not call:
            return False  # `await wait_for(lock.acquire(), 1)`
        return action is Action.ACQUIRE

    # ---- conditions

    def _reaches(self, function: s.Function, node: s.Node, given: Known) -> bool:
        graph = self._flow.graph(function)
        conditions = Conditions(self._names, graph, {node}, set(), given=given)
        reached = explore(graph, conditions.at_entry, _Conditional(conditions))
        return not reached.complete or any(reached.at(step.id) for step in graph.steps if step.node is node)


class _Conditional:
    """A transfer that follows what is known of conditions, and nothing else."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: Known) -> tuple[Known, ...]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state)
            return () if known is None else (known,)
        if step.kind is StepKind.BIND:
            return (self._conditions.bind(step, state),)
        return (state,)

    def raised(self, step: Step, state: Known) -> tuple[Known, ...]:
        return (state,)

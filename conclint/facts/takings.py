"""What functions do to the locks that their callers may hold: the summaries for deadlocks.

A *taking* is a blocking acquire that a call of a function may come to, in that function or in those it calls. Only an
acquire of a lock that the function does not hold itself, and has not given back for its caller, is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import Anything, explore
from ..kinds import Place
from .calls import Calls, Site
from .conditions import NOTHING, Conditions, Key, Known
from .flow import Flow
from .lock_facts import LockFacts
from .lock_ops import Action
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
        self._names = self.names = flow.names
        self._calls = calls
        self._locks = locks
        self._sections = sections
        self._of: dict[s.Scope, dict[Place, Taking]] = {}
        self._alive: dict[s.Scope, set[s.Node]] = {}
        self._assigned: dict[s.Scope, tuple[dict[s.Node, int], list[tuple[Place, int]]]] = {}
        self._asking: dict[s.Function, bool] = {}
        self._reached: dict[tuple[s.Function, s.Node, Known], bool] = {}
        self._propagate(self._direct())

    def of(self, scope: s.Scope) -> dict[Place, Taking]:
        """The takings of one function, by lock; the ones with the fewest calls between."""
        return self._of.get(scope, {})

    def at(self, event: s.Node) -> Iterator[Taking]:
        """What evaluating ``event`` comes to: its own acquire, or those of the function it calls."""
        if isinstance(event, s.WithItem):
            for place in self._locks.uses.taken_by(event):
                yield Taking(place, event, None, None)
            return
        if isinstance(event, s.Call):
            for op in self._locks.uses.ops.get(event, ()):
                if op.direct and self._waits(event, op.action):
                    yield Taking(op.place, event, None, None)
        if not isinstance(event, (s.Call, s.Attribute, s.Subscript, s.Compare, s.For, s.Clause)):
            return
        callees = self._calls.run_by(event)
        for callee in (*callees, *self._calls.overriding(event)):
            for taking in self.of(callee).values():
                seen = self._calls.translate(taking.place, event, callee)
                if seen is not None and len(seen.path) <= _LONGEST_PLACE:
                    yield Taking(seen, event, callee, taking)
        for function in callees:
            for wrapper in self._calls.decorating.wrappers(function):
                for taking in self.of(wrapper.function).values():
                    seen = self._calls.out_of_wrapper(taking.place, event, wrapper, function)
                    if seen is not None and len(seen.path) <= _LONGEST_PLACE:
                        yield Taking(seen, event, wrapper.function, taking)

    def is_certain(self, taking: Taking, scope: s.Scope, set_by_caller: frozenset[Place] = frozenset()) -> bool:
        """Whether the acquire is come to from ``scope``, and waits for ever.

        Not so where a call on the way passes a constant that leads elsewhere, or a flag nobody knows; where the code
        asks which thread it is in; where a test on the way is of an attribute that ``scope``, or who calls it
        (``set_by_caller``), has just set; where the wait is bounded.
        """
        known: Known = NOTHING
        if not self._is_reached(scope, taking.site):
            return False
        if isinstance(scope, s.Function) and not self._is_come_to(scope, taking.site, NOTHING, set_by_caller):
            return False
        just_set = set_by_caller
        if taking.inner is not None:
            just_set |= self.set_before(taking.site, scope)
        while True:
            if self._is_bounded(taking.site):
                return False
            if taking.inner is None or taking.callee is None:
                return True
            callee, site = taking.callee, taking.inner.site
            if self._asks_who(callee):
                return False
            flags: list[Key] = []
            if callee in self._calls.decorating.by_wrapper:
                known = NOTHING
            else:
                known, flags = self._calls.given(taking.site, callee, known)
            if not self._is_come_to(callee, site, known, just_set, flags):
                return False
            taking = taking.inner

    def _is_come_to(
        self, function: s.Function, node: s.Node, known: Known, just_set: frozenset[Place], flags: Sequence[Key] = ()
    ) -> bool:
        """Whether ``function`` comes to ``node``, be the flags, and what is ``just_set``, what they may."""
        if known and not self.reaches(function, node, known):
            return False
        unknown: list[Key] = [("truth", place) for place in just_set]
        return all(
            self.reaches(function, node, known | {(key, truth)})
            for key in (*unknown, *flags)
            for truth in (True, False)
        )

    def _is_reached(self, scope: s.Scope, node: s.Node) -> bool:
        """Whether any path leads to ``node``, a call or the entry of a ``with``: the others make no steps."""
        if not isinstance(node, (s.Call, s.WithItem)):
            return True
        known = self._alive.get(scope)
        if known is None:
            graph = self._flow.graph(scope)
            reached = explore(graph, None, Anything())
            known = self._alive[scope] = {step.node for step in graph.steps if reached.at(step.id)}
        return node in known

    def _is_bounded(self, site: s.Node) -> bool:
        """Whether whoever waits at ``site`` gives up after some time: ``wait_for(lock.acquire(), 1)``."""
        return self._flow.is_limited(site, self._names.catalog.calls["bounded"])

    def _asks_who(self, function: s.Function) -> bool:
        """Whether ``function`` looks at which thread runs it, or whether a lock is held, before it acquires one."""
        known = self._asking.get(function)
        if known is None:
            calls = (node for node in s.own_nodes(function) if isinstance(node, s.Call))
            known = self._asking[function] = any(self._asks(call) for call in calls)
        return known

    def _asks(self, call: s.Call) -> bool:
        catalog = self._names.catalog
        if self._names.qualified(call.func) in catalog.calls["identities"]:
            return True
        func = call.func
        return isinstance(func, s.Attribute) and func.attr in catalog.locked_methods and self._flow.is_lock(func.value)

    def set_before(self, event: s.Node, scope: s.Scope) -> frozenset[Place]:
        """The attributes that ``scope`` assigns before it comes to ``event``."""
        known = self._assigned.get(scope)
        if known is None:
            order: dict[s.Node, int] = {}
            attributes: list[tuple[Place, int]] = []
            for index, node in enumerate(s.own_nodes(scope)):
                order[node] = index
                for target in node.targets if isinstance(node, s.Assign) else ():
                    place = self._names.handle(target) if isinstance(target, s.Attribute) else None
                    if place is not None:
                        attributes.append((place, index))
            known = self._assigned[scope] = (order, attributes)
        order, attributes = known
        end = order.get(event, -1)
        return frozenset(place for place, index in attributes if index < end)

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
                    yield s.enclosing_scope(item), Taking(place, item, None, None)

    def _propagate(self, direct: Iterator[tuple[s.Scope, Taking]]) -> None:
        fresh: dict[s.Function, None] = {}
        for scope, taking in direct:
            self._add(scope, taking, fresh)
        for _ in range(_ROUNDS):
            changed: dict[s.Function, None] = {}
            for function in fresh:
                takings = list(self._of[function].values())
                for site in self._calls.to(function):
                    for taking in takings:
                        place = self._calls.translate(taking.place, site, function)
                        self._carry(place, taking, site, function, changed)
                for wrapped, wrapper in self._calls.decorating.by_wrapper.get(function, ()):
                    for site in self._calls.to(wrapped):
                        for taking in takings:
                            place = self._calls.out_of_wrapper(taking.place, site, wrapper, wrapped)
                            self._carry(place, taking, site, function, changed)
            fresh = changed
            if not fresh:
                break

    def _carry(
        self, place: Place | None, taking: Taking, site: Site, callee: s.Function, changed: dict[s.Function, None]
    ) -> None:
        scope = s.enclosing_scope(site)
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
        """Whether the acquire waits here for as long as it takes: one that makes a coroutine is for the ``await``."""
        return action is Action.ACQUIRE and self._calls.is_waited_for(call)

    # ---- conditions

    def reaches(self, function: s.Function, node: s.Node, given: Known) -> bool:
        """Whether ``function``, started with what is ``given``, may come to ``node``."""
        key = (function, node, given)
        known = self._reached.get(key)
        if known is None:
            known = self._reached[key] = self._find_reaches(function, node, given)
        return known

    def _find_reaches(self, function: s.Function, node: s.Node, given: Known) -> bool:
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
        return (state,)  # also past a binding: `quiet = options.get("quiet", quiet)` most often leaves it as it was

    def raised(self, step: Step, state: Known) -> tuple[Known, ...]:
        return (state,)

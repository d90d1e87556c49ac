"""Critical sections: what runs while a lock is held.

Where a function takes a lock only by ``with``, its sections are the bodies, and no graph is needed to see that. Where
it also acquires or releases by hand, the paths decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import syntax as s
from ..kinds import Place
from ..rule import Step
from .calls import Calls
from .consuming import takes_some
from .lock_facts import LockFacts
from .lock_paths import LockPaths

_EVENTS = (s.Call, s.Await, s.Yield, s.WithItem, s.For, s.Clause)
"""The nodes that may matter to what holds a lock; also those that run functions without a call."""


class Section:
    """A stretch of one function in which it holds a lock.

    ``events`` are the nodes that run meanwhile and may matter, in order: calls, awaits, yields, loops, reads of
    properties, and ``with`` items, which stand for their being entered.
    """

    __slots__ = ("_paths", "events", "place", "receiver", "scope", "site")

    def __init__(
        self, scope: s.Scope, place: Place, site: s.Node, receiver: s.Expr, paths: LockPaths | None = None
    ) -> None:
        self.scope = scope
        self.place = place
        self.site = site
        """The ``acquire()``, the ``with`` item, or the call of a helper that takes the lock."""
        self.receiver = receiver
        """The expression that names the lock, or the helper."""
        self.events: dict[s.Node, None] = {}
        self._paths = paths

    def path(self, event: s.Node, name: str, end: str) -> tuple[Step, ...]:
        """How the lock, called ``name``, comes to be held at ``event``, where ``end`` happens."""
        start = Step(self.site, f"`{name}` is acquired")
        witness = None if self._paths is None else self._paths.witness(self.site, event)
        between = () if witness is None else witness.steps()
        return (start, *(step for step in between if step.node not in (self.site, event)), Step(event, end))


class Sections:
    """The critical sections of a module."""

    def __init__(self, calls: Calls, locks: LockFacts) -> None:
        self._calls = calls
        self._module = calls.module
        self._locks = locks
        self._by_scope: dict[s.Scope, list[Section]] = {}
        self._on_entry: dict[s.Scope, frozenset[Place]] = {}
        self._bound_in: dict[s.Scope, frozenset[str]] = {}
        self._around: dict[s.Scope, dict[s.Node, list[Section]]] = {}
        self._by_decorators: dict[s.Function, list[Section]] = {}

    @cached_property
    def scopes(self) -> list[s.Scope]:
        """The functions (and module) that take some lock, in source order."""
        uses = self._locks.uses
        taking: set[s.Node] = set(uses.scopes())
        taking.update(s.enclosing_scope(item) for item in uses.with_items())
        taking.update(function for function in self._module.functions if self._entered_with(function))
        scopes: list[s.Scope] = [self._module, *self._module.functions]
        return [scope for scope in scopes if scope in taking]

    def all(self) -> Iterator[Section]:
        """Every section of the module."""
        for scope in self.scopes:
            yield from self.of(scope)

    def of(self, scope: s.Scope) -> list[Section]:
        """The sections of one function."""
        known = self._by_scope.get(scope)
        if known is None:
            known = self._by_scope[scope] = list(self._find(scope))
        return known

    def around(self, event: s.Node) -> list[Section]:
        """The sections of its own function that ``event`` runs in, outermost first."""
        scope = s.enclosing_scope(event)
        known = self._around.get(scope)
        if known is None:
            known = self._around[scope] = {}
            for section in self.of(scope):
                for node in section.events:
                    known.setdefault(node, []).append(section)
        return known.get(event, [])

    def is_callers(self, event: s.Node, place: Place) -> bool:
        """Whether ``event`` can be reached with the lock as the caller has it: neither taken nor given back."""
        paths = self._locks.paths_by_hand(event, place)
        if paths is not None:
            return paths.is_callers(event)
        return not any(section.place == place for section in self.around(event))

    def held_on_entry(self, scope: s.Scope) -> frozenset[Place]:
        """The locks that every caller of a private function holds, all of its callers being in view."""
        known = self._on_entry.get(scope)
        if known is None:
            self._on_entry[scope] = frozenset()  # for recursion
            known = self._on_entry[scope] = self._held_by_callers(scope)
        return known

    def _held_by_callers(self, scope: s.Scope) -> frozenset[Place]:
        if not isinstance(scope, s.Function) or not self._calls.is_private(scope):
            return frozenset()
        common: frozenset[Place] | None = None
        for site in self._calls.to(scope):
            held = {section.place for section in self.around(site)}
            held |= self.held_on_entry(s.enclosing_scope(site))
            common = frozenset(held) if common is None else common & held
        if not common:
            return frozenset()
        sites = self._calls.to(scope)
        return frozenset(
            place for place in common if all(self._calls.translate(place, site, scope) == place for site in sites)
        )

    def _entered_with(self, function: s.Function) -> list[Section]:
        """A section for each lock that decorators of this file hold while they call ``function``."""
        known = self._by_decorators.get(function)
        if known is None:
            self._by_decorators[function] = []  # for recursion
            known = self._by_decorators[function] = list(self._find_entered_with(function))
        return known

    def _find_entered_with(self, function: s.Function) -> Iterator[Section]:
        if function.is_generator:
            return
        for wrapper in self._calls.decorating.wrappers(function):
            if not wrapper.calls:
                held = set(self._locks.held_at_yields(wrapper.function)) if not function.is_async else set()
            elif function.is_async and not all(isinstance(call.parent, s.Await) for call in wrapper.calls):
                continue
            else:
                held = set.intersection(*({sec.place for sec in self.around(call)} for call in wrapper.calls))
            for inner in sorted(held, key=lambda place: place.path):
                place = self._calls.into_wrapped(inner, wrapper, function)
                if place is not None:
                    section = Section(function, place, wrapper.decorator, wrapper.decorator)
                    nodes = (node for statement in function.body for node in self._evaluated(statement))
                    section.events.update(dict.fromkeys(filter(self._matters, nodes)))
                    yield section

    def _find(self, scope: s.Scope) -> Iterator[Section]:
        if isinstance(scope, s.Function):
            yield from self._entered_with(scope)
        for section in self._taken_in(scope):
            without = self._let_go.get(section.place)
            if without:
                section.events = {node: None for node in section.events if node not in without}
            yield section

    def _taken_in(self, scope: s.Scope) -> Iterator[Section]:
        uses = self._locks.uses
        followed: set[Place] = set()
        for place in dict.fromkeys(op.place for op in uses.of(scope)):
            paths = self._locks.paths(scope, place)
            if paths is not None:
                followed.add(place)
                yield from self._by_paths(scope, place, paths)
        for item in self._items.get(scope, ()):
            for place in uses.taken_by(item):
                if place in followed:
                    continue
                paths = self._locks.paths(scope, place) if self._is_rebound(scope, place) else None
                if paths is None:
                    yield self._by_body(scope, place, item)
                else:
                    followed.add(place)
                    yield from self._by_paths(scope, place, paths)

    def _is_rebound(self, scope: s.Scope, place: Place) -> bool:
        """Whether ``scope`` binds something on the way to the lock, so that its name may come to mean another one."""
        known = self._bound_in.get(scope)
        if known is None:
            known = self._bound_in[scope] = self._bound_more_than_once(scope)
        return str(place.root[-1]) in known or not known.isdisjoint(place.path)

    @cached_property
    def _items(self) -> dict[s.Scope, list[s.WithItem]]:
        items: dict[s.Scope, list[s.WithItem]] = {}
        for item in self._locks.uses.with_items():
            items.setdefault(s.enclosing_scope(item), []).append(item)
        return items

    def _by_body(self, scope: s.Scope, place: Place, item: s.WithItem) -> Section:
        section = Section(scope, place, item, item.context)
        statement = item.parent
        assert isinstance(statement, s.With)
        later = statement.items[statement.items.index(item) + 1 :]
        for part in (*later, *statement.body):
            for node in self._evaluated(part):
                if self._matters(node):
                    section.events[node] = None
        return section

    def _evaluated(self, part: s.Node) -> Iterator[s.Node]:
        """What runs when ``part`` does."""
        return (node for node in s.walk(part, into_functions=False) if node not in self._later)

    @cached_property
    def _later(self) -> set[s.Node]:
        """What runs only when somebody takes the items of a generator expression, which need not be here and now."""
        found: set[s.Node] = set()
        for node in self._module.all(s.Comprehension):
            if node.kind == "generator" and node not in found and not takes_some(self._calls.names, node):
                now = set(s.walk(node.clauses[0].iter))
                found.update(part for part in s.walk(node) if part is not node and part not in now)
        return found

    @cached_property
    def _let_go(self) -> dict[Place, set[s.Node]]:
        """For a lock, what runs in the body of a ``with`` whose context manager releases it, or is handed it."""
        found: dict[Place, set[s.Node]] = {}
        uses, names = self._locks.uses, self._calls.names
        for item in self._module.all(s.WithItem):
            places = set(self._locks.let_go.get(item, ()))
            if isinstance(item.context, s.Call) and not uses.taken_by(item):
                given = (names.place(argument.value) for argument in item.context.args)
                places |= {place for place in given if place is not None and uses.receiver(place) is not None}
            if places and isinstance(item.parent, s.With):
                body = {node for statement in item.parent.body for node in s.walk(statement)}
                for place in places:
                    found.setdefault(place, set()).update(body)
        return found

    def _by_paths(self, scope: s.Scope, place: Place, paths: LockPaths) -> Iterator[Section]:
        sections: dict[s.Node, Section] = {}
        for site, receiver, node in paths.held():
            if self._matters(node) and node not in self._later:
                section = sections.get(site)
                if section is None:
                    section = sections[site] = Section(scope, place, site, receiver, paths)
                section.events.setdefault(node)
        yield from sections.values()

    def _matters(self, node: s.Node) -> bool:
        return isinstance(node, _EVENTS) or self._calls.may_run(node)

    def _bound_more_than_once(self, scope: s.Scope) -> frozenset[str]:
        """The variables that ``scope`` binds twice or in a loop, and the attributes and globals it binds at all."""
        once: set[str] = set()
        more: set[str] = set()
        for node in s.own_nodes(scope):
            if isinstance(node, s.Assign):
                targets = node.targets
            elif isinstance(node, (s.For, s.Clause, s.AugAssign, s.NamedExpr)):
                targets = [node.target, node.target]
            else:
                continue
            for target in targets:
                for part in target.elements if isinstance(target, s.Display) else (target,):
                    name = s.last_name(part)
                    if isinstance(part, s.Attribute) or name in once or self._is_from_outside(part, scope):
                        more.add(name)
                    once.add(name)
        return frozenset(more)

    def _is_from_outside(self, target: s.Expr, scope: s.Scope) -> bool:
        found = self._calls.names.scopes.lookup(target.id, target) if isinstance(target, s.Name) else None
        return found is not None and found[0].node is not scope

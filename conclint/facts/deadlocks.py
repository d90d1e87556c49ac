"""Code that waits for itself: a lock acquired by whoever holds it already."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .callbacks import Back, Callbacks
from .lock_facts import LockFacts
from .owners import Owners, is_one_object
from .sections import Section, Sections
from .takings import Taking, Takings


class SelfDeadlock(NamedTuple):
    """A blocking acquire of a lock that is held, and that its holder cannot acquire twice."""

    section: Section
    taking: Taking


class CallBack(NamedTuple):
    """A call of others' code under a lock that may be acquired by it again, and that nobody can acquire twice."""

    section: Section
    event: s.Node
    back: Back
    method: s.Function
    """The method of the same object that takes the lock, and that others may call."""
    taking: Taking


def self_deadlocks(locks: LockFacts, sections: Sections, takings: Takings, owners: Owners) -> Iterator[SelfDeadlock]:
    """Every acquire, or call that comes to one, of a non-reentrant lock that is held there; one a place.

    A loop that comes back to the same acquire is a leak, and not told here. Nor is a lock taken by hand that another
    function gives back, or can because it is handed the lock: to wait for that may be what the second acquire is for.
    """
    seen: set[s.Node] = set()
    signals: dict[tuple[s.Scope, Place], bool] = {}
    for section in sections.all():
        if not is_one_object(section.place):
            continue
        if isinstance(section.site, s.Call):
            key = (section.scope, section.place)
            if key not in signals:
                signals[key] = locks.is_signal(section.place, section.scope) or _is_handed_on(section, locks, takings)
            if signals[key]:
                continue
        for event in section.events:
            for taking in takings.at(event) if event not in seen and event is not section.site else ():
                if (
                    owners.are_one(taking.place, section.place)
                    and any(map(locks.uses.blocks_its_holder, (taking.origin.place, section.place)))
                    and taking.node not in seen
                    and takings.is_certain(taking, section.scope)
                ):
                    seen.update((event, taking.node))
                    yield SelfDeadlock(section, taking)
                    break


def _is_handed_on(section: Section, locks: LockFacts, takings: Takings) -> bool:
    """Whether the function gives the lock, or what releases it, to others that are not in view."""
    return any(
        isinstance(node, s.Call) and locks.uses.hands_over(node, section.place) and not any(takings.at(node))
        for node in s.own_nodes(section.scope)
    )


def called_back(locks: LockFacts, sections: Sections, takings: Takings, callbacks: Callbacks) -> Iterator[CallBack]:
    """Every call that comes to a callback under a non-reentrant lock that public methods of the object take.

    Once for each callback and function, and once for each call.
    """
    seen: set[tuple[s.Node, s.Call]] = set()
    told: set[s.Node] = set()
    public = PublicTakings(takings)
    for section in sections.all():
        place = section.place
        if not is_one_object(place) or not locks.uses.blocks_its_holder(place):
            continue
        for event in section.events:
            for back in callbacks.at(event):
                key = (section.scope, back.call)
                if event in told or key in seen or not _is_under(section, back, locks, sections, takings.names):
                    continue
                if isinstance(section.site, s.Call) and locks.is_signal(place, section.scope):
                    continue
                just_set = takings.set_before(event, section.scope)
                if back.sites:
                    just_set |= takings.set_before(back.call, s.enclosing_scope(back.call))
                found = public.first(place, just_set)
                if found is not None:
                    seen.add(key)
                    told.add(event)
                    yield CallBack(section, event, back, *found)


class PublicTakings:
    """The methods by which others come to take the lock of an object."""

    def __init__(self, takings: Takings) -> None:
        self._takings = takings
        self._names = takings.names
        self._of_place: dict[Place, list[tuple[s.Function, Taking]]] = {}
        self._first: dict[tuple[Place, frozenset[Place]], tuple[s.Function, Taking] | None] = {}

    def first(self, place: Place, just_set: frozenset[Place] = frozenset()) -> tuple[s.Function, Taking] | None:
        """The most direct of those that take the lock at ``place``, an attribute of ``self``.

        Not by way of a test of an attribute that is ``just_set`` before: that may be there to tell a callback apart.
        """
        key = (place, just_set)
        if key not in self._first:
            found = (each for each in self._at(place) if self._takings.is_certain(each[1], each[0], just_set))
            self._first[key] = next(found, None)
        return self._first[key]

    def _at(self, place: Place) -> list[tuple[s.Function, Taking]]:
        """The public methods that take the lock, those with the fewest calls on the way first."""
        known = self._of_place.get(place)
        if known is None:
            owner = place.root[1] if place.root[0] == "self" and len(place.path) == 1 else None
            family = [owner, *self._names.subclasses(owner)] if isinstance(owner, s.ClassDef) else []
            methods = [function for node in family for function in self._methods.get(node, ())]
            takings = ((function, self._takings.of(function).get(place)) for function in methods)
            found = [(function, taking) for function, taking in takings if taking is not None]
            known = sorted(found, key=lambda each: len(list(each[1].chain())))
            self._of_place[place] = known
        return known

    @cached_property
    def _methods(self) -> dict[s.ClassDef, list[s.Function]]:
        """The public ones of each class."""
        found: dict[s.ClassDef, list[s.Function]] = {}
        for function in self._names.module.functions:
            owner = self._names.owner(function)
            if owner is not None and not function.name.startswith("_"):
                found.setdefault(owner, []).append(function)
        return found


def _is_under(section: Section, back: Back, locks: LockFacts, sections: Sections, names: Names) -> bool:
    """Whether the callback runs with the lock held, here and now."""
    lock = locks.uses.receiver(section.place)
    instance = None if lock is None else names.instance(lock)
    if instance is not None and instance.type.api == "asyncio":
        if not isinstance(locks.uses.result_node(back.call), s.Await):
            return False  # it cannot wait
    inner = (*back.sites[1:], back.call) if back.sites else ()
    return all(sections.is_callers(site, section.place) for site in inner)

"""Code that waits for itself: a lock acquired by whoever holds it already."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Every call of a callback, once a function, under a non-reentrant lock that public methods of the object take."""
    seen: set[tuple[s.Node, s.Call]] = set()
    for section in sections.all():
        place = section.place
        if not is_one_object(place) or not locks.uses.blocks_its_holder(place):
            continue
        for event in section.events:
            for back in callbacks.at(event):
                key = (section.scope, back.call)
                if key in seen or not _is_under(section, back, locks, sections, takings.names):
                    continue
                if isinstance(section.site, s.Call) and locks.is_signal(place, section.scope):
                    continue
                just_set = takings.set_before(event, section.scope)
                if back.sites:
                    just_set |= takings.set_before(back.call, s.enclosing_scope(back.call))
                found = next(public_takings(place, takings, just_set), None)
                if found is not None:
                    seen.add(key)
                    yield CallBack(section, event, back, *found)


def public_takings(
    place: Place, takings: Takings, just_set: frozenset[Place] = frozenset()
) -> Iterator[tuple[s.Function, Taking]]:
    """The methods by which others come to take the lock at ``place``, an attribute of ``self``, the most direct first.

    Not by way of a test of an attribute that is ``just_set`` before: that may be there to tell a callback apart.
    """
    names = takings.names
    owner = place.root[1] if place.root[0] == "self" and len(place.path) == 1 else None
    if not isinstance(owner, s.ClassDef):
        return
    family = {owner, *names.subclasses(owner)}
    found: list[tuple[s.Function, Taking]] = []
    for function in names.module.functions:
        if names.owner(function) in family and not function.name.startswith("_"):
            taking = takings.of(function).get(place)
            if taking is not None:
                found.append((function, taking))
    for function, taking in sorted(found, key=lambda each: len(list(each[1].chain()))):
        if takings.is_certain(taking, function, just_set):
            yield function, taking


def _is_under(section: Section, back: Back, locks: LockFacts, sections: Sections, names: Names) -> bool:
    """Whether the callback runs with the lock held, here and now."""
    lock = locks.uses.receiver(section.place)
    instance = None if lock is None else names.instance(lock)
    if instance is not None and instance.type.api == "asyncio":
        if not isinstance(locks.uses.result_node(back.call), s.Await):
            return False  # it cannot wait
    inner = (*back.sites[1:], back.call) if back.sites else ()
    return all(sections.is_callers(site, section.place) for site in inner)

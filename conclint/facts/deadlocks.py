"""Code that waits for itself: a lock acquired by whoever holds it already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from .lock_facts import LockFacts
from .owners import Owners, is_one_object
from .sections import Section, Sections
from .takings import Taking, Takings


class SelfDeadlock(NamedTuple):
    """A blocking acquire of a lock that is held, and that its holder cannot acquire twice."""

    section: Section
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

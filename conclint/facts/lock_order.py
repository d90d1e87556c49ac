"""The lock-order graph of a module, and the circles in it.

An edge goes from a lock to one that is acquired while it is held (Savage et al., "Eraser", SOSP 1997, and Linux's
lockdep look for the same circles at run time). A circle that is entered only with a further lock held, its gate, cannot
deadlock (Havelund, "Using runtime analysis to guide model checking of Java programs", SPIN 2000).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice, product
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from .deadlocks import is_one_object
from .locks import LockUses
from .sections import Section, Sections
from .takings import Taking, Takings

_UNSHARED = frozenset({"__init__", "__new__", "__del__", "__setstate__"})
"""Methods that run while no other thread has the object."""
_MOST_EDGES = 6
"""Edges between the same two locks that are kept, to be tried against those of the other direction."""
_LONGEST_CIRCLE = 6
_LONGEST_CHAIN = 5
"""Calls, the acquire included, between one lock and the next: each is one condition more that nobody has looked at."""


class Edge(NamedTuple):
    """A lock that is acquired while another is held."""

    held: Place
    acquired: Place
    section: Section
    taking: Taking
    gates: frozenset[Place]
    """The other locks that are held meanwhile."""


class LockOrder:
    """Which locks are acquired under which."""

    def __init__(self, uses: LockUses, sections: Sections, takings: Takings) -> None:
        self._uses = uses
        self._sections = sections
        self._takings = takings
        self._edges: dict[Place, dict[Place, list[Edge]]] = {}
        for edge in self._find():
            self._edges.setdefault(edge.held, {}).setdefault(edge.acquired, []).append(edge)

    def circles(self) -> Iterator[tuple[Edge, ...]]:
        """Each circle of locks once, as its edges; the shortest through each edge, with no gate that all go through."""
        seen: set[frozenset[Place]] = set()
        for held, targets in self._edges.items():
            for acquired in targets:
                places = self._way_back(acquired, held)
                if places is None or frozenset(places) in seen:
                    continue
                circle = self._ungated([held, *places[:-1]])
                if circle is not None:
                    seen.add(frozenset(places))
                    yield circle

    def _way_back(self, start: Place, end: Place) -> list[Place] | None:
        """The locks on the shortest way from ``start`` to ``end``, both included."""
        before: dict[Place, Place | None] = {start: None}
        queue = deque([start])
        while queue:
            place = queue.popleft()
            if place == end:
                way: list[Place] = []
                current: Place | None = place
                while current is not None:
                    way.append(current)
                    current = before[current]
                return way[::-1] if len(way) <= _LONGEST_CIRCLE else None
            for target in self._edges.get(place, ()):
                if target not in before:
                    before[target] = place
                    queue.append(target)
        return None

    def _ungated(self, places: list[Place]) -> tuple[Edge, ...] | None:
        """Edges round the circle of ``places`` that two or more threads can be at together."""
        around = [self._edges[p][q] for p, q in zip(places, [*places[1:], places[0]], strict=True)]
        for circle in islice(product(*around), 200):
            if not frozenset.intersection(*(edge.gates for edge in circle)):
                return circle
        return None

    def _find(self) -> Iterator[Edge]:
        for section in self._sections.all():
            if not self._is_followed(section.place) or not self._uses.is_known(section.place):
                continue
            if isinstance(section.scope, s.Module) or section.scope.name in _UNSHARED:
                continue
            for event in section.events:
                for taking in self._takings.at(event):
                    edge = self._edge(section, event, taking)
                    if edge is not None:
                        yield edge

    def _edge(self, section: Section, event: s.Node, taking: Taking) -> Edge | None:
        if taking.place == section.place or not self._is_followed(taking.place):
            return None
        if len(self._edges.get(section.place, {}).get(taking.place, ())) >= _MOST_EDGES:
            return None
        if sum(1 for _ in taking.chain()) > _LONGEST_CHAIN:
            return None
        if not self._uses.is_known(taking.origin.place) or not self._takings.is_certain(taking, section.scope):
            return None
        held = {other.place for other in self._sections.around(event)}
        held |= self._sections.held_on_entry(section.scope)
        if taking.place in held:
            return None  # taken before, in the other order or again
        return Edge(section.place, taking.place, section, taking, frozenset(held - {section.place}))

    @staticmethod
    def _is_followed(place: Place) -> bool:
        """Whether the place means one object, or the same of one object, in all functions that name it."""
        if not is_one_object(place):
            return False
        return place.root[0] == "global" or (place.root[0] == "self" and len(place.path) == 1)

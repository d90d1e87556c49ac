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
from ..names import Names
from .locks import LockUses
from .owners import Owners
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

    def __init__(self, names: Names, uses: LockUses, sections: Sections, takings: Takings, owners: Owners) -> None:
        self._uses = uses
        self._sections = sections
        self._takings = takings
        self._owners = owners
        self._links = names.module.links
        self._known: set[Place] = set()
        """The places that are locks for certain; the others are so by name."""
        self._made: set[Place] = set()
        """Those of them whose locks are made in this file."""
        self._edges: dict[Place, dict[Place, list[Edge]]] = {}
        for edge in self._find():
            self._edges.setdefault(edge.held, {}).setdefault(edge.acquired, []).append(edge)

    def circles(self) -> Iterator[tuple[Edge, ...]]:
        """Each circle of locks once, as its edges; the shortest through each edge, with no gate that all go through.

        The first edge is of the order that the fewest acquires follow: most likely it is the wrong one. Of equals in
        several files it is the one in the first of these by name, whichever of them is checked.
        """
        seen: set[frozenset[Place]] = set()
        for held, targets in self._edges.items():
            for acquired in targets:
                places = self._way_back(acquired, held)
                if places is None or frozenset(places) in seen or not self._are_apart(places):
                    continue
                circle = self._ungated([held, *places[:-1]])
                if circle is not None:
                    seen.add(frozenset(places))
                    rarest = min(range(len(circle)), key=lambda i: self._rank(circle[i]))
                    yield (*circle[rarest:], *circle[:rarest])

    def _rank(self, edge: Edge) -> tuple[int, str]:
        """How many acquires follow the order of ``edge``, and the file that it is in."""
        links = self._links
        path = "" if links is None else links.paths[s.root_of(edge.taking.site)]
        return len(self._edges[edge.held][edge.acquired]), path

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
            if not frozenset.intersection(*(edge.gates for edge in circle)) and self._meet(circle):
                return circle
        return None

    def _meet(self, circle: tuple[Edge, ...]) -> bool:
        """Whether one object may be what all of the edges speak of."""
        functions: list[s.Node] = [edge.section.scope for edge in circle]
        functions += [part.callee for edge in circle for part in edge.taking.chain() if part.callee is not None]
        return all(self._owners.have_one_self(functions, edge.held) for edge in circle if edge.held.root[0] == "self")

    def _are_apart(self, places: list[Place]) -> bool:
        """Whether the locks are locks, and different ones: at most one is known by its name alone, and none is it."""
        by_name = [place for place in places if place not in self._known]
        if not by_name:
            return True
        others = [place for place in places if place in self._known]
        if len(by_name) > 1 or self._made.isdisjoint(others):
            return False
        return self._owners.is_kept_apart(by_name[0], others)

    def _find(self) -> Iterator[Edge]:
        for section in self._sections.all():
            held = self._lock(section.place)
            if held is None or isinstance(section.scope, s.Module) or section.scope.name in _UNSHARED:
                continue
            for event in section.events:
                for taking in self._takings.at(event):
                    edge = self._edge(section, held, event, taking)
                    if edge is not None:
                        yield edge

    def _edge(self, section: Section, held: Place, event: s.Node, taking: Taking) -> Edge | None:
        acquired = self._owners.own(taking.place)
        if acquired is None or acquired == held or self._lock(taking.origin.place, acquired) is None:
            return None
        if len(self._edges.get(held, {}).get(acquired, ())) >= _MOST_EDGES:
            return None
        if sum(1 for _ in taking.chain()) > _LONGEST_CHAIN:
            return None
        if not self._takings.is_certain(taking, section.scope):
            return None
        around = {other.place for other in self._sections.around(event)}
        around |= self._sections.held_on_entry(section.scope)
        gates = frozenset(self._owners.own(place) or place for place in around)
        if acquired in gates:
            return None  # taken before, in the other order or again
        return Edge(held, acquired, section, taking, gates - {held})

    def _lock(self, named: Place, own: Place | None = None) -> Place | None:
        """The lock that is called ``named`` where it is taken; ``None`` if it is not one, or not one alone."""
        own = own or self._owners.own(named)
        if own is None:
            return None
        if self._uses.is_known(named):
            self._known.add(own)
            if self._uses.is_made_here(named):
                self._made.add(own)
        elif not self._uses.is_known_by_name(named) or any(map(self._owners.is_written_from_outside, own.path)):
            return None
        return own

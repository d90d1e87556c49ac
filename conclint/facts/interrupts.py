"""Signal handlers that wait for what the code they interrupt may hold.

Python runs a signal handler in the main thread, between two bytecodes of whatever runs there (library reference of
``signal``, "Execution of Python signal handlers"): a lock held there is not released before the handler ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from .calls import Calls
from .locks import LockUses
from .objects import Objects, Operation
from .running import Entry, Running
from .sections import Section, Sections
from .takings import Taking, Takings


class LockTaken(NamedTuple):
    """A lock that a signal handler acquires and the code it interrupts may hold."""

    entry: Entry
    taking: Taking
    held: Section
    """Other code that holds it."""


class QueueUsed(NamedTuple):
    """A queue that a signal handler uses; its methods hold a lock that is not re-entrant."""

    entry: Entry
    use: Operation
    other: Operation
    """A use of the same queue elsewhere."""


class Interrupts:
    """The signal handlers of a module."""

    def __init__(
        self, uses: LockUses, calls: Calls, sections: Sections, takings: Takings, objects: Objects, running: Running
    ) -> None:
        self._uses = uses
        self._calls = calls
        self._sections = sections
        self._takings = takings
        self._objects = objects
        self._running = running
        self._in_threads = {entry.function for entry in running.entries}

    def locks(self) -> Iterator[LockTaken]:
        """Every lock, once a handler, that the handler waits for and other code of the main thread may hold."""
        seen: set[s.Node] = set()
        for entry in self._running.signal_handlers:
            reached = self._reached(entry.function)
            for place, taking in self._takings.of(entry.function).items():
                held = self._held_elsewhere(place, reached)
                if held is not None and taking.site not in seen and self._uses.blocks_its_holder(taking.origin.place):
                    seen.add(taking.site)
                    yield LockTaken(entry, taking, held)

    def queues(self) -> Iterator[QueueUsed]:
        """Every use of a ``queue.Queue`` in a handler, where other code uses it too."""
        seen: set[s.Node] = set()
        for entry in self._running.signal_handlers:
            reached = self._reached(entry.function)
            for tracked in self._objects.made("queue"):
                name = "" if tracked.instance is None else tracked.instance.type.name
                if name not in self._running.names.catalog.joinable_queues or not name.startswith("queue."):
                    continue
                used = tracked.named("put", "put_nowait", "get", "get_nowait")
                inside = [use for use in used if s.enclosing_function(use.where) in reached and use.call is not None]
                outside = [use for use in used if self._interrupts(s.enclosing_function(use.where), reached)]
                if inside and outside and inside[0].where not in seen:
                    seen.add(inside[0].where)
                    yield QueueUsed(entry, inside[0], outside[0])

    def _reached(self, function: s.Function) -> set[s.Function | None]:
        """The handler and the functions that it calls."""
        reached: set[s.Function | None] = set()
        work = [function]
        while work:
            current = work.pop()
            if current not in reached:
                reached.add(current)
                for node in s.own_nodes(current):
                    work += self._calls.run_by(node)
        return reached

    def _held_elsewhere(self, place: Place, reached: set[s.Function | None]) -> Section | None:
        for section in self._sections.all():
            scope = section.scope if isinstance(section.scope, s.Function) else None
            if section.place == place and self._interrupts(scope, reached):
                return section
        return None

    def _interrupts(self, scope: s.Function | None, reached: set[s.Function | None]) -> bool:
        """Whether a handler may interrupt ``scope``: other code that does not run in a thread of its own."""
        if scope is None:
            return True
        if scope in self._in_threads:
            return False
        if scope not in reached:
            return True
        return any(s.enclosing_function(site) not in reached for site in self._calls.to(scope))

"""Signal handlers that wait for what the code they interrupt may hold.

Python runs a signal handler in the main thread, between two bytecodes of whatever runs there (library reference of
``signal``, "Execution of Python signal handlers"): a lock held there is not released before the handler ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from .calls import Calls
from .locks import LockUses
from .objects import Objects, Operation
from .owners import is_one_object
from .running import Entry, Running
from .sections import Section, Sections
from .takings import Taking, Takings
from .worker_code import main_code


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
        self._names = running.names
        self._handlers = {entry.function: entry for entry in running.signal_handlers}
        self._elsewhere = {entry.function for entry in running.entries if entry.place != "process"}

    def locks(self) -> Iterator[LockTaken]:
        """Every lock, once a handler, that the handler waits for and other code of the main thread may hold."""
        seen: set[s.Node] = set()
        for entry in self._unmasked():
            for place, taking in self._takings.of(entry.function).items():
                held = self._held.get(place) if is_one_object(place) else None
                if held is None or taking.site in seen or not self._uses.blocks_its_holder(taking.origin.place):
                    continue
                if self._takings.is_certain(taking, entry.function):
                    seen.add(taking.site)
                    yield LockTaken(entry, taking, held)

    def queues(self) -> Iterator[QueueUsed]:
        """Every use of a queue in a handler, where other code uses it in a way that holds the same lock."""
        seen: set[s.Node] = set()
        for entry in self._unmasked():
            reached = self._reached([entry.function])
            for used in self._queues:
                inside = next((use for use in used if s.enclosing_function(use.where) in reached), None)
                outside = next((use for use in used if self._is_interrupted(use.where)), None)
                if inside is not None and outside is not None and inside.where not in seen:
                    seen.add(inside.where)
                    yield QueueUsed(entry, inside, outside)

    def _unmasked(self) -> list[Entry]:
        """The handlers, in files that do not hold signals back while they are in no state for one."""
        masks = self._names.catalog.calls["signal_masks"]
        if self._handlers and any(self._names.qualified(call.func) in masks for call in self._names.module.all(s.Call)):
            return []
        return list(self._handlers.values())

    @cached_property
    def _queues(self) -> list[list[Operation]]:
        """For each queue the calls that hold one lock which is not re-entrant."""
        found: list[list[Operation]] = []
        for tracked in self._objects.made("queue"):
            methods = self._names.catalog.interruptible.get(
                "" if tracked.instance is None else tracked.instance.type.name
            )
            if methods:
                found.append([use for use in tracked.named(*methods) if use.call is not None])
        return found

    @cached_property
    def _held(self) -> dict[Place, Section]:
        """By lock, code that holds it in the main thread, and may be interrupted."""
        held: dict[Place, Section] = {}
        for section in self._sections.all():
            if section.place not in held and self._is_interrupted(section.site):
                held[section.place] = section
        return held

    def _is_interrupted(self, node: s.Node) -> bool:
        """Whether a handler may interrupt ``node``: it runs in the main thread, and not only in handlers."""
        scope = s.enclosing_function(node)
        return scope is None or scope in self._in_main_thread

    @cached_property
    def _in_main_thread(self) -> frozenset[s.Function]:
        """The functions that may run there, and not only in handlers."""
        return main_code(self._calls, frozenset(self._elsewhere | self._handlers.keys()))

    def _reached(self, functions: list[s.Function]) -> set[s.Function | None]:
        """These functions and all that they call."""
        reached: set[s.Function | None] = set()
        work = list(functions)
        while work:
            current = work.pop()
            if current not in reached:
                reached.add(current)
                for node in s.own_nodes(current):
                    work += self._calls.run_by(node)
        return reached

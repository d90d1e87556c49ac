"""Waiting while a lock is held: for code that needs that very lock, or just for a long time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import LocalInstance, Place
from .deadlocks import is_one_object
from .locks import LockUses
from .objects import Objects, Operation, Tracked
from .running import Running
from .sections import Section, Sections
from .takings import Taking, Takings
from .waiting import Come, Wait, Waiting

_OTHERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("queue", "get"): ("put", "put_nowait"),
    ("queue", "put"): ("get", "get_nowait"),
    ("event", "wait"): ("set",),
    ("condition", "wait"): ("notify", "notify_all", "notifyAll"),
    ("condition", "wait_for"): ("notify", "notify_all", "notifyAll"),
}
"""What ends a wait, by kind and method: all of the calls that could must need the lock."""


class Blocked(NamedTuple):
    """A wait for code that needs the lock held meanwhile."""

    section: Section
    event: s.Node
    come: Come
    needs: Taking | None
    """How the awaited function takes the lock; ``None`` where the calls that would end the wait stand under it."""
    awaited: s.Node
    """That function, or one of those calls."""

    @property
    def awaited_name(self) -> str:
        return self.awaited.name if isinstance(self.awaited, s.Function) else ""


class Slow(NamedTuple):
    """A wait that keeps others from a lock."""

    section: Section
    event: s.Node
    come: Come


class LockWaits:
    """The waits under a lock of a module."""

    def __init__(
        self, uses: LockUses, sections: Sections, takings: Takings, waiting: Waiting, objects: Objects, running: Running
    ) -> None:
        self._uses = uses
        self._sections = sections
        self._takings = takings
        self._waiting = waiting
        self._objects = objects
        self._running = running

    @cached_property
    def blocked(self) -> list[Blocked]:
        """Each wait, once, for code that cannot end it while the lock is held."""
        found: dict[s.Node, Blocked] = {}
        for section in self._sections.all():
            if not self._is_followed(section.place):
                continue
            for event in section.events:
                for come in self._comes(section, event):
                    blocked = self._blocked(section, event, come) if event not in found else None
                    if blocked is not None:
                        found[event] = blocked
        return list(found.values())

    def slow(self) -> Iterator[Slow]:
        """Each wait, once, under a lock of threads or processes, that is not one of :attr:`blocked`."""
        seen = {blocked.event for blocked in self.blocked}
        for section in self._sections.all():
            if isinstance(section.scope, s.Module) or not self._uses.is_known(section.place):
                continue
            if self._uses.is_private(section.place) or self._is_async(section):
                continue
            for event in section.events:
                come = None if event in seen else next(self._comes(section, event), None)
                if come is not None:
                    seen.add(event)
                    yield Slow(section, event, come)

    def _comes(self, section: Section, event: s.Node) -> Iterator[Come]:
        for come in self._waiting.at(event):
            if not self._gives_it_back(section.place, come):
                yield come

    def _gives_it_back(self, place: Place, come: Come) -> bool:
        """Whether the lock is not held while it waits: the wait of its own condition, or a helper that releases it."""
        wait = come.wait
        if wait.method in ("wait", "wait_for") and isinstance(wait.call.func, s.Attribute):
            if self._running.names.place(wait.call.func.value) == place:
                return True
        return any(not self._sections.is_callers(site, place) for site in (*come.sites[1:], wait.call) if come.sites)

    def _is_async(self, section: Section) -> bool:
        receiver = self._uses.receiver(section.place)
        lock = None if receiver is None else self._running.names.instance(receiver)
        return lock is None or lock.type.api == "asyncio"

    def _is_followed(self, place: Place) -> bool:
        if not is_one_object(place) or not self._uses.is_known(place):
            return False
        return place.root[0] != "self" or len(place.path) == 1

    # ---- who ends the wait

    def _blocked(self, section: Section, event: s.Node, come: Come) -> Blocked | None:
        wait = come.wait
        if wait.instance is None or not wait.forever:
            return None
        kind = wait.instance.type.kind
        for function in self._awaited(wait, kind):
            taking = self._takings.of(function).get(section.place)
            if taking is not None and self._is_shared(section.place, function):
                return Blocked(section, event, come, taking, function)
        others = _OTHERS.get((kind, wait.method))
        if others is not None:
            ends = self._ends(wait, kind, others, section.place)
            if ends is not None:
                return Blocked(section, event, come, None, ends)
        return None

    def _awaited(self, wait: Wait, kind: str) -> Iterator[s.Function]:
        """The functions that must end before the wait does."""
        names = self._running.names
        if kind in ("thread", "timer"):
            makers = {made.made for made in self._tracked(wait)}
            receiver = wait.call.func.value if isinstance(wait.call.func, s.Attribute) else None
            found = () if receiver is None else names.kinds(receiver)
            for worker in self._running.workers:
                by_class = any(isinstance(k, LocalInstance) and k.node is worker.subclass for k in found)
                if worker.call in makers or by_class or worker.call is getattr(wait.instance, "made_at", None):
                    yield from self._running.targets(worker)
        elif kind == "future":
            made = None if wait.instance is None else wait.instance.made_at
            task = made.positional(0) if isinstance(made, s.Call) else None
            yield from () if task is None else names.functions(task)
        elif kind in ("thread_executor", "thread_pool"):
            for tracked in self._tracked(wait):
                for operation in tracked.named("submit", "apply_async", "map_async", "starmap_async"):
                    task = None if operation.call is None else operation.call.positional(0)
                    yield from () if task is None else names.functions(task)
        elif kind == "queue" and wait.method == "join":
            for tracked in self._tracked(wait):
                for operation in tracked.named("task_done"):
                    function = s.enclosing_function(operation.where)
                    if function is not None and function is not s.enclosing_function(wait.call):
                        yield function

    def _ends(self, wait: Wait, kind: str, others: tuple[str, ...], place: Place) -> s.Node | None:
        """One of the calls that would end the wait, if all of them stand under the lock."""
        found: list[Operation] = []
        for tracked in self._tracked(wait):
            if tracked.escapes or (wait.method == "put" and not _is_bounded(tracked)):
                return None
            found += tracked.named(*others)
        scope = s.enclosing_function(wait.call)
        for operation in found:
            if s.enclosing_function(operation.where) is scope or operation.call is None:
                return None
            held = {section.place for section in self._sections.around(operation.where)}
            inner = s.enclosing_function(operation.where)
            if place not in held and (inner is None or place not in self._sections.held_on_entry(inner)):
                return None
        return found[0].where if found else None

    def _tracked(self, wait: Wait) -> list[Tracked]:
        """The objects that the wait may be for."""
        if wait.instance is None:
            return []
        return [
            tracked
            for tracked in self._objects.made(wait.instance.type.kind)
            if any(operation.call is wait.call for operation in tracked.operations.values())
        ]

    def _is_shared(self, place: Place, function: s.Function) -> bool:
        """Whether the lock of the waiting code is also that of the awaited function, not of another object."""
        if place.root[0] != "self":
            return True
        names = self._running.names
        owner = names.self_class(function)
        if owner is None:
            return True  # a function inside a method: `self` is the same
        return any(info.node is place.root[1] for info in names.mro(owner))


def _is_bounded(tracked: Tracked) -> bool:
    made = tracked.made
    size = made.argument(0, "maxsize") if isinstance(made, s.Call) else None
    return isinstance(size, s.Constant) and isinstance(size.value, int) and size.value > 0

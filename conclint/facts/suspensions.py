"""Coroutines and generators that stop in the middle while they hold a lock."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .consuming import is_given_to, takes_all
from .lock_ops import Action
from .locks import LockUses
from .sections import Section, Sections


class Suspension(NamedTuple):
    """The first place where a function hands control to others while it holds a lock."""

    section: Section
    event: s.Node
    lets_in: bool
    """Whether the same thread may take the lock again, whichever coroutine it runs."""


class Suspensions:
    """Where functions of a module are suspended under a lock."""

    def __init__(self, names: Names, uses: LockUses, sections: Sections) -> None:
        self._names = names
        self._uses = uses
        self._sections = sections

    def of_coroutines(self) -> Iterator[Suspension]:
        """Locks of threads or processes held over ``await``, ``async with``, ``async for`` or ``yield``."""
        for scope, section in self._each():
            if self._waits_elsewhere(section.site):
                continue
            if self._is_coroutine(scope) and self._stops_threads(section) and self._is_wanted(section.place):
                suspending = (event for event in section.events if _suspends(event))
                event = next((event for event in suspending if not self._is_always_free(event)), None)
                if event is not None:
                    yield Suspension(section, event, not self._uses.blocks_its_holder(section.place))

    def _is_always_free(self, event: s.Node) -> bool:
        """Whether ``event`` takes a lock of asyncio that nobody keeps while he is suspended: it is had at once."""
        places = self._uses.taken_by(event) if isinstance(event, s.WithItem) else ()
        return bool(places) and all(place in self._never_kept for place in places)

    @cached_property
    def _never_kept(self) -> set[Place]:
        """The locks of asyncio, made in this file, that each section gives back before its coroutine is suspended."""
        kept: dict[Place, bool] = {}
        for section in self._sections.all():
            place, item = section.place, section.site
            briefly = (
                isinstance(item, s.WithItem)
                and isinstance(item.parent, s.With)
                and item.parent.is_async
                and self._uses.is_made_here(place)
                and self._uses.is_known(place)
                and not any(_suspends(event) and not self._gives_back(event, place) for event in section.events)
            )
            kept[place] = kept.get(place, False) or not briefly
        return {place for place, is_kept in kept.items() if not is_kept}

    def _gives_back(self, event: s.Node, place: Place) -> bool:
        """Whether ``event`` awaits the condition at ``place``, which is given back meanwhile."""
        call = event.value if isinstance(event, s.Await) else None
        method = self._names.bound_method(call.func) if isinstance(call, s.Call) else None
        return method is not None and method.attr in ("wait", "wait_for") and self._names.place(method.value) == place

    def of_generators(self) -> Iterator[Suspension]:
        """Locks held at a ``yield``, other than in what is made into a context manager or fixture."""
        calls = self._names.catalog.calls
        for scope, section in self._each():
            if not scope.is_generator or self._names.decorated(scope, calls["contextmanagers"] | calls["fixtures"]):
                continue
            if self._names.decorated(scope, calls["coroutines"]) or (scope.is_async and self._stops_threads(section)):
                continue  # of_coroutines speaks
            event = next((event for event in section.events if isinstance(event, s.Yield)), None)
            if event is not None and not self._is_finished(scope):
                yield Suspension(section, event, False)

    def _each(self) -> Iterator[tuple[s.Function, Section]]:
        for section in self._sections.all():
            if isinstance(section.scope, s.Function):
                yield section.scope, section

    def _is_finished(self, generator: s.Function) -> bool:
        """Whether each call in this file, of at least one, takes all of the generator or sees to its being closed."""
        called = self._names.calls_of(generator)
        return bool(called) and all(map(self._is_finished_by, called))

    def _is_finished_by(self, call: s.Call) -> bool:
        return takes_all(self._names, call) or is_given_to(self._names, call, self._names.catalog.calls["closers"])

    def _is_wanted(self, place: Place) -> bool:
        """Whether others wait for the lock, not only try it; and it is not one that only this call can see."""
        return place in self._waited_for and not self._uses.is_private(place)

    @cached_property
    def _waited_for(self) -> set[Place]:
        uses = self._uses
        found = {place for item in uses.with_items() for place in uses.taken_by(item)}
        direct = (op for ops in uses.ops.values() for op in ops if op.direct and not self._waits_elsewhere(op.call))
        found.update(op.place for op in direct if op.action is Action.ACQUIRE)
        return found

    def _waits_elsewhere(self, site: s.Node) -> bool:
        """Whether another thread acquires the lock for a coroutine that awaits it, so that the event loop goes on."""
        return isinstance(site, s.Call) and self._names.run_elsewhere(site) is not None

    def _is_coroutine(self, function: s.Function) -> bool:
        """Whether an event loop runs ``function`` in turn with others, also one made of a generator."""
        return function.is_async or self._names.decorated(function, self._names.catalog.calls["coroutines"])

    def _stops_threads(self, section: Section) -> bool:
        """Whether the lock is one of threads or processes for certain: waiting for it stops the whole thread."""
        receiver = self._uses.receiver_at(section.site) or self._uses.receiver(section.place)
        if receiver is None or not self._uses.is_known(section.place):
            return False
        if isinstance(section.site, s.WithItem) and isinstance(section.site.parent, s.With):
            if section.site.parent.is_async:
                return False
        locks = [self._names.as_instance(kind) for kind in self._names.kinds(receiver)]
        return all(lock is not None and lock.type.api in ("threading", "multiprocessing") for lock in locks)


def _suspends(event: s.Node) -> bool:
    if isinstance(event, s.WithItem):
        return isinstance(event.parent, s.With) and event.parent.is_async
    if isinstance(event, (s.For, s.Clause)):
        return event.is_async
    return isinstance(event, (s.Await, s.Yield))

"""Waiting while a lock is held: for code that needs that very lock, or just for a long time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, Place
from .awaited import Awaited, AwaitedCode
from .callbacks import Back, Callbacks
from .deadlocks import PublicTakings
from .lock_facts import LockFacts
from .lock_ops import Action
from .objects import Tracked
from .owners import is_one_object
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
_ASKING = ("empty", "qsize", "full", "is_set", "isSet")
"""What code asks that waits only where it need not."""


class Blocked(NamedTuple):
    """A wait for code that needs the lock held meanwhile."""

    section: Section
    event: s.Node
    come: Come
    needs: Taking | None
    """How the awaited function takes the lock; ``None`` where the calls that would end the wait stand under it."""
    awaited: s.Node
    """That function, or one of those calls."""
    back: Back | None = None
    """For a function that takes the lock only by way of a callback, the call of that."""

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
        self,
        locks: LockFacts,
        sections: Sections,
        takings: Takings,
        waiting: Waiting,
        awaited: AwaitedCode,
        callbacks: Callbacks,
    ) -> None:
        self._locks = locks
        self._uses = locks.uses
        self._sections = sections
        self._takings = takings
        self._waiting = waiting
        self._awaited = awaited
        self._callbacks = callbacks
        self._public = PublicTakings(takings)
        self._names = awaited.names
        self._enders: dict[tuple[Tracked, tuple[str, ...], Place], tuple[s.Node | None, set[s.Function | None]]] = {}

    @cached_property
    def blocked(self) -> list[Blocked]:
        """Each wait, once, for code that cannot end it while the lock is held."""
        found: dict[s.Node, Blocked] = {}
        for section in self._sections.all():
            if not is_one_object(section.place) or not self._uses.is_known(section.place) or self._is_signal(section):
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
            if self._uses.is_private(section.place) or self._is_async(section) or self._is_signal(section):
                continue
            for event in section.events:
                comes = () if event in seen else self._comes(section, event)
                come = next((come for come in comes if not come.wait.in_loop), None)
                if come is not None:
                    seen.add(event)
                    yield Slow(section, event, come)

    def _is_signal(self, section: Section) -> bool:
        """Whether the lock is taken by hand and given back by others, so that it tells of something."""
        return isinstance(section.site, s.Call) and self._locks.is_signal(section.place, section.scope)

    def _comes(self, section: Section, event: s.Node) -> Iterator[Come]:
        for come in self._waiting.at(event):
            if not self._gives_it_back(section.place, come):
                yield come

    def _gives_it_back(self, place: Place, come: Come) -> bool:
        """Whether the lock is not held while it waits: the wait of its own condition, or a helper that releases it."""
        wait = come.wait
        if wait.method in ("wait", "wait_for") and any(self._names.place(expr) == place for expr in wait.of):
            return True
        return any(not self._sections.is_callers(site, place) for site in (*come.sites[1:], wait.node) if come.sites)

    def _is_async(self, section: Section) -> bool:
        receiver = self._uses.receiver(section.place)
        lock = None if receiver is None else self._names.instance(receiver)
        return lock is None or lock.type.api == "asyncio"

    # ---- who ends the wait

    def _blocked(self, section: Section, event: s.Node, come: Come) -> Blocked | None:
        wait = come.wait
        if not wait.forever or (isinstance(event, s.WithItem) and not self._is_left_inside(section, event)):
            return None
        for alternatives in self._awaited.alternatives(wait):
            found = [self._needs(section.place, awaited, wait) for awaited in alternatives]
            if any(_has_told(wait, awaited) for awaited in alternatives):
                continue
            if found and found[0] is not None and all(taking is not None for taking in found):
                return Blocked(section, event, come, found[0], alternatives[0].function)
            if len(alternatives) == 1:
                called = self._called_back(section, come.wait, alternatives[0])
                if called is not None:
                    return Blocked(section, event, come, called[1], alternatives[0].function, called[0])
        kind = "" if wait.instance is None else wait.instance.type.kind
        others = _OTHERS.get((kind, wait.method))
        if others is not None:
            ends = self._ends(wait, others, section.place)
            if ends is not None:
                return Blocked(section, event, come, None, ends)
        return None

    def _needs(self, place: Place, awaited: Awaited, wait: Wait) -> Taking | None:
        """How an awaited function takes the lock that is at ``place`` for whoever waits."""
        for taking in self._takings.of(awaited.function).values():
            if taking.place.path[-1:] != place.path[-1:] and taking.place.root[0] == "self":
                if not awaited.given:
                    continue
            if place in self._awaited.seen(taking.place, awaited, wait.node) and self._takings.is_certain(
                taking, awaited.function
            ):
                if not self._is_process(awaited, wait) or self._api(place) == "multiprocessing":
                    return taking
        return None

    def _called_back(self, section: Section, wait: Wait, awaited: Awaited) -> tuple[Back, Taking] | None:
        """A callback that a thread calls, and how that takes the lock if it calls the object back."""
        if self._is_process(awaited, wait) or self._is_async(section):
            return None
        backs = [each for each in self._callbacks.of(awaited.function) if self._is_owners(each, section.place)]
        found = self._public.first(section.place) if backs else None
        if found is None:
            return None
        method, taking = found
        return backs[0], Taking(section.place, backs[0].call, method, taking)

    def _is_owners(self, back: Back, place: Place) -> bool:
        """Whether the object with the lock calls the callback itself: those of other objects need not know it."""
        owner, caller = place.root[1], s.enclosing_class(back.call)
        if not isinstance(owner, s.ClassDef) or caller is None:
            return False
        is_base = any(info.node is caller for info in self._names.mro(owner))
        return is_base or any(info.node is owner for info in self._names.mro(caller))

    def _is_process(self, awaited: Awaited, wait: Wait) -> bool:
        """Whether the function runs in a process, which has its own copy of the locks of threads."""
        if wait.instance is not None and wait.instance.type.kind.startswith("process"):
            return True
        kinds = self._names.kinds(awaited.made.func) if isinstance(awaited.made, s.Call) else ()
        return any(isinstance(kind, ApiMethod) and kind.receiver.type.kind.startswith("process") for kind in kinds)

    def _api(self, place: Place) -> str:
        receiver = self._uses.receiver(place)
        lock = None if receiver is None else self._names.instance(receiver)
        return "" if lock is None else lock.type.api

    def _is_left_inside(self, section: Section, item: s.WithItem) -> bool:
        """Whether the lock is still held when the ``with`` of ``item``, entered under it, is left."""
        releases = (op for op in self._uses.at(section.scope, section.place) if op.action is Action.RELEASE)
        return not any(any(parent is item.parent for parent in s.ancestors(op.call)) for op in releases)

    def _ends(self, wait: Wait, others: tuple[str, ...], place: Place) -> s.Node | None:
        """One of the calls that would end the wait, if all of them stand under the lock."""
        scope = s.enclosing_function(wait.node)
        first: s.Node | None = None
        for tracked in self._awaited.tracked(wait):
            if tracked.escapes or (wait.method == "put" and not _is_bounded(tracked)):
                return None
            key = (tracked, others, place)
            if key not in self._enders:
                self._enders[key] = self._all_under(tracked, others, place)
            ends, scopes = self._enders[key]
            if ends is None or scope in scopes or self._calls_one_of(scope, scopes):
                return None
            first = first or ends
        return first

    def _calls_one_of(self, scope: s.Function | None, enders: set[s.Function | None]) -> bool:
        """Whether the function that waits calls one of ``enders`` itself."""
        calls = (call for function in enders if function is not None for call in self._names.calls_of(function))
        return any(s.enclosing_function(call) is scope for call in calls)

    def _all_under(
        self, tracked: Tracked, others: tuple[str, ...], place: Place
    ) -> tuple[s.Node | None, set[s.Function | None]]:
        """One of the calls, if all stand under the lock; and the functions that end the wait or ask whether to."""
        found = tracked.named(*others)
        scopes = {s.enclosing_function(operation.where) for operation in (*found, *tracked.named(*_ASKING))}
        if not found or self._is_public(tracked):
            return None, scopes
        for operation in found:
            inner = s.enclosing_function(operation.where)
            held = {section.place for section in self._sections.around(operation.where)}
            if operation.call is None:
                return None, scopes
            if place not in held and (inner is None or place not in self._sections.held_on_entry(inner)):
                return None, scopes
        return found[0].where, scopes

    def _is_public(self, tracked: Tracked) -> bool:
        """Whether other files may reach the object by a name that does not say it is private."""
        for receiver in tracked.receivers:
            place = self._names.handle(receiver)
            if place is not None and place.root[0] != "local":
                name = next((part for part in reversed(place.path) if not part.startswith("[")), place.root[-1])
                if not str(name).startswith("_"):
                    return True
        return False


def _has_told(wait: Wait, awaited: Awaited) -> bool:
    """Whether the wait stands under the test of a flag that the awaited function raises: it is past what it raised."""
    raised = {
        target.attr
        for node in s.own_nodes(awaited.function)
        if isinstance(node, s.Assign) and isinstance(node.value, s.Constant) and node.value.value is True
        for target in node.targets
        if isinstance(target, s.Attribute)
    }
    child: s.Node = s.statement_of(wait.node)
    for parent in s.ancestors(child):
        if isinstance(parent, s.Function):
            return False
        if isinstance(parent, s.If) and isinstance(parent.test, s.Attribute) and parent.test.attr in raised:
            return any(child is statement for statement in parent.body)
        child = parent
    return False


def _is_bounded(tracked: Tracked) -> bool:
    made = tracked.made
    size = made.argument(0, "maxsize") if isinstance(made, s.Call) else None
    return isinstance(size, s.Constant) and isinstance(size.value, int) and size.value > 0

"""Methods of conditions that only whoever holds the condition may call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, Place
from ..scopes import ScopeInfo
from .calls import Calls, Site
from .lock_facts import LockFacts
from .lock_ops import Action
from .running import Running
from .sections import Sections
from .values import ValueFlow

_HELD_ONLY = frozenset({"wait", "wait_for", "notify", "notify_all", "notifyAll"})
_DEEPEST = 4


class NotHeld(NamedTuple):
    """A call on a path that does not hold the condition."""

    call: s.Call
    receiver: s.Expr
    method: str
    callers: tuple[Site, ...]
    """For a helper, the call of it that does not hold the condition, and so on outwards; else none."""


class HeldConditions:
    """The conditions of a module."""

    def __init__(self, calls: Calls, locks: LockFacts, sections: Sections, running: Running, values: ValueFlow) -> None:
        self._names = running.names
        self._values = values
        self._started = {entry.function for entry in running.entries}
        self._calls = calls
        self._locks = locks
        self._sections = sections

    def not_held(self) -> Iterator[NotHeld]:
        """Every ``wait`` and ``notify`` that some path reaches without the condition."""
        for call in self._names.module.all(s.Call):
            func = self._names.bound_method(call.func)
            if func is None or func.attr not in _HELD_ONLY:
                continue
            kinds = self._names.kinds(call.func)
            if not kinds or not all(isinstance(k, ApiMethod) and k.receiver.type.kind == "condition" for k in kinds):
                continue
            place = self._names.place(func.value)
            if place is None or not self._is_own(func.value, place) or self._is_expected(call):
                continue
            if self._is_taken_by_other_tasks(call, func.value, place):
                continue
            callers = self._without(call, place, _DEEPEST)
            if callers is not None:
                yield NotHeld(call, func.value, func.attr, callers)

    def _without(self, site: s.Node, place: Place, depth: int) -> tuple[Site, ...] | None:
        """The calls by which ``site`` is reached without the lock; ``None`` where it is held, or may well be."""
        scope = s.enclosing_function(site)
        if self._is_always_held(site, place):
            return None
        if any(section.place == place for section in self._sections.around(site)):
            return ()
        if scope is None:
            return ()
        if not self._sections.is_callers(site, place):
            return ()
        if self._takes(scope, place):
            return ()
        return self._callers_without(scope, place, depth, site)

    def _holds_another(self, site: s.Node) -> bool:
        """Whether the function takes some lock for ``site``, only not the right one."""
        return any(isinstance(section.site, s.WithItem) for section in self._sections.around(site))

    def _is_taken_by_other_tasks(self, call: s.Call, receiver: s.Expr, place: Place) -> bool:
        """Whether a coroutine gives asyncio's lock back by hand, or has a task wait for it.

        It then works as well while another task has it.
        """
        lock = self._names.instance(receiver)
        scope = s.enclosing_function(call)
        if lock is None or scope is None or lock.type.api != "asyncio":
            return False
        if any(op.direct and op.action is Action.RELEASE for op in self._locks.uses.at(scope, place)):
            return True
        return any(isinstance(node, s.Call) and self._is_left_to_a_task(node, place) for node in s.own_nodes(scope))

    def _is_left_to_a_task(self, call: s.Call, place: Place) -> bool:
        """Whether ``call`` makes a coroutine that will hold the lock, and that is not awaited here."""
        func = self._names.bound_method(call.func)
        if func is None or func.attr not in ("acquire", "wait", "wait_for") or self._names.place(func.value) != place:
            return False
        return not isinstance(self._locks.uses.result_node(call), s.Await)

    def _is_expected(self, call: s.Call) -> bool:
        """Whether the code around ``call`` is ready for its RuntimeError."""
        for parent in s.ancestors(call):
            if isinstance(parent, s.Function):
                break
            if isinstance(parent, s.Try) and any(self._catches(handler) for handler in parent.handlers):
                return True
            if isinstance(parent, s.With) and any(self._expects(item.context) for item in parent.items):
                return True
        return False

    def _expects(self, context: s.Expr) -> bool:
        calls = self._names.catalog.calls
        if not isinstance(context, s.Call):
            return False
        if s.last_name(context.func) in calls["asserts_raising"]:
            return True
        return self._names.is_call_of(context, calls["suppressors"])

    def _catches(self, handler: s.Handler) -> bool:
        types = handler.type.elements if isinstance(handler.type, s.Display) else [handler.type]
        return any(t is not None and self._names.qualified(t) == "builtins.RuntimeError" for t in types)

    def _callers_without(self, scope: s.Function, place: Place, depth: int, site: s.Node) -> tuple[Site, ...] | None:
        """A caller without the lock, for a function that does not deal with the lock itself.

        Where no caller is in view, whoever calls a public function of a private lock cannot hold it, and a function
        that a thread or pool starts with holds nothing.
        """
        if scope in self._started:
            return ()
        sites = self._calls.to(scope)
        if not sites:
            return () if self._is_hidden(place, scope) or self._holds_another(site) else None
        for call in sites if depth else ():
            seen = self._calls.translate(place, call, scope)
            outer = None if seen is None else self._without(call, seen, depth - 1)
            if outer is not None:
                return (call, *outer)
        return None

    def _takes(self, scope: s.Function, place: Place) -> bool:
        """Whether ``scope`` itself takes the lock somewhere."""
        return any(section.place == place for section in self._sections.of(scope))

    def _is_always_held(self, site: s.Node, place: Place) -> bool:
        paths = self._locks.paths_by_hand(site, place)
        if paths is None:
            return any(section.place == place for section in self._sections.around(site))
        counts = paths.counts(site)
        return bool(counts) and min(counts) > 0

    def _is_own(self, receiver: s.Expr, place: Place) -> bool:
        """Whether the lock of the condition is in view: its own, or one that this file can name."""
        for kind in self._names.kinds(receiver):
            made = getattr(kind, "made_at", None)
            if not isinstance(made, s.Call) or made.has_star:
                return False
            lock = made.argument(0, "lock")
            if lock is not None and not (isinstance(lock, s.Constant) and lock.value is None):
                home = self._names.place(lock)
                if home != place and not self._names.instance(lock):
                    return False
        if place.root[0] == "local":
            scope = place.root[1]
            return isinstance(scope, ScopeInfo) and not place.path
        return place.root[0] == "global" or len(place.path) == 1

    def _is_hidden(self, place: Place, scope: s.Function) -> bool:
        """Whether nobody outside this file takes the lock, and ``scope`` is there to be called from outside."""
        if scope.is_lambda or scope.name.startswith("_") or self._names.owner(scope) is None:
            return False
        node = place.root[1]
        if place.root[0] != "self" or not isinstance(node, s.ClassDef) or not place.path[-1].startswith("_"):
            return False
        if self._names.is_open(node) or scope in self._calls.values:
            return False
        return not self._is_lent(node, place)

    def _is_lent(self, node: s.ClassDef, place: Place) -> bool:
        """Whether some method of the class leaves the lock held, or gives it away: its callers then may hold it."""
        if self._locks.gives_back(place, node):
            return True
        reads = self._values.attribute_reads(place.path[-1])
        return any(self._goes_out(access) and self._names.place(access) == place for access in reads)

    def _goes_out(self, access: s.Attribute) -> bool:
        parent = access.parent
        if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
            name = self._names.qualified(parent.parent.func) or ""
            made = self._names.catalog.made_by.get(name)
            return not (made is not None and made.kind == "condition")
        if isinstance(parent, s.Assign) and parent.value is access:
            return not all(isinstance(target, s.Name) for target in parent.targets)
        return isinstance(parent, (s.Return, s.Yield, s.Display, s.DictDisplay))

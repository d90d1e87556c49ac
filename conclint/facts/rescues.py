"""Who gives a lock back that a function has taken and keeps where it raises.

Either a function that it calls on the way out, or one of its callers, which runs it under a ``try`` or a ``with`` that
sees to it. Only the names of what is called are asked, not the paths: where in doubt the lock is given back.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from .. import syntax as s
from ..kinds import External, Place
from .calls import Calls
from .flow import Flow
from .locks import LockUses

Givers = Callable[[Place], AbstractSet[s.Node]]
"""The functions that release a lock that they have not acquired."""


class Rescues:
    """The answers for the locks of a module."""

    def __init__(self, flow: Flow, calls: Calls, uses: LockUses, givers: Givers) -> None:
        self._flow = flow
        self._calls = calls
        self._uses = uses
        self._givers = givers

    def is_released_by(self, node: s.Node, place: Place) -> bool:
        """Whether ``node`` is a call that runs a function of this file that releases the lock, perhaps."""
        return isinstance(node, s.Call) and self._give(self._run_by(node), place, set())

    def is_rescued(self, place: Place, function: s.Node) -> bool:
        """Whether some caller of ``function`` would give the lock back where it raises."""
        return isinstance(function, s.Function) and self._is_rescued(place, function, {function})

    def _give(self, functions: list[s.Function], place: Place, seen: set[s.Function]) -> bool:
        """Whether one of ``functions`` releases the lock, itself or through others."""
        givers = self._givers(place)
        for function in functions:
            if function in givers:
                return True
            if function not in seen:
                seen.add(function)
                calls = (part for part in s.own_nodes(function) if isinstance(part, s.Call))
                if any(self._give(self._run_by(call), place, seen) for call in calls):
                    return True
        return False

    def _run_by(self, call: s.Call) -> list[s.Function]:
        return [*self._calls.run_by(call), *self._calls.overriding(call)]

    def _may_run(self, call: s.Call) -> list[s.Function]:
        """What ``call`` runs, or the methods of that name that it may run where nothing is known of the object."""
        found = self._run_by(call)
        if not found and isinstance(call.func, s.Attribute) and not self._flow.names.kinds(call.func.value):
            found = [function for function in self._calls.module.functions if function.name == call.func.attr]
        return found

    def _is_rescued(self, place: Place, function: s.Function, seen: set[s.Function]) -> bool:
        for call in self._calls.module.all(s.Call):
            if s.last_name(call.func) == function.name and function in self._may_run(call):
                if self._sees_to_it(call, place):
                    return True
                caller = s.enclosing_function(call)
                if caller is not None and caller not in seen:
                    seen.add(caller)
                    if self._is_rescued(place, caller, seen):
                        return True
        return False

    def _sees_to_it(self, call: s.Call, place: Place) -> bool:
        """Whether ``call`` stands, in its function, under what releases the lock if it raises."""
        child: s.Node = call
        for parent in s.ancestors(call):
            if isinstance(parent, s.Function):
                return False
            if isinstance(parent, s.With) and any(child is statement for statement in parent.body):
                if not all(self._knows_nothing_of_it(item) for item in parent.items):
                    return True
            if isinstance(parent, s.Try) and any(child is statement for statement in parent.body):
                endings = [*parent.final, *(statement for handler in parent.handlers for statement in handler.body)]
                parts = (part for statement in endings for part in s.walk(statement) if isinstance(part, s.Call))
                if any(self._releases(part, place) for part in parts):
                    return True
            child = parent
        return False

    def _releases(self, call: s.Call, place: Place) -> bool:
        """Whether ``call`` releases the lock itself, under whatever name, or runs what does."""
        func = call.func
        if isinstance(func, s.Attribute) and func.attr in self._flow.names.catalog.release_methods:
            if place.path and s.last_name(func.value) == place.path[-1]:
                return True
            if self._flow.names.place(func.value) == place:
                return True
        return self._give(self._may_run(call), place, set())

    def _knows_nothing_of_it(self, item: s.WithItem) -> bool:
        """Whether a ``with`` item can give back nothing but what it took itself.

        So another lock, and what another module makes of constants and nothing in the body could tell anything.
        """
        names = self._flow.names
        if self._flow.is_lock(item.context) or names.is_call_of(item.context, names.catalog.calls["suppressors"]):
            return True
        made = item.context
        if not isinstance(made, s.Call) or item.target is not None:
            return False
        kinds = names.kinds(made.func)
        is_from_elsewhere = bool(kinds) and all(isinstance(kind, External) for kind in kinds)
        return is_from_elsewhere and all(isinstance(argument.value, s.Constant) for argument in made.args)

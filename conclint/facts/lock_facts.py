"""The lock analyses of a module: every lock in every function, calls of helpers included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Instance, Place
from .flow import Flow
from .lock_objects import LockObjects
from .lock_paths import LockPaths
from .locks import Action, LockOp, LockUses


class Effect(NamedTuple):
    """What a call of a function does to a lock that its caller can see."""

    place: Place
    action: Action
    instance: Instance | None


class LockFacts:
    """The lock analyses of a module."""

    def __init__(self, flow: Flow, objects: LockObjects) -> None:
        self._flow = flow
        self.uses = LockUses(flow, objects)
        self._paths: dict[tuple[s.Node, Place], LockPaths | None] = {}
        self._givers: dict[Place, set[s.Node]] = {}
        self._follow_helpers()

    def each(self) -> Iterator[LockPaths]:
        """The paths of every lock in every function that acquires or releases it by a call."""
        for scope in self.uses.scopes():
            for place in dict.fromkeys(op.place for op in self.uses.of(scope)):
                paths = self.paths(scope, place)
                if paths is not None:
                    yield paths

    def paths(self, scope: s.Node, place: Place) -> LockPaths | None:
        """The paths of the lock at ``place`` through ``scope``; ``None`` where there are too many to follow."""
        key = (scope, place)
        if key not in self._paths:
            assert isinstance(scope, (s.Function, s.Module))
            paths = None
            if self._flow.affords(scope):
                paths = LockPaths(self.uses, self._flow, scope, place, self.gives_back)
            self._paths[key] = paths if paths is not None and paths.complete else None
        return self._paths[key]

    def gives_back(self, place: Place, beside: s.Node) -> bool:
        """Whether a function other than ``beside`` releases the lock at ``place`` without having acquired it.

        One that releases only what it took itself is no other half of anything.
        """
        known = self._givers.get(place)
        if known is None:
            known = self._givers[place] = {scope for scope in self.uses.releasers(place) if self._gives(scope, place)}
        return not known <= {beside}

    def _gives(self, scope: s.Node, place: Place) -> bool:
        last = place.path[-1:]
        places = {
            op.place
            for op in self.uses.of(scope)
            if op.action is Action.RELEASE and (op.place == place or (last and op.place.path[-1:] == last))
        }
        if not places:
            return True  # its `release` is passed on as a value
        for other in places:
            paths = self.paths(scope, other)
            if paths is None or paths.releases_unasked():
                return True
        return False

    def ignored_results(self) -> list[LockOp]:
        """The acquires that may fail, of a known kind of lock, with nobody looking at whether they did."""
        return list(self._ignored.values())

    def reported_elsewhere(self, op: LockOp) -> bool:
        """Whether the acquire is one of :meth:`ignored_results`, which says all there is to say of it."""
        return op.call in self._ignored

    @cached_property
    def _ignored(self) -> dict[s.Call, LockOp]:
        return {op.call: op for scope in self.uses.scopes() for op in self._ignored_in(scope)}

    def _ignored_in(self, scope: s.Node) -> Iterator[LockOp]:
        for op in self.uses.of(scope):
            if op.action is Action.TRY_ACQUIRE and op.instance is not None and op.direct and not op.call.has_star:
                if not self.uses.result_used(op.call) and self._matters(scope, op):
                    yield op

    def _matters(self, scope: s.Node, op: LockOp) -> bool:
        """Whether code after the acquire relies on it: not a timed wait for a signal, not a forced un-lock."""
        releases = [o for o in self.uses.at(scope, op.place) if o.action is Action.RELEASE]
        if op.is_counted and not releases:
            return False
        following = _next_statement(op.call)
        return not any(s.statement_of(release.call) is following for release in releases)

    # ---- helpers

    def _follow_helpers(self) -> None:
        """Make calls of functions that acquire or release for their caller operations of the caller.

        Three rounds: a helper of a helper of a helper is as far as anyone follows by eye.
        """
        module = self._flow.names.module
        done: set[tuple[s.Node, Place]] = set()
        fresh = {scope for scope in self.uses.scopes() if isinstance(scope, s.Function)}
        for _ in range(3):
            effects: dict[s.Function, list[Effect]] = {}
            for scope in [function for function in module.functions if function in fresh]:
                for place in dict.fromkeys(op.place for op in self.uses.of(scope)):
                    if (scope, place) not in done:
                        done.add((scope, place))
                        paths = None if scope.is_generator else self.paths(scope, place)
                        action = None if paths is None else paths.effect()
                        if action is not None:
                            instance = self.uses.instance_at(scope, place)
                            effects.setdefault(scope, []).append(Effect(place, action, instance))
            if not effects:
                break
            fresh = self._apply(effects)
            for scope in fresh:
                for key in [key for key in self._paths if key[0] is scope]:
                    del self._paths[key]  # explored before the helper's effect was known
                    done.discard(key)
                self._givers.clear()

    def _apply(self, effects: dict[s.Function, list[Effect]]) -> set[s.Function]:
        names = self._flow.names
        wanted = {function.name for function in effects}
        changed: set[s.Function] = set()
        for node in names.module.all(s.Call):
            if node in self.uses.ops or s.last_name(node.func) not in wanted:
                continue
            callees = self._flow.callees(node)
            if len(callees) != 1 or callees[0] not in effects:
                continue
            scope = s.enclosing_function(node) or names.module
            for effect in effects[callees[0]]:
                place = self._translate(effect.place, node, callees[0])
                if place is not None and scope is not callees[0]:
                    self.uses.add(scope, LockOp(place, effect.action, node, node.func, effect.instance, direct=False))
                    if isinstance(scope, s.Function):
                        changed.add(scope)
        return changed

    def _translate(self, place: Place, call: s.Call, callee: s.Function) -> Place | None:
        """The caller's name for a place of the callee."""
        names = self._flow.names
        kind = place.root[0]
        if kind == "self":
            if not isinstance(call.func, s.Attribute):
                return None
            base = names.place(call.func.value)
            if base is None:
                return place if isinstance(call.func.value, s.Call) else None
            return place if base.root[0] == "self" and not base.path else base.join(*place.path)
        if kind == "local" and len(place.root) == 3:
            scope = place.root[1]
            if getattr(scope, "node", None) is callee:
                for index, param in enumerate(callee.params):
                    if param.name == place.root[2]:
                        offset = 1 if names.self_class(callee) is not None else 0
                        argument = call.argument(index - offset, param.name)
                        base = None if argument is None else names.place(argument)
                        return None if base is None else base.join(*place.path)
                return None
        return place


def _next_statement(node: s.Node) -> s.Node | None:
    """The statement that follows the one ``node`` stands in, in the same block."""
    statement = s.statement_of(node)
    if statement.parent is None:
        return None
    for name in ("body", "orelse", "final"):
        block = getattr(statement.parent, name, None)
        if isinstance(block, list) and statement in block:
            index = block.index(statement)
            return block[index + 1] if index + 1 < len(block) else None
    return None

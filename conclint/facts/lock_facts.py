"""The lock analyses of a module: every lock in every function, calls of helpers included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Instance, LocalInstance, Place
from .calls import Calls
from .flow import Flow
from .lock_classes import own_lock_ops
from .lock_objects import LockObjects
from .lock_ops import Action, LockOp
from .lock_paths import LockPaths
from .locks import LockUses
from .rescues import Rescues


class Effect(NamedTuple):
    """What a call of a function does to a lock that its caller can see."""

    place: Place
    action: Action
    instance: Instance | None


_ACTIONS = {1: Action.ACQUIRE, -1: Action.RELEASE}


class LockFacts:
    """The lock analyses of a module."""

    def __init__(self, flow: Flow, calls: Calls, objects: LockObjects) -> None:
        self._flow = flow
        self._calls = calls
        self.uses = LockUses(flow, objects)
        self._rescues = Rescues(flow, calls, self.uses, self._givers_of)
        self._paths: dict[tuple[s.Node, Place], LockPaths | None] = {}
        self._givers: dict[Place, set[s.Node]] = {}
        self._signallers: dict[Place, set[s.Node]] = {}
        self._effects: dict[s.Function, list[Effect]] = {}
        self._at_yields: dict[tuple[s.Function, int], list[Place]] = {}
        self.let_go: dict[s.WithItem, list[Place]] = {}
        """The locks that the body of a ``with`` is without, because its context manager releases them."""
        self._follow_helpers()
        self._follow_lock_classes()
        self._follow_context_managers()

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
                paths = LockPaths(self.uses, self._flow, scope, place, self)
            self._paths[key] = paths if paths is not None and paths.complete else None
        return self._paths[key]

    def paths_by_hand(self, node: s.Node, place: Place) -> LockPaths | None:
        """The paths of the lock at ``place`` through the function around ``node``, if it takes or releases it by calls.

        Where it only does so by ``with``, the bodies tell as much.
        """
        scope = s.enclosing_scope(node)
        return self.paths(scope, place) if self.uses.at(scope, place) else None

    def gives_back(self, place: Place, beside: s.Node) -> bool:
        """Whether a function other than ``beside`` releases the lock at ``place`` without having acquired it.

        One that releases only what it took itself is no other half of anything.
        """
        return not self._givers_of(place) <= {beside} or self._is_taken_for_callers(place, beside)

    def _givers_of(self, place: Place) -> set[s.Node]:
        known = self._givers.get(place)
        if known is None:
            known = self._givers[place] = {scope for scope in self.uses.releasers(place) if self._gives(scope, place)}
        return known

    def is_rescued(self, place: Place, function: s.Node) -> bool:
        """Whether some caller of ``function`` would give the lock back where it raises."""
        return self._rescues.is_rescued(place, function)

    def is_released_by(self, node: s.Node, place: Place) -> bool:
        """Whether ``node`` is a call that runs a function of this file that releases the lock, perhaps."""
        return self._rescues.is_released_by(node, place)

    def takes_for_good(self, place: Place, beside: s.Node, *, itself: bool = False) -> bool:
        """Whether a function other than ``beside`` ends with the lock at ``place`` taken; ``itself``: by no helper."""
        takers: dict[s.Node, list[LockOp]] = {
            scope: self.uses.at(scope, place)
            for scope in self.uses.scopes()
            if scope is not beside and not (self._is_called_by(beside, scope) and not itself)
        }
        paths = (
            self.paths(scope, place) for scope, ops in takers.items() if any(op.direct or not itself for op in ops)
        )
        return any(each is not None and each.effect() is Action.ACQUIRE for each in paths)

    def _is_called_by(self, caller: s.Node, function: s.Node) -> bool:
        sites = self._calls.to(function) if isinstance(function, s.Function) else ()
        return any(s.enclosing_scope(site) is caller for site in sites)

    def passes_on(self, place: Place, function: s.Node) -> bool:
        """Whether a function that holds the lock at ``place`` hands ``function`` on: ``pool.submit(self.run)``."""
        for scope in self.uses.scopes():
            paths = self.paths(scope, place) if scope is not function and self.uses.at(scope, place) else None
            for _site, _receiver, node in () if paths is None else paths.held():
                passed = (argument.value for argument in node.args) if isinstance(node, s.Call) else ()
                if any(function in self._flow.names.functions(value) for value in passed):
                    return True
        return False

    def _is_taken_for_callers(self, place: Place, function: s.Node) -> bool:
        """Whether ``function`` takes the lock for its callers, one of which releases it."""
        if not isinstance(function, s.Function):
            return False
        takes = any(e.place == place and e.action is not Action.RELEASE for e in self._effects.get(function, ()))
        for site in self._calls.to(function) if takes else ():
            seen = self._calls.translate(place, site, function)
            if seen is not None and s.enclosing_scope(site) in self.uses.releasers(seen):
                return True
        return False

    def is_signal(self, place: Place, beside: s.Node) -> bool:
        """Whether a function that may run at the same time as ``beside`` releases this very lock without having it.

        Then an acquire of a lock that is held may be there to wait for that. A helper that is called to release does so
        at its calls.
        """
        known = self._signallers.get(place)
        if known is None:
            named = {scope for scope in self.uses.releasers_of(place) if self._gives(scope, place)}
            known = {
                scope
                for scope in named
                if not (isinstance(scope, s.Function) and self._releases_for_callers(scope, place))
            }
            known |= {scope for scope in self._releasers_through_others(place) if self._gives(scope, place)}
            self._signallers[place] = known
        return not known <= {beside}

    def _releasers_through_others(self, place: Place) -> set[s.Node]:
        """The functions that release an attribute of that name of some other object: ``worker.gate.release()``."""
        last = place.path[-1:]
        return {
            scope
            for scope in (self.uses.releasers(place) if last else ())
            for op in self.uses.of(scope)
            if op.action is Action.RELEASE and op.place.path[-1:] == last
            if op.place.root[0] != "self" or len(op.place.path) > 1
        }

    def _releases_for_callers(self, function: s.Function, place: Place) -> bool:
        effects = self._effects.get(function, ())
        released = any(effect.place == place and effect.action is Action.RELEASE for effect in effects)
        if released:
            return bool(self._calls.to(function))
        paths = self.paths(function, place)
        return paths is not None and paths.restores()

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
            for function, found in effects.items():
                self._effects.setdefault(function, []).extend(found)
            fresh = self._apply(effects)
            for scope in fresh:
                for key in [key for key in self._paths if key[0] is scope]:
                    del self._paths[key]  # explored before the helper's effect was known
                    done.discard(key)
                self._givers.clear()

    def _apply(self, effects: dict[s.Function, list[Effect]]) -> set[s.Function]:
        changed: set[s.Function] = set()
        for function, found in effects.items():
            for site in self._calls.to(function):
                if not isinstance(site, s.Call) or site in self.uses.ops or len(self._calls.run_by(site)) != 1:
                    continue
                scope = s.enclosing_scope(site)
                for effect in found if scope is not function else ():
                    place = self._calls.translate(effect.place, site, function)
                    if place is not None:
                        op = LockOp(place, effect.action, site, site.func, effect.instance, direct=False)
                        self.uses.add(scope, op)
                        if isinstance(scope, s.Function):
                            changed.add(scope)
        return changed

    def _follow_lock_classes(self) -> None:
        """Take methods of locks that this file writes itself for what they are called, where no helper says more."""
        for op in own_lock_ops(self._flow.names):
            if op.call not in self.uses.ops:
                scope = s.enclosing_scope(op.call)
                self.uses.add(scope, op)
                self._paths.pop((scope, op.place), None)

    # ---- context managers of this file

    def _follow_context_managers(self) -> None:
        """Make ``with`` items that take a lock of those whose context managers hold one for the body."""
        for item in self._calls.module.all(s.WithItem):
            if not self.uses.taken_by(item):
                for place, inner in self._counted_in_body(item, 1):
                    self.uses.add_item(item, place, inner)
                    scope = s.enclosing_scope(item)
                    self._paths.pop((scope, place), None)
                for place, _inner in self._counted_in_body(item, -1):
                    self.let_go.setdefault(item, []).append(place)

    def _counted_in_body(self, item: s.WithItem, count: int) -> Iterator[tuple[Place, Place]]:
        """The locks that the body holds (or, for -1, is without) because of ``item``; also as the manager sees them."""
        names = self._flow.names
        made = item.context
        if isinstance(made, s.Call):
            for manager in names.functions(made.func):
                if manager.is_generator and names.decorated(manager, names.catalog.calls["contextmanagers"]):
                    for place in self.held_at_yields(manager, count):
                        found = self._calls.translate(place, made, manager)
                        if found is not None:
                            yield found, place
        base = names.place(made)
        for kind in names.kinds(made) if base is not None else ():
            enter = None
            if isinstance(kind, LocalInstance):
                enter = names.method(kind.node, "__aenter__" if _is_async(item) else "__enter__")
            for effect in self._effects.get(enter, ()) if enter is not None else ():
                if base is not None and effect.action is _ACTIONS[count] and effect.place.root[0] == "self":
                    own = base.root[0] == "self" and not base.path
                    yield effect.place if own else self._calls.join(base, effect.place.path), effect.place

    def held_at_yields(self, manager: s.Function, count: int = 1) -> list[Place]:
        """The locks that a ``@contextmanager`` function holds at each of its yields; for -1, has released there."""
        known = self._at_yields.get((manager, count))
        if known is None:
            yields = [node for node in s.own_nodes(manager) if isinstance(node, s.Yield)]
            places = dict.fromkeys(op.place for op in self.uses.of(manager))
            for node in yields:
                for outer in s.ancestors(node):
                    if outer is manager:
                        break
                    if isinstance(outer, s.With):
                        places.update(dict.fromkeys(p for item in outer.items for p in self.uses.taken_by(item)))
            known = [place for place in places if self._is_counted_at(manager, place, yields, count)]
            self._at_yields[(manager, count)] = known
        return known

    def _is_counted_at(self, scope: s.Function, place: Place, nodes: list[s.Yield], count: int) -> bool:
        paths = self.paths(scope, place)
        return paths is not None and all(paths.counts(node) == {count} for node in nodes)


def _is_async(item: s.WithItem) -> bool:
    return isinstance(item.parent, s.With) and item.parent.is_async


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

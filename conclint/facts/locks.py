"""Every place where a lock is taken or given back, and what calls do to locks that their caller can see.

This is the index; :mod:`conclint.facts.lock_paths` follows the paths.
"""

from __future__ import annotations

from .. import syntax as s
from ..kinds import Instance, Kind, Place
from ..scopes import BindingKind, ScopeInfo
from .flow import Flow
from .handovers import Handovers
from .lock_misuse import misused_call
from .lock_objects import LockObjects
from .lock_ops import Action, LockOp, is_conditional, is_to_fail


class LockUses:
    """The lock operations of a module."""

    def __init__(self, flow: Flow, objects: LockObjects) -> None:
        self._flow = flow
        self._objects = objects
        self._names = flow.names
        self._catalog = flow.names.catalog
        self._acquire, self._release = self._catalog.acquire_methods, self._catalog.release_methods
        self.ops: dict[s.Call, list[LockOp]] = {}
        self._withs: dict[s.WithItem, list[Place]] = {}
        self._receivers: dict[Place, list[s.Expr]] = {}
        self._kinds: dict[Place, tuple[Kind, ...]] = {}
        self._by_scope: dict[s.Node, list[LockOp]] = {}
        self._by_place: dict[tuple[s.Node, Place], list[LockOp]] = {}
        self._items: dict[Place, list[s.WithItem]] = {}
        self._released_in: dict[Place, set[s.Node]] = {}
        self._released_attribute: dict[str, set[s.Node]] = {}
        self._handovers = Handovers(flow, self.ops, self.releasers_of)
        self._private: dict[Place, bool] = {}
        self._collect()

    # ---- questions

    def scopes(self) -> list[s.Node]:
        """The functions (and module) that acquire or release some lock by a call, in source order."""
        return list(self._by_scope)

    def of(self, scope: s.Node) -> list[LockOp]:
        """The operations that stand in the body of ``scope`` itself."""
        return self._by_scope.get(scope, [])

    def at(self, scope: s.Node, place: Place) -> list[LockOp]:
        """Those of them that concern the lock at ``place``."""
        return self._by_place.get((scope, place), [])

    def items(self, place: Place) -> list[s.WithItem]:
        """The ``with`` items that take the lock at ``place``."""
        return self._items.get(place, [])

    def taken_by(self, item: s.WithItem) -> list[Place]:
        """The locks that the body of a ``with`` holds because of ``item``."""
        return self._withs.get(item, [])

    def with_items(self) -> list[s.WithItem]:
        """Every ``with`` item that takes some lock."""
        return list(self._withs)

    def add_item(self, item: s.WithItem, place: Place, seen_as: Place | None = None) -> None:
        """Record that the body of a ``with`` holds a lock; also for context managers of the file.

        ``seen_as`` is the lock as the context manager names it.
        """
        if seen_as is not None and place not in self._receivers and seen_as in self._receivers:
            self._receivers[place] = self._receivers[seen_as]
        places = self._withs.setdefault(item, [])
        if place not in places:
            places.append(place)
            self._items.setdefault(place, []).append(item)

    def add(self, scope: s.Node, op: LockOp) -> None:
        """Record an operation; also used for calls of helpers, once their effect is known."""
        self.ops.setdefault(op.call, []).append(op)
        self._by_scope.setdefault(scope, []).append(op)
        self._by_place.setdefault((scope, op.place), []).append(op)
        self._handovers.forget(op.call, op.place)
        if op.action is Action.RELEASE:
            self._note_release(op.place, scope)

    def releasers(self, place: Place) -> set[s.Node]:
        """The functions that release the lock at ``place``.

        An attribute of the same name released through another object counts: ``conn._lock.release()`` outside
        the class of ``conn``.
        """
        found = set(self.releasers_of(place))
        if place.path:
            found |= self._released_attribute.get(place.path[-1], set())
        return found

    def releasers_of(self, place: Place) -> set[s.Node]:
        """Those of them that name the very place."""
        return self._released_in.get(place, set())

    def instance_at(self, scope: s.Node, place: Place) -> Instance | None:
        """The catalogued lock at ``place``, as some operation in ``scope`` sees it."""
        return next((op.instance for op in self.at(scope, place) if op.instance is not None), None)

    def is_private(self, place: Place) -> bool:
        """Whether the lock at ``place`` is a local variable that only its own function ever uses.

        Such a lock excludes nobody, and nobody waits for it: leaving it held does no harm.
        """
        if place.root[0] != "local" or place.path:
            return False
        known = self._private.get(place)
        if known is None:
            known = self._private[place] = self._only_used_here(place)
        return known

    def _only_used_here(self, place: Place) -> bool:
        scope, identifier = place.root[1], place.root[2]
        if not isinstance(scope, ScopeInfo):
            return False
        for binding in scope.bindings.get(str(identifier), ()):
            made = None if binding.value is None else self._names.instance(binding.value)
            if binding.kind is not BindingKind.ASSIGN or made is None or made.made_at is not binding.value:
                return False
        for use in self._names.scopes.named(str(identifier)):
            found = self._names.scopes.lookup(use.id, use)
            if found is None or found[0] is not scope or s.is_assigned(use):
                continue
            if self._names.scopes.scope_of(use) is not scope:
                return False
            if not isinstance(use.parent, (s.Attribute, s.WithItem, s.If, s.Not, s.Compare)):
                return False
        return True

    def blocks_its_holder(self, place: Place) -> bool:
        """Whether whoever holds the lock at ``place`` and acquires it again waits for himself, as far as is certain."""
        kinds = self._kinds_at(place)
        return bool(kinds) and all(self._is_exclusive(kind) for kind in kinds)

    def is_known(self, place: Place) -> bool:
        """Whether the lock at ``place`` is one for certain, and excludes: not known by its name alone, no counter."""
        kinds = self._kinds_at(place)
        return bool(kinds) and all(self._excludes(kind) for kind in kinds)

    def _kinds_at(self, place: Place) -> tuple[Kind, ...]:
        """What the lock at ``place`` may be, by what names it."""
        known = self._kinds.get(place)
        if known is None:
            found: list[s.Expr] = list(self._receivers.get(place, ()))
            owner = place.root[1] if place.root[0] == "self" and len(place.path) == 1 else None
            if isinstance(owner, s.ClassDef):  # and what subclasses put in its place
                for node in (owner, *self._names.subclasses(owner)):
                    bindings = self._names.class_info(node).attributes.get(place.path[0], ())
                    found += [binding.value for binding in bindings if binding.value is not None]
            known = self._kinds[place] = tuple(
                dict.fromkeys(kind for expr in found for kind in self._names.kinds(expr))
            )
        return known

    def receiver_at(self, site: s.Node) -> s.Expr | None:
        """The expression that names the lock in an acquire; ``None`` for calls of functions of this file."""
        if isinstance(site, s.WithItem):
            return site.context
        ops = self.ops.get(site, ()) if isinstance(site, s.Call) else ()
        return next((op.receiver for op in ops if op.direct), None)

    def is_made_here(self, place: Place) -> bool:
        """Whether calls in this file make all that the lock at ``place`` is known to be."""
        kinds = self._kinds_at(place)
        return bool(kinds) and all(isinstance(kind, Instance) and kind.made_at is not None for kind in kinds)

    def is_known_by_name(self, place: Place) -> bool:
        """Whether the lock at ``place`` has a name that says so, of one that excludes, and nothing else is known."""
        receivers = self._receivers.get(place, [])
        return bool(receivers) and not any(
            self._names.kinds(receiver) or self._catalog.says_semaphore(s.last_name(receiver)) for receiver in receivers
        )

    def receiver(self, place: Place) -> s.Expr | None:
        """An expression that names the lock at ``place``."""
        return next(iter(self._receivers.get(place, ())), None)

    def result_node(self, call: s.Call) -> s.Expr:
        """The expression whose value is the outcome of ``call``."""
        return self._flow.outcome(call)

    def result_used(self, call: s.Call) -> bool:
        """Whether anything looks at what ``call`` returns."""
        node: s.Node = self.result_node(call)
        parent = node.parent
        if isinstance(parent, s.ExprStmt):
            return False
        if isinstance(parent, s.Assign) and all(isinstance(target, s.Name) for target in parent.targets):
            return any(self._is_read(target) for target in parent.targets if isinstance(target, s.Name))
        return True

    def _is_read(self, target: s.Name) -> bool:
        found = self._names.scopes.lookup(target.id, target)
        if found is None:
            return True
        scope = found[0]
        for use in self._names.scopes.named(target.id):
            if not s.is_assigned(use):
                home = self._names.scopes.lookup(use.id, use)
                if home is not None and home[0] is scope:
                    return True
        return False

    def hands_over(self, node: s.Node, place: Place) -> bool:
        """Whether evaluating ``node`` gives the lock at ``place``, or what releases it, to somebody else."""
        return self._handovers.at(node, place)

    # ---- collecting

    def _collect(self) -> None:
        acquire, release = self._acquire, self._release
        releasers = self._catalog.calls["releasers"]
        module = self._names.module
        for call in module.all(s.Call):
            method = self._method(call.func)
            if method is not None and (method.attr in acquire or method.attr in release):
                self._collect_call(call, method)
            elif releasers and self._names.qualified(call.func) in releasers:
                self._collect_releaser(call)
            elif isinstance(call.parent, s.Await):
                self._collect_run(call)
        for access in module.all(s.Attribute):
            if access.attr in release and not (isinstance(access.parent, s.Call) and access.parent.func is access):
                place = self._names.place(access.value)
                if place is not None:
                    self._note_release(place, s.enclosing_scope(access))
        for item in module.all(s.WithItem):
            if self._flow.is_lock(item.context):
                place = self._names.place(item.context)
                if place is not None:
                    self.add_item(item, place)
                    self._receivers.setdefault(place, []).append(item.context)

    def _method(self, func: s.Expr) -> s.Attribute | None:
        if isinstance(func, s.Attribute):
            return func
        return self._names.bound_method(func) if isinstance(func, s.Name) else None

    def _collect_call(self, call: s.Call, method: s.Attribute) -> None:
        if not self._flow.is_lock(method.value):
            return
        place = self._names.place(method.value)
        if place is None or misused_call(call, self._objects, self._flow) is not None:
            return
        instance = self._names.instance(method.value)
        action = Action.RELEASE
        if method.attr in self._catalog.acquire_methods:
            action = Action.TRY_ACQUIRE if is_conditional(call, instance) else Action.ACQUIRE
            if isinstance(call.parent, s.Argument) and self.result_node(call) is not call:
                action = Action.ACQUIRE  # `await wait_for(lock.acquire(), 1)` raises where it fails
            if action is Action.TRY_ACQUIRE and is_to_fail(call):
                return
        scope = s.enclosing_scope(call)
        self.add(scope, LockOp(place, action, call, method.value, instance))
        self._receivers.setdefault(place, []).append(method.value)

    def _collect_run(self, call: s.Call) -> None:
        """A call that has another thread take or release the lock, and is awaited: then the lock is who awaits's."""
        method = self._flow.names.run_elsewhere(call)
        if not isinstance(method, s.Attribute) or not self._flow.is_lock(method.value):
            return
        place, instance = self._names.place(method.value), self._names.instance(method.value)
        if place is None or (method.attr not in self._acquire and method.attr not in self._release):
            return
        passed = len(call.args) > 1 + [argument.value for argument in call.args].index(method)
        action = Action.RELEASE
        if method.attr in self._acquire:
            action = Action.TRY_ACQUIRE if passed else Action.ACQUIRE
        self.add(s.enclosing_scope(call), LockOp(place, action, call, method.value, instance))
        self._receivers.setdefault(place, []).append(method.value)

    def _collect_releaser(self, call: s.Call) -> None:
        """A call of a function that a project has declared to release what it is given."""
        scope = s.enclosing_function(call) or self._names.module
        for argument in call.args:
            place = self._names.place(argument.value) if self._flow.is_lock(argument.value) else None
            if place is not None:
                instance = self._names.instance(argument.value)
                self.add(scope, LockOp(place, Action.RELEASE, call, argument.value, instance, direct=False))
                self._note_release(place, scope)

    def _note_release(self, place: Place, scope: s.Node) -> None:
        self._released_in.setdefault(place, set()).add(scope)
        if place.path:
            self._released_attribute.setdefault(place.path[-1], set()).add(scope)

    # ---- kinds of locks

    def _is_exclusive(self, kind: Kind, inside: tuple[Kind, ...] = ()) -> bool:
        """Whether even the one who holds the lock is kept out; a condition (``inside`` others) is as its lock is."""
        instance = self._names.as_instance(kind)
        if instance is None or not self._excludes(kind) or kind in inside:
            return False
        if instance.type.kind == "condition":
            made = instance.made_at
            if instance.type.api == "asyncio":
                return True
            lock = made.argument(0, "lock") if isinstance(made, s.Call) else None
            kinds = () if lock is None else self._names.kinds(lock)
            return bool(kinds) and all(self._is_exclusive(inner, (*inside, kind)) for inner in kinds)
        return instance.type.kind != "rlock"

    def _excludes(self, kind: Kind) -> bool:
        """Whether one holder keeps all others out: not so a semaphore, unless it is known to start at one."""
        instance = self._names.as_instance(kind)
        if instance is None or instance.type.kind not in self._names.catalog.lock_kinds:
            return False
        if instance.type.kind not in ("semaphore", "bounded_semaphore"):
            return True
        made = instance.made_at
        if not isinstance(made, s.Call) or made.has_star:
            return False
        value = made.argument(0, "value")
        return value is None or (isinstance(value, s.Constant) and value.value == 1)

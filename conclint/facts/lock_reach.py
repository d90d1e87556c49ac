"""Whom a lock reaches: those made anew for every call, and those replaced while others still use the old one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..catalog import words_of
from ..kinds import Instance, LocalClass, Place
from ..names import Names
from ..scopes import Binding, BindingKind, ScopeInfo
from .lock_objects import LockObjects
from .running import Running
from .values import Use, ValueFlow


class LonelyLock(NamedTuple):
    """A lock that nobody but the call of the function that makes it can ever hold."""

    node: s.Expr
    """What to point at: the constructor, or the call of the function that makes the lock."""
    name: str
    """The variable it is kept in, ``""`` for none."""
    lock: Instance


class Rebound(NamedTuple):
    """An assignment that puts a new lock in place of one that is in use."""

    target: s.Expr
    first: s.Node
    """The binding that it replaces."""
    lock: Instance


class LockReach:
    """Locks that guard less than they seem to."""

    def __init__(self, names: Names, objects: LockObjects, values: ValueFlow, running: Running) -> None:
        self._running = running
        self._names = names
        self._objects = objects
        self._values = values
        self._calm: dict[tuple[s.Function, bool], bool] = {}
        self._takers_of: dict[Place, set[s.Function | None]] = {}

    # ---- made for one call

    def lonely(self) -> Iterator[LonelyLock]:
        """The locks that exclude nobody, because every call makes its own."""
        for call, lock in self._objects.makers.items():
            parent = call.parent
            if _is_in_test(call):
                continue  # which tries out the lock itself
            if isinstance(parent, s.WithItem) or _is_taken(call, self._names.catalog.acquire_methods):
                yield LonelyLock(call, "", lock)
            elif isinstance(parent, s.Assign) and len(parent.targets) == 1:
                target = parent.targets[0]
                if isinstance(target, s.Name) and self._is_own(call, target):
                    yield LonelyLock(call, target.id, lock)
        for item in self._names.module.all(s.WithItem):
            made = self._made_by_helper(item.context)
            if made is not None and not _is_in_test(item):
                yield LonelyLock(item.context, "", made)

    def _is_own(self, call: s.Call, target: s.Name) -> bool:
        """Whether the variable is the function's own, holds new locks only, and is used in no other way than as one."""
        function = s.enclosing_function(call)
        found = self._names.scopes.lookup(target.id, target)
        if found is None or function is None or found[0].node is not function or function.is_generator:
            return False
        callers = [s.enclosing_function(caller) for caller in self._names.calls_of(function)]
        if callers and not any(callers):
            return False  # a script's `main()`, which runs once
        return self._is_only_taken(function, found[0], target.id)

    def _is_only_taken(self, function: s.Function, scope: ScopeInfo, name: str) -> bool:
        """Whether ``function`` takes what the variable holds, and nothing and nobody else does anything with it."""
        taken = False
        seen = {name}
        work = [name]
        while work:
            name = work.pop()
            for binding in scope.bindings[name]:
                value = binding.value
                is_alias = isinstance(value, s.Name) and value.id in seen
                if binding.kind is not BindingKind.ASSIGN or not (is_alias or value in self._objects.makers):
                    return False
            for load in self._values.loads(scope, name):
                parent = load.parent
                if s.enclosing_function(load) is not function:
                    return False
                if isinstance(parent, s.Assign) and isinstance(parent.targets[0], s.Name) and len(parent.targets) == 1:
                    alias = parent.targets[0].id
                    if alias not in scope.bindings or alias in seen:
                        return False
                    seen.add(alias)
                    work.append(alias)
                elif isinstance(parent, s.Attribute):
                    if parent.attr not in self._names.catalog.lock_methods or not isinstance(parent.parent, s.Call):
                        return False
                    if parent.parent.func is not parent:
                        return False
                    taken = taken or parent.attr in self._names.catalog.acquire_methods
                elif isinstance(parent, s.WithItem):
                    taken = True
                elif not isinstance(parent, (s.If, s.While, s.Not, s.Compare, s.Assert)):
                    return False
        return taken

    def _takes(self, use: Use) -> bool:
        return use.kind == "with" or (use.kind == "method" and use.name in self._names.catalog.acquire_methods)

    def _made_by_helper(self, context: s.Expr) -> Instance | None:
        """The lock that ``with self._guard():`` takes, where ``_guard`` is a plain function that returns a new one."""
        if not isinstance(context, s.Call) or context in self._objects.makers:
            return None
        functions = self._names.functions(context.func)
        if len(functions) != 1 or functions[0].decorators or functions[0].is_generator or functions[0].is_lambda:
            return None
        returned = [node.value for node in s.own_nodes(functions[0]) if isinstance(node, s.Return)]
        locks = [self._objects.makers.get(value) if isinstance(value, s.Call) else None for value in returned]
        return locks[0] if locks and all(locks) else None

    # ---- replaced

    def rebound(self) -> Iterator[Rebound]:
        """The assignments of a new lock to where an older one is in use."""
        for call, lock in self._objects.makers.items():
            assign = call.parent
            function = s.enclosing_function(call)
            if not isinstance(assign, s.Assign) or function is None or lock.type.api == "asyncio":
                continue
            for target in assign.targets:
                first = self._replaced(target, call, function)
                if first is not None:
                    yield Rebound(target, first, lock)

    def _replaced(self, target: s.Expr, call: s.Call, function: s.Function) -> s.Node | None:
        """The binding of a lock that is in use, and that the one in ``function`` replaces."""
        if isinstance(target, s.Attribute):
            bindings, of_class = self._attribute(target)
        elif isinstance(target, s.Name):
            found = self._names.scopes.lookup(target.id, target)
            bindings, of_class = (found[1] if found is not None and found[0] is self._names.scopes.top else []), True
        else:
            return None
        first = next((b.node for b in bindings if self._is_first(b, call, of_class)), None)
        if first is None or self._is_calm(function, of_class) or _is_guarded(target, function):
            return None
        if any(s.enclosing_function(worker.call) is function for worker in self._running.workers):
            return None  # those who will use it are only now made
        return first if self._takers(target, call) - {function} else None

    def _takers(self, target: s.Expr, call: s.Call) -> set[s.Function | None]:
        """The functions that take the lock that ``call`` puts at ``target``."""
        place = self._names.place(target)
        known = None if place is None else self._takers_of.get(place)
        if known is None:
            known = {s.enclosing_function(use.origin) for use in self._values.uses(call) if self._takes(use)}
            if place is not None:
                self._takers_of[place] = known
        return known

    def _attribute(self, target: s.Attribute) -> tuple[list[Binding], bool]:
        """What is bound to an attribute of ``self`` or of a class, and whether it is the class's."""
        names = self._names
        if isinstance(target.value, s.Name) and (owner := names.self_of(target.value)) is not None:
            of_class = any(isinstance(kind, LocalClass) for kind in names.kinds(target.value))
        else:
            kinds = names.kinds(target.value)
            if len(kinds) != 1 or not isinstance(kinds[0], LocalClass):
                return [], False
            owner, of_class = kinds[0].node, True
        family = [*(info.node for info in names.mro(owner)), *names.subclasses(owner)]
        return [b for node in family for b in names.class_info(node).attributes.get(target.attr, ())], of_class

    def _is_first(self, binding: Binding, call: s.Call, of_class: bool) -> bool:
        """Whether a binding makes the lock at the start: in the class or module body, or where objects are set up."""
        if binding.value is call or binding.value not in self._objects.makers:
            return False
        function = s.enclosing_function(binding.node)
        return function is None or (not of_class and self._is_calm(function, of_class))

    def _is_calm(self, function: s.Function, of_class: bool) -> bool:
        """Whether ``function`` runs only while nobody else uses the lock: on set-up, after a fork."""
        key = (function, of_class)
        known = self._calm.get(key)
        if known is None:
            self._calm[key] = False  # for recursion
            known = self._calm[key] = self._find_calm(function, of_class)
        return known

    def _find_calm(self, function: s.Function, of_class: bool) -> bool:
        setup = self._names.catalog.lock_setup
        if function.name in setup["suite"] or (not of_class and function.name in setup["object"]):
            return True
        words = words_of(function.name) if not function.name.startswith("__") else frozenset()
        if words & setup["words"] or (words & setup["renewals"] and _is_documented(function)):
            return True
        if function in self._after_fork:
            return True
        callers = [s.enclosing_function(call) for call in self._names.calls_of(function)]
        return bool(callers) and all(
            of_class if caller is None else self._is_calm(caller, of_class) for caller in callers
        )

    @cached_property
    def _after_fork(self) -> set[s.Function]:
        """The functions that are registered to run in a forked child, where no other thread is."""
        names = self._names
        # Also those that a package has of its own, as billiard does: the name is said for nothing else.
        wanted = {name.rpartition(".")[2] for name in names.catalog.calls["after_fork"]}
        calls = [call for call in names.module.all(s.Call) if s.last_name(call.func) in wanted]
        return {function for call in calls for given in call.args for function in names.functions(given.value)}


def _is_documented(function: s.Function) -> bool:
    """Whether a method is there for its own class only, or says what it does."""
    first = function.body[0]
    has_docstring = isinstance(first, s.ExprStmt) and isinstance(first.value, s.Constant)
    return has_docstring or function.name.startswith("_")


def _is_taken(call: s.Call, acquire: frozenset[str]) -> bool:
    access = call.parent
    return isinstance(access, s.Attribute) and access.attr in acquire and isinstance(access.parent, s.Call)


def _is_in_test(node: s.Node) -> bool:
    """Whether ``node`` stands in what a test runner takes for a test."""
    return any(isinstance(parent, s.Function) and parent.name.startswith("test") for parent in s.ancestors(node))


def _is_guarded(target: s.Expr, function: s.Function) -> bool:
    """Whether the assignment is made only after a look at what is there: ``if self._lock is None:``."""
    name = s.last_name(target)
    for parent in s.ancestors(target):
        if parent is function:
            return False
        if isinstance(parent, s.If) and any(_speaks_of(node, name) for node in s.walk(parent.test)):
            return True
        if isinstance(parent, s.Handler):
            return True
    return False


def _speaks_of(node: s.Node, name: str) -> bool:
    if isinstance(node, s.Constant):
        return node.value == name
    return isinstance(node, (s.Name, s.Attribute)) and s.last_name(node) == name

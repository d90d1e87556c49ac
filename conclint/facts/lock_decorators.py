"""Decorators that hold a lock while the decorated function is called, which for some functions is no time at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import LocalClass
from .flow import Flow
from .lock_ops import Action
from .locks import LockUses

_SYNC_MANAGER = ("contextlib.contextmanager",)
_DECORATOR_CLASS = "contextlib.ContextDecorator"


class Unguarded(NamedTuple):
    """A generator or coroutine function under a decorator that has let go of its lock before the body runs."""

    decorator: s.Expr
    function: s.Function
    lock: s.Expr
    """The lock, as the decorator names it."""


class LockDecorators:
    """The decorators of a module that take a lock."""

    def __init__(self, flow: Flow, uses: LockUses) -> None:
        self._flow = flow
        self._names = flow.names
        self._uses = uses
        self._held: dict[s.Function, s.Expr | None] = {}

    def each(self) -> Iterator[Unguarded]:
        """Every generator and coroutine function that such a decorator fails to guard."""
        for function in self._names.module.functions:
            if not (function.is_generator or function.is_async):
                continue
            for decorator in reversed(function.decorators):
                lock = self._lock_of(decorator)
                if lock is not None:
                    yield Unguarded(decorator, function, lock)
                if not self._keeps_kind(decorator):
                    break  # what it makes of the function may run the body

    def _keeps_kind(self, decorator: s.Expr) -> bool:
        """Whether calling what ``decorator`` makes still runs none of the body."""
        expr = decorator.func if isinstance(decorator, s.Call) else decorator
        return self._names.qualified(expr) in self._names.catalog.calls["contextmanagers"]

    def _lock_of(self, decorator: s.Expr) -> s.Expr | None:
        """The lock that ``decorator`` holds while the function is called."""
        names = self._names
        if isinstance(decorator, s.Name):
            value = names.sole_value(decorator)
            if isinstance(value, s.Call):
                decorator = value
        if not isinstance(decorator, s.Call):
            functions = names.functions(decorator)
            return self._of_wrapper(functions[0]) if len(functions) == 1 else None
        for kind in names.kinds(decorator.func):
            if isinstance(kind, LocalClass):
                return self._of_class(kind.node)
        functions = names.functions(decorator.func)
        if len(functions) != 1:
            return None
        if names.decorated(functions[0], _SYNC_MANAGER):
            return self.held_at_yield(functions[0])
        return self._of_factory(functions[0])

    # ---- context managers

    def held_at_yield(self, function: s.Function) -> s.Expr | None:
        """The lock that a generator holds where it yields: by ``with``, by hand, or by another such manager."""
        if function not in self._held:
            self._held[function] = None  # for recursion
            self._held[function] = self._find_held(function)
        return self._held[function]

    def _find_held(self, function: s.Function) -> s.Expr | None:
        before: s.Expr | None = None
        for node in s.own_nodes(function):
            if isinstance(node, s.Call):
                for op in self._uses.ops.get(node, ()):
                    before = op.receiver if op.action is Action.ACQUIRE and op.direct else None
            elif isinstance(node, s.Yield):
                return self._entered_around(node, function) or before
        return None

    def _entered_around(self, node: s.Node, function: s.Function) -> s.Expr | None:
        for parent in s.ancestors(node):
            if parent is function:
                return None
            if isinstance(parent, s.With):
                for item in parent.items:
                    lock = self._entered(item.context)
                    if lock is not None:
                        return lock
        return None

    def _entered(self, context: s.Expr) -> s.Expr | None:
        """The lock that ``with context`` takes."""
        if self._flow.is_lock(context):
            return context
        functions = self._names.functions(context.func) if isinstance(context, s.Call) else []
        if len(functions) == 1 and self._names.decorated(functions[0], _SYNC_MANAGER):
            return self.held_at_yield(functions[0])
        return None

    def _of_class(self, node: s.ClassDef) -> s.Expr | None:
        """The lock that a ContextDecorator of this file takes on entry, and leaves to ``__exit__`` to give back."""
        names = self._names
        if not any(_DECORATOR_CLASS in info.external_bases for info in names.mro(node)):
            return None
        enter = names.method(node, "__enter__")
        if enter is None or names.method(node, "__call__") is not None:
            return None
        ops = [op for op in self._uses.of(enter) if op.direct]
        if any(op.action is Action.RELEASE for op in ops):
            return None
        return next((op.receiver for op in ops if op.action is Action.ACQUIRE), None)

    # ---- wrappers written by hand

    def _of_factory(self, function: s.Function) -> s.Expr | None:
        """The lock of ``@synchronized(lock)``: a function that returns a decorator."""
        made = self._returned_def(function)
        return None if made is None else self._of_wrapper(made)

    def _of_wrapper(self, decorator: s.Function) -> s.Expr | None:
        """The lock that the function a decorator returns holds round ``return wrapped(...)``, and no longer."""
        wrapper = self._returned_def(decorator)
        if wrapper is None or wrapper.is_async or wrapper.is_generator:
            return None
        wrapped = {param.name for param in decorator.params}
        if any(self._inspects(node) for node in s.walk(decorator) if isinstance(node, s.Call)):
            return None
        returns = [node for node in s.own_nodes(wrapper) if isinstance(node, s.Return)]
        if not returns:
            return None
        locks = []
        for node in returns:
            value = node.value
            if not (isinstance(value, s.Call) and isinstance(value.func, s.Name) and value.func.id in wrapped):
                return None
            locks.append(self._entered_around(node, wrapper))
        return locks[0] if all(locks) else None

    def _inspects(self, call: s.Call) -> bool:
        """Whether a decorator looks at what kind of function it is given."""
        name = self._names.qualified(call.func) or ""
        return name.startswith(("inspect.is", "asyncio.iscoroutine"))

    def _returned_def(self, function: s.Function) -> s.Function | None:
        """The nested function that ``function`` returns, where it returns nothing else."""
        returns = [node.value for node in s.own_nodes(function) if isinstance(node, s.Return)]
        if len(returns) != 1 or not isinstance(returns[0], s.Name):
            return None
        made = self._names.functions(returns[0])
        if len(made) != 1 or s.enclosing_function(made[0]) is not function:
            return None
        return made[0]

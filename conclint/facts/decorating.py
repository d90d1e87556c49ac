"""Decorators: whether calling a decorated function runs its body here, and what a wrapper of the file adds to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import External
from ..names import Names

_ACCESSORS = frozenset({"setter", "getter", "deleter", "register"})


class Wrapper(NamedTuple):
    """What a decorator of the file puts in place of the function it decorates."""

    function: s.Function
    """The nested function that runs instead."""
    calls: tuple[s.Call, ...]
    """Where it calls the one decorated."""
    factory: s.Function | None
    """The function called in ``@factory(...)``."""
    decorator: s.Expr


class Decorating:
    """The decorators of a module."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._wrappers: dict[s.Function, list[Wrapper] | None] = {}

    @cached_property
    def by_wrapper(self) -> dict[s.Function, list[tuple[s.Function, Wrapper]]]:
        """The functions around which each wrapper of this file stands."""
        found: dict[s.Function, list[tuple[s.Function, Wrapper]]] = {}
        for function in self._names.module.functions:
            for wrapper in self.wrappers(function):
                found.setdefault(wrapper.function, []).append((function, wrapper))
        return found

    def wrappers(self, function: s.Function) -> list[Wrapper]:
        """The wrappers of this file around ``function``, the outermost first."""
        return self._of(function) or []

    def is_called(self, function: s.Function) -> bool:
        """Whether a call of what ``function`` is decorated to be calls ``function``, as far as is certain."""
        return self._of(function) is not None

    def _of(self, function: s.Function) -> list[Wrapper] | None:
        if not function.decorators:
            return []
        if function not in self._wrappers:
            self._wrappers[function] = []  # for recursion
            self._wrappers[function] = self._find(function)
        return self._wrappers[function]

    def _find(self, function: s.Function) -> list[Wrapper] | None:
        found: list[Wrapper] = []
        for decorator in function.decorators:
            wrapper = self._wrapper(decorator)
            if wrapper is not None:
                found.append(wrapper)
            elif not self._is_plain(decorator):
                return None
        return found

    def _is_plain(self, decorator: s.Expr) -> bool:
        """Whether a decorator leaves it to the caller to run the function: those of the standard library do."""
        expr = decorator.func if isinstance(decorator, s.Call) else decorator
        if isinstance(expr, s.Attribute) and expr.attr in _ACCESSORS:
            return True
        for kind in self._names.kinds(expr):
            if isinstance(kind, External):
                return kind.name.partition(".")[0] in sys.stdlib_module_names
        return False

    def _wrapper(self, decorator: s.Expr) -> Wrapper | None:
        expr = decorator.func if isinstance(decorator, s.Call) else decorator
        functions = self._names.functions(expr)
        if len(functions) != 1:
            return None
        factory: s.Function | None = None
        maker: s.Function | None = functions[0]
        if isinstance(decorator, s.Call):
            factory, maker = maker, self._returned(functions[0])
        if factory is not None and self._names.decorated(factory, self._names.catalog.calls["contextmanagers"]):
            return Wrapper(factory, (), factory, decorator)
        if maker is None or not maker.params or maker.is_async or maker.is_generator:
            return None
        wrapper = self._returned(maker)
        if wrapper is None or wrapper.is_generator:
            return None
        calls = tuple(self._calls_of(maker, wrapper))
        return Wrapper(wrapper, calls, factory, decorator) if calls else None

    def _returned(self, function: s.Function) -> s.Function | None:
        """The nested function that ``function`` returns, if that is all it does return."""
        values = [node.value for node in s.own_nodes(function) if isinstance(node, s.Return)]
        if len(values) != 1 or not isinstance(values[0], s.Name):
            return None
        functions = self._names.functions(values[0])
        nested = functions[0] if len(functions) == 1 else None
        return nested if nested is not None and s.enclosing_function(nested.parent or nested) is function else None

    def _calls_of(self, maker: s.Function, wrapper: s.Function) -> Iterator[s.Call]:
        """The calls in ``wrapper`` of what ``maker`` was given."""
        given = maker.params[0].name
        for node in s.own_nodes(wrapper):
            if isinstance(node, s.Call) and isinstance(node.func, s.Name) and node.func.id == given:
                found = self._names.scopes.lookup(given, node)
                if found is not None and found[0].node is maker:
                    yield node

"""How child processes come about: forked, or started afresh, which imports the main module and pickles arguments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import syntax as s
from ..names import Names
from ..target import Target

_FORK = "fork"


class StartMethods:
    """The start methods that a module chooses, beside the one that it runs under."""

    def __init__(self, names: Names, target: Target) -> None:
        self._names = names
        self._target = target

    def starts_afresh(self, method: str) -> bool:
        """Whether a child may be started afresh where the code says ``method``, or nothing."""
        if method:
            return method != _FORK
        return self._target.starts_afresh and not self.forks_always

    @cached_property
    def forks_always(self) -> bool:
        """Whether the module itself sets the start method to fork."""
        calls = self._names.catalog.calls
        chosen = (self._method(call) for call in self._calls_of(calls["start_methods"]))
        return any(isinstance(method, s.Constant) and method.value == _FORK for method in chosen)

    @cached_property
    def has_server(self) -> bool:
        """Whether the module asks for a server that forks: the first process, whatever it runs, starts it."""
        calls = self._names.catalog.calls
        chosen = (self._method(call) for call in self._calls_of(calls["start_methods"] | calls["contexts"]))
        return any(isinstance(method, s.Constant) and method.value == "forkserver" for method in chosen)

    @cached_property
    def is_chosen_at_run_time(self) -> bool:
        """Whether the module computes the method that it sets, or that of a context."""
        calls = self._names.catalog.calls
        chosen = (self._method(call) for call in self._calls_of(calls["start_methods"] | calls["contexts"]))
        return any(method is not None and not isinstance(method, s.Constant) for method in chosen)

    def _calls_of(self, names: frozenset[str]) -> Iterator[s.Call]:
        return (call for call in self._names.module.all(s.Call) if self._names.is_call_of(call, names))

    @staticmethod
    def _method(call: s.Call) -> s.Expr | None:
        return call.argument(0, "method")

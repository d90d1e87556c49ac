"""How child processes come about: forked, or started afresh, which imports the main module and pickles arguments."""

from __future__ import annotations

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
        return any(isinstance(method, s.Constant) and method.value == _FORK for method in self._set)

    @cached_property
    def has_server(self) -> bool:
        """Whether the module asks for a server that forks: the first process, whatever it runs, starts it."""
        asked_for = [*self._set, *self._of_contexts]
        return any(isinstance(method, s.Constant) and method.value == "forkserver" for method in asked_for)

    @cached_property
    def is_chosen_at_run_time(self) -> bool:
        """Whether the module computes the method that it sets, or that of a context."""
        asked_for = [*self._set, *self._of_contexts]
        return any(method is not None and not isinstance(method, s.Constant) for method in asked_for)

    @cached_property
    def _set(self) -> list[s.Expr | None]:
        """The methods that the module sets, as it names them."""
        return self._named("start_methods")

    @cached_property
    def _of_contexts(self) -> list[s.Expr | None]:
        return self._named("contexts")

    def _named(self, makers: str) -> list[s.Expr | None]:
        wanted = self._names.catalog.calls[makers]
        calls = (call for call in self._names.module.all(s.Call) if self._names.is_call_of(call, wanted))
        return [call.argument(0, "method") for call in calls]

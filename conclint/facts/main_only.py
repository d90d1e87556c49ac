"""Calls that only the main thread may make, in code that runs in another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..names import Names
from .escaping import Escaping
from .worker_code import Reach, WorkerCode

_THREAD_PLACES = frozenset({"thread", "request handler", "pool task", "initializer"})


class Misplaced(NamedTuple):
    """A call that raises because of the thread it is made in."""

    call: s.Call
    name: str
    thrown: str
    """The class of the exception."""
    reach: Reach


class MainOnly:
    """Finds them."""

    def __init__(self, names: Names, code: WorkerCode, escaping: Escaping) -> None:
        self._names = names
        self._code = code
        self._escaping = escaping

    def misplaced(self) -> Iterator[Misplaced]:
        """Every such call that worker code reaches, where nothing asks for the thread or expects the exception."""
        wanted = self._names.catalog.main_thread_only
        calls = [call for call in self._names.module.all(s.Call) if self._names.qualified(call.func) in wanted]
        if not calls:
            return
        seen: set[s.Function] = set()
        entries = [
            e for e in self._code.exposed(self._code.running.entries) if not e.in_process and e.place in _THREAD_PLACES
        ]
        reached = self._code.reached(entries, self._is_open)
        for call in calls:
            function = s.enclosing_function(call)
            reach = None if function is None else reached.get(function)
            name = self._names.qualified(call.func) or ""
            if function is None or reach is None or function in seen:
                continue  # the first one ends the function
            if self._is_open(call) and self._escaping.leaves(call, wanted[name]):
                if all(step.site is None or self._escaping.leaves(step.site, wanted[name]) for step in reach.chain()):
                    seen.add(function)
                    yield Misplaced(call, name, wanted[name], reach)

    def _is_open(self, site: s.Node) -> bool:
        """Whether no test around or before ``site`` may keep it from running in that thread."""
        function = s.enclosing_function(site)
        return function is not None and not self._code.is_conditional(site) and not self._asks_for_thread(function)

    def _asks_for_thread(self, function: s.Function) -> bool:
        asks = self._names.catalog.calls["asks_for_thread"]
        return any(
            isinstance(n, (s.Name, s.Attribute)) and self._names.qualified(n) in asks for n in s.own_nodes(function)
        )

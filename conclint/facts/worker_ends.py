"""Workers whose end somebody notices without joining them: they say so, or they cannot outlast what waits for them."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .running import Running, Worker

_SHORT = 3.0
"""Seconds for which a timer may keep a program from ending without anybody minding."""
_TOLD_BY = {"set": ("wait",), "put": ("get",), "put_nowait": ("get",), "task_done": ("join",), "release": ("acquire",)}


class WorkerEnds:
    """Answers for every worker of a module."""

    def __init__(self, names: Names, running: Running) -> None:
        self._names = names
        self._running = running
        self._waits: dict[s.Function, set[tuple[str, Place | None]]] = {}

    def is_noticed(self, worker: Worker) -> bool:
        """Whether the code that starts a thread or timer gets to know of its end, or need not wait for it."""
        if worker.kind == "timer" and self._is_short(worker.call):
            return True
        return self._is_shut_down(worker) or self._tells_its_starter(worker)

    @staticmethod
    def _is_short(call: s.Call) -> bool:
        interval = call.argument(0, "interval")
        value = interval.value if isinstance(interval, s.Constant) else None
        return isinstance(value, (int, float)) and value <= _SHORT

    def _is_shut_down(self, worker: Worker) -> bool:
        """Whether it runs a loop that a method of the same object, called in this file, ends and waits for."""
        target = self._running.target_of(worker.call, worker.instance)
        if not isinstance(target, s.Attribute):
            return False
        ender = self._names.catalog.loop_enders.get(target.attr)
        owner = self._names.place(target.value)
        return (
            ender is not None
            and owner is not None
            and any(
                access.attr == ender and self._names.place(access.value) == owner
                for access in self._names.module.all(s.Attribute)
            )
        )

    def _tells_its_starter(self, worker: Worker) -> bool:
        """Whether the last thing it does is what the function that makes it waits for."""
        targets = self._running.targets(worker)
        starter = s.enclosing_function(worker.call)
        if not targets or starter is None:
            return False
        waits = self._waited_for(starter)
        return all(
            any(
                (wait, place) in waits
                for call in _last_calls(function.body)
                if isinstance(call.func, s.Attribute)
                for wait in _TOLD_BY.get(call.func.attr, ())
                if (place := self._known_as(call.func.value, function, worker)) is not None
            )
            for function in targets
        )

    def _waited_for(self, starter: s.Function) -> set[tuple[str, Place | None]]:
        """The methods that a function calls, and where the objects live that it calls them on."""
        known = self._waits.get(starter)
        if known is None:
            known = self._waits[starter] = {
                (func.attr, self._names.place(func.value))
                for node in s.own_nodes(starter)
                if isinstance(node, s.Call) and isinstance(func := node.func, s.Attribute)
            }
        return known

    def _known_as(self, expr: s.Expr, function: s.Function, worker: Worker) -> Place | None:
        """The place of ``expr`` in the code that makes the worker: what its ``args`` pass for a parameter."""
        if isinstance(expr, s.Name):
            index = next((i for i, param in enumerate(function.params) if param.name == expr.id), None)
            if index is not None:
                args = worker.call.argument(2 if worker.kind == "timer" else 3, "args")
                offset = 0 if self._names.self_class(function) is None else 1
                if not isinstance(args, s.Display) or not 0 <= index - offset < len(args.elements):
                    return None
                return self._names.place(args.elements[index - offset])
        return self._names.place(expr)


def _last_calls(body: list[s.Stmt]) -> Iterator[s.Call]:
    """The calls with which a body ends, as statements of their own."""
    last = body[-1] if body else None
    if isinstance(last, (s.ExprStmt, s.Return)) and isinstance(last.value, s.Call):
        yield last.value
    elif isinstance(last, s.With):
        yield from _last_calls(last.body)
    elif isinstance(last, s.Try):
        yield from _last_calls(last.final or last.orelse or last.body)

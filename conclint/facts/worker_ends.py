"""Workers whose end somebody notices without joining them: they say so, or they cannot outlast what waits for them."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .running import Running, Worker

_SHORT = 3.0
"""Seconds for which a timer may keep a program from ending without anybody minding."""
_RESULTS = {"put": "get", "put_nowait": "get"}
_TOLD_BY = {**_RESULTS, "set": "wait", "task_done": "join", "release": "acquire"}


class WorkerEnds:
    """Answers for every worker of a module."""

    def __init__(self, names: Names, running: Running) -> None:
        self._names = names
        self._running = running
        self._waits: dict[s.Function, set[tuple[str, Place | None]]] = {}

    def is_noticed(self, worker: Worker) -> bool:
        """Whether the code that starts a worker gets to know of its end, or need not wait for it."""
        if worker.kind == "process":
            return self._tells_its_starter(worker, _RESULTS)
        if worker.kind == "timer" and self._is_short(worker.call):
            return True
        return self._is_shut_down(worker) or self._tells_its_starter(worker, _TOLD_BY)

    @staticmethod
    def _is_short(call: s.Call) -> bool:
        interval = call.argument(0, "interval")
        value = interval.value if isinstance(interval, s.Constant) else None
        return isinstance(value, (int, float)) and value <= _SHORT

    def _is_shut_down(self, worker: Worker) -> bool:
        """Whether it runs a loop that a method of the same object, called or handed on in this file, ends."""
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

    def _tells_its_starter(self, worker: Worker, told_by: dict[str, str]) -> bool:
        """Whether the last thing it does is what the function that makes it waits for."""
        targets = self._running.targets(worker)
        starter = s.enclosing_function(worker.call)
        if not targets or starter is None:
            return False
        waits = self._waited_for(starter)
        return all(
            any(
                (told_by[call.func.attr], place) in waits
                for call in _last_calls(function.body, self._names)
                if isinstance(call.func, s.Attribute) and call.func.attr in told_by
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
                timer = worker.kind == "timer"
                args = worker.call.argument(2 if timer else 3, "args")
                offset = 0 if self._names.self_class(function) is None else 1
                if isinstance(args, s.Display) and 0 <= index - offset < len(args.elements):
                    return self._names.place(args.elements[index - offset])
                passed = _of_key(worker.call.argument(3 if timer else 4, "kwargs"), expr.id)
                return None if passed is None else self._names.place(passed)
        return self._names.place(expr)


def _of_key(display: s.Expr | None, key: str) -> s.Expr | None:
    """The value that a dict display has for a constant key."""
    if isinstance(display, s.DictDisplay):
        for name, value in zip(display.keys, display.values, strict=True):
            if isinstance(name, s.Constant) and name.value == key:
                return value
    return None


def _last_calls(body: list[s.Stmt], names: Names) -> Iterator[s.Call]:
    """The calls with which a body ends, as statements of their own; what only tidies up may follow them."""
    for last in reversed(body):
        if isinstance(last, (s.ExprStmt, s.Return)) and isinstance(last.value, s.Call):
            yield last.value
        elif isinstance(last, (s.With, s.If)):
            yield from _last_calls(last.body, names)
        elif isinstance(last, s.Try):
            yield from _last_calls(last.final or last.orelse or last.body, names)
        if not isinstance(last, (s.ExprStmt, s.If)) or not all(
            names.catalog.says_cleanup(s.last_name(node.func)) for node in s.walk(last) if isinstance(node, s.Call)
        ):
            return

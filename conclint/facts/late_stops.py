"""Exit handlers that are to stop threads which the interpreter waits for before it runs exit handlers.

The order is: the main thread ends, the callbacks of ``threading._register_atexit``, all threads that are no daemons and
those of executors are joined, and only then come the functions of ``atexit``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, Union

from .. import syntax as s
from ..kinds import Place
from .calls import Calls
from .running import Entry, Handed, Running
from .worker_code import WorkerCode
from .worker_uses import WorkerUses

_ASKS = frozenset({"is_set", "isSet", "wait"})
_PUTS = frozenset({"put", "put_nowait"})


class Signal(NamedTuple):
    """Something that tells a thread to end: an event set, a flag assigned, a last item put into a queue."""

    place: Place
    value: str
    """For a queue the item, for a flag what it becomes, in the words of the source."""
    node: s.Node


class LateStop(NamedTuple):
    """A thread that ends only when told to, and the exit handler that alone tells it."""

    handler: Entry | Handed
    signal: Signal
    started: s.Node
    """The call that makes the thread, or submits the task."""
    waits: s.Node
    """Where the thread asks for the signal."""


class LateStops:
    """Finds them."""

    def __init__(self, calls: Calls, running: Running, code: WorkerCode, uses: WorkerUses) -> None:
        self._calls = calls
        self._names = running.names
        self._running = running
        self._code = code
        self._uses = uses

    def found(self) -> Iterator[LateStop]:
        """Every one, once a registration."""
        handlers = [handed for handed in self._running.handed if handed.place == "exit handler"]
        for handed in handlers:
            entries = [entry for entry in self._running.exit_handlers if entry.site is handed.site]
            stop = next(self._stops(handed, entries), None)
            if stop is not None:
                yield stop

    def _stops(self, handed: Handed, entries: list[Entry]) -> Iterator[LateStop]:
        late = frozenset(self._code.reached(entries))
        signals = [signal for function in late for signal in self._given.get(function, ())]
        if handed.expr is not None and not entries:
            method = self._names.bound_method(handed.expr)
            place = None if method is None or method.attr != "set" else self._names.place(method.value)
            signals += [] if place is None else [Signal(place, "", handed.expr)]
        for signal in signals:
            for started, place, waits in self._awaited:
                if place == signal.place and not self._is_given_elsewhere(signal, late):
                    yield LateStop(handed, signal, started, waits)

    def _is_given_elsewhere(self, signal: Signal, late: frozenset[s.Function]) -> bool:
        """Whether code of this file other than the exit handler gives the signal, or runs what the handler runs."""
        for function, signals in self._given.items():
            for other in signals:
                if other.place == signal.place and other.value == signal.value:
                    if function not in late or function is None:
                        return True
                    if any(s.enclosing_function(site) not in late for site in self._calls.to(function)):
                        return True
        return False

    # ---- signals

    @cached_property
    def _given(self) -> dict[s.Function | None, list[Signal]]:
        """By function the signals it gives; what a constructor sets is the state at the start."""
        found: dict[s.Function | None, list[Signal]] = {}
        for call in self._names.module.all(s.Call):
            signal = self._signal_of(call)
            if signal is not None:
                found.setdefault(s.enclosing_function(call), []).append(signal)
        for assign in self._names.module.all(s.Assign):
            function = s.enclosing_function(assign)
            if isinstance(assign.value, s.Constant) and function is not None and function.name != "__init__":
                for target in assign.targets:
                    place = self._names.place(target)
                    if place is not None and (place.root[0] != "local" or isinstance(target, s.Attribute)):
                        found.setdefault(function, []).append(Signal(place, repr(assign.value.value), assign))
        return found

    def _signal_of(self, call: s.Call) -> Signal | None:
        method = self._names.bound_method(call.func)
        instance = None if method is None else self._names.instance(method.value)
        place = None if method is None or instance is None else self._names.place(method.value)
        if method is None or instance is None or place is None:
            return None
        if instance.type.kind == "event" and method.attr == "set":
            return Signal(place, "", call)
        if instance.type.kind == "queue" and method.attr in _PUTS:
            item = call.argument(0, "item")
            if isinstance(item, s.Constant):
                return Signal(place, repr(item.value), call)
        return None

    # ---- who waits for them

    @cached_property
    def _awaited(self) -> list[tuple[s.Node, Place, s.Node]]:
        """For each thread that exits wait for: what makes it, the place of the signal it asks for, where it asks."""
        started: list[tuple[s.Node, s.Function]] = []
        for worker in self._running.workers:
            if worker.kind == "thread" and not self._uses.of(worker).is_daemon:
                started += [(worker.call, target) for target in self._running.targets(worker)]
        for entry in self._running.entries:
            if entry.runner == "thread_executor" and entry.place == "pool task":
                started.append((entry.site, entry.function))
        found: list[tuple[s.Node, Place, s.Node]] = []
        for made, target in self._targets():
            method = self._names.bound_method(target)
            if method is not None and method.attr == "wait":
                found += [(made, place, where) for place, where in self._at(method.value, target)]
        for made, function in started:
            for loop in s.own_nodes(function):
                if isinstance(loop, s.While):
                    found += [(made, place, where) for place, where in self._asked(loop)]
        return found

    def _targets(self) -> Iterator[tuple[s.Node, s.Expr]]:
        """What is handed to threads that exits wait for, where that is no function of this file."""
        for worker in self._running.workers:
            target = self._running.target_of(worker.call, worker.instance)
            if target is not None and worker.kind == "thread" and not self._uses.of(worker).is_daemon:
                yield worker.call, target
        for handed in self._running.handed:
            if handed.expr is not None and handed.runner == "thread_executor" and handed.place == "pool task":
                yield handed.site, handed.expr

    def _asked(self, loop: s.While) -> Iterator[tuple[Place, s.Node]]:
        """The signals without which ``loop`` does not end."""
        endless = isinstance(loop.test, s.Constant) and bool(loop.test.value)
        guards = [] if endless else [loop.test]
        for node in _body(loop):
            if isinstance(node, (s.Break, s.Return)) and not _breaks_inner(node, loop):
                guard = next((p.test for p in _up_to(node, loop) if isinstance(p, s.If)), None)
                if guard is None:
                    return
                guards.append(guard)
        asked = [dict(self._asked_by(guard, loop)) for guard in guards]
        if asked:
            for place in asked[0]:
                if all(place in other for other in asked):
                    yield place, asked[0][place]

    def _asked_by(self, test: s.Expr, loop: s.While) -> Iterator[tuple[Place, s.Node]]:
        """The places whose signal makes ``test`` end the loop."""
        if isinstance(test, s.BoolOp):
            return  # other things end it too
        node: s.Expr = test.operand if isinstance(test, s.Not) else test
        if isinstance(node, s.Call) and isinstance(node.func, s.Attribute):
            if node.func.attr in _ASKS:
                yield from self._at(node.func.value, node)
        elif isinstance(node, s.Compare):
            yield from self._taken(node.left, loop)
            yield from self._at(node.left, node)
        else:
            yield from self._taken(node, loop)
            yield from self._at(node, node)

    def _at(self, expr: s.Expr, node: s.Node) -> Iterator[tuple[Place, s.Node]]:
        place = self._names.place(expr)
        if place is not None:
            yield place, node

    def _taken(self, item: s.Expr, loop: s.While) -> Iterator[tuple[Place, s.Node]]:
        """The queue that the loop takes ``item`` from."""
        for node in _body(loop):
            call = node.value if isinstance(node, s.Assign) else None
            if isinstance(node, s.Assign) and isinstance(call, s.Call) and isinstance(call.func, s.Attribute):
                same = isinstance(item, s.Name) and any(isinstance(t, s.Name) and t.id == item.id for t in node.targets)
                if same and call.func.attr == "get" and not call.args:
                    yield from self._at(call.func.value, call)


def _body(loop: s.While) -> Iterator[s.Node]:
    for statement in loop.body:
        yield from s.walk(statement, into_functions=False)


def _up_to(node: s.Node, loop: s.While) -> Iterator[s.Node]:
    for parent in s.ancestors(node):
        if parent is loop:
            return
        yield parent


def _breaks_inner(node: Union[s.Break, s.Return], loop: s.While) -> bool:
    inner = any(isinstance(parent, (s.For, s.While)) for parent in _up_to(node, loop))
    return isinstance(node, s.Break) and inner

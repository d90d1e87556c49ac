"""Calls that wait for somebody else, and the functions that come to one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..catalog import Waits
from ..kinds import ApiMethod, External, Instance, Kind
from ..scopes import BindingKind
from .calls import Calls
from .consuming import takes_some
from .flow import Flow

_DEEPEST = 4
"""How many calls deep waits are followed."""
_MOST = 24
"""Waits that are told apart for one function."""


class Wait(NamedTuple):
    """An expression that waits."""

    node: s.Expr
    """The call, the ``await``, or the context that a ``with`` waits for when it is left."""
    instance: Instance | None
    """What it waits for; ``None`` where that is outside the program (time, another program, the network), or several
    things."""
    method: str
    forever: bool
    """Whether no timeout ends it."""
    of: tuple[s.Expr, ...] = ()
    """The expressions that stand for what it waits for."""
    in_loop: bool = False
    """Whether only a coroutine waits, while the event loop goes on."""


class Come(NamedTuple):
    """A wait that a piece of code comes to, by way of calls."""

    wait: Wait
    sites: tuple[s.Node, ...]
    """The calls on the way, from the code in question to the function that waits."""
    functions: tuple[s.Function, ...]
    """The functions that those run."""


class Waiting:
    """The waits of a module."""

    def __init__(self, flow: Flow, calls: Calls) -> None:
        self._flow = flow
        self._names = flow.names
        self._calls = calls
        self._waits: dict[s.Node, Wait | None] = {}
        self._of: dict[s.Function, list[Come]] = {}

    def at(self, event: s.Node) -> Iterator[Come]:
        """The waits that evaluating ``event`` comes to; a ``with`` item stands for its being left too."""
        wait = self.wait(event)
        if wait is not None:
            yield Come(wait, (), ())
            return
        for callee in self._calls.run_by(event):
            for come in self._come_to(callee, _DEEPEST):
                yield come._replace(sites=(event, *come.sites), functions=(callee, *come.functions))

    def wait(self, node: s.Node) -> Wait | None:
        """``node`` as a wait, if it is one."""
        if node not in self._waits:
            self._waits[node] = self._look(node)
        return self._waits[node]

    def _look(self, node: s.Node) -> Wait | None:
        if isinstance(node, s.Call):
            found = (self._classify(kind, node) for kind in self._names.kinds(node.func))
            return next((wait for wait in found if wait is not None), None)
        if isinstance(node, s.Await):
            return self._awaits(node)
        if isinstance(node, s.WithItem):
            left = self._names.instance(node.context)
            if left is not None and left.type.kind in self._names.catalog.waits_when_left:
                in_loop = left.type.api == "asyncio"
                return Wait(node.context, left, "__exit__", not in_loop or not self._flow.is_limited(node), (), in_loop)
        return None

    def _come_to(self, function: s.Function, depth: int) -> list[Come]:
        known = self._of.get(function)
        if known is None:
            self._of[function] = []  # for recursion
            found: list[Come] = []
            for node in s.own_nodes(function) if depth else ():
                wait = self.wait(node)
                if wait is not None:
                    found.append(Come(wait, (), ()))
                elif isinstance(node, s.Call):
                    for callee in self._calls.run_by(node):
                        found += (
                            come._replace(sites=(node, *come.sites), functions=(callee, *come.functions))
                            for come in self._come_to(callee, depth - 1)
                        )
            known = self._of[function] = found[:_MOST]
        return known

    # ---- threads

    def _classify(self, kind: Kind, call: s.Call) -> Wait | None:
        catalog = self._names.catalog
        if isinstance(kind, External):
            if kind.name in catalog.slow_functions:
                return None if self._polls(call) else Wait(call, None, kind.name, False)
            several = catalog.waits_for_all.get(kind.name)
            if several is None or (kind.name in catalog.lazy_waits and not takes_some(self._names, call)):
                return None
            what = call.argument(0, "fs")
            forever = _is_forever(call, several) and call.keyword("return_when") is None
            return None if what is None else Wait(call, None, kind.name, forever, (what,))
        if not isinstance(kind, ApiMethod):
            return None
        instance, method = kind.receiver, kind.name
        if method in catalog.slow_methods.get(instance.type.kind, ()):
            return Wait(call, None, kind.qualified, False)
        how = catalog.waits.get(instance.type.kind, {}).get(method)
        if how is None or _does_not_wait(call, how) or (method == "put" and not _is_bounded(instance)):
            return None
        bound = self._names.bound_method(call.func)
        receiver = () if bound is None else (bound.value,)
        if instance.type.api == "asyncio":
            awaited = self._flow.outcome(call)
            if not isinstance(awaited, s.Await) or instance.type.kind in ("future", "task"):
                return None
            forever = awaited.value is call and not self._flow.is_limited(call)
            return Wait(call, instance, method, forever, receiver, in_loop=True)
        if kind.qualified in catalog.lazy_waits and not takes_some(self._names, call):
            return None
        if instance.type.kind == "future" and self._is_done(instance, receiver):
            return None
        return Wait(call, instance, method, _is_forever(call, how), receiver)

    def _polls(self, call: s.Call) -> bool:
        """Whether a flag among the arguments, perhaps one of several, says that the call comes back at once."""
        return any(
            isinstance(node, (s.Name, s.Attribute)) and self._names.qualified(node) in self._names.catalog.polling_flags
            for argument in call.args
            for node in s.walk(argument.value)
        )

    def _is_done(self, instance: Instance, receiver: tuple[s.Expr, ...]) -> bool:
        """Whether there is nothing to wait for any more.

        So with a future that comes from ``as_completed()`` or ``wait()``, or whose executor's ``with`` has been left.
        """
        made = instance.made_at
        executor = made.func.value if isinstance(made, s.Call) and isinstance(made.func, s.Attribute) else None
        owner = None if executor is None else self._names.instance(executor)
        item = None if owner is None or owner.made_at is None else owner.made_at.parent
        if isinstance(item, s.WithItem):
            return not any(parent is item.parent for future in receiver for parent in s.ancestors(future))
        for future in receiver:
            found = self._names.scopes.lookup(future.id, future) if isinstance(future, s.Name) else None
            for binding in () if found is None else found[1]:
                if binding.kind is BindingKind.ELEMENT and binding.value is not None:
                    if self._names.is_call_of(binding.value, self._names.catalog.calls["waits"]):
                        return True
        return False

    # ---- coroutines

    def _awaits(self, node: s.Await) -> Wait | None:
        """``await task``, ``await gather(...)``; awaiting a coroutine is a call of it, and no wait."""
        value = node.value
        forever = not self._flow.is_limited(node) and s.enclosing_function(node) not in self._cancelling
        if isinstance(value, s.Call):
            name = self._names.qualified(value.func)
            if name in self._names.catalog.calls["joins"]:
                parts = tuple(argument.value for argument in value.args if argument.keyword is None)
                forever = forever and value.keyword("timeout") is None and value.keyword("return_when") is None
                return Wait(node, None, name or "", forever, parts, in_loop=True)
            if name in self._names.catalog.calls["awaiters"]:
                forever = forever and name == "asyncio.shield"
                first = value.positional(0)
                task = None if first is None else self._names.instance(first)
                if first is not None and task is not None and task.type.kind == "task":
                    return Wait(node, task, "await", forever, (first,), in_loop=True)
                return None
        found = self._names.instance(value)
        if found is None or found.type.kind != "task":
            return None
        return Wait(node, found, "await", forever, (value,), in_loop=True)

    @cached_property
    def _cancelling(self) -> set[s.Function | None]:
        """The functions that cancel tasks, and then need not wait for all they do."""
        cancels = (call for call in self._names.module.all(s.Call) if s.last_name(call.func) == "cancel")
        return {s.enclosing_function(call) for call in cancels}


def _is_bounded(queue: Instance) -> bool:
    """Whether the queue may be full: it was made with a size."""
    size = queue.made_at.argument(0, "maxsize") if isinstance(queue.made_at, s.Call) else None
    return size is not None and not (isinstance(size, s.Constant) and not size.value)


def _given(call: s.Call, position: tuple[int, str] | None) -> s.Expr | None:
    return None if position is None else call.argument(*position)


def _does_not_wait(call: s.Call, how: Waits) -> bool:
    """Whether the arguments say that the call comes back at once."""
    for argument in (_given(call, how.block), _given(call, how.timeout)):
        if isinstance(argument, s.Constant) and argument.value is not None and not argument.value:
            return True
    return False


def _is_forever(call: s.Call, how: Waits) -> bool:
    """Whether the arguments certainly leave the call to wait as long as it takes."""
    block, timeout = _given(call, how.block), _given(call, how.timeout)
    if call.has_star or not (block is None or (isinstance(block, s.Constant) and block.value)):
        return False
    return s.is_nothing(timeout)

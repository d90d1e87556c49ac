"""Calls that wait for somebody else, and the functions that come to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..catalog import Waits
from ..kinds import ApiMethod, External, Instance, Kind
from .calls import Calls
from .flow import Flow

_DEEPEST = 4
"""How many calls deep waits are followed."""
_MOST = 24
"""Waits that are told apart for one function."""


class Wait(NamedTuple):
    """A call that waits."""

    call: s.Call
    instance: Instance | None
    """What it waits for; ``None`` where that is outside the program: time, another program, the network."""
    method: str
    forever: bool
    """Whether no timeout ends it."""


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
        self._names = flow.names
        self._calls = calls
        self._waits: dict[s.Call, Wait | None] = {}
        self._of: dict[s.Function, list[Come]] = {}

    def at(self, event: s.Node) -> Iterator[Come]:
        """The waits that evaluating ``event`` comes to."""
        wait = self.wait(event) if isinstance(event, s.Call) else None
        if wait is not None:
            yield Come(wait, (), ())
            return
        for callee in self._calls.run_by(event):
            for come in self._come_to(callee, _DEEPEST):
                yield come._replace(sites=(event, *come.sites), functions=(callee, *come.functions))

    def wait(self, call: s.Call) -> Wait | None:
        """``call`` as a wait, if it is one."""
        if call not in self._waits:
            found = (self._classify(kind, call) for kind in self._names.kinds(call.func))
            self._waits[call] = next((wait for wait in found if wait is not None), None)
        return self._waits[call]

    def _come_to(self, function: s.Function, depth: int) -> list[Come]:
        known = self._of.get(function)
        if known is None:
            self._of[function] = []  # for recursion
            found: list[Come] = []
            for node in s.own_nodes(function) if depth else ():
                if isinstance(node, s.Call):
                    wait = self.wait(node)
                    if wait is not None:
                        found.append(Come(wait, (), ()))
                        continue
                    for callee in self._calls.run_by(node):
                        found += (
                            come._replace(sites=(node, *come.sites), functions=(callee, *come.functions))
                            for come in self._come_to(callee, depth - 1)
                        )
            known = self._of[function] = found[:_MOST]
        return known

    def _classify(self, kind: Kind, call: s.Call) -> Wait | None:
        catalog = self._names.catalog
        if isinstance(kind, External):
            return Wait(call, None, kind.name, False) if kind.name in catalog.slow_functions else None
        if not isinstance(kind, ApiMethod) or kind.receiver.type.api == "asyncio":
            return None
        instance, method = kind.receiver, kind.name
        if method in catalog.slow_methods.get(instance.type.kind, ()):
            return Wait(call, None, kind.qualified, False)
        how = catalog.waits.get(instance.type.kind, {}).get(method)
        if how is None or _does_not_wait(call, how) or (method == "put" and not _is_bounded(instance)):
            return None
        return Wait(call, instance, method, _is_forever(call, how))


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
    return timeout is None or (isinstance(timeout, s.Constant) and timeout.value is None)

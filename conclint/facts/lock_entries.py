"""``with`` statements that run although the lock was not acquired: their ``__enter__`` does not ask."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from .calls import Calls
from .locks import LockUses
from .takings import Takings

_ENTERING = ("__enter__", "__aenter__")


def unheeded_entries(calls: Calls, uses: LockUses, takings: Takings) -> Iterator[s.Call]:
    """Every ``self.acquire()`` of an ``__enter__`` that drops the answer, where an ``acquire()`` of this file says no.

    One that asks a lock of Python's to wait is not told no.
    """
    names = calls.names
    for enter in names.module.functions:
        owner = names.owner(enter) if enter.name in _ENTERING else None
        if owner is None:
            continue
        family = [owner, *(node for node in names.subclasses(owner) if names.method(node, enter.name) is enter)]
        for call in s.own_nodes(enter):
            if not isinstance(call, s.Call) or call.args or not _is_of_self(call, calls) or uses.result_used(call):
                continue
            methods = {names.method(node, s.last_name(call.func)) for node in family}
            if any(method is not None and _says_no(method, call, calls, uses, takings) for method in methods):
                yield call


def _is_of_self(call: s.Call, calls: Calls) -> bool:
    func = call.func
    return (
        isinstance(func, s.Attribute)
        and func.attr in calls.names.catalog.acquire_methods
        and isinstance(func.value, s.Name)
        and calls.names.self_of(func.value) is not None
    )


def _says_no(method: s.Function, call: s.Call, calls: Calls, uses: LockUses, takings: Takings) -> bool:
    """Whether ``method``, called without arguments, may return ``False``, and otherwise something true."""
    nodes = list(s.own_nodes(method))
    values = {
        node: node.value.value
        for node in nodes
        if isinstance(node, s.Return) and isinstance(node.value, s.Constant) and isinstance(node.value.value, bool)
    }
    if set(values.values()) != {True, False}:
        return False
    if any(op.instance is not None for node in nodes if isinstance(node, s.Call) for op in uses.ops.get(node, ())):
        return False
    known, _ = calls.given(call, method)
    return any(takings.reaches(method, node, known) for node, value in values.items() if value is False)

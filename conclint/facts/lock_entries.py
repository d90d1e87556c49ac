"""``with`` statements that run although the lock was not acquired: their ``__enter__`` does not ask."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from .calls import Calls
from .lock_ops import ENTERING
from .locks import LockUses

_LEAVING = ("__exit__", "__aexit__")


def unheeded_entries(calls: Calls, uses: LockUses) -> Iterator[s.Call]:
    """Every ``self.acquire()`` of an ``__enter__`` that drops the answer, where an ``acquire()`` of this file says no.

    Only where nothing else heeds it: entering, leaving and ``release()`` test nothing.
    """
    names = calls.names
    for enter in names.module.functions:
        owner = names.owner(enter) if enter.name in ENTERING else None
        if owner is None:
            continue
        if _asks(enter):
            continue
        family = [owner, *(node for node in names.subclasses(owner) if names.method(node, enter.name) is enter)]
        for call in s.own_nodes(enter):
            if not isinstance(call, s.Call) or call.args or not _is_of_self(call, calls) or uses.result_used(call):
                continue
            name = s.last_name(call.func)
            if any(_goes_unheeded(node, name, calls, uses) for node in family):
                yield call


def _goes_unheeded(owner: s.ClassDef, acquire: str, calls: Calls, uses: LockUses) -> bool:
    """Whether objects of class ``owner`` may be told no, and let go all the same what they do not have."""
    names = calls.names
    method = names.method(owner, acquire)
    leaving = [names.method(owner, name) for name in (*_LEAVING, *names.catalog.release_methods)]
    return (
        method is not None
        and not any(function is not None and _asks(function) for function in leaving)
        and _says_no(method, calls, uses)
    )


def _is_of_self(call: s.Call, calls: Calls) -> bool:
    func = call.func
    return (
        isinstance(func, s.Attribute)
        and func.attr in calls.names.catalog.acquire_methods
        and isinstance(func.value, s.Name)
        and calls.names.self_of(func.value) is not None
    )


def _says_no(method: s.Function, calls: Calls, uses: LockUses) -> bool:
    """Whether ``method`` may return ``False``, whatever it is called with, and otherwise something true.

    Not where it looks at a parameter or at its object, or notes something there: the answer may hang on that, or be
    kept in it. Nor where it asks another lock, which may be one that always waits, or is decorated.
    """
    nodes = list(s.walk(method))
    answers = {
        node.value.value
        for node in s.own_nodes(method)
        if isinstance(node, s.Return) and isinstance(node.value, s.Constant) and isinstance(node.value.value, bool)
    }
    if answers != {True, False} or method.decorators:
        return False
    params = {param.name for param in method.params}
    for node in nodes:
        if isinstance(node, s.Name) and node.id in params and not _only_receives(node, calls):
            return False
        if isinstance(node, s.Call) and (uses.ops.get(node) or _acquires(node, calls)):
            return False
    return True


def _only_receives(name: s.Name, calls: Calls) -> bool:
    """Whether ``name`` is ``self`` and only leads to another object whose method is called: ``self._server.take()``."""
    part = name.parent
    if calls.names.self_of(name) is None or not isinstance(part, s.Attribute):
        return False
    method = part.parent
    return isinstance(method, s.Attribute) and isinstance(method.parent, s.Call) and method.parent.func is method


def _asks(function: s.Function) -> bool:
    return any(isinstance(node, (s.If, s.IfExp, s.While, s.Try, s.Match, s.BoolOp)) for node in s.own_nodes(function))


def _acquires(call: s.Call, calls: Calls) -> bool:
    return s.last_name(call.func) in calls.names.catalog.acquire_methods

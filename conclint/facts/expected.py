"""Errors that the code around is ready for."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from ..names import Names
from .flow import Flow

_MISUSE = frozenset({"RuntimeError", "AssertionError", "ValueError"})


def is_expected_to_raise(names: Names, node: s.Node) -> bool:
    """Whether ``node`` stands, in its function, under ``pytest.raises()``, ``assertRaises()`` or ``suppress()``.

    An expected warning counts as an exception.
    """
    calls = names.catalog.calls
    asserts = calls["asserts_raising"] | calls["asserts_warning"]
    for parent in _around(node):
        if isinstance(parent, s.Call) and s.last_name(parent.func) in asserts:
            return True
        for item in parent.items if isinstance(parent, s.With) else ():
            context = item.context
            if isinstance(context, s.Call) and s.last_name(context.func) in asserts:
                return True
            if names.is_call_of(context, calls["suppressors"]):
                return True
    return False


def is_expected(flow: Flow, node: s.Node, *, any_handler: bool = False) -> bool:
    """Whether the code around ``node`` reckons with the error that misusing a worker raises.

    So in ``with pytest.raises(...)``, under ``except RuntimeError``, and where it is all that a ``try`` guards; with
    ``any_handler`` in every ``try`` that has a handler, as it may be there for this very error.
    """
    if is_expected_to_raise(flow.names, node):
        return True
    child = node
    for parent in _around(node):
        if isinstance(parent, s.Try) and child in parent.body and _catches(flow, parent, any_handler):
            return True
        child = parent
    return False


def is_caught(flow: Flow, node: s.Node, classes: frozenset[str] = frozenset()) -> bool:
    """Whether a handler, or a ``with`` like ``suppress()``, of the function around ``node`` stands round it.

    Of handlers only those that name one of ``classes``, where some are given.
    """
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            return False
        if isinstance(parent, s.Try) and any(child is statement for statement in parent.body):
            handled = {name for handler in parent.handlers for name in flow.classes.handled(handler.type)}
            if handled & classes if classes else parent.handlers:
                return True
        if isinstance(parent, s.With) and any(flow.classes.swallowed(item.context) for item in parent.items):
            return True
        child = parent
    return False


def _around(node: s.Node) -> Iterator[s.Node]:
    """What ``node`` stands in, from the inside out, as far as its function goes."""
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function) and not parent.is_lambda:
            return
        yield parent


def _catches(flow: Flow, guarded: s.Try, any_handler: bool) -> bool:
    if any_handler or len(guarded.body) == 1:
        return bool(guarded.handlers)
    handled = {name for handler in guarded.handlers for name in flow.classes.handled(handler.type)}
    return not _MISUSE.isdisjoint(handled)

"""Errors that the code around a call is ready for."""

from __future__ import annotations

from .. import syntax as s
from .flow import Flow

_MISUSE = frozenset({"RuntimeError", "AssertionError", "ValueError"})


def is_expected(flow: Flow, node: s.Node) -> bool:
    """Whether the code around ``node`` reckons with the error that misusing a worker raises.

    So in ``with pytest.raises(...)``, under ``except RuntimeError``, and where it is all that a ``try`` guards.
    """
    calls = flow.names.catalog.calls
    child: s.Node = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function) and not parent.is_lambda:
            return False
        if isinstance(parent, s.Call) and s.last_name(parent.func) in calls["asserts_raising"]:
            return True
        if isinstance(parent, s.With):
            for item in parent.items:
                context = item.context
                if isinstance(context, s.Call) and s.last_name(context.func) in calls["asserts_raising"]:
                    return True
                if flow.names.is_call_of(context, calls["suppressors"]):
                    return True
        if isinstance(parent, s.Try) and child in parent.body and _catches(flow, parent):
            return True
        child = parent
    return False


def _catches(flow: Flow, guarded: s.Try) -> bool:
    handled = {name for handler in guarded.handlers for name in flow.classes.handled(handler.type)}
    return not _MISUSE.isdisjoint(handled) or (len(guarded.body) == 1 and bool(guarded.handlers))

"""Errors that the code around is ready for."""

from __future__ import annotations

from .. import syntax as s
from ..names import Names


def is_expected(names: Names, node: s.Node) -> bool:
    """Whether ``node`` stands where an exception is meant to be raised, as in ``with pytest.raises(...)``.

    A ``try`` whose handlers follow counts too: it may be there for this very error.
    """
    calls = names.catalog.calls
    asserts = calls["asserts_raising"] | calls["asserts_warning"]
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function) and not parent.is_lambda:
            return False
        if isinstance(parent, s.Call) and s.last_name(parent.func) in asserts:
            return True
        if isinstance(parent, s.Try) and parent.handlers and any(child is statement for statement in parent.body):
            return True
        if isinstance(parent, s.With):
            for item in parent.items:
                context = item.context
                if isinstance(context, s.Call):
                    if s.last_name(context.func) in asserts:
                        return True
                    if names.is_call_of(context, calls["suppressors"]):
                        return True
        child = parent
    return False

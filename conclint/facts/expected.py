"""Statements that are there to fail: what a test says must raise."""

from __future__ import annotations

from .. import syntax as s
from ..names import Names


def is_expected_to_raise(names: Names, node: s.Node) -> bool:
    """Whether ``node`` stands, in its function, under ``pytest.raises()``, ``assertRaises()`` or ``suppress()``."""
    calls = names.catalog.calls
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            return False
        for item in parent.items if isinstance(parent, s.With) else ():
            context = item.context
            if isinstance(context, s.Call) and (
                s.last_name(context.func) in calls["asserts_raising"] or names.is_call_of(context, calls["suppressors"])
            ):
                return True
    return False

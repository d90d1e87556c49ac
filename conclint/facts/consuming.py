"""Whether the items of a generator, or of another lazy iterable, are taken where it is made."""

from __future__ import annotations

from .. import syntax as s
from ..names import Names


def takes_all(names: Names, made: s.Expr) -> bool:
    """Whether all items of what ``made`` evaluates to are taken at once: by ``list()``, a comprehension, ``join()``."""
    parent = made.parent
    if isinstance(parent, s.Clause):
        return not isinstance(parent.parent, s.Comprehension) or parent.parent.kind != "generator"
    if isinstance(parent, s.Starred):
        return isinstance(parent.parent, s.Display)
    func = parent.parent.func if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call) else None
    if isinstance(func, s.Attribute) and func.attr in names.catalog.calls["consuming_methods"]:
        return True
    return is_given_to(names, made, names.catalog.calls["consumers"])


def takes_some(names: Names, made: s.Expr) -> bool:
    """Whether items are taken at once, if perhaps not all: also by a loop, ``yield from``, ``any()``."""
    parent = made.parent
    if isinstance(parent, s.For):
        return parent.iter is made
    if isinstance(parent, s.Yield):
        return parent.is_from
    return takes_all(names, made) or is_given_to(names, made, names.catalog.calls["searches"])


def is_given_to(names: Names, made: s.Expr, functions: frozenset[str]) -> bool:
    """Whether ``made`` is an argument of a call of one of the external ``functions``."""
    outer = made.parent.parent if isinstance(made.parent, s.Argument) else None
    return isinstance(outer, s.Call) and names.qualified(outer.func) in functions

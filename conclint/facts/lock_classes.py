"""Locks that a file writes itself: classes that are acquired and released as those of the libraries are."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from ..kinds import LocalInstance
from ..names import Names
from .lock_ops import ENTERING, Action, LockOp, is_conditional


def own_lock_ops(names: Names) -> Iterator[LockOp]:
    """What calls of the methods of such locks do."""
    catalog = names.catalog
    acquire = catalog.acquire_methods | catalog.try_methods
    for call in names.module.all(s.Call):
        func = call.func
        if isinstance(func, s.Attribute) and func.attr in acquire | catalog.release_methods:
            if isinstance(call.parent, s.Argument):
                continue  # `create_task(lock.acquire())`: who awaits that is not told
            place = names.place(func.value) if _is_own_lock(func.value, names) else None
            if place is not None:
                action = Action.RELEASE
                if func.attr in acquire:
                    action = Action.TRY_ACQUIRE if is_conditional(call, None) else Action.ACQUIRE
                yield LockOp(place, action, call, func.value, None, is_own=True)


def _is_own_lock(expr: s.Expr, names: Names) -> bool:
    """Whether ``expr`` is an object of a class of this file that says lock, and is used as one of Python's is.

    What is released by a token is another sort of thing: a lease that ends by itself.
    """
    classes = [kind.node for kind in names.kinds(expr) if isinstance(kind, LocalInstance)]
    for node in classes:
        release = names.method(node, "release")
        if release is None or names.method(node, "acquire") is None or not names.catalog.says_lock(node.name):
            return False
        if not any(names.method(node, name) for name in ENTERING):
            return False
        if any(param.default is None and not param.kind.startswith("*") for param in release.params[1:]):
            return False
    return bool(classes)

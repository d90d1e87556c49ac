"""Sections that hold a lock while nothing happens."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from .. import syntax as s
from ..scopes import BindingKind
from .flow import Flow
from .lock_ops import Action, LockOp
from .locks import LockUses

_BLOCKS = ("body", "orelse", "final")


class EmptySection(NamedTuple):
    """A lock that is taken and given back at once."""

    node: s.Node
    """The ``with`` item or the call of ``acquire``."""
    lock: s.Expr


class EmptySections:
    """The empty critical sections of a module."""

    def __init__(self, flow: Flow, uses: LockUses) -> None:
        self._flow = flow
        self._uses = uses

    def empty(self) -> Iterator[EmptySection]:
        """``with lock: pass``, and ``acquire()`` directly followed by ``release()``."""
        for section in self._flow.names.module.all(s.With):
            if all(_does_nothing(statement) for statement in section.body):
                contexts = [item.context for item in section.items]
                if all(self._is_shared_lock(context) for context in contexts):
                    yield EmptySection(contexts[0], contexts[0])
        for block in self._blocks():
            for first, second in pairwise(block):
                if isinstance(first, s.ExprStmt) and isinstance(second, s.ExprStmt):
                    found = self._taken_and_released(first.value, second.value)
                    if found is not None:
                        yield found

    def _blocks(self) -> Iterator[list[s.Stmt]]:
        """The lists of statements in which some lock is acquired by a call."""
        seen: set[s.Node] = set()
        for call in self._uses.ops:
            parent = s.statement_of(call).parent
            if parent is not None and parent not in seen:
                seen.add(parent)
                yield from (block for name in _BLOCKS if (block := getattr(parent, name, None)))

    def _is_shared_lock(self, context: s.Expr) -> bool:
        """Whether ``context`` does no more than name a lock, which others may hold too.

        Of a name for one lock of several after the other it is not said: to take each once waits for its holder.
        """
        names = self._flow.names
        found = names.scopes.lookup(context.id, context) if isinstance(context, s.Name) else None
        if found is not None and any(binding.kind is BindingKind.ELEMENT for binding in found[1]):
            return False
        place = None if isinstance(context, s.Call) else names.place(context)
        return place is not None and self._flow.is_lock(context) and not self._uses.is_private(place)

    def _taken_and_released(self, first: s.Expr, second: s.Expr) -> EmptySection | None:
        """The section between two calls, where the one takes a lock for certain and the other gives it back."""
        taken, released = self._op(first), self._op(second)
        if taken is None or taken.action is not Action.ACQUIRE or taken.is_counted:
            return None
        if released is None or released.action is not Action.RELEASE or released.place != taken.place:
            return None
        return EmptySection(taken.call, taken.receiver)

    def _op(self, expr: s.Expr) -> LockOp | None:
        """What ``lock.acquire()``, called by that very name and with no arguments, does."""
        call = expr.value if isinstance(expr, s.Await) else expr
        if not isinstance(call, s.Call) or not isinstance(call.func, s.Attribute) or call.args:
            return None
        return next((op for op in self._uses.ops.get(call, ()) if op.direct), None)


def _does_nothing(statement: s.Stmt) -> bool:
    if isinstance(statement, s.ExprStmt):
        return isinstance(statement.value, s.Constant)
    return isinstance(statement, s.Pass)

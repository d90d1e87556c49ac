"""Sections that hold a lock while nothing happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from .flow import Flow
from .locks import Action, LockOp, LockUses


class EmptySection(NamedTuple):
    """A lock that is taken and given back at once."""

    node: s.Node
    """The ``with`` item or the call of ``acquire``."""
    lock: s.Expr


class LockSections:
    """The empty critical sections of a module."""

    def __init__(self, flow: Flow, uses: LockUses) -> None:
        self._flow = flow
        self._uses = uses

    def empty(self) -> Iterator[EmptySection]:
        """``with lock: pass``, and ``acquire()`` directly followed by ``release()``."""
        for block in self._flow.names.module.all(s.With):
            if all(_does_nothing(statement) for statement in block.body):
                contexts = [item.context for item in block.items]
                if all(self._is_shared_lock(context) for context in contexts):
                    yield EmptySection(contexts[0], contexts[0])
        for scope in self._uses.scopes():
            for op in self._uses.of(scope):
                if op.action is Action.ACQUIRE and op.direct and not op.is_counted and self._ends_at_once(op):
                    yield EmptySection(op.call, op.receiver)

    def _is_shared_lock(self, context: s.Expr) -> bool:
        """Whether ``context`` does no more than name a lock, which others may hold too."""
        place = None if isinstance(context, s.Call) else self._uses.place(context)
        return place is not None and self._flow.is_lock(context) and not self._uses.is_private(place)

    def _ends_at_once(self, op: LockOp) -> bool:
        statement = s.statement_of(op.call)
        following = next_statement(statement)
        if not isinstance(statement, s.ExprStmt) or not isinstance(following, s.ExprStmt):
            return False
        call = following.value
        return (
            _is_bare(op.call)
            and isinstance(call, s.Call)
            and _is_bare(call)
            and any(
                other.place == op.place and other.action is Action.RELEASE and other.direct
                for other in self._uses.ops.get(call, ())
            )
        )


def next_statement(statement: s.Node) -> s.Node | None:
    """The statement after ``statement`` in the same block."""
    for name in ("body", "orelse", "final"):
        block = getattr(statement.parent, name, None)
        if isinstance(block, list) and statement in block:
            index = block.index(statement)
            return block[index + 1] if index + 1 < len(block) else None
    return None


def _is_bare(call: s.Call) -> bool:
    """Whether a method is called by its own name, with no arguments."""
    return isinstance(call.func, s.Attribute) and not call.args


def _does_nothing(statement: s.Stmt) -> bool:
    if isinstance(statement, s.ExprStmt):
        return isinstance(statement.value, s.Constant)
    return isinstance(statement, s.Pass)

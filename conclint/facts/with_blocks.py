"""Stretches of a block in which one lock is held, and which a ``with`` statement would say as well.

Where an acquire and its release are statements of one block, or the release stands in the ``finally`` of a ``try`` of
that block, the two can be one ``with``. Whether that means the same is decided here; :mod:`conclint.rewrite` finds out
whether it can be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import LocalInstance
from .flow import Flow
from .lock_facts import LockFacts
from .lock_leaks import Pair
from .lock_ops import Action, LockOp


class WithBlock(NamedTuple):
    """A lock that is held from one statement to another, in a way that ``with`` would say."""

    op: LockOp
    acquire: s.Stmt
    release: s.Stmt
    guard: s.Try | None
    """The ``try`` whose ``finally`` ends with the release, ``None`` where the release stands in the block itself."""
    dropped: tuple[s.Stmt, ...]
    """Releases right before a ``return`` or other jump out of the section, which ``with`` makes superfluous."""
    is_async: bool
    is_certain: bool
    """Whether the lock is certainly one of Python's own, so that ``with`` does what acquire and release do."""


class _Stretch(NamedTuple):
    """The statements of one block from an acquire to the statement that releases."""

    acquire: s.Stmt
    between: list[s.Stmt]
    release: s.Stmt
    guard: s.Try | None


class WithBlocks:
    """The sections of a module that ``with`` would say."""

    def __init__(self, flow: Flow, locks: LockFacts) -> None:
        self._names = flow.names
        self._locks = locks
        catalog = flow.names.catalog
        self._lock_methods = catalog.acquire_methods | catalog.release_methods

    # ---- questions

    def unprotected(self, pair: Pair) -> WithBlock | None:
        """The section of a pair without ``finally``: as it was on every path but that of an exception."""
        stretch = self._stretch(pair.op)
        if stretch is None or stretch.guard is not None or not stretch.between:
            return None
        dropped = self._dropped(pair.op, stretch.between)
        if dropped is None or not _jumps_out(stretch.between) <= {_following(release)[0] for release in dropped}:
            return None
        return self._section(pair.op, stretch, dropped)

    def leaking(self, op: LockOp) -> WithBlock | None:
        """The section of an acquire that some path does not undo: ``with`` would, on every path."""
        stretch = self._stretch(op)
        if stretch is None or not (stretch.between or stretch.guard):
            return None
        dropped = self._dropped(op, stretch.between)
        return None if dropped is None else self._section(op, stretch, dropped)

    def _dropped(self, op: LockOp, between: list[s.Stmt]) -> list[s.Stmt] | None:
        """The releases in ``between``, ``None`` if one of them stands anywhere but right before a jump out."""
        releases = [node for node in _inside(between) if isinstance(node, s.Stmt) and self._releases(node, op)]
        return releases if all(_before_jump(release, between) for release in releases) else None

    def guarded(self) -> Iterator[WithBlock]:
        """The correct ones: an acquire, and a ``try`` whose ``finally`` releases."""
        uses = self._locks.uses
        for scope in uses.scopes():
            for place in dict.fromkeys(op.place for op in uses.of(scope)):
                candidates = list(self._guarded(uses.at(scope, place)))
                paths = self._locks.paths(scope, place) if candidates else None
                if paths is not None:
                    wrong: set[s.Node | None] = {leak.op.call for leak in paths.leaks()}
                    wrong.update(pair.op.call for pair in paths.pairs())
                    wrong.update(bad.op.call for bad in paths.bad_releases())
                    yield from (c for c in candidates if c.op.call not in wrong and _call(c.release) not in wrong)

    def _guarded(self, ops: Iterable[LockOp]) -> Iterator[WithBlock]:
        for op in ops:
            if op.action is not Action.ACQUIRE or op.instance is None or op.is_counter:
                continue
            stretch = self._stretch(op)
            if stretch is None or stretch.guard is None:
                continue
            around = [*stretch.between, *stretch.guard.final[:-1]]
            if _jumps_out(stretch.between) or self._locks_in(around):
                continue  # other locks are taken or given back beside it: no `with` of one lock says that
            section = self._section(op, stretch, ())
            if section is not None and section.is_certain:
                yield section

    # ---- finding the ends

    def _stretch(self, op: LockOp) -> _Stretch | None:
        """The statements from the acquire to the first one of its block that releases."""
        acquire = s.statement_of(op.call)
        if op.action is not Action.ACQUIRE or not _is_spelled_out(op) or _call(acquire) is not op.call:
            return None
        assert isinstance(acquire, s.Stmt)
        following = _following(acquire)
        for index, statement in enumerate(following):
            if self._releases(statement, op):
                return _Stretch(acquire, following[:index], statement, None)
            if isinstance(statement, s.Try) and statement.final and not statement.is_star:
                if self._releases(statement.final[-1], op):
                    return _Stretch(acquire, following[:index], statement.final[-1], statement)
        return None

    def _releases(self, statement: s.Stmt, acquired: LockOp) -> bool:
        """Whether ``statement`` is nothing but the release of what ``acquired`` took, in the same words."""
        call = statement.value if isinstance(statement, s.ExprStmt) else None
        if not isinstance(call, s.Call) or call.args:
            return False
        return any(
            op.action is Action.RELEASE
            and _is_spelled_out(op)
            and op.place == acquired.place
            and _alike(op.receiver, acquired.receiver)
            for op in self._locks.uses.ops.get(call, ())
        )

    # ---- whether `with` means the same

    def _section(self, op: LockOp, stretch: _Stretch, dropped: Iterable[s.Stmt]) -> WithBlock | None:
        if not _is_plain(op.receiver):
            return None
        is_async = isinstance(op.call.parent, s.Await)
        if op.instance is not None and is_async is not (op.instance.type.api == "asyncio"):
            return None
        known = {stretch.release, *dropped}
        held = [*stretch.between, *([] if stretch.guard is None else [stretch.guard])]
        names = frozenset(_identifiers(op.receiver))
        for node in _inside(held, known):
            if _binds(node, names) or self._touches(node, op):
                return None
        is_own = any(isinstance(kind, LocalInstance) for kind in self._names.kinds(op.receiver))
        is_certain = op.instance is not None and not is_own
        return WithBlock(op, stretch.acquire, stretch.release, stretch.guard, tuple(dropped), is_async, is_certain)

    def _touches(self, node: s.Node, op: LockOp) -> bool:
        """Whether ``node`` does something to the lock, or gives it to somebody who may."""
        if isinstance(node, s.Call) and any(other.place == op.place for other in self._locks.uses.ops.get(node, ())):
            return True
        if not isinstance(node, (s.Name, s.Attribute, s.Subscript)) or self._names.place(node) != op.place:
            return False
        parent = node.parent
        if isinstance(parent, s.WithItem):
            return not op.is_reentrant
        if isinstance(parent, s.Attribute):
            is_called = isinstance(parent.parent, s.Call) and parent.parent.func is parent
            return not is_called or parent.attr in self._lock_methods
        return True

    def _locks_in(self, statements: Iterable[s.Stmt]) -> bool:
        return any(isinstance(node, s.Call) and node in self._locks.uses.ops for node in _inside(statements))


def _is_spelled_out(op: LockOp) -> bool:
    """Whether the call itself says which lock it is of, rather than a bound method or helper."""
    return op.direct and isinstance(op.call.func, s.Attribute) and op.call.func.value is op.receiver


def _call(statement: s.Node) -> s.Call | None:
    """The call that is all of ``statement``, awaited or not."""
    value = statement.value if isinstance(statement, s.ExprStmt) else None
    if isinstance(value, s.Await):
        value = value.value
    return value if isinstance(value, s.Call) else None


def _following(statement: s.Stmt) -> list[s.Stmt]:
    """The statements after ``statement`` in its block."""
    for name in ("body", "orelse", "final"):
        block = getattr(statement.parent, name, None)
        if isinstance(block, list) and statement in block:
            return block[block.index(statement) + 1 :]
    return []


def _inside(statements: Iterable[s.Stmt], left_out: Iterable[s.Node] = ()) -> Iterator[s.Node]:
    """The nodes of ``statements``, without those below ``left_out``."""
    skipped = {below for node in left_out for below in s.walk(node)}
    for statement in statements:
        for node in s.walk(statement):
            if node not in skipped:
                yield node


def _is_plain(receiver: s.Expr) -> bool:
    """Whether evaluating ``receiver`` once or twice makes no difference: names, attributes, plain subscripts."""
    while isinstance(receiver, (s.Attribute, s.Subscript)):
        if isinstance(receiver, s.Subscript) and not isinstance(receiver.index, (s.Name, s.Constant)):
            return False
        receiver = receiver.value
    return isinstance(receiver, s.Name)


def _identifiers(receiver: s.Expr) -> Iterator[str]:
    for node in s.walk(receiver):
        if isinstance(node, (s.Name, s.Attribute)):
            yield s.last_name(node)


def _alike(left: s.Expr, right: s.Expr) -> bool:
    """Whether two plain expressions are spelled alike."""
    if isinstance(left, s.Name) and isinstance(right, s.Name):
        return left.id == right.id
    if isinstance(left, s.Constant) and isinstance(right, s.Constant):
        return left.value == right.value
    if isinstance(left, s.Attribute) and isinstance(right, s.Attribute):
        return left.attr == right.attr and _alike(left.value, right.value)
    if isinstance(left, s.Subscript) and isinstance(right, s.Subscript):
        return _alike(left.value, right.value) and _alike(left.index, right.index)
    return False


def _binds(node: s.Node, names: frozenset[str]) -> bool:
    """Whether ``node`` gives one of ``names`` a new meaning, as a variable or as an attribute of anything."""
    targets: list[s.Expr] = []
    bound: list[str | None] = []
    if isinstance(node, (s.Assign, s.Delete)):
        targets += node.targets
    elif isinstance(node, s.WithItem):
        targets += [] if node.target is None else [node.target]
    elif isinstance(node, (s.AugAssign, s.For, s.Clause, s.NamedExpr)):
        targets.append(node.target)
    elif isinstance(node, (s.Handler, s.ClassDef)):
        bound.append(node.name)
    elif isinstance(node, s.FunctionDef):
        bound.append(node.function.name)
    elif isinstance(node, s.Case):
        bound += node.captures
    elif isinstance(node, (s.Import, s.ImportFrom)):
        bound += [alias or name.partition(".")[0] for name, alias in node.names]
    while targets:
        target = targets.pop()
        if isinstance(target, s.Display):
            targets += target.elements
        elif isinstance(target, s.Starred):
            targets.append(target.value)
        else:
            bound.append(s.last_name(target.value if isinstance(target, s.Subscript) else target))
    return not names.isdisjoint(name for name in bound if name)


def _jumps_out(statements: Iterable[s.Stmt]) -> set[s.Node]:
    """The ``return``, ``break`` and ``continue`` statements that lead out of ``statements``."""
    return {
        node
        for statement in statements
        for node in s.walk(statement, into_functions=False)
        if isinstance(node, s.Return)
        or (isinstance(node, (s.Break, s.Continue)) and not _loops_within(node, statement))
    }


def _loops_within(jump: s.Node, statement: s.Node) -> bool:
    """Whether the loop that ``jump`` belongs to is ``statement`` or lies in it."""
    node: s.Node | None = jump
    while node is not None:
        if isinstance(node.parent, (s.For, s.While)) and node in node.parent.body:
            return True if node.parent is statement else any(p is statement for p in s.ancestors(node.parent))
        if node is statement:
            return False
        node = node.parent
    return False


def _before_jump(release: s.Stmt, between: list[s.Stmt]) -> bool:
    """Whether right after ``release`` the section is left for good, and nothing runs on the way."""
    following = _following(release)
    way: list[s.Node] = [release]
    while way[-1] not in between:
        assert way[-1].parent is not None
        way.append(way[-1].parent)
    if not following or any(isinstance(node, (s.Try, s.With, s.Function)) for node in way):
        return False  # something would still run there, and with the lock held
    jump = following[0]
    if isinstance(jump, (s.Break, s.Continue)):
        return not _loops_within(jump, way[-1])
    if isinstance(jump, s.Return):
        return jump.value is None or not _works(jump.value)
    if isinstance(jump, s.Raise):
        made = jump.exc
        parts = [argument.value for argument in made.args] if isinstance(made, s.Call) else []
        return not any(_works(part) for part in parts)
    return False


def _works(expr: s.Expr) -> bool:
    """Whether evaluating ``expr`` may run other code (a property, say), which had better not hold the lock."""
    plain = (s.Name, s.Constant, s.Display, s.Not, s.BoolOp, s.Compare, s.IfExp)
    return any(not isinstance(node, plain) for node in s.walk(expr))

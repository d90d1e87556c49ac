"""How workers are started: never, or one only after the other has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from .expected import is_expected
from .flow import Flow
from .running import Worker
from .values import Use
from .worker_uses import WorkerUse, WorkerUses

_SETUP = frozenset({"setDaemon", "setName", "__init__"})
_WAITS = frozenset({"join", "is_alive", "isAlive", "cancel", "terminate", "kill", "close"})
_LOOKS = frozenset({"is_alive", "isAlive", "terminate", "kill"})
_MEASURES = frozenset({"builtins.len"})
_IDLE = (s.Pass, s.Import, s.ImportFrom, s.Scoping)


class InTurn(NamedTuple):
    """A worker of each round of a loop that is joined before the next round starts its own."""

    worker: Worker
    start: s.Call
    join: s.Call
    receiver: s.Expr


class WorkerStarts:
    """Answers for every worker of a module."""

    def __init__(self, flow: Flow, uses: WorkerUses) -> None:
        self._flow = flow
        self._names = flow.names
        self._uses = uses

    # ---- never started

    def never_started(self) -> Iterator[WorkerUse]:
        """The workers that nothing starts and that nobody is given who could."""
        for use in self._uses.all():
            if not use.is_started and self._is_only_here(use) and not is_expected(self._flow, use.worker.call):
                yield use

    def _is_only_here(self, use: WorkerUse) -> bool:
        call, home = use.worker.call, use.home
        if use.worker.subclass is not None and not self._uses.is_inert(use.worker.subclass):
            return False
        if home is not None and not self._is_private(home):
            return False
        if isinstance(home, s.Attribute) and self._names.is_of_shared_class(call):
            return False
        return all(self._is_harmless(one, home) for one in use.uses)

    def _is_private(self, home: s.Expr) -> bool:
        """Whether what ``home`` holds is for the code of this file only: a local variable, ``self._attribute``."""
        if isinstance(home, s.Name):
            found = self._names.scopes.lookup(home.id, home)
            return found is not None and isinstance(found[0].node, s.Function)
        place = self._names.handle(home)
        return (
            place is not None
            and place.root[0] == "self"
            and len(place.path) == 1
            and place.path[0].startswith("_")
            and not place.path[0].endswith("__")
        )

    def _is_harmless(self, use: Use, home: s.Expr | None) -> bool:
        """Whether a use neither starts the worker, nor gives it away, nor is what it was made for."""
        if use.kind == "method":
            return use.name in _SETUP or (use.name in _WAITS and isinstance(home, s.Attribute))
        if use.kind == "test":
            return isinstance(home, s.Attribute) or self._is_measure(use.node)
        if use.kind == "keep":
            return self._is_kept_here(use.node)
        if use.kind == "attribute":
            return isinstance(use.node.parent, s.ExprStmt)  # `thread.start`, without the call
        return use.kind in ("set", "dropped")

    def _is_measure(self, node: s.Node) -> bool:
        return isinstance(node, s.Call) and self._names.qualified(node.func) in _MEASURES

    def _is_kept_here(self, keeping: s.Node) -> bool:
        """Whether the container that holds it is a local variable."""
        container: s.Node | None = keeping
        if isinstance(keeping, s.Call) and isinstance(keeping.func, s.Attribute):
            container = keeping.func.value
        elif isinstance(keeping, s.Subscript):
            container = keeping.value
        else:
            while isinstance(container, (s.Expr, s.Argument)):
                container = container.parent
            container = container.targets[0] if isinstance(container, s.Assign) else None
        return isinstance(container, s.Name) and self._is_private(container)

    # ---- one after the other

    def in_turn(self) -> Iterator[InTurn]:
        """The workers of a loop that run one after the other."""
        for use in self._uses.all("thread", "process"):
            found = self._in_turn(use)
            if found is not None:
                yield found

    def _in_turn(self, use: WorkerUse) -> InTurn | None:
        for one in use.uses:
            if one.kind == "attribute" and one.name in ("exitcode", "sentinel"):
                return None
            if one.kind == "method" and one.name in _LOOKS:
                return None
        joins: dict[s.Node | None, list[Use]] = {}
        for join in use.calls("join"):
            joins.setdefault(s.statement_of(join.node).parent, []).append(join)
        around = set(s.ancestors(use.worker.call))
        for start in use.calls("start"):
            block = s.statement_of(start.node).parent
            if not isinstance(block, s.For) or not (block in around or _is_item(start, block)):
                continue
            for join in joins.get(block, ()):
                if self._is_waited_for_at_once(start, join, block) and not self._may_end_early(block):
                    if not self._is_repeated_test(use, block):
                        assert isinstance(start.node, s.Call)
                        assert isinstance(join.node, s.Call)
                        return InTurn(use.worker, start.node, join.node, start.origin)
        return None

    def _is_waited_for_at_once(self, start: Use, join: Use, loop: s.For) -> bool:
        """Whether the body of a loop starts a worker and, with nothing done in between, waits for it."""
        first, last = s.statement_of(start.node), s.statement_of(join.node)
        if loop.is_async or not has_several(loop.iter) or not isinstance(first, s.ExprStmt):
            return False
        if not (isinstance(last, s.ExprStmt) and last.value is join.node and isinstance(join.node, s.Call)):
            return False
        if join.node.args or first not in loop.body or last not in loop.body:
            return False
        place = self._names.place(start.origin)
        if place is None or place != self._names.place(join.origin):
            return False
        begin, end = loop.body.index(first), loop.body.index(last)
        return begin < end and self._are_idle(loop.body[begin + 1 : end])

    def _are_idle(self, statements: list[s.Stmt]) -> bool:
        """Whether statements only log, count or keep things."""
        for statement in statements:
            if isinstance(statement, _IDLE):
                continue
            if not isinstance(statement, (s.ExprStmt, s.Assign, s.AugAssign)):
                return False
            for node in s.walk(statement, into_functions=False):
                if isinstance(node, (s.Await, s.Yield)) or (isinstance(node, s.Call) and not self._is_idle(node)):
                    return False
        return True

    def _is_idle(self, call: s.Call) -> bool:
        catalog = self._names.catalog
        name = self._names.qualified(call.func)
        if name in catalog.calls["sleeps"]:
            return False
        if name in catalog.harmless_functions or self._flow.is_log_call(call):
            return True
        return isinstance(call.func, s.Attribute) and call.func.attr in catalog.harmless_methods

    @staticmethod
    def _is_repeated_test(use: WorkerUse, loop: s.For) -> bool:
        """Whether a test does the same several times over: one after the other is what it wants to see."""
        around = [parent for parent in s.ancestors(loop) if isinstance(parent, (s.Function, s.ClassDef))]
        if not any(_is_test(parent) for parent in around):
            return False
        targets = {node.id for node in s.walk(loop.target) if isinstance(node, s.Name)}
        read = {node.id for statement in loop.body for node in s.walk(statement) if isinstance(node, s.Name)}
        return loop in s.ancestors(use.worker.call) and targets.isdisjoint(read)

    def _may_end_early(self, loop: s.For) -> bool:
        """Whether a round may be the last, so that the next one is not to be started before: a retry, a search.

        So may one that asserts something of what its worker has done.
        """
        return any(
            isinstance(node, (s.Break, s.Return, s.Raise, s.Yield, s.Assert))
            or (isinstance(node, s.Call) and s.last_name(node.func).lower().startswith("assert"))
            for statement in loop.body
            for node in s.walk(statement, into_functions=False)
        )


def _is_item(start: Use, loop: s.For) -> bool:
    """Whether what is started is the item of the round."""
    item, target = start.origin, loop.target
    return isinstance(item, s.Name) and isinstance(target, s.Name) and item.id == target.id


def _is_test(node: s.Function | s.ClassDef) -> bool:
    """Whether it is a test function, or a class of them."""
    if isinstance(node, s.ClassDef):
        return any(isinstance(part, s.FunctionDef) and _is_test(part.function) for part in node.body)
    return node.name.startswith("test")


def has_several(items: s.Expr) -> bool:
    """Whether a loop over ``items`` may have more than one round."""
    if isinstance(items, s.Display):
        return len(items.elements) > 1
    if isinstance(items, s.Call) and s.last_name(items.func) == "range" and len(items.args) == 1:
        count = items.args[0].value
        return not (isinstance(count, s.Constant) and count.value in (0, 1))
    return True

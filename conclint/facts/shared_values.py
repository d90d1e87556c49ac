"""Numbers in shared memory that several processes change in two steps: read, then write."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from .calls import Calls
from .flow import Flow
from .objects import Objects, Tracked
from .running import Entry, Running

_PLACES = frozenset({"thread", "process", "pool task"})
_LOOPS = (s.For, s.While, s.Comprehension)
_DEEPEST = 6


class Update(NamedTuple):
    """A change of a shared number that another one may undo."""

    statement: s.AugAssign | s.Assign
    target: s.Expr
    made: s.Expr
    entry: Entry
    """The code that runs beside it, and that it is part of."""
    has_lock: bool


class SharedValues:
    """The shared numbers of a module and how they are changed."""

    def __init__(self, flow: Flow, calls: Calls, objects: Objects, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._calls = calls
        self._objects = objects
        self._running = running

    def unguarded(self) -> Iterator[Update]:
        """Every change that reads and writes without a lock, where others do the same at the same time."""
        for kind in ("shared_value", "shared_array"):
            for tracked in self._objects.made(kind):
                yield from self._of(tracked)

    def _of(self, tracked: Tracked) -> Iterator[Update]:
        changes = [change for expr in tracked.receivers for change in self._change(expr)]
        if not changes or tracked.made is None:
            return
        entered: dict[s.Node, list[Entry]] = {statement: self._entries_of(statement) for statement, _ in changes}
        entries = [entry for found in entered.values() for entry in found]
        starts = list(dict.fromkeys(start for entry in entries for start in self._starts(entry)))
        several = any(self._runs_often(start, tracked.made) for start in starts)
        if not several and not any(_beside(one, other) for one in starts for other in starts if one is not other):
            return
        seen: set[s.Node] = set()
        for statement, target in sorted(changes, key=lambda change: self._order[change[0]]):
            entries = entered[statement]
            if entries and statement not in seen and not self._is_guarded(statement, tracked):
                seen.add(statement)
                yield Update(statement, target, tracked.made, entries[0], self._has_lock(tracked))

    @cached_property
    def _order(self) -> dict[s.Node, int]:
        nodes = [*self._names.module.all(s.AugAssign), *self._names.module.all(s.Assign)]
        return {node: index for index, node in enumerate(nodes)}

    def _change(self, expr: s.Expr) -> Iterator[tuple[s.AugAssign | s.Assign, s.Expr]]:
        """The statement that reads and writes the number at ``expr``."""
        target = expr.parent
        if isinstance(target, s.Attribute):
            if target.attr != "value":
                return
        elif not isinstance(target, s.Subscript) or not isinstance(target.index, s.Constant):
            return  # an item of its own for each process is the way to do without a lock
        statement = target.parent
        if isinstance(statement, s.AugAssign) and statement.target is target:
            yield statement, target
        elif isinstance(statement, s.Assign) and statement.value is not None and target in statement.targets:
            place = self._names.place(target)
            for part in s.walk(statement.value):
                if isinstance(part, (s.Attribute, s.Subscript)) and place is not None:
                    if self._names.place(part) == place:
                        yield statement, target
                        return

    @staticmethod
    def _has_lock(tracked: Tracked) -> bool:
        made = tracked.made
        if not isinstance(made, s.Call) or tracked.instance is None:
            return False
        lock = made.keyword("lock")
        name = s.last_name(made.func)
        return not name.startswith("Raw") and not (isinstance(lock, s.Constant) and lock.value is False)

    # ---- who runs it

    def _entries_of(self, statement: s.Node) -> list[Entry]:
        """What runs in a worker and leads to ``statement``."""
        function = s.enclosing_function(statement)
        found: list[Entry] = []
        seen: set[s.Function] = set()
        work = [] if function is None else [(function, 0)]
        while work:
            current, depth = work.pop()
            if current in seen:
                continue
            seen.add(current)
            found += [entry for entry in self._by_function.get(current, ()) if entry.place in _PLACES]
            if depth < _DEEPEST:
                callers = (s.enclosing_function(site) for site in self._calls.to(current))
                work += [(caller, depth + 1) for caller in callers if caller is not None]
        return found

    @cached_property
    def _by_function(self) -> dict[s.Function, list[Entry]]:
        found: dict[s.Function, list[Entry]] = {}
        for entry in self._running.entries:
            found.setdefault(entry.function, []).append(entry)
        return found

    def _starts(self, entry: Entry) -> list[s.Node]:
        """The calls that hand it to workers."""
        if isinstance(entry.site, s.ClassDef):
            return [worker.call for worker in self._running.workers if worker.subclass is entry.site]
        return [entry.site]

    def _runs_often(self, start: s.Node, made: s.Expr) -> bool:
        """Whether several workers get the number: by ``pool.map()``, or in a loop that is not the one that makes it."""
        if isinstance(start, s.Call) and "map" in s.last_name(start.func):
            return True
        mine = set(s.ancestors(made))
        return any(isinstance(parent, _LOOPS) and parent not in mine for parent in _around(start))

    # ---- what guards it

    def _is_guarded(self, statement: s.Node, tracked: Tracked) -> bool:
        """Whether a lock is held: the number's own, or any other, here or by all who call."""
        function = s.enclosing_function(statement)
        if self._holds_lock(statement, tracked):
            return True
        callers = [] if function is None else self._calls.to(function)
        return bool(callers) and all(self._holds_lock(site, tracked) for site in callers)

    def _holds_lock(self, node: s.Node, tracked: Tracked) -> bool:
        function = s.enclosing_function(node)
        for parent in s.ancestors(node):
            if parent is function:
                break
            if isinstance(parent, s.With):
                for item in parent.items:
                    if item.context in tracked.receivers or self._is_lock(item.context):
                        return True
        scope = function or self._names.module
        for part in s.own_nodes(scope):  # taken by hand, be it on another path
            if isinstance(part, s.Call) and isinstance(part.func, s.Attribute):
                if part.func.attr in self._names.catalog.acquire_methods:
                    return True
        return False

    def _is_lock(self, context: s.Expr) -> bool:
        if self._flow.is_lock(context):
            return True
        func = context.func if isinstance(context, s.Call) else None
        return isinstance(func, s.Attribute) and (func.attr == "get_lock" or self._flow.is_lock(func))


def _around(node: s.Node) -> Iterator[s.Node]:
    """What ``node`` stands in, up to its function."""
    for parent in s.ancestors(node):
        if isinstance(parent, (s.Function, s.ClassDef)):
            return
        yield parent


def _beside(one: s.Node, other: s.Node) -> bool:
    """Whether one function starts both, and not one in place of the other."""
    if s.enclosing_function(one) is not s.enclosing_function(other):
        return False
    mine, others = {one, *_around(one)}, {other, *_around(other)}
    for fork in mine & others:
        if isinstance(fork, (s.If, s.Try, s.Match, s.IfExp)):
            branches = [child for child in s.children(fork) if child in mine or child in others]
            if isinstance(fork, (s.Match, s.IfExp)) or any(child in fork.orelse for child in branches):
                return False
    return True

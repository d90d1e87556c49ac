"""Queues that somebody waits for: which get their ``task_done()`` for every ``get()``, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Foreign, Instance, LocalClass, LocalInstance
from .flow import Flow
from .objects import Objects, Operation, Tracked
from .queue_items import Consumption, Items, enclosing_loops
from .queue_marks import Marks
from .quiet import Quiet
from .values import ValueFlow

_GETS = ("get", "get_nowait")
_ACCOUNTS = ("unfinished_tasks", "all_tasks_done", "shutdown")
"""Who touches these keeps the count by himself, or wakes those who wait for it."""
_PROTOCOL = frozenset({"get", "get_nowait", "put", "put_nowait", "join", "task_done"})
_DEEPEST_HELPER = 3


class NeverDone(NamedTuple):
    """A ``join()`` of a queue for which nobody calls ``task_done()``."""

    join: s.Call
    receiver: s.Expr
    get: s.Node
    """One of the calls that take items out of it."""


class Queues:
    """The queues of a module that have ``join()`` and ``task_done()``."""

    def __init__(self, flow: Flow, objects: Objects, values: ValueFlow) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._values = values
        self._quiet = Quiet(flow)

    @cached_property
    def tracked(self) -> list[Tracked]:
        """The queues made here, and those that come from elsewhere and have ``task_done()`` called on them."""
        found = [tracked for tracked in self._objects.made("queue") if self._is_joinable(tracked)]
        made = set().union(*(tracked.receivers for tracked in self._objects.made("queue")))
        places = {self._names.place(receiver) for receiver in made}
        for access in self._names.module.all(s.Attribute):
            if access.attr == "task_done" and access.value not in made and self._may_be_joinable(access.value):
                place = self._names.place(access.value)
                if place in places:  # one with so many uses that not all of them are followed
                    continue
                tracked = self._objects.at(access.value)
                if tracked is not None:
                    made |= tracked.receivers
                    places.add(place)
                    found.append(tracked)
        return found

    # ---- CNC204

    def unfinished(self) -> Iterator[Consumption]:
        """Each ``get()`` after which some path misses ``task_done()``, once."""
        seen: set[s.Expr] = set()
        for tracked in self.tracked:
            joins = [join for join in tracked.named("join") if not self._is_bounded(join)]
            if not tracked.named("task_done") or tracked.named(*_ACCOUNTS):
                continue
            if not joins and (tracked.made is not None or tracked.named("join")):
                continue
            marks = self._marks(tracked)
            gets = self._gets(tracked)
            taken = {get.where for get in gets}
            found = [self._unfinished(get, taken, joins, marks) for get in gets if get.node not in seen]
            missed = {consumption.get.where: consumption for consumption in found if consumption is not None}
            for consumption in missed.values():
                seen.add(consumption.get.node)
                passed = (move.step.node for move in consumption.path.moves)
                if not any(node in missed and node is not consumption.get.where for node in passed):
                    yield consumption  # else it is said of the one that comes later

    def _unfinished(
        self, get: Operation, gets: set[s.Node], joins: list[Operation], marks: Marks
    ) -> Consumption | None:
        scope = s.enclosing_scope(get.where)
        if not marks.within(scope) or not self._flow.affords(scope):
            return None
        items = Items(self._flow, self._quiet, scope, get, marks, gets)
        if not items.is_followed:
            return None
        if any(loop not in items.loops for done in marks.within(scope) for loop in enclosing_loops(done)):
            return None  # once for each item of a batch
        elsewhere = [join for join in joins if s.enclosing_scope(join.where) is not scope]
        join = next(iter([*elsewhere, *joins]), None)
        missed = items.missed(join, leaving_counts=bool(elsewhere))
        return None if missed is not None and join is None and self._may_be_done(missed, items) else missed

    def _may_be_done(self, missed: Consumption, items: Items) -> bool:
        """Whether a handler on the way gives the queue, what holds it, or the item to code that may account for it."""
        holders = {missed.get.receiver} | _bases(missed.get.receiver)
        places = {place for holder in holders if (place := self._names.place(holder)) is not None}
        handlers = {move.step.node for move in missed.path.moves if isinstance(move.step.node, s.Handler)}
        for call in (node for handler in handlers for node in s.walk(handler) if isinstance(node, s.Call)):
            if self._flow.is_log_call(call) or self._names.qualified(call.func) == "builtins.print":
                continue
            given = [argument.value for argument in call.args]
            receiver = call.func.value if isinstance(call.func, s.Attribute) else None
            if receiver is not None and (items.is_of_item(receiver) or self._names.place(receiver) in places):
                return True
            for part in (part for value in given for part in s.walk(value)):
                if isinstance(part, s.Name) and items.is_of_item(part):
                    return True
                if isinstance(part, (s.Name, s.Attribute)) and not isinstance(part.parent, s.Attribute):
                    if self._names.place(part) in places:
                        return True
        return False

    def _marks(self, tracked: Tracked) -> Marks:
        """What calls ``task_done()``: directly, or by naming a function that does."""
        direct = {operation.where for operation in tracked.named("task_done")}
        marks = Marks(self._names.module, direct)
        functions = {function for node in direct if (function := s.enclosing_function(node)) is not None}
        seen = set(functions)
        for _ in range(_DEEPEST_HELPER):
            callers: set[s.Function] = set()
            for function in functions:
                for mention in self._mentions(function):
                    caller = s.enclosing_function(mention)
                    if caller is not function:
                        marks.add(mention)
                        if caller is not None:
                            callers.add(caller)
            functions = callers - seen
            seen |= callers
        return marks

    def _mentions(self, function: s.Function) -> Iterator[s.Node]:
        if isinstance(function.parent, s.Lambda):
            yield function.parent
            return
        if self._names.owner(function) is None:
            for name in self._names.scopes.named(function.name):
                found = self._names.scopes.lookup(name.id, name)
                if found is not None and any(binding.node is function for binding in found[1]):
                    yield name
            return
        yield from self._values.attribute_reads(function.name)  # of whatever object

    def _gets(self, tracked: Tracked) -> list[Operation]:
        return [op for op in tracked.named(*_GETS) if op.call is None or _takes_item(op.call)]

    # ---- CNC205

    def never_done(self) -> Iterator[NeverDone]:
        """Each ``join()`` of a queue whose consumers are all in view, and none ever calls ``task_done()``."""
        answered = set().union(*(set(tracked.operations) for tracked in self.tracked))
        if any(access.attr == "task_done" and access not in answered for access in self._names.module.all(s.Attribute)):
            return
        for tracked in self.tracked:
            gets = self._gets(tracked)
            if tracked.escapes or not gets or tracked.named("task_done", *_ACCOUNTS) or self._is_of_others(tracked):
                continue
            for join in tracked.named("join"):
                if join.call is not None and not self._is_bounded(join):
                    yield NeverDone(join.call, join.receiver, gets[0].where)

    def _is_of_others(self, tracked: Tracked) -> bool:
        """Whether it is an attribute of a class with a base in another file, whose code may take items too."""
        for receiver in tracked.receivers:
            if isinstance(receiver, s.Attribute):
                for kind in self._names.kinds(receiver.value):
                    if isinstance(kind, (LocalInstance, LocalClass)) and self._names.is_open(kind.node):
                        return True
        return False

    # ---- which queues

    def _is_joinable(self, tracked: Tracked) -> bool:
        instance, made = tracked.instance, tracked.made
        if instance is None or instance.type.name not in self._names.catalog.joinable_queues:
            return False
        if not isinstance(made, s.Call):
            return True
        classes = [kind.node for kind in self._names.kinds(made.func) if isinstance(kind, LocalClass)]
        return not any(self._names.method(node, name) is not None for node in classes for name in _PROTOCOL)

    def _may_be_joinable(self, receiver: s.Expr) -> bool:
        kinds = self._names.kinds(receiver)
        for kind in kinds:
            if isinstance(kind, Instance):
                return kind.type.name in self._names.catalog.joinable_queues
        return not any(isinstance(kind, (Foreign, LocalInstance, LocalClass)) for kind in kinds)

    def _is_bounded(self, join: Operation) -> bool:
        """Whether the one who waits gives up after some time: ``wait_for(q.join(), 1)``."""
        return self._flow.is_limited(join.where, self._names.catalog.calls["awaiters"])


def _takes_item(call: s.Call) -> bool:
    """Whether a call of ``get()`` has the arguments of a queue's, not of a dict's."""
    first = call.positional(0)
    return first is None or (isinstance(first, s.Constant) and isinstance(first.value, bool))


def _bases(expr: s.Expr) -> set[s.Expr]:
    """What leads to ``expr``: ``a`` and ``a.b`` for ``a.b.c``."""
    found: set[s.Expr] = set()
    while isinstance(expr, s.Attribute):
        expr = expr.value
        found.add(expr)
    return found

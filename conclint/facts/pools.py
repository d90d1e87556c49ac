"""The pools of multiprocessing, of processes and of threads: whether they are closed, and what their end cuts off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Graph, Step, StepKind
from ..dataflow import explore
from .expected import is_expected_to_raise
from .flow import Flow
from .life_paths import home_of
from .objects import Objects, Operation, Tracked
from .values import Use, ValueFlow
from .waiting import Waiting

_KINDS = ("process_pool", "thread_pool")
_ENDS = ("close", "terminate", "__exit__")
_OTHERS = ("__enter__", "_terminate")
"""Who touches these has a way of his own."""
_KEPT = frozenset({"set", "keep", "test", "dropped"})
"""Uses of a result that do not wait for it."""


class Unclosed(NamedTuple):
    """A pool that nobody closes, or that is joined before somebody does."""

    made: s.Expr
    home: s.Expr | None
    """The name or attribute it is stored in."""
    join: s.Call | None
    """The ``join()`` that comes too early; ``None`` where there is none, and no ``close()`` either."""


class CutOff(NamedTuple):
    """A call whose work the ``with`` of its pool may terminate."""

    call: s.Call
    method: str
    item: s.WithItem
    """The pool's, in the ``with`` statement."""
    use: s.Node | None
    """Where the result is asked for too late."""


class _Open(IntEnum):
    NO = 0
    YES = 1


class _Closing:
    """Whether the pool of one variable is open."""

    def __init__(self, made: s.Expr, ends: set[s.Node]) -> None:
        self._made = made
        self._ends = ends

    def leave(self, step: Step, edge: Edge, state: _Open) -> Iterable[_Open]:
        if step.node is self._made:
            return (_Open.YES,)
        if step.node in self._ends and step.kind in (StepKind.CALL, StepKind.LEAVE):
            return (_Open.NO,)
        return (state,)

    def raised(self, step: Step, state: _Open) -> Iterable[_Open]:
        return (_Open.NO,) if step.node in self._ends else (state,)


class Pools:
    """The pools that a module makes."""

    def __init__(self, flow: Flow, objects: Objects, values: ValueFlow, waiting: Waiting) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._values = values
        self._waiting = waiting

    @cached_property
    def _tracked(self) -> list[Tracked]:
        return [tracked for kind in _KINDS for tracked in self._objects.made(kind)]

    # ---- CNC403

    def unclosed(self) -> Iterator[Unclosed]:
        """Every pool that is joined while it is open, or that nobody closes, terminates or gives to others."""
        for tracked in self._tracked:
            if tracked.made is None or tracked.escapes or tracked.named(*_OTHERS) or self._lives_on(tracked):
                continue
            home = home_of(tracked.made)
            if self._is_of_others(home) or is_expected_to_raise(self._names, tracked.made):
                continue
            entered = self._entered(tracked)
            ends = tracked.named(*_ENDS)
            join = next((join for join in tracked.named("join") if self._is_early(join, tracked, ends, entered)), None)
            if join is not None:
                yield Unclosed(tracked.made, join.receiver, join.call)
            elif not ends and not entered and not self._lives_as_long_as_the_program(tracked.made, home):
                yield Unclosed(tracked.made, home, None)

    def _is_of_others(self, home: s.Expr | None) -> bool:
        """Whether the pool is an attribute of an object that code in other files may close."""
        return isinstance(home, s.Attribute) and self._names.is_shared_attribute(home)

    def _lives_on(self, tracked: Tracked) -> bool:
        """Whether a function that may outlive the one which makes the pool holds it: a closure, or a partial."""
        made = tracked.made
        maker = None if made is None else s.enclosing_function(made)
        for receiver in tracked.receivers:
            call = receiver.parent.parent if isinstance(receiver.parent, s.Argument) else None
            if isinstance(call, s.Call) and self._names.is_call_of(call, self._names.catalog.calls["partials"]):
                return True
            if maker is not None and any(parent is maker for parent in s.ancestors(receiver)):
                if s.enclosing_function(receiver) is not maker:
                    return True
        return False

    def _lives_as_long_as_the_program(self, made: s.Expr, home: s.Expr | None) -> bool:
        """Whether a variable of the module or a class, or a default, holds it: the program terminates it at its end."""
        if isinstance(made.parent, s.Param):
            return True
        found = self._names.scopes.lookup(home.id, home) if isinstance(home, s.Name) else None
        return found is not None and not isinstance(found[0].node, s.Function)

    def _entered(self, tracked: Tracked) -> list[s.WithItem]:
        return [expr.parent for expr in tracked.receivers if isinstance(expr.parent, s.WithItem)]

    def _is_early(self, join: Operation, tracked: Tracked, ends: list[Operation], entered: list[s.WithItem]) -> bool:
        """Whether the pool is open on every way to ``join``."""
        made = tracked.made
        if join.call is None or made is None or is_expected_to_raise(self._names, join.call):
            return False
        scope = s.enclosing_scope(join.call)
        nodes: set[s.Node] = {*(end.where for end in ends), *entered}
        if any(end.call is None for end in ends) or any(s.enclosing_scope(node) is not scope for node in nodes):
            return False
        is_here = s.enclosing_scope(made) is scope
        if not is_here and not isinstance(join.receiver, s.Attribute):
            return False
        graph = self._flow.graph(scope)
        reached = explore(graph, _Open.NO if is_here else _Open.YES, _Closing(made, nodes))
        states = {state for step, state in reached.pairs() if step.node is join.call and step.kind is StepKind.CALL}
        return states == {_Open.YES}

    # ---- CNC404

    @cached_property
    def cut_off(self) -> dict[s.Call, CutOff]:
        """The asynchronous calls in the ``with`` of a pool that may be under way when it is left."""
        found: dict[s.Call, CutOff] = {}
        for tracked in self._tracked:
            for item in self._entered(tracked):
                block = item.parent
                if not isinstance(block, s.With) or self._is_seen_to(tracked, block):
                    continue
                for operation in tracked.named(*self._names.catalog.calls["pool_results"]):
                    call = operation.call
                    if call is not None and _is_in(call, block) and s.enclosing_scope(call) is s.enclosing_scope(block):
                        late = self._late(call, item, block)
                        if late is not None:
                            found[call] = CutOff(call, operation.name, item, late.node if late.kind != "none" else None)
        return found

    def _is_seen_to(self, tracked: Tracked, block: s.With) -> bool:
        """Whether the pool is joined inside ``block``, or somebody else may do so, or see that it is done."""
        joins = [join for join in tracked.named("join") if join.call is None or _is_in(join.where, block)]
        return bool(joins) or tracked.escapes or bool(tracked.named("_cache"))

    def _late(self, call: s.Call, item: s.WithItem, block: s.With) -> Use | None:
        """What asks for the result after the ``with``, a use of kind ``none`` if nothing does; ``None`` if all is well.

        Whatever waits for anything else before the end of the ``with`` may wait for the work too.
        """
        late = Use("none", "", call, call)
        uses = [*self._values.uses(call), *self._values.item_uses(call)]
        for use in uses:
            if use.kind in _KEPT:
                continue
            ends = isinstance(use.node, s.Return)
            if s.enclosing_scope(use.node) is not s.enclosing_scope(block) or (_is_in(use.node, block) and not ends):
                return None
            if late.kind == "none":
                late = use
        kept = {use.node for use in uses if use.kind == "keep"}
        for named in self._named(call):
            passed = named.parent
            if isinstance(passed, s.Argument) and passed.parent not in kept and _is_in(passed, block):
                return None
        graph = self._flow.graph(s.enclosing_scope(block))
        inside = _until(graph, call, item)
        if inside is None:
            return None
        for step in inside:
            if step.kind in (StepKind.AWAIT, StepKind.YIELD):
                return None
            if isinstance(step.node, s.Call) and step.kind is StepKind.CALL and self._may_wait(step.node):
                return None
        return late

    def _named(self, call: s.Call) -> Iterator[s.Expr]:
        """``call``, and the loads of the variable that its result is assigned to."""
        yield call
        home = home_of(call)
        found = self._names.scopes.lookup(home.id, home) if isinstance(home, s.Name) else None
        if found is not None and isinstance(home, s.Name):
            yield from self._values.loads(found[0], home.id)

    def _may_wait(self, call: s.Call) -> bool:
        if any(True for _ in self._waiting.at(call)):
            return True
        func = call.func
        methods = (methods for methods in self._names.catalog.waits.values())
        return isinstance(func, s.Attribute) and not self._names.kinds(func) and any(func.attr in m for m in methods)


def _is_in(node: s.Node, block: s.With) -> bool:
    return any(parent is block for parent in s.ancestors(node))


def _until(graph: Graph, call: s.Call, item: s.WithItem) -> list[Step] | None:
    """The steps that may come after ``call`` before ``item`` is left normally; ``None`` if it never is."""

    def is_inside(step: Step) -> bool:
        return step.kind is not StepKind.LEAVE or step.node is not item

    starts = (edge.target for step in graph.steps if step.node is call for edge in step.edges)
    found = [graph.steps[number] for number in graph.reachable(starts, is_inside)]
    is_left = any(not is_inside(step) and not step.exceptional for step in found)
    return list(filter(is_inside, found)) if is_left else None

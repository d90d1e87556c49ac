"""The graph's side: every trace that a walk over the steps of a graph gives.

The walk chooses the class of each exception where it is raised, and at a handler or a swallowing ``with`` takes
only the edges that are right for that class: what a class decides is looked up here, not asked of the code under
test. So the traces are exact, and edges that are never taken show where the graph allows more than Python.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from conclint import syntax as s
from conclint.cfg import Edge, Graph, Label, Level, Step, StepKind
from conclint.facts import Facts
from conclint.tree import parse

from . import CUT, FALLIBLE, Event, Trace

CALLS = frozenset({"step", "cond", "items", "manager", "value", "wait", "aitems", "amanager"})
BROAD = frozenset({"Exception", "BaseException"})


class Flying(NamedTuple):
    """An exception on its way. ``typed``: a handler of some narrower class has been asked about it."""

    cls: type[BaseException]
    typed: bool = False


class State(NamedTuple):
    """Where a walk is. ``flying`` is a stack: what a ``finally`` holds back lies below what it raises itself."""

    step: int
    trace: Trace
    flying: tuple[Flying, ...]
    caught: tuple[tuple[int, Flying], ...]
    """What handlers that may raise it again have caught."""
    cond: int | None = None
    """The ``cond()`` whose result waits for its branch."""


@dataclass
class Walk:
    """What a walk found."""

    traces: set[Trace] = field(default_factory=set)
    spare: set[tuple[int, Edge]] = field(default_factory=set)
    """Edges out of a decision that no exception arriving there could take."""
    excused: set[tuple[int, Edge]] = field(default_factory=set)
    """The same where the graph cannot know: what arrives there was asked about by a narrower handler before."""
    mislabelled: set[tuple[int, Edge]] = field(default_factory=set)
    """Edges of what is no Exception that one took."""


def graphs(source: str) -> list[Graph]:
    """The graphs of the functions at the top level of ``source``."""
    module = parse(source).module
    flow = Facts(module).flow
    return [flow.graph(node.function) for node in module.body if isinstance(node, s.FunctionDef)]


def walked(graph: Graph, limit: int, classes: Sequence[type[BaseException]]) -> Walk:
    """Every trace of at most ``limit`` events."""
    return _Walker(graph, limit, classes).walk()


class _Walker:
    def __init__(self, graph: Graph, limit: int, classes: Sequence[type[BaseException]]) -> None:
        self._graph = graph
        self._result = Walk()
        self._limit = limit
        self._classes = classes
        self._events = {step.id: event_of(step) for step in graph.steps}
        self._decides: dict[int, set[bool]] = {}
        self._taken: set[tuple[int, Edge]] = set()
        self._rethrowing = {id(handler) for handler in _rethrowing_handlers(graph.scope)}

    def walk(self) -> Walk:
        result = self._result
        seen: set[State] = set()
        stack = [State(self._graph.entry, (), (), ())]
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            if state.step in (self._graph.exit, self._graph.raise_exit):
                raised = state.step == self._graph.raise_exit
                top = state.flying[-1].cls.__name__ if state.flying else "nothing"
                result.traces.add((*state.trace, ("left", 0, top if raised else "return")))
                continue
            for after in self._moves(self._graph.steps[state.step], state):
                if len(after.trace) > self._limit:
                    result.traces.add((*after.trace[: self._limit], CUT))
                else:
                    stack.append(after)
        for number, typed in self._decides.items():
            for edge in self._graph.steps[number].edges:
                if (number, edge) not in self._taken:
                    (result.excused if True in typed else result.spare).add((number, edge))
        return result

    def _moves(self, step: Step, state: State) -> Iterator[State]:
        if step.kind is StepKind.RAISE or (step.kind is StepKind.CALL and not step.edges):
            if step.level >= Level.LIKELY:
                yield self._raise(step, state, self._thrown(step, state))
            return
        if step.kind is StepKind.DISPATCH or (step.kind is StepKind.LEAVE and step.exceptional):
            yield from self._decide(step, state)
            return
        event = self._events[step.id]
        if step.kind is StepKind.LEAVE and event is not None:
            state = self._told(state, (*event, "normal"))
            event = ("aleft", event[1]) if step.level >= Level.LIKELY else None
        if event is not None:
            kind, number = event
            if kind in FALLIBLE and step.level >= Level.LIKELY and step.exc is not None:
                for cls in self._classes:
                    yield self._raise(step, self._told(state, (kind, number, cls.__name__)), Flying(cls))
            if kind == "cond":
                state = state._replace(cond=number)
            elif kind != "next":
                state = self._told(state, (kind, number, "ok"))
        for edge in step.edges:
            after = state._replace(step=edge.target)
            if edge.label in (Label.TRUE, Label.FALSE):
                if event is not None and event[0] == "next":
                    after = self._told(after, ("next", event[1], edge.label.value))
                elif state.cond is not None:
                    after = self._told(after, ("cond", state.cond, edge.label.value))._replace(cond=None)
            yield after

    @staticmethod
    def _told(state: State, event: Event) -> State:
        return state._replace(trace=(*state.trace, event))

    @staticmethod
    def _raise(step: Step, state: State, flying: Flying) -> State:
        assert step.exc is not None, f"a step that raises has no place to go: {step.kind}"
        return state._replace(step=step.exc, flying=(*state.flying, flying), cond=None)

    def _thrown(self, step: Step, state: State) -> Flying:
        node = step.node
        if isinstance(node, s.Assert):
            return Flying(AssertionError)
        if isinstance(node, s.Call):
            return Flying(SystemExit)
        assert isinstance(node, s.Raise)
        named = node.exc.func if isinstance(node.exc, s.Call) else node.exc
        if isinstance(named, s.Name):
            cls = getattr(builtins, named.id, None)
            if isinstance(cls, type):
                return Flying(cls)
        handler = next(parent for parent in s.ancestors(node) if isinstance(parent, s.Handler))
        return dict(state.caught).get(id(handler), Flying(BaseException))

    # ---- where the class decides

    def _decide(self, step: Step, state: State) -> Iterator[State]:
        """Past the handlers of a ``try``, or out of a ``with``, by an exception."""
        if step.kind is StepKind.LEAVE and (event := self._events[step.id]) is not None:
            state = self._told(state, (*event, "raised"))
            if step.level >= Level.LIKELY:
                for cls in self._classes:
                    yield self._raise(step, self._told(state, ("aleft", event[1], cls.__name__)), Flying(cls))
                state = self._told(state, ("aleft", event[1], "ok"))
        if not state.flying:  # the graph confuses ways of leaving, which ends in traces that do not exist
            yield from (state._replace(step=edge.target) for edge in step.edges)
            return
        top = state.flying[-1]
        self._decides.setdefault(step.id, set()).add(top.typed)
        handlers = self._handlers(step)
        for edge in step.edges:
            after = self._follow(step, edge, state, handlers)
            if after is not None:
                self._taken.add((step.id, edge))
                yield after

    def _follow(self, step: Step, edge: Edge, state: State, handlers: list[tuple[s.Node, list[str]]]) -> State | None:
        below, top = state.flying[:-1], state.flying[-1]
        catcher = next((node for node, names in handlers if _catches(names, top.cls)), None)
        typed = top.typed or any(not _is_broad(names) for _, names in handlers)
        after = state._replace(step=edge.target)
        if step.kind is StepKind.DISPATCH and edge.label is Label.EXCEPTION:
            target = self._graph.steps[edge.target]
            if target.node is not catcher:
                return None
            caught = dict(state.caught)
            if id(catcher) in self._rethrowing:
                caught[id(catcher)] = top._replace(typed=typed)
            return after._replace(flying=below, caught=tuple(caught.items()))
        if step.kind is StepKind.LEAVE and edge.label is Label.NEXT:
            if catcher is not None:
                return after._replace(flying=below)
            leaves = not any(other.label is not Label.NEXT for other in step.edges)
            return after if leaves else None
        if catcher is not None:
            return None
        if edge.label is Label.UNCAUGHT_BASE and issubclass(top.cls, Exception):
            self._result.mislabelled.add((step.id, edge))
        return after._replace(flying=(*below, top._replace(typed=typed)))

    @staticmethod
    def _handlers(step: Step) -> list[tuple[s.Node, list[str]]]:
        if isinstance(step.node, s.Handler):
            assert isinstance(step.node.parent, s.Try)
            return [(handler, class_names(handler.type)) for handler in step.node.parent.handlers]
        assert isinstance(step.node, s.WithItem)
        context = step.node.context
        if isinstance(context, s.Call) and _called(context) == "suppress":
            return [(step.node, [name for argument in context.args for name in class_names(argument.value)])]
        return []


def _rethrowing_handlers(scope: s.Scope) -> Iterator[s.Handler]:
    for node in s.walk(scope):
        if isinstance(node, s.Raise):
            yield from (parent for parent in s.ancestors(node) if isinstance(parent, s.Handler))


def class_names(handler_type: s.Expr | None) -> list[str]:
    """The classes that ``except`` names."""
    if handler_type is None:
        return ["BaseException"]
    if isinstance(handler_type, s.Display):
        return [name for element in handler_type.elements for name in class_names(element)]
    assert isinstance(handler_type, s.Name)
    return [handler_type.id]


def _catches(names: list[str], cls: type[BaseException]) -> bool:
    return any(issubclass(cls, getattr(builtins, name)) for name in names)


def _is_broad(names: list[str]) -> bool:
    return BROAD.issuperset(names)


def _called(call: s.Call) -> str:
    return call.func.id if isinstance(call.func, s.Name) else ""


def event_of(step: Step) -> tuple[str, int] | None:
    """What an execution would record of a step: the event and its number."""
    node = step.node
    if step.kind is StepKind.CALL and isinstance(node, s.Call):
        return (_called(node), _number(node)) if _called(node) in CALLS else None
    if step.kind is StepKind.ITERATE and isinstance(node, (s.For, s.Clause)):
        return "next", _number(node.iter)
    if step.kind in (StepKind.ENTER, StepKind.LEAVE) and isinstance(node, s.WithItem):
        called = _called(node.context) if isinstance(node.context, s.Call) else ""
        if called == "amanager" and step.kind is StepKind.ENTER:
            return "aenter", _number(node.context)
        return (step.kind.value, _number(node.context)) if called in ("manager", "amanager") else None
    if step.kind is StepKind.AWAIT and isinstance(node, s.Await):
        return "await", _number(node.value)
    if step.kind is StepKind.YIELD:
        return "yield", 0
    if step.kind is StepKind.EVAL and step.level >= Level.LIKELY:
        return ("div" if isinstance(node, s.Operation) else "get"), 0
    if step.kind is StepKind.BIND and step.level >= Level.LIKELY:
        return ("del" if isinstance(node, s.Delete) else "set"), 0
    return None


def _number(call: s.Expr) -> int:
    assert isinstance(call, s.Call)
    first = call.args[0].value
    assert isinstance(first, s.Constant)
    assert isinstance(first.value, int)
    return first.value

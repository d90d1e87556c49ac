"""Workers that a constructor starts before the object is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..catalog import words_of
from ..cfg import Graph, Step, StepKind
from .flow import Flow
from .running import WORKERS, Running, Worker

_DEEPEST_CALL = 4
_ENOUGH = 1.0
"""Seconds that no constructor takes."""
_WAITS = frozenset({"wait", "wait_for", "get", "acquire", "recv", "accept", "select", "poll", "join", "sleep"})
_DEFAULTED = frozenset({"builtins.getattr", "builtins.hasattr", "builtins.setattr"})


class Unready(NamedTuple):
    """A worker started in a constructor, and an attribute that it reads and that is assigned only afterwards."""

    start: s.Call
    entry: s.Function
    read: s.Attribute
    assigned: s.Node


class WorkerReadiness:
    """Answers for every class of a module."""

    def __init__(self, flow: Flow, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._workers = {worker.call: worker for worker in running.workers}
        self._running = running
        self._started: dict[tuple[s.Function, s.ClassDef], list[tuple[Step, s.Function]]] = {}

    def unready(self) -> Iterator[Unready]:
        """The starts in constructors that are too early, each with the first attribute that shows it."""
        told: set[tuple[s.Call, str]] = set()
        for node in self._names.module.classes:
            constructor = self._names.method(node, "__init__")
            if constructor is None or self._names.owner(constructor) is not node:
                continue
            for step, entry in self._starts(constructor, node, 0):
                assert isinstance(step.node, s.Call)
                found = self._first_unready(constructor, node, step, entry)
                if found is not None and (step.node, found.read.attr) not in told:
                    told.add((step.node, found.read.attr))
                    yield found

    def _first_unready(
        self, constructor: s.Function, node: s.ClassDef, start: Step, entry: s.Function
    ) -> Unready | None:
        graph = self._flow.graph(constructor)
        later = self._assigned_after(graph, start, node)
        if not later:
            return None
        reads = self._reads(entry, node)
        for attr, statement in later.items():
            read = reads.get(attr)
            if read is not None and isinstance(start.node, s.Call):
                return Unready(start.node, entry, read, statement)
        return None

    # ---- what a constructor starts

    def _starts(self, function: s.Function, node: s.ClassDef, deep: int) -> list[tuple[Step, s.Function]]:
        """The steps of a method of ``node`` that start code of the same object, and that code."""
        known = self._started.get((function, node))
        if known is None:
            found: list[tuple[Step, s.Function]] = []
            self._started[function, node] = found  # for recursion
            graph = self._flow.graph(function)
            for step in graph.steps:
                if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
                    found += [(step, entry) for entry in self._started_by(step.node, node, deep)]
            known = self._started[function, node] = found
        return known

    def _started_by(self, call: s.Call, node: s.ClassDef, deep: int) -> list[s.Function]:
        func = call.func
        if not isinstance(func, s.Attribute):
            return []
        own = self._is_self(func.value)
        if func.attr == "start" and own:
            base = self._names.api_base(node)
            run = self._names.method(node, "run")
            if base is not None and base.type.kind in WORKERS and self._names.method(node, "start") is None:
                return [] if run is None else [run]
        if func.attr == "start" and not own:
            return self._target_of(func.value, node)
        helper = None
        if own:
            helper = self._names.method(node, func.attr)
        elif isinstance(func.value, s.Call) and self._names.qualified(func.value.func) == "builtins.super":
            found = self._names.functions(func)
            helper = found[0] if len(found) == 1 else None
        if helper is None or deep >= _DEEPEST_CALL or helper.is_async or helper.is_generator or helper.decorators:
            return []
        graph = self._flow.graph(helper)
        return [entry for step, entry in self._starts(helper, node, deep + 1) if _always_comes_to(graph, step)]

    def _target_of(self, expr: s.Expr, node: s.ClassDef) -> list[s.Function]:
        """The method of the same object that the worker ``expr`` runs."""
        instance = self._names.instance(expr)
        made = None if instance is None else instance.made_at
        worker: Worker | None = self._workers.get(made) if isinstance(made, s.Call) else None
        if worker is None or worker.subclass is not None or _gives_time(worker):
            return []
        target = self._running.target_of(worker.call, worker.instance)
        if not isinstance(target, s.Attribute) or not self._is_self(target.value):
            return []
        method = self._names.method(node, target.attr)
        return [] if method is None else [method]

    def _is_self(self, expr: s.Expr) -> bool:
        return isinstance(expr, s.Name) and self._names.self_of(expr) is not None

    # ---- what it assigns too late

    def _assigned_after(self, graph: Graph, start: Step, node: s.ClassDef) -> dict[str, s.Node]:
        """The attributes that the object first gets after ``start``, and where."""
        before = self._assigned_before(graph, start, node)
        after: dict[str, s.Node] = {}
        for number in graph.reachable([start.id])[1:]:
            step = graph.steps[number]
            attr = self._bound(step)
            if attr is not None and attr not in before and not self._is_on_class(node, attr):
                after.setdefault(attr, step.node)
        return after

    def _assigned_before(self, graph: Graph, start: Step, node: s.ClassDef) -> set[str]:
        leads: dict[int, list[int]] = {}
        for step in graph.steps:
            for edge in step.edges:
                leads.setdefault(edge.target, []).append(step.id)
        seen = {start.id}
        work = [start.id]
        while work:
            for other in leads.get(work.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    work.append(other)
        assigned: set[str] = set()
        for number in seen:
            step = graph.steps[number]
            attr = self._bound(step)
            if attr is not None:
                assigned.add(attr)
            elif step.kind is StepKind.CALL and isinstance(step.node, s.Call):
                for callee in self._own_callees(step.node, node):
                    assigned |= self._assigns(callee, node, {callee})
        return assigned

    def _assigns(self, function: s.Function, node: s.ClassDef, seen: set[s.Function]) -> set[str]:
        """The attributes of the object that a method assigns, through the methods it calls too."""
        out: set[str] = set()
        for inner in s.own_nodes(function):
            if isinstance(inner, s.Attribute) and self._is_self(inner.value) and _is_bound(inner):
                out.add(inner.attr)
            elif isinstance(inner, s.Call):
                for callee in self._own_callees(inner, node):
                    if callee not in seen:
                        seen.add(callee)
                        out |= self._assigns(callee, node, seen)
        return out

    def _own_callees(self, call: s.Call, node: s.ClassDef) -> list[s.Function]:
        """The methods that ``call`` runs on the same object."""
        func = call.func
        if isinstance(func, s.Attribute):
            if self._is_self(func.value):
                method = self._names.method(node, func.attr)
                return [] if method is None else [method]
            if func.attr == "__init__" or isinstance(func.value, s.Call):
                return [f for f in self._names.functions(func) if self._names.owner(f) is not None]
        return []

    def _bound(self, step: Step) -> str | None:
        target = step.target
        if step.kind is StepKind.BIND and isinstance(target, s.Attribute) and self._is_self(target.value):
            return target.attr
        return None

    def _is_on_class(self, node: s.ClassDef, attr: str) -> bool:
        """Whether the class itself has the attribute: a default, a method, a property."""
        return any(attr in self._names.scopes.info(info.node).bindings for info in self._names.mro(node))

    # ---- what the worker reads

    def _reads(self, entry: s.Function, node: s.ClassDef) -> dict[str, s.Attribute]:
        """The attributes of the object that ``entry`` reads before it waits for anything, and never assigns."""
        found: dict[str, s.Attribute] = {}
        assigned = self._assigns(entry, node, {entry})
        work = [entry]
        for function in work:  # which grows
            graph = self._flow.graph(function)
            for number in sorted(self._before_waiting(graph)):
                step = graph.steps[number]
                for inner in _evaluated(step):
                    if isinstance(inner, s.Attribute) and self._is_self(inner.value) and not _is_bound(inner):
                        if inner.attr not in assigned and not self._is_optional(inner, function):
                            found.setdefault(inner.attr, inner)
                if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
                    callees = self._own_callees(step.node, node)
                    work += [callee for callee in callees if callee not in work and not callee.decorators]
        return found

    def _before_waiting(self, graph: Graph) -> set[int]:
        """The steps that are reached with nothing waited for on the way."""
        return set(graph.reachable([graph.entry], lambda step: not self._waits(step)))

    def _waits(self, step: Step) -> bool:
        node = step.node
        if step.kind is StepKind.ENTER and isinstance(node, s.WithItem):
            return self._flow.is_lock(node.context)
        if step.kind is not StepKind.CALL or not isinstance(node, s.Call):
            return False
        functions = [callee for callee in self._names.functions(node.func) if not callee.is_generator]
        return self._is_wait(node) or any(
            isinstance(inner, s.Call) and self._is_wait(inner) for callee in functions for inner in s.own_nodes(callee)
        )

    def _is_wait(self, call: s.Call) -> bool:
        """Whether a call waits: for another thread, for the network, for time to pass."""
        name = s.last_name(call.func)
        if any(_is_timeout(argument) for argument in call.args):
            return True
        if name not in _WAITS or self._names.functions(call.func):
            return False
        first = call.positional(0)
        if name == "get":  # of a queue, not of a dict
            return first is None or (isinstance(first, s.Constant) and not isinstance(first.value, str))
        if name == "join":  # of a worker or a queue, not of strings
            return first is None or (isinstance(first, s.Constant) and not isinstance(first.value, str))
        return True

    def _is_optional(self, read: s.Attribute, function: s.Function) -> bool:
        """Whether the code reckons with the attribute not being there."""
        for node in s.own_nodes(function):
            if isinstance(node, s.Call) and self._names.qualified(node.func) in _DEFAULTED:
                name = node.positional(1)
                if isinstance(name, s.Constant) and name.value == read.attr:
                    return True
        for parent in s.ancestors(read):
            if parent is function:
                break
            if isinstance(parent, s.Try) and any(
                "AttributeError" in self._flow.classes.handled(handler.type) for handler in parent.handlers
            ):
                return True
        return False


def _is_timeout(argument: s.Argument) -> bool:
    """Whether an argument says how long the call may wait."""
    return "timeout" in words_of(argument.keyword or s.last_name(argument.value))


def _evaluated(step: Step) -> Iterator[s.Node]:
    """The expressions that are evaluated with the step."""
    for part in (step.node, step.value):
        if isinstance(part, s.Expr):
            yield from s.walk(part, into_functions=False)


def _is_bound(access: s.Attribute) -> bool:
    child: s.Node = access
    parent = access.parent
    while isinstance(parent, (s.Display, s.Starred)):
        child, parent = parent, parent.parent
    if isinstance(parent, s.Assign):
        return any(target is child for target in parent.targets)
    return isinstance(parent, (s.For, s.Clause, s.NamedExpr, s.WithItem)) and parent.target is child


def _always_comes_to(graph: Graph, step: Step) -> bool:
    """Whether every normal path through the function takes ``step``."""
    return graph.exit not in graph.reachable([graph.entry], lambda other: other.node is not step.node)


def _gives_time(worker: Worker) -> bool:
    """Whether it is a timer that lets any constructor end before it runs."""
    interval = worker.call.argument(0, "interval") if worker.kind == "timer" else None
    value = interval.value if isinstance(interval, s.Constant) else None
    return isinstance(value, (int, float)) and value >= _ENOUGH

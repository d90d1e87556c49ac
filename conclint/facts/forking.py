"""Copies of a process that is running threads: ``os.fork()``, fork contexts, and ``preexec_fn``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import explore
from ..kinds import ApiMethod, External, Kind
from .calls import Calls
from .flow import Flow
from .running import Running

_DEEPEST = 8


class Fork(NamedTuple):
    """A copy of the process that is made while other threads run."""

    call: s.Call
    thread: s.Node
    """What starts a thread before it; the call that hands this code to one, where it runs in one itself."""
    in_thread: bool
    preexec: s.Expr | None


class _Transfer:
    """Follows the last start of a thread that nobody has joined since."""

    def __init__(self, forking: Forking) -> None:
        self._forking = forking

    def leave(self, step: Step, edge: Edge, state: s.Node | None) -> Iterable[s.Node | None]:
        node = step.node
        if step.kind is StepKind.ITERATE and isinstance(node, s.For):
            if any(isinstance(part, s.Call) and self._forking.joins(part) for part in s.walk(node)):
                return (None,)  # a loop that joins them all goes round as often as there are any
        elif step.kind is StepKind.CALL and isinstance(node, s.Call):
            if self._forking.starts(node):
                return (node,)
            if self._forking.joins(node):
                return (None,)
        return (state,)

    def raised(self, step: Step, state: s.Node | None) -> Iterable[s.Node | None]:
        return ()


class Forking:
    """The forks of a module, and the threads that run beside them."""

    def __init__(self, flow: Flow, calls: Calls, running: Running) -> None:
        self._flow = flow
        self._names = flow.names
        self._calls = calls
        self._running = running
        self._leaving: dict[s.Function, bool] = {}

    def with_threads(self) -> Iterator[Fork]:
        """Every fork of Python code on a path on which a thread has been started and not joined."""
        forks = [call for call in self._names.module.all(s.Call) if self._forks(call)]
        for scope in dict.fromkeys(map(s.enclosing_scope, forks)):
            if any(self._execs(node) for node in s.own_nodes(scope)):
                continue
            for call, thread in self._reached(scope, [call for call in forks if s.enclosing_scope(call) is scope]):
                yield Fork(call, thread, False, None)

    def preexec(self) -> Iterator[Fork]:
        """Every ``preexec_fn=`` of a program that certainly has other threads by then."""
        wanted = self._names.catalog.children["runs_before_exec"]
        given = [call for call in self._names.module.all(s.Call) if call.keyword("preexec_fn") is not None]
        for call in given:
            function = call.keyword("preexec_fn")
            if function is None or isinstance(function, (s.Constant, s.IfExp, s.BoolOp)):
                continue
            if isinstance(function, s.Name) and self._is_optional(function):
                continue
            if self._names.qualified(call.func) not in wanted:
                continue
            scope = s.enclosing_scope(call)
            thread = self._thread_around(scope)
            if thread is not None:
                yield Fork(call, thread, True, function)
                continue
            before = next((thread for _, thread in self._reached(scope, [call])), None)
            thread = before or next((start for start in self._all_starts if self._is_elsewhere(start, scope)), None)
            if thread is not None:
                yield Fork(call, thread, False, function)

    def _is_optional(self, name: s.Name) -> bool:
        """Whether a name may be ``None``, or anything that a caller chooses."""
        found = self._names.scopes.lookup(name.id, name)
        values = () if found is None else [binding.value for binding in found[1]]
        return not self._names.functions(name) or any(isinstance(value, s.Constant) for value in values)

    def _reached(self, scope: s.Scope, wanted: list[s.Call]) -> Iterator[tuple[s.Call, s.Node]]:
        if not self._flow.affords(scope):
            return
        reached = explore(self._flow.graph(scope), None, _Transfer(self), ())
        seen: set[s.Node] = set()
        for step, state in reached.pairs():
            if step.kind is StepKind.CALL and state is not None and step.node in wanted and step.node not in seen:
                seen.add(step.node)
                assert isinstance(step.node, s.Call)
                yield step.node, state

    # ---- threads

    def starts(self, call: s.Call) -> bool:
        """Whether a thread runs after ``call`` that did not before."""
        return self._starts_itself(call) or any(map(self._leaves_threads, self._calls.run_by(call)))

    def joins(self, call: s.Call) -> bool:
        """Whether ``call`` waits for a thread, or may: after it nothing is certain."""
        if isinstance(call.func, s.Attribute) and call.func.attr in ("join", "cancel"):
            return not isinstance(call.func.value, s.Constant)
        return any(
            isinstance(node, s.Attribute) and node.attr in ("join", "cancel")
            for function in self._calls.run_by(call)
            for node in s.own_nodes(function)
        )

    def _starts_itself(self, call: s.Call) -> bool:
        kinds = self._names.kinds(call.func)
        return bool(kinds) and all(map(self._is_start_of_thread, kinds))

    def _is_start_of_thread(self, kind: Kind) -> bool:
        if isinstance(kind, ApiMethod) and kind.name == "start":
            return kind.receiver.type.kind in ("thread", "timer")
        if isinstance(kind, External):
            return any(runs.place == "thread" for runs in self._names.catalog.runs.get(kind.name, ()))
        return False

    def _leaves_threads(self, function: s.Function) -> bool:
        known = self._leaving.get(function)
        if known is None:
            self._leaving[function] = False  # for recursion
            known = False
            if any(isinstance(node, s.Call) and self.starts(node) for node in s.own_nodes(function)):
                graph = self._flow.graph(function)
                reached = explore(graph, None, _Transfer(self), ())
                states = reached.at(graph.exit)
                known = bool(states) and None not in states
            self._leaving[function] = known
        return known

    @cached_property
    def _all_starts(self) -> list[s.Call]:
        return [call for call in self._names.module.all(s.Call) if self._starts_itself(call)]

    def _is_elsewhere(self, start: s.Call, scope: s.Scope) -> bool:
        """Whether a thread is started, and left running, by code that need not run after what ``scope`` does first."""
        function = s.enclosing_function(start)
        if function is scope or function is None or not self._leaves_threads(function):
            return False
        sites = self._calls.to(function)
        return not sites or any(s.enclosing_scope(site) is not scope for site in sites)

    def _thread_around(self, scope: s.Scope) -> s.Node | None:
        """What hands ``scope``, or one of its callers, to a thread."""
        seen: set[s.Scope] = set()
        work = [(scope, 0)]
        while work:
            current, depth = work.pop()
            if current in seen or not isinstance(current, s.Function) or depth > _DEEPEST:
                continue
            seen.add(current)
            for entry in self._running.entries:
                if entry.function is current and entry.place == "thread":
                    return entry.site
            work += [(s.enclosing_scope(site), depth + 1) for site in self._calls.to(current)]
        return None

    # ---- forks

    def remedy(self, preexec: s.Expr) -> str:
        """The argument that does what the function does, in words."""
        instead = self._names.catalog.preexec_instead.get(self._names.qualified(preexec) or "")
        return "" if instead is None else f"; `{instead}` does the same safely"

    def _forks(self, call: s.Call) -> bool:
        kinds = self._names.kinds(call.func)
        return bool(kinds) and all(map(self._is_fork, kinds))

    def _is_fork(self, kind: Kind) -> bool:
        if isinstance(kind, External):
            if kind.name in self._names.catalog.calls["forks"]:
                return True
            api_type = self._names.catalog.made_by.get(kind.name)
            return api_type is not None and api_type.kind == "process_pool" and kind.start_method == "fork"
        if isinstance(kind, ApiMethod) and kind.receiver.type.kind == "process":
            receiver = kind.receiver
            return kind.name == "start" and "fork" in (receiver.start_method, receiver.type.start_method)
        return False

    def _execs(self, node: s.Node) -> bool:
        """Whether the child becomes another program."""
        return isinstance(node, s.Expr) and self._names.is_call_of(node, self._names.catalog.calls["execs"])

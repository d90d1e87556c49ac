"""How child programs end: those that outlive a timeout, and those that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import LIKELY, explore
from ..kinds import LocalInstance, Place
from .calls import Calls
from .child_pipes import says_ended
from .children import KINDS, Child, Children
from .conditions import Conditions, Known
from .values import Use
from .witness import Witness

_WAITS = frozenset({"wait", "communicate"})
_STOPS = frozenset({"terminate", "kill", "send_signal"})
_UNENDED = frozenset({"returncode", "args", "stdin", "stdout", "stderr", "pid", *_STOPS})

_COMPOUND = (s.Try, s.Handler, s.Module, s.Function, s.If, s.While, s.For, s.With, s.ClassDef, s.FunctionDef, s.Match)


class LeftRunning(NamedTuple):
    """A handler of a timeout after which nobody ends the child."""

    handler: s.Handler
    wait: s.Call
    receiver: s.Expr
    path: Witness
    asked: bool
    """Whether the child was told to terminate before."""


class NotWaited(NamedTuple):
    """A child that nobody waits for."""

    child: Child
    killed: bool


class _Wait(NamedTuple):
    call: s.Call
    receiver: s.Expr
    place: Place


class _State(NamedTuple):
    killed: bool
    timed_out: bool
    known: Known


class _Transfer:
    """Follows one child from the handler of its timeout on."""

    def __init__(self, ends: ChildEnds, wait: _Wait, handler: s.Handler, conditions: Conditions) -> None:
        self._ends = ends
        self._wait = wait
        self._handler = handler
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: _State) -> Iterable[_State]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None or (state.timed_out and says_ended(step.node, edge.label)):
                return ()
            return (state._replace(known=known),)
        if step.kind is StepKind.HANDLER and step.node is self._handler:
            return () if state.killed else (state._replace(timed_out=True),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
        if self._ends.kills(step.node, self._wait.place):
            return () if state.timed_out else (state._replace(killed=True),)
        if state.timed_out and self._ends.sees_to(step.node, self._wait.place):
            return ()
        return (state,)

    def raised(self, step: Step, state: _State) -> Iterable[_State]:
        if isinstance(step.node, s.Raise):
            return (state,)
        waits = isinstance(step.node, s.Expr) and any(node is self._wait.call for node in s.walk(step.node))
        return (state,) if waits and not state.timed_out else ()


class ChildEnds:
    """Judges what becomes of the children of a module."""

    def __init__(self, children: Children, calls: Calls) -> None:
        self._children = children
        self._calls = calls
        self._flow = children.flow
        self._names = children.names
        self._helping: dict[tuple[s.Function, Place], bool] = {}

    # ------------------------------------------------------------------------------------------------ timeouts

    def left_running(self) -> Iterator[LeftRunning]:
        """Every handler of a timeout that leaves the child as it is, with nobody to see to it."""
        for attempt in self._names.module.all(s.Try):
            waits = list(self._waits(attempt))
            if len({wait.place for wait in waits}) == 1:
                for handler in attempt.handlers:
                    if self._catches_timeout(handler, waits[0]):
                        found = self._left(handler, waits[0])
                        if found is not None:
                            yield found

    def _waits(self, attempt: s.Try) -> Iterator[_Wait]:
        """The waits with a limit in the body of a ``try``."""
        for statement in attempt.body:
            for call in s.walk(statement, into_functions=False):
                if not isinstance(call, s.Call) or not isinstance(call.func, s.Attribute):
                    continue
                receiver = call.func.value
                child = self._names.instance(receiver) if call.func.attr in _WAITS else None
                place = self._names.place(receiver) if child is not None and child.type.kind in KINDS else None
                if place is None or child is None:
                    continue
                if child.type.kind == "async_popen":
                    limited = self._flow.is_limited(call, self._names.catalog.calls["bounded"])
                else:
                    position = 1 if call.func.attr == "communicate" else 0
                    limited = not s.is_nothing(call.argument(position, "timeout"))
                if limited:
                    yield _Wait(call, receiver, place)

    def _catches_timeout(self, handler: s.Handler, wait: _Wait) -> bool:
        child = self._names.instance(wait.receiver)
        is_async = child is not None and child.type.kind == "async_popen"
        wanted = self._names.catalog.children["async_timeouts" if is_async else "timeouts"]
        types = handler.type.elements if isinstance(handler.type, s.Display) else [handler.type]
        return any(kind is not None and self._names.qualified(kind) in wanted for kind in types)

    def _left(self, handler: s.Handler, wait: _Wait) -> LeftRunning | None:
        scope = s.enclosing_scope(handler)
        owner = self._owner(wait, scope)
        if owner is None or not self._flow.affords(scope):
            return None
        graph = self._flow.graph(scope)
        marks: set[s.Node] = {handler, wait.call}
        conditions = Conditions(self._names, graph, marks, set())
        transfer = _Transfer(self, wait, handler, conditions)
        reached = explore(graph, _State(False, False, conditions.at_entry), transfer, LIKELY)
        if not reached.complete:
            return None
        asked = any(
            isinstance(node, s.Call) and self._stops(node, wait.place) is not None for node in s.own_nodes(scope)
        )
        if owner == "caller" and not (asked and not self._tells(handler)):
            return None
        ends = [graph.exit, *([graph.raise_exit] if owner == "function" else [])]
        for end in ends:
            for state in reached.at(end):
                if state.timed_out:
                    return LeftRunning(handler, wait.call, wait.receiver, Witness(reached.path(end, state)), asked)
        return None

    def _owner(self, wait: _Wait, scope: s.Scope) -> str | None:
        """Who answers for the child: ``function``, ``class``, ``caller``; ``None`` where others in view may."""
        root = wait.place.root
        if root[0] == "self" and isinstance(root[1], s.ClassDef) and len(wait.place.path) == 1:
            if self._names.is_open(root[1]) or any(self._names.subclasses(root[1])):
                return None
            attr = wait.place.path[0]
            for access in self._names.module.all(s.Attribute):
                if access.attr == attr and s.enclosing_function(access) is not scope and self._ends(access):
                    return None
            return "class"
        if root[0] != "local" or wait.place.path:
            return None
        made = [child for child in self._children.all if self._is_stored_at(child, wait.place)]
        if not made:
            return "caller"
        for child in made:
            if isinstance(child.value.parent, s.WithItem):
                return None
            for use in self._children.uses(child):
                other = s.enclosing_scope(use.origin) is not scope
                if use.kind in ("keep", "return", "escape", "with", "argument") or (other and use.name not in _UNENDED):
                    return None
                if use.kind == "attribute" and use.name == "pid" and self._is_pid_used(use.node):
                    return None
        return "function"

    def _is_stored_at(self, child: Child, place: Place) -> bool:
        return child.home is not None and self._names.place(child.home) == place

    def _is_pid_used(self, node: s.Node) -> bool:
        return isinstance(node, s.Expr) and not self._children.is_shown_only(node)

    def _ends(self, access: s.Expr) -> bool:
        """Whether an expression that stands for a child is used to end it, wait for it, or hand it over."""
        parent = access.parent
        if isinstance(parent, s.Attribute):
            if parent.attr == "pid":
                return not self._children.is_shown_only(parent)
            return parent.attr not in self._names.catalog.children["looks"]
        if isinstance(parent, s.Assign):
            return parent.value is access
        return isinstance(parent, (s.Argument, s.Return, s.Yield, s.Display, s.WithItem, s.DictDisplay))

    def _tells(self, handler: s.Handler) -> bool:
        """Whether the caller learns of the timeout."""
        for statement in handler.body:
            for node in s.walk(statement):
                if isinstance(node, (s.Raise, s.Yield, s.Assign, s.AugAssign)):
                    return True
                if isinstance(node, s.Return) and node.value is not None:
                    return True
        return False

    def _stops(self, node: s.Node, place: Place) -> str | None:
        """The method by which ``node`` stops the child at ``place``."""
        if not isinstance(node, s.Call) or not isinstance(node.func, s.Attribute) or node.func.attr not in _STOPS:
            return None
        return node.func.attr if self._names.place(node.func.value) == place else None

    def kills(self, node: s.Node, place: Place) -> bool:
        """Whether ``node`` ends the child in a way that it cannot refuse."""
        return self._stops(node, place) == "kill"

    def sees_to(self, node: s.Node, place: Place) -> bool:
        """Whether a step stops the child, waits for it, or gives it to somebody who could."""
        if isinstance(node, _COMPOUND):
            return False
        for part in s.walk(node, into_functions=False):
            if isinstance(part, (s.Name, s.Attribute)) and self._names.place(part) == place and self._ends(part):
                return True
            if isinstance(part, s.Call) and self._helps(part, place):
                return True
        return False

    def _helps(self, call: s.Call, place: Place) -> bool:
        """Whether a call that does not name the child may end it all the same."""
        if place.root[0] == "self":
            given = (argument.value for argument in call.args)
            if any(isinstance(value, s.Name) and self._names.self_of(value) is not None for value in given):
                return True
            func = call.func
            if isinstance(func, s.Attribute) and not self._names.functions(func):
                kinds = self._names.kinds(func.value)
                if any(isinstance(kind, LocalInstance) and kind.beyond for kind in kinds):
                    return True
        return any(self._function_helps(function, place) for function in self._calls.run_by(call))

    def _function_helps(self, function: s.Function, place: Place) -> bool:
        key = (function, place)
        known = self._helping.get(key)
        if known is None:
            self._helping[key] = False  # for recursion
            known = self._helping[key] = any(self.sees_to(statement, place) for statement in s.own_nodes(function))
        return known

    # ------------------------------------------------------------------------------------------------ zombies

    def not_waited(self) -> Iterator[NotWaited]:
        """Every child that nothing in this file waits for, and nobody else could."""
        if self._reaps_any:
            return
        for child in self._children.all:
            if child.call.keyword("creationflags") is not None or self._children.is_kept_for_others(child):
                continue
            if self._program_ends_after(child.call) or self._is_to_fail(child.call):
                continue
            uses = self._children.uses(child)
            if not any(self._waits_for(use) for use in uses) and not isinstance(child.value.parent, s.WithItem):
                killed = any(use.kind == "method" and use.name in _STOPS for use in uses)
                yield NotWaited(child, killed)

    @property
    def _reaps_any(self) -> bool:
        """Whether the file waits for children by number, or has the system forget them."""
        names = self._names
        reapers = names.catalog.calls["reapers"] | names.catalog.children["reapers"]
        for call in names.module.all(s.Call):
            called = names.qualified(call.func)
            if called in reapers:
                return True
            first = call.positional(0)
            if called == "signal.signal" and first is not None and names.qualified(first) == "signal.SIGCHLD":
                return True
        return False

    def _program_ends_after(self, call: s.Call) -> bool:
        """Whether the next thing that the program does is to end."""
        statement = s.statement_of(call)
        parent = statement.parent
        body = getattr(parent, "body", None)
        if not isinstance(body, list) or statement not in body:
            return False
        following = body[body.index(statement) + 1 : body.index(statement) + 3]
        return any(
            isinstance(node, s.ExprStmt) and isinstance(node.value, s.Call) and not self._flow.returns(node.value)
            for node in following
        )

    def _is_to_fail(self, call: s.Call) -> bool:
        """Whether a test expects that the child cannot be started."""
        items = [item for parent in s.ancestors(call) if isinstance(parent, s.With) for item in parent.items]
        return any(self._flow.classes.swallowed(item.context) for item in items)

    def _waits_for(self, use: Use) -> bool:
        if use.kind == "attribute" and use.name == "pid" and isinstance(use.node, s.Expr):
            argument = use.node.parent
            call = argument.parent if isinstance(argument, s.Argument) else None
            if isinstance(call, s.Call) and not self._children.is_shown_only(use.node):
                return self._names.qualified(call.func) not in self._names.catalog.children["signals"]
        if use.kind in ("method", "attribute"):
            return use.name not in _UNENDED
        return use.kind not in ("set", "test", "keep", "dropped")

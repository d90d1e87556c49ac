"""Children that are waited for while nobody reads what they write to a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import explore
from ..kinds import Place
from .children import Child, Children
from .conditions import Conditions, Known, bound_place
from .flow import Flow
from .values import Use
from .witness import Witness

_NEUTRAL = frozenset({"wait", "poll", "returncode", "args", "stdin", "stdout", "stderr"})


class UnreadPipe(NamedTuple):
    """A wait for a child that may stand still in a write."""

    wait: s.Node
    pipes: tuple[str, ...]
    made: s.Call
    receiver: s.Expr | None
    """The expression that stands for the child, ``None`` where the call that starts it also waits."""
    path: Witness | None


class _State(NamedTuple):
    unread: bool
    known: Known


class _Transfer:
    """One local variable that holds a child whose pipe wants reading."""

    def __init__(self, flow: Flow, child: Child, place: Place, readers: set[s.Node], conditions: Conditions) -> None:
        self._names = flow.names
        self._child = child
        self._place = place
        self._readers = readers
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: _State) -> Iterable[_State]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None:
                return ()
            if says_ended(step.node, edge.label):
                return (_State(False, known),)
            state = state._replace(known=known)
        if state.unread and s.statement_of(step.node) in self._readers:
            return (state._replace(unread=False),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
            if step.target is not None and bound_place(self._names, step.target) == self._place:
                return (state._replace(unread=step.value is self._child.value),)
        if step.kind is StepKind.ENTER and step.node is self._child.value.parent:
            return (state._replace(unread=True),)
        return (state,)

    def raised(self, step: Step, state: _State) -> Iterable[_State]:
        return ()


class ChildPipes:
    """Finds the waits of a module that a full pipe makes endless."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._flow = children.flow
        self._names = children.names

    def unread(self) -> Iterator[UnreadPipe]:
        """Every wait for a child whose output nobody has read until then."""
        for child in self._children.all:
            pipes = self._children.pipes(child.call)
            if pipes:
                yield from self._of_child(child, pipes)
        waiting = self._names.catalog.children["wait_without_reading"]
        for call in self._names.module.all(s.Call):
            if self._names.qualified(call.func) in waiting and call.keyword("timeout") is None:
                pipes = self._children.pipes(call)
                if pipes:
                    yield UnreadPipe(call, tuple(pipes), call, None, None)

    def _of_child(self, child: Child, pipes: list[str]) -> Iterator[UnreadPipe]:
        uses = self._children.uses(child)
        waits = {use.node: use for use in uses if self._waits(use, child)}
        if not waits or self._is_alarmed(child.call):
            return
        found: dict[s.Node, UnreadPipe] = {}
        for pipe in pipes:
            readers = [use for use in uses if self._sees_to(use, pipe)]
            for unread in self._unread(child, pipe, waits, readers):
                known = found.get(unread.wait)
                found[unread.wait] = unread if known is None else known._replace(pipes=(*known.pipes, pipe))
        yield from list(found.values())[:1]

    def _unread(self, child: Child, pipe: str, waits: dict[s.Node, Use], readers: list[Use]) -> Iterator[UnreadPipe]:
        if not readers:
            if not self._children.is_kept_for_others(child):
                wait, use = next(iter(waits.items()))
                yield UnreadPipe(wait, (pipe,), child.call, use.origin, None)
            return
        home = child.home
        scope = s.enclosing_scope(child.call)
        if not isinstance(home, s.Name) or not self._flow.affords(scope):
            return
        if any(not self._is_of(use, home, scope) for use in readers):
            return  # read by another function, or under another name
        place = bound_place(self._names, home)
        if place is None:
            return
        graph = self._flow.graph(scope)
        statements = {s.statement_of(use.origin) for use in readers}
        own = {node: use for node, use in waits.items() if self._is_of(use, home, scope)}
        conditions = Conditions(self._names, graph, {*statements, *own, child.call}, set())
        transfer = _Transfer(self._flow, child, place, statements, conditions)
        reached = explore(graph, _State(False, conditions.at_entry), transfer, ())
        if not reached.complete:
            return
        for step, state in reached.pairs():
            if state.unread and step.node in own and not self._reads_meanwhile(step.node, statements):
                use = own[step.node]
                yield UnreadPipe(step.node, (pipe,), child.call, use.origin, Witness(reached.path(step.id, state)))
                return

    @staticmethod
    def _reads_meanwhile(wait: s.Node, statements: set[s.Node]) -> bool:
        """Whether the statement that waits reads too, or the loop that it stands in."""
        around = (wait, *s.ancestors(wait))
        loops = [node for node in around if isinstance(node, (s.While, s.For))]
        if s.statement_of(wait) in statements:
            return True
        return any(part in statements for loop in loops[:1] for part in s.walk(loop))

    def _is_alarmed(self, node: s.Node) -> bool:
        """Whether the function around ``node`` sets an alarm, whose signal ends any wait."""
        alarms = self._names.catalog.children["alarms"]
        scope = s.enclosing_scope(node)
        return any(
            isinstance(part, s.Call) and self._names.qualified(part.func) in alarms for part in s.own_nodes(scope)
        )

    def _is_of(self, use: Use, home: s.Name, scope: s.Scope) -> bool:
        """Whether a use is made of the variable ``home``, by ``scope`` itself."""
        if not isinstance(use.origin, s.Name) or use.origin.id != home.id:
            return False
        return s.enclosing_scope(use.origin) is scope

    def _sees_to(self, use: Use, pipe: str) -> bool:
        """Whether a use reads the pipe, ends the child, or gives either to somebody who could."""
        if use.kind == "attribute":
            if use.name == "pid" and isinstance(use.node, s.Expr):
                return not self._children.is_shown_only(use.node)
            return use.name == pipe or use.name not in _NEUTRAL
        if use.kind == "method":
            return use.name not in _NEUTRAL
        return use.kind not in ("set", "test", "keep", "dropped", "with")

    def _waits(self, use: Use, child: Child) -> bool:
        """Whether a use waits for the child's end, however long that takes."""
        if use.kind != "method" or not isinstance(use.node, s.Call):
            return False
        if use.name == "poll":
            return self._is_polled(use.node)
        if use.name != "wait":
            return False
        if child.is_async:
            return isinstance(use.node.parent, s.Await) and not self._flow.is_limited(use.node)
        return s.is_nothing(use.node.argument(0, "timeout"))

    @staticmethod
    def _is_polled(poll: s.Call) -> bool:
        """Whether ``poll()`` is the test of a loop that nothing else ends."""
        test: s.Node = poll
        while isinstance(test.parent, (s.Compare, s.Not)):
            test = test.parent
        loop = test.parent
        if not isinstance(loop, s.While) or loop.test is not test:
            return False
        body = [node for statement in loop.body for node in s.walk(statement, into_functions=False)]
        return not any(isinstance(node, (s.Break, s.Return, s.Raise, s.Yield)) for node in body)


def says_ended(test: s.Node, label: Label) -> bool:
    """Whether this outcome of a test of ``child.poll()`` means that the child has ended."""
    if not isinstance(test, s.Compare) or not isinstance(test.left, s.Call) or len(test.ops) != 1:
        return False
    against, func = test.rights[0], test.left.func
    if not isinstance(against, s.Constant) or against.value is not None or s.last_name(func) != "poll":
        return False
    return label is (Label.FALSE if test.ops[0] in ("is", "==") else Label.TRUE)

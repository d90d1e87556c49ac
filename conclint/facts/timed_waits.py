"""Timed waits whose result nobody looks at, though what follows relies on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..kinds import ApiMethod, Place
from .wait_uses import Acting, Wait, WaitUses, catchers, is_tested, up_to


class TimedWaits:
    """The timed waits of a module."""

    def __init__(self, uses: WaitUses) -> None:
        self._uses = uses
        self._flow = uses.flow
        self._names = uses.names

    def ignored(self) -> Iterator[Acting]:
        """The timed waits whose result is ignored, each with the step that relies on what was waited for."""
        for wait in self._uses.waits:
            if wait.is_timed and not self._uses.is_used(wait) and not self._is_sleep(wait):
                found = self._relied_on(wait)
                if found is not None:
                    yield found

    def _is_sleep(self, wait: Wait) -> bool:
        """Whether the wait only passes the time: in a loop that comes back to it, or for what nobody sets."""
        scope = s.enclosing_scope(wait.call)
        if any(isinstance(parent, s.While) for parent in up_to(wait.call, scope)):
            return True
        if self._is_until_due(wait, scope):
            return True
        if wait.kind == "condition":
            return not wait.is_for and not self._uses.predicates.around(wait.call, scope)
        return self._names.place(wait.receiver) is None or not self._is_set_here(wait.receiver)

    def _is_until_due(self, wait: Wait, scope: s.Node) -> bool:
        """Whether a test around the wait looks at the clock: to wait out the time is what it is for."""
        clocks = self._names.catalog.calls["clocks"]
        tests = [up.test for up in up_to(wait.call, scope) if isinstance(up, s.If)]
        timeout = wait.call.argument(0, "timeout")
        delay = None if timeout is None else self._names.place(timeout)
        if any(delay in self._uses.predicates.reading(test).places for test in tests):
            return True
        return any(
            isinstance(node, s.Call) and self._names.qualified(node.func) in clocks
            for test in tests
            for node in s.walk(test)
        )

    def _is_set_here(self, event: s.Expr) -> bool:
        """Whether this file sets the event, or hands it to somebody who could."""
        identifier = s.last_name(event)
        for access in self._names.module.all(s.Attribute):
            if access.attr == "set" and s.last_name(access.value) == identifier:
                return True
        place = self._names.place(event)
        for argument in self._names.module.all(s.Argument):
            for value in argument.value.elements if isinstance(argument.value, s.Display) else (argument.value,):
                if s.last_name(value) == identifier and self._names.place(value) == place:
                    return True
        return False

    def _relied_on(self, wait: Wait) -> Acting | None:
        """The first step after a timed wait that does something, where nothing was tested before it."""
        scope = s.enclosing_scope(wait.call)
        top = self._uses.top(wait.call)
        graph = self._flow.graph(scope)
        work: deque[Edge] = deque(e for step in graph.steps if step.node is top for e in step.edges)
        around = set(s.ancestors(wait.call))
        flags = self._uses.predicates.around(wait.call, scope).flags
        seen: set[int] = set()
        while work:
            edge = work.popleft()
            if edge.target in seen:
                continue
            seen.add(edge.target)
            step = graph.steps[edge.target]
            if step.kind in (StepKind.BRANCH, StepKind.ITERATE, StepKind.RAISE, StepKind.EXIT) or step.node is top:
                continue
            if is_tested(step.node) or any(found not in around for found in catchers(step.node)):
                continue
            if self._relies(step):
                told = any(self._tells(node, flags) for node in s.own_nodes(scope))
                return None if told else Acting(wait, step.node, takes=False)
            if self._settles(step):
                continue
            work.extend(step.edges)
        return None

    def _relies(self, step: Step) -> bool:
        node = step.node
        if step.kind is StepKind.RETURN:
            value = step.value
            return isinstance(value, (s.Attribute, s.Subscript)) or (
                isinstance(value, s.Constant) and value.value is True
            )
        if step.kind is StepKind.CALL and isinstance(node, s.Call):
            return not self._uses.is_idle(node) and not self._settles(step)
        return False

    def _tells(self, node: s.Node, flags: frozenset[Place]) -> bool:
        """Whether ``node`` lets somebody know that the wait was in vain: an assertion, or a flag returned."""
        if isinstance(node, s.Return) and node.value is not None:
            return self._names.place(node.value) in flags
        return self._asserts(node)

    @staticmethod
    def _asserts(node: s.Node) -> bool:
        """Whether ``node`` says what must be so: in a test, what did not come in time is told then."""
        if isinstance(node, s.Call) and isinstance(node.func, s.Attribute):
            return node.func.attr.lower().startswith("assert")
        return isinstance(node, s.Assert)

    def _settles(self, step: Step) -> bool:
        """Whether a call checks, tidies up, waits or asserts: right whether or not the wait was in vain."""
        node = step.node
        if not isinstance(node, s.Call):
            return False
        if self._uses.checks(node) or self._names.qualified(node.func) in self._names.catalog.calls["suppressors"]:
            return True
        if self._asserts(node):
            return True
        for kind in self._names.kinds(node.func):
            if isinstance(kind, ApiMethod) and kind.receiver.type.kind in ("event", "condition", "thread", "process"):
                return True
        return self._names.catalog.says_cleanup(s.last_name(node.func))

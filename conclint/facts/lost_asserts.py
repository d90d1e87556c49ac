"""Assertions of tests that fail in a thread, where the test does not see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..names import Names
from ..target import Target
from .escaping import Escaping
from .worker_code import Reach, WorkerCode

FAILURE = "AssertionError"
_TELLING = frozenset(
    {"append", "appendleft", "add", "set", "release", "wait", "abort", "notify", "notify_all", "update"}
)


class LostAssert(NamedTuple):
    """An assertion whose failure ends a thread."""

    node: s.Node
    reach: Reach


class LostAsserts:
    """Finds them in the tests of a module."""

    def __init__(self, names: Names, code: WorkerCode, escaping: Escaping, target: Target) -> None:
        self._target = target
        self._names = names
        self._code = code
        self._escaping = escaping

    def found(self) -> Iterator[LostAssert]:
        """The first of each function that a test runs in a thread, unless the test hears of it in another way."""
        if self._code.has_excepthook or self._target.tests_hear_of_threads:
            return
        entries = [
            entry
            for entry in self._code.exposed(self._code.running.entries)
            if entry.place == "thread" and (self._code.is_test(entry.site) or self._code.is_test(entry.function))
        ]
        for function, reach in self._code.reached(entries, self._is_followed).items():
            failing = (node for node in s.own_nodes(function) if self._may_fail(node))
            first = next((node for node in failing if self._escaping.leaves(node, FAILURE)), None)
            if first is not None and not any(self._tells(after) for after in self._after(reach, first)):
                yield LostAssert(first, reach)

    def _is_followed(self, site: s.Node) -> bool:
        """Whether a failure behind ``site`` is of the thread alone: helpers that others call too may be no tests."""
        callees = self._names.functions(site.func) if isinstance(site, s.Call) else []
        return self._escaping.leaves(site, FAILURE) and all(callee in self._code.alone for callee in callees)

    def _may_fail(self, node: s.Node) -> bool:
        if isinstance(node, s.Assert):
            return not isinstance(node.test, s.Constant) or not node.test.value
        if not isinstance(node, s.Call):
            return False
        if self._names.qualified(node.func) == "pytest.fail":
            return True
        func = node.func
        asserts = isinstance(func, s.Attribute) and (func.attr.startswith("assert") or func.attr == "fail")
        return asserts and not self._names.functions(func)

    def _after(self, reach: Reach, node: s.Node) -> Iterator[s.Node]:
        """What runs in the thread only if the assertion holds."""
        place: s.Node | None = node
        for step in reversed(reach.chain()):
            if place is not None:
                yield from _later(place)
            place = step.site

    def _tells(self, node: s.Node) -> bool:
        """Whether a statement leaves something behind that a test may look at."""
        if isinstance(node, (s.Assign, s.AugAssign)):
            targets = node.targets if isinstance(node, s.Assign) else [node.target]
            return any(isinstance(t, (s.Attribute, s.Subscript)) or self._is_shared(t) for t in targets)
        if not isinstance(node, s.Call):
            return False
        if self._names.qualified(node.func) == "builtins.next":
            return bool(node.args) and self._is_shared(node.args[0].value)
        if not isinstance(node.func, s.Attribute):
            return False
        return node.func.attr in _TELLING or node.func.attr in self._names.catalog.channel_methods

    def _is_shared(self, target: s.Expr) -> bool:
        found = self._names.scopes.lookup(target.id, target) if isinstance(target, s.Name) else None
        return found is not None and found[0].node is not s.enclosing_function(target)


def _later(node: s.Node) -> Iterator[s.Node]:
    """What follows ``node`` in its function if nothing is raised, and only then."""
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            block = parent.body
            parts = [block]
        elif isinstance(parent, (s.If, s.While, s.For, s.With, s.Try, s.Handler, s.Case)):
            parts = [parent.body]
            if isinstance(parent, s.Try):
                parts.append([*parent.body, *parent.orelse])
        else:
            parts = []
        for part in parts:
            at = next((index for index, statement in enumerate(part) if statement is child), None)
            for statement in part[at + 1 :] if at is not None else ():
                yield from s.walk(statement, into_functions=False)
        if isinstance(parent, s.Function):
            return
        child = parent

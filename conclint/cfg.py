"""The control-flow graph of a function: steps in evaluation order, with exception edges.

A *step* is one thing that happens: a call, an await, a branch, a binding, the entry into or exit from a
``with``. Each step knows where control goes when it raises (``exc``) and how likely that is (``level``), so that
an analysis chooses how pessimistic to be without the graph being built twice.

``finally`` bodies and ``with`` exits are entered once for each way of leaving them: falling off, exception, return,
break, continue. Each way has its own copy, since what follows differs. This is what CPython's compiler does too
(``Python/compile.c``), and it keeps the solver plain: no pending-completion register, no call-strings.

The graph is made by :mod:`conclint.cfg_builder`; this module is the data and its drawing for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, IntEnum
from typing import NamedTuple

from . import syntax as s


class Level(IntEnum):
    """How readily a step raises."""

    NEVER = 0
    """Constants, names, plain local assignment."""
    INTERRUPT = 1
    """Only while it waits: Ctrl-C in ``lock.acquire()``, cancellation of an ``await`` of one."""
    UNLIKELY = 2
    """Attribute access, arithmetic, calls known to be harmless."""
    LIKELY = 3
    """Any other call, subscript, await, import, iteration, assert."""
    CERTAIN = 4
    """A ``raise``."""


class StepKind(Enum):
    """What a step does."""

    ENTRY = "entry"
    EXIT = "exit"
    RAISE_EXIT = "raise-exit"
    JOIN = "join"
    CALL = "call"
    AWAIT = "await"
    YIELD = "yield"
    EVAL = "eval"
    BIND = "bind"
    BRANCH = "branch"
    ITERATE = "iterate"
    ENTER = "enter"
    LEAVE = "leave"
    RETURN = "return"
    JUMP = "jump"
    RAISE = "raise"
    DISPATCH = "dispatch"
    HANDLER = "handler"
    DEFINE = "define"


class Label(Enum):
    """What an edge means."""

    NEXT = ""
    TRUE = "true"
    FALSE = "false"
    EXCEPTION = "exception"
    UNCAUGHT = "uncaught"
    """No handler of this ``try`` catches it."""
    UNCAUGHT_BASE = "uncaught-base"
    """``except Exception`` let through what is left: KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError."""


class Edge(NamedTuple):
    """Where control goes after a step."""

    target: int
    label: Label


class Step:
    """One node of the graph. ``node`` is the syntax it stands for; steps in copies of a ``finally`` share it."""

    __slots__ = ("cleanup", "edges", "exc", "exceptional", "id", "kind", "level", "node", "target", "value")

    def __init__(self, number: int, kind: StepKind, node: s.Node, level: Level) -> None:
        self.id = number
        self.kind = kind
        self.node = node
        self.level = level
        self.exc: int | None = None
        """The step that an exception raised here goes to; ``None`` where none can be raised."""
        self.edges: list[Edge] = []
        self.target: s.Expr | None = None
        """For BIND, what is bound: a name, attribute, subscript or tuple of them."""
        self.value: s.Expr | None = None
        """For BIND the value, where one expression gives it whole; for RETURN the value."""
        self.cleanup = False
        """Whether it stands in a ``finally`` body or an exception handler."""
        self.exceptional = False
        """For LEAVE, whether the ``with`` is left by an exception."""


class Graph:
    """The control-flow graph of one function, or of a module's or class's top level."""

    __slots__ = ("entry", "exit", "raise_exit", "scope", "steps")

    def __init__(self, scope: s.Scope) -> None:
        self.scope = scope
        self.steps: list[Step] = []
        self.entry = self.add(StepKind.ENTRY, scope).id
        self.exit = self.add(StepKind.EXIT, scope).id
        self.raise_exit = self.add(StepKind.RAISE_EXIT, scope).id

    def add(self, kind: StepKind, node: s.Node, level: Level = Level.NEVER) -> Step:
        step = Step(len(self.steps), kind, node, level)
        self.steps.append(step)
        return step

    def reachable(self, starts: Iterable[int], past: Callable[[Step], bool] | None = None) -> list[int]:
        """The steps ``starts`` and those that normal edges lead to from them, nearest first.

        ``past`` says of a step whether the way goes on behind it.
        """
        found = list(dict.fromkeys(starts))
        seen = set(found)
        for number in found:  # which grows
            step = self.steps[number]
            for edge in step.edges if past is None or past(step) else ():
                if edge.target not in seen:
                    seen.add(edge.target)
                    found.append(edge.target)
        return found

    def draw(self) -> str:
        """The reachable part as text: one line a step, ``number kind -> label:target ...``, for tests."""
        order: list[int] = []
        stack = [self.entry]
        seen = {self.entry}
        while stack:
            current = self.steps[stack.pop()]
            order.append(current.id)
            targets = [edge.target for edge in current.edges]
            if current.exc is not None and current.level > Level.NEVER:
                targets.append(current.exc)
            for target in reversed(targets):
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        numbers = {step: number for number, step in enumerate(order)}
        return "\n".join(self._line(self.steps[step], numbers) for step in order) + "\n"

    @staticmethod
    def _line(step: Step, numbers: dict[int, int]) -> str:
        parts = [f"{numbers[step.id]} {step.kind.value}"]
        text = describe(step.node) if step.kind not in _UNNAMED else ""
        if text:
            parts.append(text)
        arrows = [f"{e.label.value}:{numbers[e.target]}".lstrip(":") for e in step.edges]
        if step.exc is not None and step.level > Level.NEVER:
            arrows.append(f"{step.level.name.lower()}:{numbers[step.exc]}")
        if arrows:
            parts.append("-> " + " ".join(arrows))
        return " ".join(parts)


_UNNAMED = {StepKind.ENTRY, StepKind.EXIT, StepKind.RAISE_EXIT, StepKind.JOIN, StepKind.DISPATCH}


def describe(node: s.Node) -> str:
    """A short name for a node in drawings and messages: dotted names and calls of them, else nothing."""
    if isinstance(node, s.Await):
        return describe(node.value)
    if isinstance(node, s.Call):
        name = describe(node.func)
        return f"{name}()" if name else ""
    if isinstance(node, s.Expr):
        name = s.dotted(node) or ""
        if not name and isinstance(node, s.Attribute):
            return f"{describe(node.value)}.{node.attr}".lstrip(".")
        return name
    if isinstance(node, s.ExprStmt):
        return describe(node.value)
    if isinstance(node, s.WithItem):
        return describe(node.context)
    return ""

"""A path through the flow graph, told as a reader would tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import syntax as s
from ..cfg import Label, StepKind, describe
from ..dataflow import Move
from ..rule import Step

_MOST_STEPS = 9
_JUMPS: dict[str, type[s.Node]] = {"return": s.Return, "break": s.Break, "continue": s.Continue}
_RAISERS = frozenset(
    {StepKind.CALL, StepKind.AWAIT, StepKind.YIELD, StepKind.EVAL, StepKind.BIND, StepKind.ITERATE, StepKind.RAISE}
    | {StepKind.ENTER, StepKind.LEAVE, StepKind.RETURN, StepKind.BRANCH, StepKind.DEFINE}
)


class Witness:
    """A sequence of moves that really can happen, and what a message says of it."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self.moves = moves

    @property
    def raiser(self) -> s.Node | None:
        """What raises the exception that decides the path: the last one.

        A bare ``raise`` stands for what it throws again.
        """
        found: s.Node | None = None
        for move in self.moves:
            if move.label is Label.EXCEPTION and move.step.kind in _RAISERS:
                node = move.step.node
                if found is None or not (isinstance(node, s.Raise) and node.exc is None):
                    found = node
        return found

    @property
    def past_narrow_handler(self) -> bool:
        """Whether the path is only for what ``except Exception`` does not catch."""
        return any(move.label is Label.UNCAUGHT_BASE for move in self.moves)

    @property
    def left_by(self) -> tuple[str, s.Node] | None:
        """The ``return``, ``break`` or ``continue`` that decides the path, ``None`` where it falls off the end."""
        for move in reversed(self.moves):
            for keyword, kind in _JUMPS.items():
                if isinstance(move.step.node, kind):
                    return keyword, move.step.node
        return None

    def way_out(self, line: Callable[[s.Node], str]) -> str:
        """What decides the path, in words: ``the `return` on line 12``, or ``the end of the function``."""
        left_by = self.left_by
        return "the end of the function" if left_by is None else f"the `{left_by[0]}` on line {line(left_by[1])}"

    def tell(self, first: str, last: str) -> tuple[Step, ...]:
        """The steps worth showing: the start, branches taken, what raises, handlers entered, the end.

        ``first`` says what happens at the first move (``""`` tells it like any other), ``last`` what has happened
        at the end of the path.
        """
        steps = self.steps(first)
        if len(steps) > 1:
            steps[-1] = steps[-1]._replace(message=f"{steps[-1].message}: {last}")
        elif steps:
            steps[-1] = steps[-1]._replace(message=f"{steps[-1].message}, and {last}")
        return tuple(steps)

    def steps(self, first: str = "") -> list[Step]:
        """The steps worth showing, as :meth:`tell` says, with nothing said of the end."""
        steps: list[Step] = []
        for index, move in enumerate(self.moves):
            message = first if first and index == 0 else _message(move)
            if message and not (steps and steps[-1].node is move.step.node):
                steps.append(Step(move.step.node, message))
        if len(steps) > _MOST_STEPS:
            steps = steps[:3] + steps[len(steps) - (_MOST_STEPS - 3) :]
        return steps


def what_raises(node: s.Node) -> str:
    """The exception of ``node``, in the words that fit it: ``an exception in `load()```."""
    if isinstance(node, s.Raise):
        name = "" if node.exc is None else describe(node.exc).removesuffix("()")
        return f"`raise {name}`" if name else "this `raise`"
    if isinstance(node, s.Yield):
        return "an exception thrown in at the `yield`"
    if isinstance(node, (s.Import, s.ImportFrom)):
        return "an exception in the import"
    if isinstance(node, (s.For, s.Clause)):
        return "an exception in the iteration"
    name = name_of(node)
    return f"an exception in {name}" if name else "an exception"


def name_of(node: s.Node) -> str:
    """The call or name that ``node`` is, in backquotes, ``""`` for what has none."""
    name = describe(node)
    return f"`{name}`" if name else ""


def _message(move: Move) -> str:
    step = move.step
    if move.label is Label.EXCEPTION and step.kind in _RAISERS:
        return what_raises(step.node)
    if step.kind is StepKind.BRANCH and move.label in (Label.TRUE, Label.FALSE):
        return "is true" if move.label is Label.TRUE else "is false"
    if step.kind is StepKind.ITERATE and move.label is Label.FALSE:
        return "the loop ends"
    if step.kind is StepKind.HANDLER:
        return "the exception is caught"
    if step.kind is StepKind.RETURN:
        return "returns"
    if step.kind is StepKind.JUMP:
        return "leaves the loop" if isinstance(step.node, s.Break) else "goes on with the next round"
    return ""

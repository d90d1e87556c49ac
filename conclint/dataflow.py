"""The solver: which (step, state) pairs are reachable, and by which shortest path.

An analysis gives a start state and a transfer for each edge; the solver explores the product of graph and states
breadth first. States are small hashable values with few variants a step, so that this is property simulation in
the sense of ESP (Das, Lerner, Seigle, PLDI 2002): as precise as path-sensitive search on what the state tracks,
and linear in the graph. It knows no syntax tree and no rule.

Breadth first also means that the first path found to a pair is a shortest one: it is the witness shown to the user.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

from .cfg import Edge, Graph, Label, Level, Step

State = TypeVar("State")

MOST_STATES = 96
"""States a step may have; beyond it further ones are dropped and the result says that it is incomplete.

Where the function ends there is no such bound: what arrives there goes nowhere else.
"""

LONGEST_PATH = 5_000
"""Moves of a witness, counted from its end."""

CERTAIN = frozenset({Level.CERTAIN})
LIKELY = CERTAIN | {Level.LIKELY}
INTERRUPTED = LIKELY | {Level.INTERRUPT}
UNLIKELY = LIKELY | {Level.UNLIKELY}
EVERYWHERE = frozenset(Level)


class Transfer(Protocol[State]):
    """What an edge does to a state."""

    def leave(self, step: Step, edge: Edge, state: State) -> Iterable[State]:
        """The states after ``step`` completed normally and control took ``edge``; none if it cannot."""
        ...

    def raised(self, step: Step, state: State) -> Iterable[State]:
        """The states after ``step`` raised."""
        ...


class Move(NamedTuple):
    """One step of a witness: the step, and the label by which it was left (EXCEPTION when it raised)."""

    step: Step
    label: Label


class Reached(Generic[State]):
    """The reachable pairs of one exploration."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.states: dict[int, list[State]] = {}
        self.complete = True
        self._parents: dict[tuple[int, State], tuple[int, State, Label] | None] = {}

    def at(self, step: int) -> list[State]:
        """The states in which ``step`` is reached, nearest first."""
        return self.states.get(step, [])

    def pairs(self) -> Iterator[tuple[Step, State]]:
        """Every reachable step with each state in which it is reached."""
        for step, states in self.states.items():
            for state in states:
                yield self.graph.steps[step], state

    def path(self, step: int, state: State, since: int | None = None) -> list[Move]:
        """A shortest way from the entry to ``step`` in ``state``, that step itself left out.

        With ``since``, only from the last passage of that step on.
        """
        moves: list[Move] = []
        parent = self._parents[step, state]
        while parent is not None and len(moves) < LONGEST_PATH:
            number, before, label = parent
            moves.append(Move(self.graph.steps[number], label))
            parent = None if number == since else self._parents[number, before]
        moves.reverse()
        return moves

    def _visit(self, step: int, state: State, parent: tuple[int, State, Label] | None) -> bool:
        if (step, state) in self._parents:
            return False
        states = self.states.setdefault(step, [])
        if len(states) >= MOST_STATES and self.graph.steps[step].edges:
            self.complete = False
            return False
        states.append(state)
        self._parents[step, state] = parent
        return True


class Budget:
    """How much work one function is worth, so that a file takes time in proportion to its length.

    Each lock and each worker of a function is followed through all of it. That is as many times its length as it has
    locks, which only a generated function has hundreds of; what is beyond the budget is left unsaid.
    """

    _TIMES = 40
    _LEAST = 1_000_000

    def __init__(self, graph: Graph) -> None:
        self._share = len(graph.steps)
        self._left = max(self._LEAST, self._TIMES * self._share)

    def take(self) -> bool:
        """Whether one more walk over the whole graph is affordable; it is paid for if so."""
        self._left -= 4 * self._share
        return self._left >= 0


def explore(
    graph: Graph,
    start: State,
    transfer: Transfer[State],
    raising: Collection[Level] = LIKELY,
    *,
    skip: Collection[Label] = (),
) -> Reached[State]:
    """All pairs reachable from the entry of ``graph`` in state ``start``.

    A step raises if its level is in ``raising``. Edges labelled as in ``skip`` are not followed.
    """
    reached: Reached[State] = Reached(graph)
    reached._visit(graph.entry, start, None)
    work: deque[tuple[int, State]] = deque([(graph.entry, start)])
    while work:
        number, state = work.popleft()
        step = graph.steps[number]
        for edge in step.edges:
            if edge.label in skip:
                continue
            for after in transfer.leave(step, edge, state):
                if reached._visit(edge.target, after, (number, state, edge.label)):
                    work.append((edge.target, after))
        if step.exc is not None and step.level in raising:
            for after in transfer.raised(step, state):
                if reached._visit(step.exc, after, (number, state, Label.EXCEPTION)):
                    work.append((step.exc, after))
    return reached


class Anything:
    """A transfer without states: plain reachability."""

    def leave(self, step: Step, edge: Edge, state: None) -> Iterable[None]:
        return (None,)

    def raised(self, step: Step, state: None) -> Iterable[None]:
        return (None,)

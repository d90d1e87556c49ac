"""The plumbing of the control-flow graph's builder: where abrupt completions go.

An exception, return, break or continue is routed outwards through the constructs around it (``_frames``). On its way it
makes, once for each kind of completion, the copy of each ``finally`` body and ``with`` exit that it passes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, Union

from . import syntax as s
from .cfg import Edge, Graph, Label, Level, Step, StepKind
from .exceptions import ANY, Caught, ExceptionClasses
from .names import Names

Pending = list[tuple[Step, Label]]
Completion = tuple[str, object]
"""``("exception", what flies)``, ``("return", None)``, ``("break", loop)`` or ``("continue", loop)``."""

MOST_COPIES = 8
DEEPEST_COPY = 3
"""A ``finally`` nested deeper than this in other ``finally`` bodies is shared by all ways of leaving, so that the
graph stays linear in the source."""


class Around(NamedTuple):
    """What surrounds the statement being built, apart from the frames."""

    cleanup: bool = False
    """Whether it stands in a ``finally`` body or an exception handler."""
    finals: int = 0
    """In how many ``finally`` bodies."""
    rethrown: str = ANY
    """What a bare ``raise`` throws."""


class Loop:
    """A loop: where ``break`` and ``continue`` go."""

    def __init__(self, after: Step, head: Step) -> None:
        self.after = after
        self.head = head


class Handlers:
    """The ``except`` clauses around a ``try`` body: what each catches, and its first step."""

    def __init__(self, handlers: list[tuple[list[str | None], Step]]) -> None:
        self.handlers = handlers
        self.entries: dict[Completion, Step] = {}


class Finally:
    """A ``finally`` body, with its copies."""

    def __init__(self, body: list[s.Stmt], around: Around) -> None:
        self.body = body
        self.around = around
        self.entries: dict[Completion, Step] = {}
        self.shared: tuple[Step, Pending] | None = None


class Leave:
    """The exit of one item of a ``with``, with its copies."""

    def __init__(
        self, item: s.WithItem, swallows: list[str | None], after: Step, is_async: bool, around: Around
    ) -> None:
        self.around = around
        self.item = item
        self.swallows = swallows
        self.after = after
        self.is_async = is_async
        self.entries: dict[Completion, Step] = {}


Frame = Union[Loop, Handlers, Finally, Leave]


class CallBehaviour:
    """What the builder asks about a call. Implemented over whole-module knowledge by the facts."""

    def level(self, call: s.Call) -> Level:
        """How readily the call raises."""
        raise NotImplementedError

    def returns(self, call: s.Call) -> bool:
        """Whether control ever comes back from the call normally."""
        raise NotImplementedError

    def raised(self, call: s.Call) -> str | None:
        """What a call that never returns throws; ``None`` where it ends the process."""
        raise NotImplementedError

    def is_interruptible(self, call: s.Call) -> bool:
        """Whether the call only waits for a lock of a known kind: it raises what interrupts it, and no Exception."""
        raise NotImplementedError


class Routes(ABC):
    """A graph under construction: the edges that wait for the next step, and what surrounds it."""

    def __init__(self, scope: s.Scope, names: Names, classes: ExceptionClasses, calls: CallBehaviour) -> None:
        self._names = names
        self._classes = classes
        self._calls = calls
        self._graph = Graph(scope)
        self._frames: list[Frame] = []
        self._pending: Pending = [(self._graph.steps[self._graph.entry], Label.NEXT)]
        self._around = Around()
        self._risk = Level.NEVER
        self._reached: set[int] = set()
        self._yield_level = Level.LIKELY
        if isinstance(scope, s.Function) and names.decorated(scope, names.catalog.calls["fixtures"]):
            self._yield_level = Level.NEVER  # pytest resumes a fixture whatever the test did

    @abstractmethod
    def _body(self, body: list[s.Stmt]) -> None:
        """Build statements after what is pending."""

    def _new(self, kind: StepKind, node: s.Node, level: Level = Level.NEVER) -> Step:
        step = self._graph.add(kind, node, level)
        step.cleanup = self._around.cleanup
        return step

    def _edge(self, step: Step, target: Step, label: Label) -> None:
        step.edges.append(Edge(target.id, label))
        self._reached.add(target.id)

    def _connect(self, target: Step) -> None:
        for step, label in self._pending:
            self._edge(step, target, label)
        self._pending = []

    def _step(self, kind: StepKind, node: s.Node, level: Level = Level.NEVER, flying: str = ANY) -> Step:
        """A step after what is pending, with its exception edge."""
        step = self._new(kind, node, max(level, self._risk))
        self._risk = Level.NEVER
        self._connect(step)
        self._pending = [(step, Label.NEXT)]
        step.exc = self._route(("exception", flying)).id
        return step

    def _join(self, node: s.Node) -> Step:
        return self._new(StepKind.JOIN, node)

    def _continue_at(self, step: Step) -> None:
        """Go on at ``step`` after linking what is pending to it; nothing follows a step that nothing reaches."""
        self._connect(step)
        self._pending = [(step, Label.NEXT)]

    # ---- abrupt completions

    def _route(self, completion: Completion, depth: int | None = None) -> Step:
        """The step that ``completion`` goes to from inside the first ``depth`` frames."""
        kind, detail = completion
        for index in range(len(self._frames) if depth is None else depth, 0, -1):
            frame = self._frames[index - 1]
            if isinstance(frame, Loop):
                if detail is frame:
                    return frame.after if kind == "break" else frame.head
            elif isinstance(frame, Finally):
                return self._finally_copy(frame, completion, index - 1)
            elif isinstance(frame, Leave):
                return self._leave_copy(frame, completion, index - 1)
            elif kind == "exception":
                return self._dispatch(frame, completion, index - 1)
        graph = self._graph
        return graph.steps[graph.raise_exit if kind == "exception" else graph.exit]

    def _abrupt(self, completion: Completion) -> None:
        """End the current path by ``completion``."""
        if self._pending:
            self._connect(self._route(completion))

    def _outside(self, depth: int, around: Around, first: Step, action: Callable[[], None]) -> Pending:
        """Build ``action`` from ``first`` on, as code that only the outer ``depth`` frames surround; where it ends."""
        saved = self._frames, self._around, self._pending, self._risk
        self._frames, self._around = self._frames[:depth], around
        self._pending, self._risk = [(first, Label.NEXT)], Level.NEVER
        action()
        ends = self._pending
        self._frames, self._around, self._pending, self._risk = saved
        return ends

    def _finally_copy(self, frame: Finally, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        if frame.around.finals >= DEEPEST_COPY or len(frame.entries) >= MOST_COPIES:
            entry, ends = self._finally_shared(frame, depth)
        else:
            entry, ends = self._final_body(frame, depth)
        frame.entries[completion] = entry
        self._link_ends(ends, completion, depth)
        return entry

    def _finally_shared(self, frame: Finally, depth: int) -> tuple[Step, Pending]:
        """The one copy for several ways of leaving: where it is entered, and where it ends."""
        if frame.shared is None:
            frame.shared = self._final_body(frame, depth)
        return frame.shared

    def _final_body(self, frame: Finally, depth: int) -> tuple[Step, Pending]:
        around = frame.around._replace(cleanup=True, finals=frame.around.finals + 1)
        entry = self._join(frame.body[0])
        return entry, self._outside(depth, around, entry, lambda: self._body(frame.body))

    def _link_ends(self, ends: Pending, completion: Completion, depth: int) -> None:
        if ends:
            target = self._route(completion, depth)
            for step, label in ends:
                self._edge(step, target, label)

    def _leave_copy(self, frame: Leave, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        step = frame.entries[completion] = self._leave_step(frame)
        kind, flying = completion
        step.exceptional = kind == "exception"
        verdict = Caught.NO
        if step.exceptional and frame.swallows:
            verdict = self._classes.catches(str(flying), frame.swallows)
            if verdict is not Caught.NO:
                self._edge(step, frame.after, Label.NEXT)
        if verdict is not Caught.YES:
            label = Label.NEXT
            if verdict is Caught.MAYBE:
                flying = self._classes.rest(str(flying), frame.swallows)
                label = _uncaught(str(flying))
                completion = (kind, flying)
            self._edge(step, self._route(completion, depth), label)
        step.exc = self._route(("exception", ANY), depth).id
        return step

    def _leave_step(self, frame: Leave) -> Step:
        step = self._new(StepKind.LEAVE, frame.item, self._await_level(frame.item, frame.is_async))
        step.cleanup = frame.around.cleanup  # whatever it is left by
        if self._is_lock(frame.item.context):
            step.level = Level.NEVER
        return step

    def _await_level(self, item: s.WithItem, is_async: bool) -> Level:
        """How readily leaving a ``with`` raises: an ``async with`` awaits, except for what is known to be harmless."""
        harmless = isinstance(item.context, s.Call) and self._calls.level(item.context) < Level.LIKELY
        return Level.LIKELY if is_async and not harmless else Level.UNLIKELY

    def _dispatch(self, frame: Handlers, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        flying = str(completion[1])
        step = frame.entries[completion] = self._new(StepKind.DISPATCH, frame.handlers[0][1].node)
        for handled, entry in frame.handlers:
            verdict = self._classes.catches(flying, handled)
            if verdict is not Caught.NO:
                self._edge(step, entry, Label.EXCEPTION)
            if verdict is Caught.YES:
                return step
            if verdict is Caught.MAYBE:
                flying = self._classes.rest(flying, handled)
        self._edge(step, self._route(("exception", flying), depth), _uncaught(flying))
        return step

    def _is_lock(self, context: s.Expr) -> bool:
        instance = self._names.instance(context)
        return instance is not None and instance.type.kind in self._names.catalog.lock_kinds


def _uncaught(flying: str) -> Label:
    return Label.UNCAUGHT_BASE if flying == "base" else Label.UNCAUGHT

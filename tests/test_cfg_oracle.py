"""The control-flow graph against Python itself: what a function can do is what its graph says, no more, no less.

``tests/oracle`` makes small functions, runs each of them under every sequence of choices (what raises what, which
way a condition goes), and walks its graph. The two sets of traces have to be equal, and every edge out of a handler
dispatch or a swallowing ``with`` has to be of use.

There is one known over-approximation: of an exception that a handler of a class narrower than ``Exception`` let pass,
or that such a handler raises again, the graph does not remember the class, so that a further typed handler may seem
to catch it. Those edges are counted, and may come from nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conclint import syntax as s
from conclint.cfg import Edge, Graph, Label, Level, Step, StepKind
from conclint.cfg_builder import _STATEMENTS, _Builder
from conclint.cfg_routes import MOST_COPIES
from conclint.dataflow import Anything, explore
from conclint.exceptions import Caught, ExceptionClasses
from tests.oracle import shapes
from tests.oracle.compare import HEADER, Comparison, compare, graphs_of
from tests.oracle.execute import classes_told_apart
from tests.oracle.walk import event_of, graphs, walked

DRAWINGS = sorted((Path(__file__).parent / "cfg").glob("*.txt"))
RULER = "-" * 40


def sources(bodies: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(shapes.source_of, bodies)))


def check(functions: list[str], limit: int) -> Counter[str]:
    """Compare all of ``functions``; how many there were, and how many traces."""
    counted: Counter[str] = Counter()
    wrong: list[Comparison] = []
    for comparison in compare(functions, limit):
        counted.update(functions=1, traces=len(comparison.truth), excused=len(comparison.walk.excused))
        if not comparison.agrees:
            wrong.append(comparison)
    shown = "\n\n".join(map(str, wrong[:4]))
    assert not wrong, f"{len(wrong)} of {len(functions)} functions differ\n\n{shown}"
    return counted


def test_one_compound_statement() -> None:
    counted = check(sources(shapes.flat()), limit=6)
    assert counted["functions"] > 1500
    assert counted["traces"] > 40_000
    assert counted["excused"] == 0


def test_one_in_another() -> None:
    counted = check(sources(shapes.nested(every=1499)), limit=6)
    assert counted["functions"] > 120
    assert counted["excused"] < counted["functions"]


def test_three_levels() -> None:
    counted = check(sources(shapes.deep()), limit=6)
    assert counted["functions"] > 400
    assert counted["excused"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("start", range(4))
def test_one_in_another_at_length(start: int) -> None:
    counted = check(sources(shapes.nested(97, start)), limit=8)
    assert counted["functions"] > 1500
    assert counted["traces"] > 200_000


def test_the_excuse_is_used_and_is_what_the_graph_cannot_know() -> None:
    again = """\
try:
    try:
        step(#)
    except ValueError:
        raise
except KeyError:
    step(#)"""
    (comparison,) = compare([shapes.source_of(again)], 6)
    assert comparison.agrees
    assert len(comparison.walk.excused) == 1
    (broad,) = compare([shapes.source_of(again.replace("ValueError", "Exception"))], 6)
    assert broad.agrees
    assert not broad.walk.excused


# ---- where the graph gives up some precision to stay small


def test_the_copies_of_a_finally_are_bounded_but_sound() -> None:
    body = "try:\n    step(#)\nfinally:\n    step(#)"
    for _ in range(4):
        body = f"try:\n    step(#)\nfinally:\n{_indented(body)}\n    if cond(#):\n        return\nstep(#)"
    (comparison,) = compare([shapes.source_of(body)], 10)
    assert comparison.is_sound
    assert not comparison.agrees, "then there is nothing to say in the docstring of _DEEPEST_COPY"


def test_a_finally_left_in_many_ways_has_one_copy_for_the_rest_of_them() -> None:
    names = ("ValueError", "KeyError", "OSError", "KeyboardInterrupt", "TypeError", "IndexError", "SystemExit")
    raising = "\n".join(f"    if cond(#):\n        raise {name}" for name in (*names, "EOFError", "NameError"))
    (comparison,) = compare([shapes.source_of(f"try:\n{raising}\n    return\nfinally:\n    step(#)")], 12)
    assert comparison.is_sound
    assert sum(event_of(step) == ("step", 10) for step in comparison.graph.steps) == MOST_COPIES + 1


@pytest.mark.parametrize("inner", ["try:\n    step(#)\nfinally:\n    {}", "try:\n    {}\nfinally:\n    step(#)"])
def test_steps_grow_as_the_nesting_does(inner: str, deep_recursion: None) -> None:
    def steps(depth: int) -> int:
        body = "step(#)"
        for _ in range(depth):
            body = inner.replace("    {}", f"{_indented(body)}\n    if cond(#):\n        return")
        text = HEADER + "def f():\n" + _indented(body).replace("#", "1") + "\n"
        (graph,) = graphs(text)
        return len(graph.steps)

    ten, twenty, fifty = steps(10), steps(20), steps(50)
    assert fifty - twenty == 3 * (twenty - ten)


def test_steps_grow_as_the_lines_do() -> None:
    def steps(count: int) -> int:
        block = "    try:\n        step(1)\n        if cond(2):\n            return\n    except KeyError:\n"
        block += "        raise\n    finally:\n        with manager(3):\n            step(4)\n"
        (graph,) = graphs(HEADER + "def f():\n" + block * count)
        return len(graph.steps)

    few, more, ten_thousand_lines = steps(20), steps(40), steps(1100)
    assert ten_thousand_lines - more == (1100 - 40) // 20 * (more - few)


@pytest.fixture
def deep_recursion() -> Iterator[None]:
    import sys

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


# ---- the oracle can fail

CHANGED = sources(
    [
        "step(#)",
        "if cond(#):\n    step(#)\nelse:\n    return step(#)",
        "try:\n    step(#)\nfinally:\n    step(#)",
        "try:\n    if cond(#):\n        return step(#)\nfinally:\n    step(#)",
        "try:\n    step(#)\nexcept ValueError:\n    step(#)\nelse:\n    step(#)",
        "try:\n    step(#)\nexcept ValueError:\n    step(#)\nexcept Exception:\n    raise\nfinally:\n    step(#)",
        "try:\n    raise ValueError\nexcept Exception:\n    step(#)",
        "while cond(#):\n    if cond(#):\n        break\n    step(#)\nelse:\n    step(#)",
        "for x in items(#):\n    try:\n        break\n    finally:\n        step(#)",
        "for x in items(#):\n    try:\n        continue\n    finally:\n        step(#)",
        "with manager(#):\n    step(#)",
        "with manager(#):\n    return step(#)",
        "with suppress(ValueError):\n    step(#)",
        "with manager(#), suppress(Exception):\n    step(#)",
        "x = cond(#) and cond(#) or step(#)",
        "x = [step(#) for _ in items(#) if cond(#)]",
        "match value(#):\n    case 0:\n        step(#)\n    case _ if cond(#):\n        step(#)",
        "assert cond(#), step(#)",
        "if value(#) < value(#) < value(#):\n    step(#)",
    ]
)


@pytest.mark.parametrize("source", CHANGED, ids=range(len(CHANGED)))
def test_a_graph_without_one_of_its_edges_is_noticed(source: str) -> None:
    (graph,) = graphs_of([source])
    (right,) = compare([source], 7)
    assert right.agrees, str(right)
    reached = explore(graph, None, Anything()).states
    changes = 0
    for step in (graph.steps[number] for number in reached):
        for undo in _changes(graph, step):
            walk = walked(graph, 7, classes_told_apart(source))
            assert (walk.traces, walk.spare) != (right.truth, set()), f"{step.kind} was changed\n{graph.draw()}"
            undo()
            changes += 1
    assert changes >= 5


def _changes(graph: Graph, step: Step) -> Iterator[Callable[[], None]]:
    """Break ``step`` in each way; what is given undoes it."""
    edges, exc, level = step.edges, step.exc, step.level
    duplicates = [edge for edge, count in Counter(edges).items() if count > 1]

    def undo() -> None:
        step.edges, step.exc, step.level = edges, exc, level

    for edge in edges:
        if edge not in duplicates:
            step.edges = [other for other in edges if other is not edge]
            yield undo
    if exc is not None and level is Level.LIKELY:
        step.level = Level.NEVER
        yield undo
        if exc != graph.exit:
            step.exc = graph.exit
            yield undo


def _return_skips_finally(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._route

    def route(self: _Builder, completion: tuple[str, object], depth: int | None = None) -> Step:
        return self._graph.steps[self._graph.exit] if completion[0] == "return" else real(self, completion, depth)

    patch.setattr(_Builder, "_route", route)


def _exceptions_skip_exits(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._leave_copy

    def leave(self: _Builder, frame: Any, completion: tuple[str, object], depth: int) -> Step:
        return self._route(completion, depth) if completion[0] == "exception" else real(self, frame, completion, depth)

    patch.setattr(_Builder, "_leave_copy", leave)


def _catches(verdict: Callable[[str, list[str | None], Caught], Caught]) -> Callable[[pytest.MonkeyPatch], None]:
    def change(patch: pytest.MonkeyPatch) -> None:
        real = ExceptionClasses.catches
        changed = staticmethod(lambda flying, handled: verdict(flying, handled, real(flying, handled)))
        patch.setattr(ExceptionClasses, "catches", changed)

    return change


def _else_is_guarded(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._try

    def build(self: _Builder, node: s.Try) -> None:
        body, orelse = node.body, node.orelse
        node.body, node.orelse = body + orelse, []
        real(self, node)
        node.body, node.orelse = body, orelse

    patch.setitem(_STATEMENTS, s.Try, build)


def _break_runs_the_else(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._route

    def route(self: _Builder, completion: tuple[str, object], depth: int | None = None) -> Step:
        kind, loop = completion
        return real(self, ("continue", loop) if kind == "break" else completion, depth)

    patch.setattr(_Builder, "_route", route)


def _never(flying: str, handled: list[str | None], real: Caught) -> Caught:
    return Caught.NO


def _exception_catches_all(flying: str, handled: list[str | None], real: Caught) -> Caught:
    return Caught.YES if "Exception" in handled else real


def _all_catch_maybe(flying: str, handled: list[str | None], real: Caught) -> Caught:
    return Caught.MAYBE


@pytest.mark.parametrize(
    "break_it",
    [
        _return_skips_finally,
        _exceptions_skip_exits,
        _else_is_guarded,
        _break_runs_the_else,
        _catches(_never),
        _catches(_exception_catches_all),
        _catches(_all_catch_maybe),
    ],
)
def test_a_broken_builder_is_noticed(break_it: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        break_it(patch)
        with pytest.raises(AssertionError, match="functions differ"):
            check(CHANGED, limit=6)
    check(CHANGED, limit=6)


def test_an_edge_too_many_is_noticed() -> None:
    (source,) = sources(["try:\n    step(#)\nexcept BaseException:\n    step(#)"])
    (graph,) = graphs_of([source])
    dispatch = next(step for step in graph.steps if step.kind is StepKind.DISPATCH)
    dispatch.edges.append(Edge(graph.raise_exit, Label.UNCAUGHT_BASE))
    comparison = Comparison(source, graph, 6)
    assert not comparison.agrees
    assert "never taken: dispatch uncaught-base raise-exit" in str(comparison)


def test_a_wrong_label_is_noticed() -> None:
    (source,) = sources(["try:\n    step(#)\nexcept ValueError:\n    step(#)"])
    (graph,) = graphs_of([source])
    dispatch = next(step for step in graph.steps if step.kind is StepKind.DISPATCH)
    dispatch.edges[-1] = Edge(graph.raise_exit, Label.UNCAUGHT_BASE)
    assert "mislabelled: dispatch uncaught-base raise-exit" in str(Comparison(source, graph, 6))


# ---- drawings


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: file.stem)
def test_the_drawing_is_the_golden_one(file: Path, request: pytest.FixtureRequest) -> None:
    source, _, golden = file.read_text("utf-8").partition(f"{RULER}\n")
    (graph,) = graphs(source)
    if request.config.getoption("--update"):
        golden = graph.draw()
        file.write_text(f"{source}{RULER}\n{golden}", "utf-8")
    assert graph.draw() == golden


def test_there_are_drawings() -> None:
    assert len(DRAWINGS) >= 6

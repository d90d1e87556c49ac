"""What the graph says against what Python does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conclint.cfg import Graph

from . import Trace
from .execute import classes_told_apart, executed
from .walk import Walk, graphs, walked

HEADER = "import sys\nfrom contextlib import suppress\n\n"
_BATCH = 200


class Comparison:
    """One function: its traces, and where graph and Python differ."""

    def __init__(self, source: str, graph: Graph, limit: int) -> None:
        self.source = source
        self.graph = graph
        self.truth = executed(source, limit)
        self.walk: Walk = walked(graph, limit, classes_told_apart(source))

    @property
    def agrees(self) -> bool:
        return self.truth == self.walk.traces and not self.walk.spare and not self.walk.mislabelled

    @property
    def is_sound(self) -> bool:
        """Whether the graph has every execution, and maybe more."""
        return self.truth <= self.walk.traces

    def __str__(self) -> str:
        lines = [self.source]
        lines += [f"the graph lacks  {_shown(trace)}" for trace in sorted(self.truth - self.walk.traces, key=len)[:3]]
        lines += [f"the graph adds   {_shown(trace)}" for trace in sorted(self.walk.traces - self.truth, key=len)[:3]]
        for what, edges in (("never taken", self.walk.spare), ("mislabelled", self.walk.mislabelled)):
            for number, edge in sorted(edges):
                source, target = self.graph.steps[number], self.graph.steps[edge.target]
                lines.append(f"{what}: {source.kind.value} {edge.label.value} {target.kind.value}")
        return "\n".join(lines)


def _shown(trace: Trace) -> str:
    return ", ".join(f"{what}({which or ''}): {how}" for what, which, how in trace)


def graphs_of(sources: Sequence[str]) -> Iterable[Graph]:
    """The graph of each function, many functions to a module."""
    for start in range(0, len(sources), _BATCH):
        batch = sources[start : start + _BATCH]
        renamed = (re.sub(r"def f\(", f"def f{number}(", source) for number, source in enumerate(batch))
        yield from graphs(HEADER + "\n".join(renamed))


def compare(sources: Sequence[str], limit: int) -> Iterable[Comparison]:
    """Each function of ``sources``, all traces of at most ``limit`` events."""
    for source, graph in zip(sources, graphs_of(sources), strict=True):
        yield Comparison(source, graph, limit)

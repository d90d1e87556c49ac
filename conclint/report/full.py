"""The ``full`` format: each finding with its source marked, and below it the path that leads there, step by step.

::

    error[CNC101 lock-not-released]: an exception in `load()` (line 9) leaves `lock` held
      --> app.py:8:5 in `refresh`
       |
     8 |     lock.acquire()
       |     ^^^^^^^^^^^^^^ 1: `lock` is acquired
     9 |     load()
       |     ------ 2: raises
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..model import Finding, Span
from . import Run
from .terminal import BLUE, BOLD, BY_SEVERITY, cell, painted, printable, width

MAX_WIDTH = 140
"""Longer lines are cut to a window round what is marked."""

_LEAD = 20


def render(run: Run) -> str:
    """Every finding as a block, with an empty line after each."""
    return "".join(_block(finding, run.lines, run.color) + "\n" for finding in run.findings)


class _Mark(NamedTuple):
    path: str
    span: Span
    sign: str
    label: str
    style: str


class _Margin(NamedTuple):
    """What stands left of the source, as wide as the largest number of a line."""

    width: int
    color: bool

    def with_(self, number: int | str, rest: str = "") -> str:
        """A line that begins with the number of one of source, or none."""
        return f"{painted(f'{number:>{self.width}} |', BLUE, self.color)}{rest}"

    def pointing(self, arrow: str, rest: str) -> str:
        """A line that says where the source below it is from."""
        return f"{' ' * self.width}{painted(arrow, BLUE, self.color)} {rest}"


def _block(finding: Finding, lines: Callable[[str], Sequence[str]], color: bool) -> str:
    style = BY_SEVERITY[finding.severity]
    marks = [
        _Mark(note.path, note.span, "-", f" {number}: {printable(note.message)}", BLUE)
        for number, note in enumerate(finding.notes, 1)
    ]
    if marks and (marks[0].path, marks[0].span) == (finding.path, finding.span):
        marks[0] = marks[0]._replace(sign="^", style=style)  # the path starts where the finding stands
    else:
        marks.insert(0, _Mark(finding.path, finding.span, "^", "", style))
    margin = _Margin(max(len(str(mark.span.end_line)) for mark in marks) + 1, color)
    where = f" in `{printable(finding.symbol)}`" if finding.symbol else ""
    title = painted(f"{finding.severity.value}[{finding.code} {finding.name}]", style, color)
    out = [
        f"{title}: {painted(printable(finding.message), BOLD, color)}",
        margin.pointing("-->", f"{_place(finding.path, finding.span)}{where}"),
        margin.with_(""),
    ]
    path = finding.path
    for mark in marks:
        if mark.path != path:
            path = mark.path
            out.append(margin.pointing(":::", _place(path, mark.span)))
        out += _marked(mark, lines(mark.path), margin)
    return "".join(line.rstrip() + "\n" for line in out)


def _place(path: str, span: Span) -> str:
    return f"{printable(path)}:{span.line}:{span.column}"


def _marked(mark: _Mark, lines: Sequence[str], margin: _Margin) -> Iterator[str]:
    """The first and the last line of what is marked, each with signs below it; the label stands after the last."""
    span = mark.span
    if not 1 <= span.line <= len(lines):
        yield margin.with_("", painted(mark.label, mark.style, margin.color))
        return
    last = min(span.end_line, len(lines))
    if span.end_column == 1 and last > span.line:
        last -= 1
    for number in sorted({span.line, last}):
        line = lines[number - 1]
        start = span.column - 1 if number == span.line else len(line) - len(line.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(line.rstrip())
        if number == last != span.line and last - span.line > 1:
            yield f"{' ' * margin.width} ..."
        shown, before, marked = _window(line, start, max(end, start + 1))
        yield margin.with_(number, f" {shown}")
        label = mark.label if number == last else ""
        yield margin.with_("", f" {' ' * before}{painted(mark.sign * marked + label, mark.style, margin.color)}")


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """What is shown of ``line``, and there the columns before and under the range from ``start`` to ``end``."""
    first = 0
    if len(line) > MAX_WIDTH and end > MAX_WIDTH - _LEAD:
        first = max(start - _LEAD, 0)
    last = min(len(line), first + MAX_WIDTH)
    lead = "…" if first else ""
    trail = "…" if last < len(line) else ""
    cells = [cell(char) for char in line[first:last]]
    before = "".join(cells[: start - first])
    marked = "".join(cells[start - first : max(min(end, last) - first, 0)])
    return lead + "".join(cells) + trail, width(lead + before), max(width(marked), 1)

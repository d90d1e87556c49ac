"""Writing a section that holds a lock as a ``with`` statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import syntax as s
from ..model import Edit, Span
from .text import Scan, Text, UnwritableError

if TYPE_CHECKING:
    from ..facts.with_blocks import WithBlock

_COMMENT_OR_NOTHING = re.compile(r"\s*(#.*)?")
_NOTHING_OR_FINALLY = re.compile(r"\s*(finally\s*:\s*)?")


class WithWriter:
    """Writes one section as a ``with`` statement."""

    def __init__(self, source: Text, section: WithBlock) -> None:
        self._source = source
        self._section = section
        receiver = source.extent(section.op.receiver)
        if receiver.line != receiver.end_line:
            raise UnwritableError
        self.header = f"{'async ' if section.is_async else ''}with {source.text(section.op.receiver)}:"
        self._first = source.extent(section.acquire)
        self._last = source.extent(section.release)
        self._scan = Scan(source.lines, self._first.line, self._last.end_line)
        self._indent = source.indent(self._first.line)
        self._step = source.step(section.acquire, self._indent)
        self._new: dict[int, str | None] = {}
        """Lines that change, ``None`` for those that go."""

    def edits(self) -> tuple[Edit, ...]:
        first, section = self._first, self._section
        if any("\f" in self._source.indent(number) for number in self._scan.logical):
            raise UnwritableError
        self._alone(first)
        guard = section.guard
        is_sole = guard is not None and guard.final == [section.release]
        if guard is not None and is_sole and not guard.handlers and not guard.orelse:
            self._dissolve(guard)
        else:
            self._shift(first.end_line + 1, self._last.line - 1)
            if guard is not None and is_sole:
                self._remove_finally(guard)
        self._alone(self._last)
        self._go(self._last.line, self._last.end_line, self._indent + self._step)
        for statement in section.dropped:
            span = self._source.extent(statement)
            self._alone(span)
            self._go(span.line, span.end_line, self._source.indent(span.line) + self._step)
        header = Span(first.line, first.column, first.end_line, first.end_column)
        return Edit(header, self.header), *self._line_edits()

    def _dissolve(self, guard: s.Try) -> None:
        """Let the body of ``guard`` stand where it stands, under the ``with`` instead of the ``try``."""
        number = self._source.extent(guard).line
        inner = self._source.indent(self._source.extent(guard.body[0]).line)
        line = self._source.line(number)
        if not inner.startswith(self._indent) or not re.fullmatch(r"\s*try\s*:\s*(#.*)?", line):
            raise UnwritableError
        self._step = inner[len(self._indent) :]
        self._shift(self._first.end_line + 1, number - 1)
        self._go(number, number, inner)
        self._remove_finally(guard)

    def _remove_finally(self, guard: s.Try) -> None:
        """Remove the line that says ``finally:``, where the release does not stand on it."""
        start = self._source.extent(guard).line
        for number in range(self._last.line, start, -1):
            if number in self._scan.logical and self._source.line(number).lstrip().startswith("finally"):
                if number != self._last.line:
                    if not re.fullmatch(r"\s*finally\s*:\s*(#.*)?", self._source.line(number)):
                        raise UnwritableError
                    self._go(number, number, self._indent + self._step)
                return
        raise UnwritableError

    def _alone(self, span: Span) -> None:
        """Make sure that the statement at ``span`` has its lines to itself, but for a comment at the end."""
        if span.line not in self._scan.logical or self._source.line(max(span.line - 1, 1)).endswith("\\"):
            raise UnwritableError
        if not _COMMENT_OR_NOTHING.fullmatch(self._source.after(span)):
            raise UnwritableError
        if not (_NOTHING_OR_FINALLY if span is self._last else re.compile(r"\s*")).fullmatch(self._source.before(span)):
            raise UnwritableError
        if any(number in self._scan.comments for number in range(span.line, span.end_line)):
            raise UnwritableError

    def _go(self, first: int, last: int, indent: str) -> None:
        """Remove lines ``first`` to ``last``; a comment on one of them stays, indented by ``indent``."""
        for number in range(first, last + 1):
            comment = self._scan.comments.get(number)
            self._new[number] = None if comment is None else indent + comment

    def _shift(self, first: int, last: int) -> None:
        """Indent lines ``first`` to ``last`` by one step; strings, blank lines and comments further out stay."""
        for number in range(first, last + 1):
            line = self._source.line(number)
            if not line.strip() or number in self._scan.in_string:
                continue
            if line.startswith(self._indent):
                self._new[number] = self._indent + self._step + line[len(self._indent) :]
            elif number in self._scan.logical:
                raise UnwritableError  # tabs and spaces, mixed in a way that only Python understands
            elif not line.lstrip().startswith("#"):
                self._new[number] = self._step + line

    def _line_edits(self) -> Iterator[Edit]:
        numbers = sorted(self._new)
        index = 0
        while index < len(numbers):
            number = numbers[index]
            new = self._new[number]
            index += 1
            if new is not None:
                yield self._changed(number, new)
                continue
            last = number
            while index < len(numbers) and numbers[index] == last + 1 and self._new[last + 1] is None:
                last += 1
                index += 1
            if last < len(self._source.lines):
                yield Edit(Span(number, 1, last + 1, 1), "")
            else:  # the file ends without a newline
                before = len(self._source.line(number - 1)) + 1
                yield Edit(Span(number - 1, before, last, len(self._source.line(last)) + 1), "")

    def _changed(self, number: int, new: str) -> Edit:
        """The smallest edit that makes line ``number`` read ``new``: what both end with stays."""
        old = self._source.line(number)
        same = 0
        while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
            same += 1
        start = 0
        while start < min(len(old), len(new)) - same and old[start] == new[start]:
            start += 1
        return Edit(Span(number, start + 1, number, len(old) - same + 1), new[start : len(new) - same])

"""Fixes carried out: edits of several rules merged, applied in rounds, and each result read again before it counts.

Fixes are applied whole or not at all. Of two that meet, the first by position is applied and the other waits for the
next round, in which the rules have seen what became of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .discovery import describe
from .engine import crash
from .model import Applicability, Edit, FileReport, Finding, Fix, Problem
from .parsing import on_large_stack, parse, refused_by_python
from .replacing import ChangedError, replace
from .source import BOM, SourceError, decode, decode_as_is, normalise_newlines

MAX_ROUNDS = 100
"""What needs more rounds than this is taken for an endless chain of fixes."""

_NEWLINE = re.compile(r"\r\n?|\n")


class Change(NamedTuple):
    """What the fixes made of one file."""

    path: str
    old: bytes
    new: bytes
    fixed: int
    """How many findings were fixed, in all rounds together."""


class NotFixedError(Exception):
    """Fixes that cannot be carried out; the file is to be left as it is."""


class Fixer:
    """Carries out the fixes of a run.

    ``check`` gives the report of a file's contents and path, ``pick`` those findings in one that are to be fixed;
    ``unsafe`` is whether fixes that want a reader's judgement are wanted too, and ``write`` whether files are replaced;
    ``replaced`` is then told the path of each.
    ``changes`` has what was done, or would be, and ``problems`` the files that were left alone although there was
    something to fix.
    """

    def __init__(
        self,
        check: Callable[[bytes, str], FileReport],
        *,
        unsafe: bool,
        write: bool,
        pick: Callable[[Sequence[Finding]], Sequence[Finding]] = tuple,
        replaced: Callable[[str], None] = lambda path: None,
    ) -> None:
        self.changes: list[Change] = []
        self.problems: list[Problem] = []
        self._check = check
        self._pick = pick
        self._unsafe = unsafe
        self._write = write
        self._replaced = replaced
        self._said: set[Problem] = set()

    def files(self, reports: Iterable[FileReport]) -> list[FileReport]:
        """What is left to report of checked files once they have been fixed."""
        before = list(reports)
        self._said.update(problem for report in before for problem in report.problems)
        return [self._file(report) for report in before]

    def contents(self, data: bytes, path: str) -> tuple[bytes, FileReport]:
        """``data`` fixed, and what is left to report of it; ``path`` is what findings call it. Writes no file."""
        report = self._check(data, path)
        try:
            change, report = self._fixed(data, path, report)
        except Exception as error:
            self.problems.append(Problem(path, f"not fixed: {_reason(error)}"))
            return data, report
        if change.new != data:
            self.changes.append(change)
        return change.new, report

    def _file(self, report: FileReport) -> FileReport:
        if not self._wanted(report):
            return report
        path = report.findings[0].path
        try:
            with open(path, "rb") as file:
                data = file.read()
            change, after = self._fixed(data, path, self._check(data, path))
            if change.new != data:
                if self._write:
                    replace(path, data, change.new)
                    self._replaced(path)
                self.changes.append(change)
        except Exception as error:
            self.problems.append(Problem(path, f"not fixed: {_reason(error)}"))
            return report
        new = [problem for problem in after.problems if problem not in self._said]
        return FileReport(after.findings, (*report.problems, *new))

    def _fixed(self, data: bytes, path: str, report: FileReport) -> tuple[Change, FileReport]:
        old, count = data, 0
        seen = {data}
        for _ in range(MAX_ROUNDS):
            findings = _compatible(self._wanted(report))
            if not findings:
                return Change(path, old, data, count), report
            new = apply(data, [finding.fix for finding in findings if finding.fix is not None])
            codes = ", ".join(sorted({finding.code for finding in findings}))
            if new in seen:
                raise NotFixedError(f"the fixes of {codes} undo one another")
            if not on_large_stack(lambda before=data, after=new: _is_as_valid(before, after)):  # type: ignore[misc]
                raise NotFixedError(f"the fixes of {codes} would leave it invalid; this is a mistake in conclint")
            seen.add(new)
            data, count = new, count + len(findings)
            report = self._check(data, path)
        raise NotFixedError(f"after {MAX_ROUNDS} rounds there is still something to fix")

    def _wanted(self, report: FileReport) -> list[Finding]:
        return [
            finding
            for finding in self._pick(report.findings)
            if finding.fix is not None
            and finding.fix.edits
            and (self._unsafe or finding.fix.applicability is Applicability.SAFE)
        ]


def apply(data: bytes, fixes: Iterable[Fix]) -> bytes:
    """``data`` with the edits of ``fixes``, which must not overlap; every other byte stays what it is.

    Lines that edits bring end as the line does that they start on. Raises :class:`NotFixedError` where the encoding
    gives the old bytes no second time, or lacks something new.
    """
    text, encoding = decode_as_is(data)
    bom = BOM if data.startswith(BOM) else b""
    if _encoded(text, encoding) != data[len(bom) :]:
        raise NotFixedError(f"reading it as {encoding} and writing it again would change more than the fixes do")
    new = _applied(text, sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: edit.span))
    result = bom + _encoded(new, encoding)
    try:
        as_read = decode(result)
    except SourceError:
        as_read = None
    if as_read != normalise_newlines(new):
        raise NotFixedError("the fixes would change the encoding that it declares")
    return result


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeError:
        raise NotFixedError(f"{encoding} cannot write what the fixes bring") from None


def _applied(text: str, edits: Sequence[Edit]) -> str:
    ends = list(_NEWLINE.finditer(text))
    starts = [0, *(end.end() for end in ends)]
    stops = [*(end.start() for end in ends), len(text)]

    def offset(line: int, column: int) -> int:
        if not 1 <= line <= len(starts) or not 1 <= column <= stops[line - 1] - starts[line - 1] + 1:
            raise ValueError(f"no column {column} in line {line}")
        return starts[line - 1] + column - 1

    parts = []
    done = 0
    for span, replacement in edits:
        start, stop = offset(span.line, span.column), offset(span.end_line, span.end_column)
        if not done <= start <= stop:
            raise ValueError(f"edits overlap in line {span.line}")
        newline = ends[min(span.line, len(ends)) - 1][0] if ends else "\n"
        parts += [text[done:start], replacement.replace("\n", newline)]
        done = stop
    return "".join(parts) + text[done:]


def _compatible(findings: Iterable[Finding]) -> list[Finding]:
    """Those whose fixes can be applied together: each that meets none of those before it."""
    chosen: list[Finding] = []
    last: tuple[int, float] = (0, 0)
    placed = [(_reach(finding.fix), finding) for finding in findings if finding.fix is not None]
    for (first, end), finding in sorted(placed, key=lambda entry: (entry[0], entry[1].span, entry[1].code)):
        if first > last:
            chosen.append(finding)
            last = end
    return chosen


def _reach(fix: Fix) -> tuple[tuple[int, float], tuple[int, float]]:
    """Line and column of what ``fix`` starts and ends with, and all between: its edits belong together.

    A fix that goes beyond one line has its lines to itself, since it may count on how they are indented.
    """
    first = min(edit.span for edit in fix.edits)
    end = max((edit.span.end_line, edit.span.end_column) for edit in fix.edits)
    if first.line == end[0] and not any("\n" in edit.replacement for edit in fix.edits):
        return (first.line, first.column), end
    return (first.line, 0), (end[0], float("inf"))


def _is_as_valid(old: bytes, new: bytes) -> bool:
    """Whether ``new`` parses, and compiles if ``old`` did; that may be written for a newer Python than this one.

    Where libcst did not read ``old``, Python's word counts: comments are looked at without a tree of libcst's.
    """
    before, after = decode(old), decode(new)
    if isinstance(parse(after), SourceError):
        return refused_by_python(after) is None and isinstance(parse(before), SourceError)
    return _compiles(after) or not _compiles(before)


def _compiles(text: str) -> bool:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<source>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, ChangedError):
        return "it was changed in the meantime"
    if isinstance(error, NotFixedError):
        return str(error)
    if isinstance(error, OSError):
        return f"it cannot be replaced: {describe(error)}"
    return crash(error)

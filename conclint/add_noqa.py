"""``--add-noqa``: a ``# noqa`` with the right codes at the line of each finding, so that a next run shows none of them.

A comment that lists codes already gets the new ones. Where a line cannot end in a comment, since a string or a
backslash goes on over its end, the next one that can does.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from .config import SYNTAX_ERROR
from .discovery import describe
from .model import FileReport, Finding, Problem
from .replacing import ChangedError, replace
from .source import BOM, SourceError, decode, encoding_of
from .suppressions import Comment, Suppressions

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_STRING_STARTS = {getattr(tokenize, f"{letter}STRING_START", None) for letter in "FT"} - {None}
_STRING_ENDS = {getattr(tokenize, f"{letter}STRING_END", None) for letter in "FT"} - {None}


class Added(NamedTuple):
    """How many findings were silenced in how many files, and what could not be done."""

    findings: int
    files: int
    problems: tuple[Problem, ...]


def add_noqa(findings: Sequence[Finding], check: Callable[[bytes, str], FileReport]) -> Added:
    """Silences ``findings``, sorted by path, in their files; each file is changed for all of its own or not at all.

    ``check`` gives the report of a file's contents and path.
    """
    count, files = 0, 0
    problems: list[Problem] = []
    for path, group in groupby(findings, lambda finding: finding.path):
        here = list(group)
        try:
            _add(path, here, check)
        except OSError as error:
            problems.append(Problem(path, f"not changed: {describe(error)}"))
        except _CannotError as error:
            problems.append(Problem(path, f"not changed: {error}"))
        else:
            count, files = count + len(here), files + 1
    return Added(count, files, tuple(problems))


class _CannotError(Exception):
    """Why a file is left as it is."""


def _add(path: str, findings: Sequence[Finding], check: Callable[[bytes, str], FileReport]) -> None:
    if any(finding.code == SYNTAX_ERROR for finding in findings):
        raise _CannotError("it does not parse")
    with open(path, "rb") as file:
        data = file.read()
    new = _with_comments(data, findings)
    wanted = {finding.fingerprint for finding in check(data, path).findings}
    if not {finding.fingerprint for finding in findings} <= wanted:
        raise _CannotError("it was changed meanwhile")
    report = check(new, path)
    silenced = {(finding.code, finding.span.line) for finding in findings}
    if any(problem.fatal for problem in report.problems) or any(
        (finding.code, finding.span.line) in silenced for finding in report.findings
    ):
        raise _CannotError("a comment would not silence all of its findings")
    try:
        replace(path, data, new)
    except ChangedError:
        raise _CannotError("it was changed meanwhile") from None


def _with_comments(data: bytes, findings: Iterable[Finding]) -> bytes:
    """``data`` with comments that silence ``findings``: in its own encoding, with its own newlines."""
    bom = BOM if data.startswith(BOM) else b""
    encoding = encoding_of(data)
    try:
        raw = data[len(bom) :].decode(encoding)
        text = decode(data)
        lines = _LINE.findall(raw)
        before = _code(text)
    except (ValueError, SyntaxError, tokenize.TokenError, LookupError, SourceError):
        raise _CannotError("it cannot be split into tokens") from None
    suppressions = Suppressions(text)
    endable = _Endable(text)
    wanted: dict[int, set[str]] = {}
    for finding in findings:
        if not 1 <= finding.span.line <= len(lines):
            raise _CannotError("it was changed meanwhile")
        wanted.setdefault(finding.span.line, set()).add(finding.code)
    merged: dict[tuple[int, int], set[str]] = {}
    added: dict[int, set[str]] = {}
    for number, codes in wanted.items():
        comment = _listing(suppressions, number)
        if comment is not None:
            end = next(d.end for d in comment.directives if d.is_noqa)
            merged.setdefault((comment.line, comment.column - 1 + end), set()).update(codes)
        else:
            added.setdefault(endable.at_or_after(number), set()).update(codes)
    for number, codes in added.items():
        body = lines[number - 1].rstrip("\r\n")
        ending = lines[number - 1][len(body) :]
        lines[number - 1] = f"{body.rstrip()}  # noqa: {', '.join(sorted(codes))}{ending}"
    for (number, column), codes in sorted(merged.items(), reverse=True):
        line = lines[number - 1]
        lines[number - 1] = f"{line[:column]}, {', '.join(sorted(codes))}{line[column:]}"
    new = "".join(lines)
    try:
        result = bom + new.encode(encoding)
        if _code(decode(result)) == before:
            return result
    except (ValueError, SyntaxError, tokenize.TokenError, LookupError, SourceError):
        pass
    raise _CannotError("a comment would change what it means")


def _listing(suppressions: Suppressions, line: int) -> Comment | None:
    """The comment that speaks for ``line`` and has a ``noqa`` with codes: flake8 reads one a statement."""
    for comment in suppressions.speaking_for(line):
        if any(directive.is_noqa and directive.selectors for directive in comment.directives):
            return comment
    return None


def _code(text: str) -> list[tuple[int, str]]:
    """The tokens of ``text`` but for comments."""
    skipped = (tokenize.COMMENT, tokenize.NL)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(token.type, token.string) for token in tokens if token.type not in skipped]


class _Endable:
    """Which lines may end in a comment: no literal and no backslash goes on over their end."""

    def __init__(self, text: str) -> None:
        self._taken: set[int] = set()
        starts: list[int] = []
        last = (0, 0)
        comments = set()
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING:
                self._taken.update(range(token.start[0], token.end[0]))
            elif token.type == tokenize.COMMENT:
                comments.add(token.start[0])
            elif token.type in _STRING_STARTS:
                starts.append(token.start[0])
            elif token.type in _STRING_ENDS and starts:
                self._taken.update(range(starts.pop(), token.end[0]))
            if token.type not in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                last = token.end
        self._last = last[0]
        for number, line in enumerate(text.split("\n"), 1):
            if line.endswith("\\") and number not in comments:
                self._taken.add(number)

    def at_or_after(self, number: int) -> int:
        """The first line from ``number`` on that may."""
        while number in self._taken and number < self._last:
            number += 1
        return number

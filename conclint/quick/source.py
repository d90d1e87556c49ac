"""The source behind the positions of ``ast``, and the string literals in it."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

POSITIONS_IN_STRINGS = sys.version_info >= (3, 12)
"""Whether what stands in an f-string has its own position; before, it is guessed by CPython, often wrongly."""

_PREFIX = re.compile(r"[A-Za-z]*")
_LITERAL = re.compile(
    r"""[A-Za-z]{0,2}(?:
    \"{3} (?: \\. | [^\\] )*? \"{3} | '{3} (?: \\. | [^\\] )*? '{3} | " (?: \\. | [^\\"] )* " | ' (?: \\. | [^\\'] )* '
    )""",
    re.DOTALL | re.VERBOSE,
)
_BETWEEN = re.compile(r"(?:\s|\\\n|\#[^\n]*)*")


class UnsureError(Exception):
    """The source behind a node of ``ast`` cannot be found, or is too odd to be worth the trouble."""


class Source:
    """A text, cut by the positions of ``ast``: lines from 1, columns in bytes of UTF-8."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = b"" if text.isascii() else text.encode("utf-8")
        """The text in UTF-8, where its bytes are not its characters."""
        self._starts = [0, 0]
        lines: Sequence[str | bytes] = self._bytes.split(b"\n") if self._bytes else text.split("\n")
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def of(self, node: Any) -> str:
        """The source of ``node``."""
        return self.between(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)

    def between(self, line: int, column: int, end_line: int, end_column: int) -> str:
        """The source from one position up to another."""
        if end_line >= len(self._starts):
            raise UnsureError
        start, end = self._starts[line] + column, self._starts[end_line] + end_column
        return self._bytes[start:end].decode("utf-8", "replace") if self._bytes else self._text[start:end]


def parsed_again(text: str) -> ast.expr:
    """The expression that some of the source is on its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise UnsureError from None


def is_one_literal(text: str) -> bool:
    """Whether ``text``, which is one or several string literals in a row, is certainly only one."""
    start = _past(_PREFIX, text, 0)
    quote = _quote(text, start)
    return quote != "" and text.endswith(quote) and text.count(quote) == 2


def literals(text: str) -> list[str]:
    """The string literals that ``text`` is made of, none of which has its own quotes inside."""
    found: list[str] = []
    position = 0
    while position < len(text):
        end = _past(_LITERAL, text, position)
        if end == position:
            raise UnsureError
        found.append(text[position:end])
        position = _past(_BETWEEN, text, end)
    return found


def fields_by_literal(node: Any, text: str, source: Source) -> list[list[Any] | None]:
    """The replacement fields of each of the literals that the formatted string ``node``, ``text``, is made of.

    ``None`` stands for a literal that is not a formatted one.
    """
    fields = [value for value in node.values if not isinstance(value, ast.Constant)]
    if is_one_literal(text):
        return [fields]
    out = list(_split_by_position(fields, text, node, source) if POSITIONS_IN_STRINGS else _split(fields, text))
    if sum(map(len, filter(None, out))) != len(fields):
        raise UnsureError
    return out


def _split(fields: list[Any], text: str) -> Iterator[list[Any] | None]:
    first = 0
    for literal in literals(text):
        if _is_formatted(literal):
            last = first + _count_fields(literal)
            yield fields[first:last]
            first = last
        else:
            yield None


def _count_fields(literal: str) -> int:
    if "{" not in literal:
        return 0
    parsed: Any = parsed_again(literal)
    return sum(not isinstance(value, ast.Constant) for value in parsed.values)


def _split_by_position(fields: list[Any], text: str, node: Any, source: Source) -> Iterator[list[Any] | None]:
    ends = {}
    for field in fields:
        start = len(source.between(node.lineno, node.col_offset, field.lineno, field.col_offset))
        ends[start] = field, start + len(source.of(field))
    position = 0
    while position < len(text):
        start = _past(_PREFIX, text, position)
        if not _is_formatted(text[position:start]):
            end = _past(_LITERAL, text, position)
            if end == position:
                raise UnsureError
            yield None
        else:
            quote = _quote(text, start)
            end = start + len(quote)
            own: list[Any] = []
            while not text.startswith(quote, end):
                if end in ends:
                    field, end = ends[end]
                    own.append(field)
                else:
                    end += 2 if text[end] == "\\" and text[end + 1 : end + 2] != "{" else 1
                if end >= len(text):
                    raise UnsureError
            end += len(quote)
            yield own
        position = _past(_BETWEEN, text, end)


def _is_formatted(literal: str) -> bool:
    return not {*"fFtT"}.isdisjoint(literal[: _past(_PREFIX, literal, 0)])


def _quote(text: str, start: int) -> str:
    """The quotes that open a literal at ``start``."""
    three = text[start : start + 3]
    return three if three in ('"""', "'''") else three[:1]


def _past(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where the match of ``pattern`` at ``position`` ends, ``position`` itself where there is none."""
    match = pattern.match(text, position)
    return position if match is None else match.end()

"""The text of a file as fixes see it: where a node stands, what is beside it, what the tokens of its lines tell."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Callable, Sequence

from .. import syntax as s
from ..model import Span

_LAYOUT = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
_STRING_STARTS = {getattr(tokenize, f"{letter}STRING_START", None) for letter in "FT"} - {None}
_STRING_ENDS = {getattr(tokenize, f"{letter}STRING_END", None) for letter in "FT"} - {None}


class UnwritableError(Exception):
    """The text is none that can be rewritten without doubt."""


class Text:
    """The text of one file.

    ``lines`` are its lines without their ends, ``extent`` says where a node stands, ``indentation`` is what a block
    is indented by where nothing nearer tells.
    """

    def __init__(self, lines: Sequence[str], extent: Callable[[s.Node], Span], indentation: str) -> None:
        self.lines = lines
        self.extent = extent
        self._indentation = indentation

    def line(self, number: int) -> str:
        return self.lines[number - 1]

    def indent(self, number: int) -> str:
        """The white space that line ``number`` starts with."""
        line = self.line(number)
        return line[: len(line) - len(line.lstrip())]

    def before(self, span: Span) -> str:
        """What stands on the line before ``span``."""
        return self.line(span.line)[: span.column - 1]

    def after(self, span: Span) -> str:
        """What stands on the line after ``span``."""
        return self.line(span.end_line)[span.end_column - 1 :]

    def text(self, node: s.Node) -> str:
        """The source of ``node``, without parentheses around it. It must hold no comment."""
        return self.slice(self.extent(node))

    def slice(self, span: Span) -> str:
        """The source at ``span``."""
        if span.line == span.end_line:
            return self.line(span.line)[span.column - 1 : span.end_column - 1]
        parts = [self.line(span.line)[span.column - 1 :], *self.lines[span.line : span.end_line - 1]]
        return "\n".join([*parts, self.line(span.end_line)[: span.end_column - 1]])

    def step(self, statement: s.Stmt, indent: str) -> str:
        """What the block of ``statement`` is indented by, ``indent`` in all."""
        if not isinstance(statement.parent, s.Module) and statement.parent is not None:
            outer = self.indent(self.extent(statement.parent).line)
            if indent.startswith(outer) and indent != outer:
                return indent[len(outer) :]
        return self._indentation


class Scan:
    """What the tokens of some whole lines tell: comments, lines that start inside a string, logical lines."""

    def __init__(self, lines: Sequence[str], first: int, last: int) -> None:
        self.comments: dict[int, str] = {}
        self.in_string: set[int] = set()
        """The lines whose start is text of a literal, which indenting would change."""
        self.logical: set[int] = set()
        """The lines on which a logical line starts, whose indentation has a meaning."""
        text = "\n".join(lines[first - 1 : last]) + "\n"
        try:
            self._read(list(tokenize.generate_tokens(io.StringIO(text).readline)), first - 1)
        except (tokenize.TokenError, SyntaxError):
            raise UnwritableError from None

    def _read(self, tokens: Sequence[tokenize.TokenInfo], offset: int) -> None:
        starts: list[int] = []
        fresh = True
        for token in tokens:
            if token.type == tokenize.COMMENT:
                self.comments[token.start[0] + offset] = token.string
            elif token.type == tokenize.NEWLINE:
                fresh = True
            elif token.type not in _LAYOUT:
                if fresh:
                    self.logical.add(token.start[0] + offset)
                    fresh = False
                if token.type == tokenize.STRING:
                    self.in_string.update(range(token.start[0] + 1 + offset, token.end[0] + 1 + offset))
                elif token.type in _STRING_STARTS:
                    starts.append(token.start[0])
                elif token.type in _STRING_ENDS and starts:
                    self.in_string.update(range(starts.pop() + 1 + offset, token.end[0] + 1 + offset))

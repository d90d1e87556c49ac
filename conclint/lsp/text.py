"""The text of an open document: positions as the editor counts them, and where a ``# noqa`` goes."""

from __future__ import annotations

import io
import re
import tokenize

from ..model import Edit, Finding, Span
from ..source import normalise_newlines

Position = tuple[int, int]
"""Line and character from 0, the latter in the units of the editor's encoding."""

_BYTES_OF_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}

_NOQA = re.compile(r"#\s*noqa\s*:\s*", re.IGNORECASE)


class Text:
    """One state of a document."""

    def __init__(self, source: str, encoding: str = "utf-16") -> None:
        self._text = normalise_newlines(source)
        self._lines = self._text.split("\n")
        self._codec = _CODECS[encoding]
        self._unit = _BYTES_OF_UNIT[encoding]
        newline = re.search(r"\r\n?|\n", source)
        self.newline = newline[0] if newline else "\n"

    def range(self, span: Span) -> tuple[Position, Position]:
        """``span`` as the editor counts."""
        return self._position(span.line, span.column), self._position(span.end_line, span.end_column)

    def _position(self, line: int, column: int) -> Position:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return line - 1, len(text[: column - 1].encode(self._codec, "surrogatepass")) // self._unit

    def suppression(self, finding: Finding) -> Edit | None:
        """The edit that silences ``finding`` by a comment: at the end of its logical line, where there is always room.

        None where the text is no Python, so that nobody knows where its lines end.
        """
        first = 0
        comment: tokenize.TokenInfo | None = None
        try:
            for token in tokenize.generate_tokens(io.StringIO(self._text).readline):
                if token.type == tokenize.COMMENT:
                    comment = token
                elif token.type == tokenize.NEWLINE:
                    if first <= finding.span.line <= token.start[0]:
                        same_line = comment if comment is not None and comment.start[0] == token.start[0] else None
                        return self._silencing(finding.code, token.start[0], same_line)
                    first = 0
                elif not first and token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
                    first = token.start[0]
        except (SyntaxError, tokenize.TokenError):
            pass
        return None

    def _silencing(self, code: str, line: int, comment: tokenize.TokenInfo | None) -> Edit:
        if comment is not None and (known := _NOQA.search(comment.string)):
            column = comment.start[1] + known.end() + 1
            return Edit(Span(line, column, line, column), f"{code}, ")
        text = self._lines[line - 1]
        return Edit(Span(line, len(text.rstrip()) + 1, line, len(text) + 1), f"  # noqa: {code}")

"""libcst: parse once, lower once, positions on demand. Nothing else imports libcst.

Lowering is one recursive walk. Recursion is as deep as the source nests; the engine runs it on a thread with a
large stack (libcst's own parser needs one too). Positions cost twice as much as parsing, so they are computed
only for files in which something is to be said.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from .. import syntax as s
from ..model import Span
from .statements import Lowering


class ParseError(Exception):
    """The text is not Python that libcst knows. ``line`` and ``column`` are 1-based."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Tree:
    """A parsed file: its lowered module, and the place of each node."""

    def __init__(self, concrete: cst.Module, module: s.Module) -> None:
        self._concrete = concrete
        self._ranges: Any = None
        self.module = module

    @classmethod
    def of(cls, module: s.Module) -> Tree:
        """The tree that ``module``, which :func:`parse` made, is of."""
        concrete: Any = module.origin
        return cls(concrete, module)

    @property
    def text(self) -> str:
        """The source."""
        return self._concrete.code

    def span(self, node: s.Node) -> Span:
        """Where ``node`` stands; a compound statement is cut down to its header."""
        if isinstance(node, s.Module):
            return Span(1, 1, 1, 1)
        whole = self._range(node.origin)
        header = _header_parts(node)
        if header is None:
            return whole
        keyword, parts = header
        ends = [(r.end_line, r.end_column) for r in map(self._range, parts)]
        line, column = max(ends, default=(whole.line, whole.column + len(keyword)))
        return Span(whole.line, whole.column, line, column)

    def extent(self, node: s.Node) -> Span:
        """Where ``node`` stands, to the end of its last line; that of a compound statement may lie in white space."""
        return self._range(node.origin)

    @property
    def indentation(self) -> str:
        """What this file indents a block by."""
        return self._concrete.default_indent

    def _range(self, origin: object) -> Span:
        if self._ranges is None:
            wrapper = MetadataWrapper(self._concrete, unsafe_skip_copy=True)
            self._ranges = wrapper.resolve(PositionProvider)
        found = self._ranges[origin]
        return Span(found.start.line, found.start.column + 1, found.end.line, found.end.column + 1)


def _header_parts(node: s.Node) -> tuple[str, list[object]] | None:
    """The keyword that opens a compound statement and the concrete parts of its header, ``None`` for others."""
    origin: Any = node.origin
    if isinstance(node, s.Handler):
        return "except", [part for part in (origin.type, origin.name and origin.name.name) if part is not None]
    if isinstance(node, (s.If, s.While)):
        return "while", [origin.test]
    if isinstance(node, s.For):
        return "for", [origin.iter]
    if isinstance(node, s.With):
        return "with", [part.asname.name if part.asname else part.item for part in origin.items]
    if isinstance(node, s.Try):
        return "try", []
    if isinstance(node, s.Match):
        return "match", [origin.subject]
    if isinstance(node, s.Function) and not node.is_lambda:
        return "def", [origin.name]
    if isinstance(node, s.FunctionDef):
        return "def", [origin.name]
    if isinstance(node, s.ClassDef):
        return "class", [origin.name]
    return None


def parse(text: str) -> Tree:
    """Parse ``text`` and lower it.

    Raises :class:`ParseError` where libcst cannot read it.
    """
    try:
        concrete = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise ParseError(error.message, error.raw_line, error.raw_column + 1) from None
    except UnicodeError as error:  # lone surrogates
        raise ParseError(str(error), 1, 1) from None
    module = Lowering().module(concrete)
    s.link(module)
    return Tree(concrete, module)

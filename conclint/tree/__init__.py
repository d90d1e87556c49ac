"""libcst: parse once, lower once, positions on demand. Nothing else imports libcst.

Lowering is one recursive walk. Recursion is as deep as the source nests; the engine runs it on a thread with a
large stack (libcst's own parser needs one too). Positions cost twice as much as parsing, so they are computed
only for those statements of the module in which something is to be said.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from .. import syntax as s
from ..model import Span
from .form_feeds import without_form_feeds
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

    def __init__(
        self, concrete: cst.Module, module: s.Module, text: str, lines: Sequence[int] | None, taken: Mapping[int, int]
    ) -> None:
        """``lines`` are as for :func:`parse`; ``taken`` says what ``text`` has that the parsed text has not."""
        self._concrete = concrete
        self.text = text
        """The source."""
        self._taken = taken
        self._lines = lines
        self._statements: dict[s.Node, tuple[Any, int]] = {}
        """What each statement of the module was lowered from, and the line on which the first of that starts."""
        self._places: dict[s.Node, tuple[Any, int]] = {}
        """For statements of the module, the ranges of what is in them, and how many lines to add to those."""
        self.module = module

    def span(self, node: s.Node) -> Span:
        """Where ``node`` stands; a compound statement is cut down to its header."""
        if isinstance(node, s.Module):
            return Span(1, 1, 1, 1)
        whole = self.extent(node)
        header = _header_parts(node)
        if header is None:
            return whole
        keyword, parts = header
        ends = [(r.end_line, r.end_column) for r in (self._range(node, part) for part in parts)]
        line, column = max(ends, default=(whole.line, whole.column + len(keyword)))
        return Span(whole.line, whole.column, line, column)

    def extent(self, node: s.Node) -> Span:
        """Where ``node`` stands, to the end of its last line; that of a compound statement may lie in white space."""
        return self._range(node, node.origin)

    @property
    def indentation(self) -> str:
        """What this file indents a block by."""
        return self._concrete.default_indent

    def _range(self, node: s.Node, origin: object) -> Span:
        """Where ``origin`` stands, which is a part of what ``node`` was lowered from."""
        top = node
        while top.parent is not None and top.parent is not self.module:
            top = top.parent
        if top not in self._places:
            self._locate(top)
        ranges, lines = self._places[top]
        found = ranges[origin]
        first, last = found.start.line + lines, found.end.line + lines
        return Span(first, self._column(first, found.start.column), last, self._column(last, found.end.column))

    def _column(self, line: int, column: int) -> int:
        """The 1-based column in the source of a 0-based one in the text that was parsed."""
        return column + self._taken.get(line, 0) + 1

    def _locate(self, top: s.Node) -> None:
        """Compute the places in a statement of the module, or in all of them where it is not known where they start."""
        if self._lines is None or top is self.module:
            ranges = _ranges(self._concrete)
            self._places = dict.fromkeys((self.module, *self.module.body), (ranges, 0))
            return
        if not self._statements:
            statements = zip(self.module.body, self._lines, strict=True)
            for concrete in self._concrete.body:
                count = len(concrete.body) if isinstance(concrete, cst.SimpleStatementLine) else 1
                together = [*itertools.islice(statements, count)]
                self._statements.update((statement, (concrete, together[0][1])) for statement, _ in together)
        concrete, line = self._statements[top]
        ranges = _ranges(self._concrete.with_changes(header=(), body=(concrete,), footer=()))
        self._places[top] = ranges, line - ranges[concrete].start.line


def _ranges(module: cst.Module) -> Any:
    return MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)


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


def parse(text: str, lines: Sequence[int] | None = None) -> Tree:
    """Parse ``text`` and lower it; ``lines`` are those on which the statements of the module start, if they are known.

    Raises :class:`ParseError` where libcst cannot read it.
    """
    parsed, taken = without_form_feeds(text)
    try:
        concrete = cst.parse_module(parsed)
    except cst.ParserSyntaxError as error:
        column = error.raw_column + taken.get(error.raw_line, 0) + 1
        raise ParseError(error.message, error.raw_line, column) from None
    except UnicodeError as error:  # lone surrogates
        raise ParseError(str(error), 1, 1) from None
    except (cst.CSTLogicError, cst.CSTValidationError):  # of what it has grammar for and no nodes: "a" t"b"
        raise ParseError("unknown syntax", 1, 1) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings: they are for whoever runs the code
        module = Lowering().module(concrete)
    s.link(module)
    return Tree(concrete, module, text, lines, taken)

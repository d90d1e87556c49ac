"""A parsed file as the rules see it, with what is linked to it: nodes to positions, to text and to findings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from .facts import Facts
from .model import Finding, Note, Rule, Span
from .syntax import Module, Node, root_of, symbol_of
from .target import Target
from .tree import Tree

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .rule import Report, Step

_TEXT_LENGTH = 60

_FAR = 1_000_000_000
"""More lines than a file has."""


class _Source(NamedTuple):
    """A file whose nodes are spoken of."""

    path: str
    tree: Tree
    lines: Sequence[str]
    base: int
    """What is added to its line numbers so that they are not those of another file."""


class Context:
    """See :class:`conclint.rule.ModuleContext`."""

    def __init__(self, tree: Tree, text: str, path: str, target: Target) -> None:
        self._own = _Source(path, tree, text.split("\n"), 0)
        self._sources = {tree.module: self._own}
        self.facts = Facts(tree.module, os.path.basename(path), target)
        self._rewrite: Rewriter | None = None

    @property
    def rewrite(self) -> Rewriter:
        """Makes fixes. Those of linked nodes are as long as their reports: nobody applies them."""
        if self._rewrite is None:
            from .rewrite import Rewriter

            self._rewrite = Rewriter(_Lines(self._sources), self._extent, self._own.tree.indentation)
        return self._rewrite

    def is_own(self, node: Node) -> bool:
        """Whether ``node`` stands in this file, not in a definition that is linked to it."""
        return self._source(node) is self._own

    def line(self, node: Node) -> str:
        source = self._source(node)
        line = source.tree.span(node).line
        return f"{line}" if source is self._own else f"{line} of {os.path.basename(source.path)}"

    def text(self, node: Node) -> str:
        source = self._source(node)
        span = source.tree.span(node)
        lines = list(source.lines[span.line - 1 : span.end_line])
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        text = " ".join(" ".join(lines).split())
        return text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1].rstrip() + "…"

    def finding(self, rule: Rule, report: Report) -> Finding:
        """What ``rule`` said, in positions instead of nodes."""
        return Finding(
            path=self._own.path,
            span=self._own.tree.span(report.node),
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            message=report.message,
            symbol=symbol_of(report.node),
            notes=tuple(map(self._note, report.path)),
            fix=report.fix,
            fingerprint="",
        )

    def _note(self, step: Step) -> Note:
        source = self._source(step.node)
        return Note(step.message, source.path, source.tree.span(step.node))

    def _extent(self, node: Node) -> Span:
        source = self._source(node)
        span = source.tree.extent(node)
        return span._replace(line=span.line + source.base, end_line=span.end_line + source.base)

    def _source(self, node: Node) -> _Source:
        """The file that ``node`` stands in."""
        module = root_of(node)
        if module not in self._sources:
            self._sources[module] = self._linked(module)
        return self._sources[module]

    def _linked(self, module: Module) -> _Source:
        links = self._own.tree.module.links
        path = "" if links is None else links.paths[module]
        tree = Tree.of(module)
        return _Source(path, tree, tree.text.split("\n"), _FAR * len(self._sources))


class _Lines(Sequence[str]):
    """The lines of all files that are spoken of, each from its own base on; as long as the file itself."""

    def __init__(self, sources: dict[Module, _Source]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(next(iter(self._sources.values())).lines)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        lines = next(iter(self._sources.values())).lines
        if isinstance(index, int):
            return lines[index] if index < _FAR else self._beyond(index)[index % _FAR]
        if (index.start or 0) < _FAR:
            return lines[index]
        return self._beyond(index.start)[index.start % _FAR : index.stop % _FAR]

    def _beyond(self, index: int) -> Sequence[str]:
        return next(source.lines for source in self._sources.values() if source.base == index // _FAR * _FAR)

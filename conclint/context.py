"""A parsed file as the rules see it, with what is linked to it: nodes to positions, to text and to findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from .facts import Facts
from .model import Finding, Note, Rule, Span
from .replacing import ChangedError
from .syntax import Module, Node, root_of, symbol_of
from .target import Target

if TYPE_CHECKING:
    from .rewrite import Rewriter
    from .rule import Report, Step
    from .tree import Tree

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


class QuickContext:
    """A file as the rules see it first: without positions and text, since it is only asked who has something to say."""

    def __init__(self, module: Module, path: str, target: Target) -> None:
        self._module = module
        self.facts = Facts(module, os.path.basename(path), target)

    @property
    def rewrite(self) -> Any:
        """Writes no fix."""
        return _NoRewriter()

    def is_own(self, node: Node) -> bool:
        """Whether ``node`` stands in this file, not in a definition that is linked to it."""
        return root_of(node) is self._module

    def line(self, node: Node) -> str:
        return ""

    def text(self, node: Node) -> str:
        return ""


class _NoRewriter:
    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class Context:
    """A parsed file and what is known of it, as the rules see it; see :class:`conclint.rule.ModuleContext`.

    ``tree_of`` gives the trees of linked files by their paths.
    """

    def __init__(self, tree: Tree, text: str, path: str, target: Target, tree_of: Callable[[str], Tree | None]) -> None:
        self._own = _Source(path, tree, text.split("\n"), 0)
        self._sources = {tree.module: self._own}
        self._tree_of = tree_of
        self._twins: dict[Node, Node] = {}
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
        line = self._span(node).line
        return f"{line}" if source is self._own else f"{line} of {os.path.basename(source.path)}"

    def text(self, node: Node) -> str:
        span = self._span(node)
        lines = list(self._source(node).lines[span.line - 1 : span.end_line])
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
        return Note(step.message, self._source(step.node).path, self._span(step.node))

    def _span(self, node: Node) -> Span:
        return self._source(node).tree.span(self._twin(node))

    def _extent(self, node: Node) -> Span:
        source = self._source(node)
        span = source.tree.extent(self._twin(node))
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
        tree = self._tree_of(path)
        if tree is None or _shape(tree.module) != _shape(module):
            raise ChangedError(f"{path} was changed meanwhile")
        for kind, nodes in module.index.items():
            self._twins.update(zip(nodes, tree.module.index[kind], strict=True))
        self._twins[module] = tree.module
        return _Source(path, tree, tree.text.split("\n"), _FAR * len(self._sources))

    def _twin(self, node: Node) -> Node:
        """The node with positions that ``node``, which may be of a quick tree, is the like of."""
        self._source(node)
        return self._twins.get(node, node)


def _shape(module: Module) -> dict[type[Node], int]:
    return {kind: len(nodes) for kind, nodes in module.index.items()}


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

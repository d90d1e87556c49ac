"""What a rule may see, and how it reports.

A rule is a function from the :class:`ModuleContext` of one file to :class:`Report` values. It asks facts and
finds words; it sees no command line, no file system and no output format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from .facts import Facts
    from .model import Fix
    from .rewrite import Rewriter
    from .syntax import Node


class Step(NamedTuple):
    """A place on the path to a finding and what happens there."""

    node: Node
    message: str


class Report(NamedTuple):
    """A finding in the words of a rule: nodes instead of positions."""

    node: Node
    message: str
    path: Sequence[Step] = ()
    fix: Fix | None = None


class ModuleContext(Protocol):
    """One parsed file and everything the model knows about it."""

    @property
    def facts(self) -> Facts:
        """The analyses of this file, each made when first asked for."""

    @property
    def rewrite(self) -> Rewriter:
        """Makes fixes: edits of this file's text."""

    def line(self, node: Node) -> str:
        """The number of the line on which ``node`` starts; of another file with its name: ``14 of base.py``."""

    def text(self, node: Node) -> str:
        """The source of ``node`` on one line, shortened where it is long."""

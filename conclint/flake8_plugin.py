"""The flake8 plugin. flake8 reads the files, decides what to show and honours ``# noqa``; we only find."""

from __future__ import annotations

import ast
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import __version__
from .config import SYNTAX_ERROR, Settings, resolve
from .engine import check_text
from .registry import rules

if TYPE_CHECKING:
    from flake8.options.manager import OptionManager


class Plugin:
    """What flake8 makes of each file that it has parsed."""

    name = "conclint"
    version = __version__
    settings: Settings | None = None

    def __init__(self, tree: ast.AST, lines: Sequence[str], filename: str) -> None:
        # The argument `tree` is how flake8 knows when to run us: once a file, if it parses. If not, that is its E999.
        self._text = "".join(lines)
        self._path = filename

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Leaves the rules that are not in the default set off in flake8 too."""
        manager.extend_default_ignore([rule.code for rule in rules() if not rule.default])

    @classmethod
    def parse_options(cls, options: Namespace) -> None:
        """Runs the default rules, and of the others those that flake8 was told to select.

        The default ignore list is not enough: flake8 forgets it where a project sets its own ``ignore``.
        """
        chosen = tuple((options.select or []) + (options.extend_select or []) + (options.enable_extensions or []))
        cls.settings = resolve(extend_select=[r.code for r in rules() if r.code.startswith(chosen)] if chosen else ())

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Findings as flake8 wants them: line, column from 0, text that starts with the code, and this class."""
        report = check_text(self._text, self._path, self.settings or resolve())
        for finding in report.findings:
            yield finding.span.line, finding.span.column - 1, f"{finding.code} {finding.message}", type(self)
        for problem in report.problems:
            yield 1, 0, f"{SYNTAX_ERROR} {problem.message}", type(self)

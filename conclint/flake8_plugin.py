"""The flake8 plugin. flake8 reads the files, decides what to show and honours ``# noqa``; we only find.

What a project says of its code, and what it ignores where, is read from the files that the command reads it from.
"""

from __future__ import annotations

import ast
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from . import __version__
from .config import SYNTAX_ERROR
from .configuration import Configuration
from .engine import Checker
from .model import PathError
from .options import Options
from .registry import meant, rules
from .report.terminal import printable
from .target import START_METHODS, parse_version

if TYPE_CHECKING:
    from flake8.options.manager import OptionManager


class Plugin:
    """What flake8 makes of each file that it has parsed."""

    name = "conclint"
    version = __version__
    checker: Checker | None = None

    def __init__(self, tree: ast.AST, lines: Sequence[str], filename: str) -> None:
        # The argument `tree` is how flake8 knows when to run us: once a file, if it parses. If not, that is its E999.
        self._text = "".join(lines)
        self._path = filename

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Leaves the rules that are not in the default set off in flake8 too, and adds options of our own."""
        manager.extend_default_ignore([rule.code for rule in rules() if not rule.default])
        manager.add_option(
            "--conclint-target-version",
            metavar="VERSION",
            parse_from_config=True,
            help="the oldest Python that the code runs on, such as 3.10 (default: requires-python of the project)",
        )
        manager.add_option(
            "--conclint-start-method",
            metavar="METHOD",
            choices=START_METHODS,
            parse_from_config=True,
            help="how multiprocessing starts a process: auto, which is the strictest, spawn, forkserver or fork",
        )
        manager.add_option(
            "--conclint-config",
            metavar="FILE",
            parse_from_config=True,
            normalize_paths=True,
            help="a pyproject.toml or conclint.toml to read instead of the nearest to each file",
        )

    @classmethod
    def parse_options(cls, options: Namespace) -> None:
        """Runs the default rules, and of the others those that flake8 was told to select.

        The default ignore list is not enough: flake8 forgets it where a project sets its own ``ignore``.
        """
        chosen = (options.select or []) + (options.extend_select or []) + (options.enable_extensions or [])
        given: dict[str, object] = {"extend-select": [selector for selector in chosen if _is_ours(selector)]}
        for key in ("target-version", "start-method"):
            value = getattr(options, f"conclint_{key.replace('-', '_')}", None)
            if value is not None:
                given[key] = value
        try:
            if "target-version" in given:
                parse_version(str(given["target-version"]))
            configuration = Configuration(cast(Options, given), getattr(options, "conclint_config", None))
        except (PathError, ValueError) as error:
            from flake8.exceptions import ExecutionError

            where = f"{error.path}: " if isinstance(error, PathError) else ""
            raise ExecutionError(printable(f"conclint: {where}{error}")) from None
        cls.checker = Checker(configuration.of)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Findings as flake8 wants them: line, column from 0, text that starts with the code, and this class."""
        checker = self.checker or Checker(Configuration({}).of)
        try:
            report = checker.text(self._text, self._path)
        except PathError as error:  # a file of options further down
            yield self._told(1, 1, SYNTAX_ERROR, f"not checked: {error.path}: {error}")
            return
        for finding in report.findings:
            yield self._told(finding.span.line, finding.span.column, finding.code, finding.message)
        for problem in report.problems:
            if problem.fatal:
                yield self._told(1, 1, SYNTAX_ERROR, problem.message)

    def _told(self, line: int, column: int, code: str, message: str) -> tuple[int, int, str, type[Plugin]]:
        return line, column - 1, f"{code} {printable(message)}", type(self)


def _is_ours(selector: str) -> bool:
    """Whether what flake8 was told to select (codes and beginnings of codes, of any plugin) means rules of ours."""
    return selector.isalnum() and bool(meant(selector))

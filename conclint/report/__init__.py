"""Reports: pure functions from the result of a run to text, one module a format. None of them sees a tree."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

from ..model import Finding, Problem, Rule

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")

TEXT_FORMATS = frozenset({"full", "concise", "github"})
"""Those that are lines, so that a summary may follow; the others are documents, each a whole."""

WITH_PROBLEMS = frozenset({"json", "sarif", "github", "junit"})
"""Those that have a place for what could not be analysed."""


def _no_page(_: Rule) -> str:
    return ""


class Run(NamedTuple):
    """The result of a run: all that a report may know."""

    findings: Sequence[Finding]
    """Sorted by path, position and code."""
    problems: Sequence[Problem]
    files: int
    """How many files were checked to the end."""
    rules: Sequence[Rule]
    """The rules that ran."""
    lines: Callable[[str], Sequence[str]]
    """The lines of the file at a path, without their ends; none where it cannot be read again."""
    fixed: int = 0
    """How many findings were fixed, and so are not among ``findings``."""
    is_fixing: bool = False
    """Whether fixes were made: what is left of those is none that could be."""
    wants_unsafe: bool = False
    """Whether unsafe fixes are made as well as safe ones."""
    remarks: Sequence[str] = ()
    """What else there is to say below the summary."""
    page: Callable[[Rule], str] = _no_page
    """The page of a rule, in Markdown."""
    color: bool = False
    """Whether the formats for people may use the escapes of a terminal."""


class Format(Protocol):
    """What a module of this package offers."""

    def render(self, run: Run) -> str:
        """The report, ended by a newline unless there is nothing to say."""


def load(name: str) -> Format:
    """The format called ``name``, one of ``FORMATS``."""
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))

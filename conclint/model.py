"""The plain data that every other module speaks: spans, findings, fixes and the declaration of a rule.

Nothing here knows syntax trees, files or output formats. Everything is an immutable tuple: cheap to import
(no ``dataclasses``), to hash, to compare and to send between processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .rule import ModuleContext, Report


class PathError(Exception):
    """Something is wrong with the file at ``path``, other than the code that is checked; the message says what."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class Severity(Enum):
    """How bad the consequence is, in the three words that SARIF, LSP and the CI formats share."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Span(NamedTuple):
    """A range of source text. Lines and columns are 1-based, columns count characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """One step of the path that leads to a finding."""

    message: str
    path: str
    span: Span


class Applicability(Enum):
    """Whether a fix keeps behaviour (``safe``) or wants a reader's judgement (``unsafe``)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Edit(NamedTuple):
    """Replace the text of ``span`` by ``replacement``."""

    span: Span
    replacement: str


class Fix(NamedTuple):
    """Edits that are applied all together or not at all."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]


class Finding(NamedTuple):
    """One mistake at one place. Sorting findings sorts them by path, position and code."""

    path: str
    span: Span
    code: str
    name: str
    severity: Severity
    message: str
    symbol: str
    """Dotted name of the enclosing function or class, ``""`` at module level."""
    notes: tuple[Note, ...]
    fix: Fix | None
    fingerprint: str
    """Stable under moved lines: made of code, symbol and the text of the line, not of its number."""


class Problem(NamedTuple):
    """A file, or one rule in one file, that could not be analysed.

    ``fatal`` problems make the run exit with status 2, since its result is incomplete; the others (a link back
    to a parent folder, a FIFO met while walking) lose nothing and are only said.
    """

    path: str
    message: str
    fatal: bool = True


class Tag(Enum):
    """How an editor shows what a rule marks: struck through, or faded out."""

    DEPRECATED = "deprecated"
    UNNECESSARY = "unnecessary"


class FixAvailability(Enum):
    """Whether a rule offers fixes; ``--rules``, the pages and the tests read it."""

    NONE = "none"
    SAFE = "safe"
    UNSAFE = "unsafe"


class Rule(NamedTuple):
    """The declaration of a rule; its page is the docstring of the module that ``check`` stands in."""

    code: str
    name: str
    summary: str
    """One line, no full stop: what ``--rules``, the README table and SARIF's short description show."""
    severity: Severity
    check: Callable[[ModuleContext], Iterable[Report]]
    default: bool = True
    """Whether the rule runs without being selected."""
    fix: FixAvailability = FixAvailability.NONE
    since: str = "unreleased"
    """The release that brought the rule."""
    tag: Tag | None = None
    """What the marked code is, where editors have a way to show it."""


class FileReport(NamedTuple):
    """What the engine says of one file: its findings in order, and what went wrong."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]

"""The ``concise`` format: a line a finding, as editors and ``grep`` read them."""

from __future__ import annotations

from ..model import Finding
from . import Run
from .terminal import BOLD, BY_SEVERITY, painted, printable, printable_path


def render(run: Run) -> str:
    """``path:line:column: CODE message`` for each finding; columns are 1-based."""
    return "".join(_line(finding, run.color) for finding in run.findings)


def _line(finding: Finding, color: bool) -> str:
    path = painted(printable_path(finding.path), BOLD, color)
    code = painted(finding.code, BY_SEVERITY[finding.severity], color)
    return f"{path}:{finding.span.line}:{finding.span.column}: {code} {printable(finding.message)}\n"

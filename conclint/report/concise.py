"""The ``concise`` format: a line a finding, as editors and ``grep`` read them."""

from __future__ import annotations

from . import Run
from .terminal import printable


def render(run: Run) -> str:
    """``path:line:column: CODE message`` for each finding; columns are 1-based."""
    return "".join(
        f"{printable(f.path)}:{f.span.line}:{f.span.column}: {f.code} {printable(f.message)}\n" for f in run.findings
    )

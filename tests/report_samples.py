"""Results of runs that the tests of every report share: an ordinary one, and one in which all strings are hostile."""

from __future__ import annotations

from conclint.model import Applicability, Edit, Finding, Fix, Note, Problem, Rule, Severity, Span
from conclint.report import Run

PAGE = "# the-name (CNC101)\n\n## What it finds\n\nAn acquire\nthat hangs.\n\nMore.\n"

NASTY = "a\x1b[2J\r\n::error::x\t%0A,:<&>\"']]>\x00\x07\x7f\x9b\u2028\u202e\ufffe\ufeff\ud800\udcff[x](http://y) é"
"""Escapes of terminals, commands of GitHub, what XML cannot hold, half a surrogate pair, a link of SARIF."""

SPAN = Span(3, 7, 3, 9)


def rule(code: str = "CNC101", default: bool = True) -> Rule:
    return Rule(code, "the-name", "A lock is held", Severity.ERROR, lambda module: (), default)


def finding(
    path: str = "src/a.py",
    span: Span = SPAN,
    *,
    message: str = "it hangs",
    severity: Severity = Severity.ERROR,
    symbol: str = "",
    notes: tuple[Note, ...] = (),
    fix: Fix | None = None,
    fingerprint: str = "0123",
) -> Finding:
    return Finding(path, span, "CNC101", "the-name", severity, message, symbol, notes, fix, fingerprint)


def run(*findings: Finding, problems: tuple[Problem, ...] = (), color: bool = False) -> Run:
    return Run(
        findings, problems, 5, [rule("CNC100", False), rule()], lambda path: [], page=lambda rule: PAGE, color=color
    )


def ordinary() -> Run:
    """Two files, all severities, a path, a fix, a symbol, problems."""
    fix = Fix(Applicability.UNSAFE, "use `with`", (Edit(Span(3, 7, 4, 1), "with lock:\n"), Edit(Span(9, 1, 9, 5), "")))
    notes = (Note("`lock` is acquired", "src/a.py", Span(3, 7, 3, 9)), Note("raises", "b.py", Span(5, 1, 6, 2)))
    return run(
        finding(symbol="A.f", notes=notes, fix=fix),
        finding(span=Span(8, 1, 10, 3), severity=Severity.WARNING, fingerprint="4567"),
        finding("b.py", severity=Severity.NOTE),
        problems=(Problem("gone.py", "cannot be read"), Problem("loop", "not followed", fatal=False)),
    )


def hostile() -> Run:
    note = Note(NASTY, NASTY, Span(1, 1, 1, 2))
    fix = Fix(Applicability.SAFE, NASTY, (Edit(Span(1, 1, 1, 2), NASTY),))
    return run(
        finding(NASTY, message=NASTY, symbol=NASTY, notes=(note,), fix=fix),
        finding("::error::x", message="::error::x"),
        problems=(Problem(NASTY, NASTY), Problem("::error::x", "::error::x", fatal=False)),
    )

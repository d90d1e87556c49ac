"""The lines that end a report for people, and the table of counts that can stand in for its findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..model import Applicability, Finding, Severity
from . import Run
from .terminal import BY_SEVERITY, painted


def summary(run: Run) -> str:
    """How much was found in how many files, and below it what can be fixed, where anything can."""
    fixed = f"Fixed {count(run.fixed, 'finding')}. " if run.fixed else ""
    if not run.findings:
        return f"{fixed}No findings in {count(run.files, 'file')}.\n"
    by_severity = Counter(finding.severity for finding in run.findings)
    parts = [count(by_severity[severity], severity.value) for severity in Severity if by_severity[severity]]
    files = len({finding.path for finding in run.findings})
    found = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
    return f"{fixed}Found {found} in {count(files, 'file')} ({run.files} checked).\n{_fixable(run)}"


def _fixable(run: Run) -> str:
    """How many findings can be fixed, and by which options that were not given."""
    if run.is_fixing and run.wants_unsafe:
        return ""
    found = Counter(finding.fix.applicability for finding in run.findings if finding.fix is not None)
    safe, unsafe = found[Applicability.SAFE], found[Applicability.UNSAFE]
    if run.is_fixing:
        return f"{unsafe} more can be fixed with --unsafe-fixes.\n" if unsafe else ""
    if run.wants_unsafe:
        safe, unsafe = safe + unsafe, 0
    if not unsafe:
        return f"{safe} can be fixed with --fix.\n" if safe else ""
    if not safe:
        return f"{unsafe} can be fixed with --fix --unsafe-fixes.\n"
    return f"{safe} can be fixed with --fix, {unsafe} more with --fix --unsafe-fixes.\n"


def would_fix(run: Run, files: int) -> str:
    """What stands below a diff: how much in how many files it would fix, and what could be fixed besides."""
    done = f"Would fix {count(run.fixed, 'finding')} in {count(files, 'file')}" if run.fixed else "Nothing to fix"
    return f"{done}.\n{_fixable(run)}"


def statistics(run: Run) -> str:
    """How often each rule found something, the most frequent first."""
    counted = counts(run.findings)
    digits = max((len(str(count)) for _, count in counted), default=0)
    return "".join(
        f"{count:{digits}}  {painted(found.code, BY_SEVERITY[found.severity], run.color)}  {found.name}\n"
        for found, count in counted
    )


def counts(findings: Sequence[Finding]) -> list[tuple[Finding, int]]:
    """One finding of each rule that found something and how many there are, the most frequent first."""
    examples: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        examples.setdefault((finding.code, finding.name), finding)
    number = Counter((finding.code, finding.name) for finding in findings)
    return [(examples[rule], number[rule]) for rule in sorted(number, key=lambda rule: (-number[rule], rule))]


def count(number: int, noun: str, plural: str = "") -> str:
    """``number`` and what it counts."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"

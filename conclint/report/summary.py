"""The line that ends a report for people, and the table of counts that can stand in for its findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..model import Finding, Severity
from . import Run


def summary(run: Run) -> str:
    """How much was found in how many files, in one line with its newline."""
    fixed = f"Fixed {_count(run.fixed, 'finding')}. " if run.fixed else ""
    if not run.findings:
        return f"{fixed}No findings in {_count(run.files, 'file')}.\n"
    by_severity = Counter(finding.severity for finding in run.findings)
    parts = [_count(by_severity[severity], severity.value) for severity in Severity if by_severity[severity]]
    files = len({finding.path for finding in run.findings})
    found = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
    return f"{fixed}Found {found} in {_count(files, 'file')} ({run.files} checked).\n"


def would_fix(fixed: int, files: int) -> str:
    """What stands below a diff: how much in how many files it would fix."""
    if not fixed:
        return "Nothing to fix.\n"
    return f"Would fix {_count(fixed, 'finding')} in {_count(files, 'file')}.\n"


def statistics(findings: Sequence[Finding]) -> str:
    """How often each rule found something, the most frequent first."""
    counts = Counter((finding.code, finding.name) for finding in findings)
    digits = max((len(str(count)) for count in counts.values()), default=0)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return "".join(f"{count:{digits}}  {code}  {name}\n" for (code, name), count in ordered)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""The ``gitlab`` format: a Code Quality report, which a merge request shows as what it adds and what it resolves."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..model import Finding, Severity
from . import Run
from .paths import with_slashes
from .terminal import printable

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(run: Run) -> str:
    """A list with an object for each finding. There is no place in it for what could not be analysed."""
    seen: dict[str, int] = {}
    return json.dumps([_issue(finding, seen) for finding in run.findings], indent=2) + "\n"


def _issue(finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    return {
        "description": printable(finding.message),
        "check_name": f"{finding.code} {finding.name}",
        "fingerprint": _fingerprint(finding, seen),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": printable(with_slashes(finding.path)),
            "lines": {"begin": finding.span.line, "end": finding.span.end_line},
        },
    }


def _fingerprint(finding: Finding, seen: dict[str, int]) -> str:
    """Of the whole report: GitLab takes two findings with one fingerprint for one."""
    identity = f"{finding.path}\0{finding.code}\0{finding.fingerprint}"
    seen[identity] = count = seen.get(identity, 0) + 1
    return hashlib.sha256(f"{identity}\0{count}".encode("utf-8", "surrogatepass")).hexdigest()

"""The ``json`` format: one document, whose shape only ever grows while ``version`` is 1."""

from __future__ import annotations

import json
from typing import Any

from ..model import Finding, Fix, Note, Span
from . import Run
from .summary import counts


def render(run: Run) -> str:
    """The document, ended by a newline. What is not ASCII is escaped, so that any terminal or pipe can take it."""
    return _document(run, "findings", [_finding(finding) for finding in run.findings])


def statistics(run: Run) -> str:
    """The document with how often each rule found something, the most frequent first, in place of the findings."""
    counted = [
        {"code": found.code, "name": found.name, "severity": found.severity.value, "count": count}
        for found, count in counts(run.findings)
    ]
    return _document(run, "statistics", counted)


def _document(run: Run, title: str, entries: list[dict[str, Any]]) -> str:
    document = {
        "version": 1,
        title: entries,
        "errors": [
            {"path": problem.path, "message": problem.message, "fatal": problem.fatal} for problem in run.problems
        ],
        "files": run.files,
        "fixed": run.fixed,
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": finding.path,
        **_range(finding.span),
        "symbol": finding.symbol,
        "notes": [_note(note) for note in finding.notes],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "fingerprint": finding.fingerprint,
    }


def _range(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _note(note: Note) -> dict[str, Any]:
    return {"message": note.message, "path": note.path, "line": note.span.line, "column": note.span.column}


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "message": fix.message,
        "edits": [{**_range(edit.span), "replacement": edit.replacement} for edit in fix.edits],
    }

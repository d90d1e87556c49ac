"""The ``sarif`` format: one run of SARIF 2.1.0, for GitHub's code scanning, editors and whoever compares analysers.

The path that leads to a finding is its code flow. All rules that ran are listed with their pages, so that a reader
can tell "nothing found" from "not looked for".
"""

from __future__ import annotations

import json
from typing import Any

from .. import HOME, __version__
from ..model import Applicability, Finding, Fix, Note, Problem, Rule, Severity, Span
from . import Run
from .paths import uri
from .terminal import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_ROOT = "%SRCROOT%"
"""What relative paths start from: the folder that conclint ran in, for the reader to fill in."""

_GITHUB_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}


def render(run: Run) -> str:
    """The document, in ASCII."""
    index = {rule.code: number for number, rule in enumerate(run.rules)}
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "conclint",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "informationUri": HOME,
                        "rules": [_rule(rule, run.page(rule)) for rule in run.rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "newlineSequences": ["\r\n", "\n", "\r"],
                "invocations": [
                    {
                        "executionSuccessful": not any(problem.fatal for problem in run.problems),
                        "toolExecutionNotifications": [_notification(problem) for problem in run.problems],
                    }
                ],
                "results": [_result(finding, index) for finding in run.findings],
            }
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _rule(rule: Rule, page: str) -> dict[str, Any]:
    described = _first_paragraph(page) or f"{rule.summary}."
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": f"{rule.summary}."},
        "fullDescription": {"text": described},
        "help": {"text": f"{described}\nconclint --explain {rule.code} tells more.", "markdown": page or described},
        "helpUri": f"{HOME}/rules/{rule.name}",
        "defaultConfiguration": {"level": rule.severity.value, "enabled": rule.default},
        "properties": {
            "tags": ["concurrency", "reliability"],
            "precision": "high" if rule.default else "medium",
            "problem.severity": _GITHUB_SEVERITIES[rule.severity],
        },
    }


def _first_paragraph(page: str) -> str:
    """What the page says first, below its titles."""
    paragraphs = (paragraph for paragraph in page.split("\n\n") if not paragraph.startswith("#"))
    return " ".join(next(paragraphs, "").split())


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": _place(finding.path, finding.span)}
    if finding.symbol:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(finding.symbol)}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity.value,
        "message": _message(finding.message),
        "locations": [location],
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    if finding.fingerprint:
        result["partialFingerprints"] = {"conclint/v1": finding.fingerprint}
    if finding.notes:
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": _step(note)} for note in finding.notes]}]}]
    if finding.fix is not None and _is_text(finding.fix):
        result["fixes"] = [_fix(finding.fix, finding.path)]
    return result


def _step(note: Note) -> dict[str, Any]:
    return {"physicalLocation": _place(note.path, note.span), "message": _message(note.message)}


def _fix(fix: Fix, path: str) -> dict[str, Any]:
    doubt = "" if fix.applicability is Applicability.SAFE else " (may change what the program does)"
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}} for edit in fix.edits
    ]
    return {
        "description": _message(fix.message + doubt),
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": replacements}],
        "properties": {"applicability": fix.applicability.value},
    }


def _is_text(fix: Fix) -> bool:
    """Whether every reader of JSON can take the fix: changed by an escape it would no longer be one."""
    try:
        "".join(edit.replacement for edit in fix.edits).encode()
    except UnicodeEncodeError:
        return False
    return bool(fix.edits)


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "error" if problem.fatal else "note",
        "message": _message(problem.message),
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(problem.path)}}],
    }


def _place(path: str, span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(path), "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _artifact(path: str) -> dict[str, str]:
    reference = uri(path)
    if reference.startswith(("file:", "../")):
        return {"uri": reference}
    return {"uri": reference, "uriBaseId": _ROOT}


def _message(text: str) -> dict[str, str]:
    """Text in which SARIF's readers find no link: ``[x](y)`` would be one."""
    shown = printable(text)
    if "](" in shown:
        shown = shown.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": shown}

"""The `json` format is a contract: this is the document in full."""

from __future__ import annotations

import json

from conclint.model import Applicability, Edit, Finding, Fix, Note, Problem, Severity, Span
from conclint.report import Run, load


def test_the_whole_document() -> None:
    fix = Fix(Applicability.UNSAFE, "use `with`", (Edit(Span(1, 2, 3, 4), "with lock:\n"),))
    findings = [
        Finding(
            "a\udcff.py", Span(3, 7, 4, 9), "CNC101", "lock-not-released", Severity.WARNING, "it — hangs", "A.f",
            (Note("here", "b.py", Span(5, 6, 7, 8)),), fix, "0123",
        ),
        Finding("b.py", Span(1, 1, 1, 2), "CNC900", "syntax-error", Severity.ERROR, "no", "", (), None, "4567"),
    ]  # fmt: skip
    problems = [Problem("c.py", "is a FIFO", fatal=False), Problem("d.py", "cannot be read")]
    text = load("json").render(Run(findings, problems, 4, [], lambda path: [], fixed=2))
    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "version": 1,
        "findings": [
            {
                "code": "CNC101",
                "name": "lock-not-released",
                "severity": "warning",
                "message": "it — hangs",
                "path": "a\udcff.py",
                "line": 3,
                "column": 7,
                "end_line": 4,
                "end_column": 9,
                "symbol": "A.f",
                "notes": [{"message": "here", "path": "b.py", "line": 5, "column": 6}],
                "fix": {
                    "applicability": "unsafe",
                    "message": "use `with`",
                    "edits": [{"line": 1, "column": 2, "end_line": 3, "end_column": 4, "replacement": "with lock:\n"}],
                },
                "fingerprint": "0123",
            },
            {
                "code": "CNC900",
                "name": "syntax-error",
                "severity": "error",
                "message": "no",
                "path": "b.py",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 2,
                "symbol": "",
                "notes": [],
                "fix": None,
                "fingerprint": "4567",
            },
        ],
        "errors": [
            {"path": "c.py", "message": "is a FIFO", "fatal": False},
            {"path": "d.py", "message": "cannot be read", "fatal": True},
        ],
        "files": 4,
        "fixed": 2,
    }

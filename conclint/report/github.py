"""The ``github`` format: commands that a workflow of GitHub Actions turns into annotations.

::

    ::error title=CNC101 lock-not-released,file=app.py,line=8,col=5,endLine=8,endColumn=19::an exception ...
"""

from __future__ import annotations

from ..model import Finding, Problem, Severity
from . import Run
from .paths import with_slashes
from .terminal import cell

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}

_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_DATA, ":": "%3A", ",": "%2C"}


def render(run: Run) -> str:
    """A command for each finding and for each problem."""
    return "".join([*map(_finding, run.findings), *map(_problem, run.problems)])


def _finding(finding: Finding) -> str:
    span = finding.span
    message = finding.message
    for number, note in enumerate(finding.notes, 1):
        message += f"\n{number}: {note.path}:{note.span.line}: {note.message}"
    properties: dict[str, str | int] = {
        "title": f"{finding.code} {finding.name}",
        "file": with_slashes(finding.path),
        "line": span.line,
        "col": span.column,
    }
    if span.end_line == span.line:  # columns are shown within a line only
        properties |= {"endLine": span.end_line, "endColumn": span.end_column}
    else:
        properties["endLine"] = span.end_line
    return _command(_COMMANDS[finding.severity], properties, message)


def _problem(problem: Problem) -> str:
    properties: dict[str, str | int] = {"title": "conclint", "file": with_slashes(problem.path)}
    # The path stands in the message too: what is no file of the repository gets no annotation.
    return _command("error" if problem.fatal else "notice", properties, f"{problem.path}: {problem.message}")


def _command(command: str, properties: dict[str, str | int], message: str) -> str:
    listed = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTY)}" for name, value in properties.items())
    return f"::{command} {listed}::{_escaped(message, _IN_DATA)}\n"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    """``text`` as GitHub reads it back, without anything that would move the cursor of who reads the log."""
    return "".join(escapes[char] if char in escapes else cell(char) for char in text)

"""The ``junit`` format: a file of XML in which each finding is a test that failed, for CI that shows tests.

A suite is a file. What could not be analysed is a test with an error; a run that found nothing is one that passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from xml.etree import ElementTree as ET

from ..model import Finding, Problem
from . import Run
from .terminal import printable


def render(run: Run) -> str:
    """The document in ASCII. What XML cannot hold even escaped, control characters and the like, is escaped."""
    suites = ET.Element("testsuites", name="conclint")
    for path, findings in groupby(run.findings, key=lambda finding: finding.path):
        _suite(suites, path, [_finding(finding) for finding in findings])
    if run.problems:
        _suite(suites, "conclint", map(_problem, run.problems))
    if not len(suites):
        # Some readers take a report without a test for one that failed.
        _suite(suites, "conclint", [ET.Element("testcase", name="conclint", classname="conclint", time="0")])
    for kind in ("tests", "failures", "errors", "skipped"):
        suites.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    ET.indent(suites)
    document: bytes = ET.tostring(suites, "us-ascii")
    return '<?xml version="1.0" encoding="us-ascii"?>\n' + document.decode("ascii") + "\n"


def _suite(suites: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    suite = ET.SubElement(suites, "testsuite", name=printable(name))
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(kind, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", "0")


def _finding(finding: Finding) -> ET.Element:
    path, span = printable(finding.path), finding.span
    message = printable(finding.message)
    case = ET.Element(
        "testcase",
        name=f"{finding.code} {finding.name} ({span.line}:{span.column})",
        classname=printable(f"{finding.path}:{finding.symbol}" if finding.symbol else finding.path),
        file=path,
        line=str(span.line),
        time="0",
    )
    failure = ET.SubElement(case, "failure", type=f"{finding.severity.value} {finding.code}", message=message)
    lines = [f"{path}:{span.line}:{span.column}: {finding.code} {message}"]
    for number, note in enumerate(finding.notes, 1):
        lines.append(f"  {number}: {printable(note.path)}:{note.span.line}: {printable(note.message)}")
    lines.append(f"conclint --explain {finding.code} tells more.")
    failure.text = "\n".join(lines)
    return case


def _problem(problem: Problem) -> ET.Element:
    path, message = printable(problem.path), printable(problem.message)
    case = ET.Element("testcase", name=f"{path}: can be analysed", classname="conclint", file=path, time="0")
    if problem.fatal:
        ET.SubElement(case, "error", type="error", message=f"{path}: {message}").text = f"{path}: {message}"
    else:
        ET.SubElement(case, "skipped", message=f"{path}: {message}")
    return case

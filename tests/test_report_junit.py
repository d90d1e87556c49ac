"""The `junit` format, read by a parser of JUnit files."""

from __future__ import annotations

import junitparser

from conclint.report import Run, junit
from tests import report_samples as samples


def suites(run: Run) -> list[junitparser.TestSuite]:
    text = junit.render(run)
    assert text.isascii()
    read = junitparser.JUnitXml.fromstring(text.encode())
    assert isinstance(read, junitparser.JUnitXml)
    listed = list(read)
    total = [0, 0, 0, 0]
    for suite in listed:
        results = [result for case in suite for result in case.result]
        kinds = (junitparser.Failure, junitparser.Error, junitparser.Skipped)
        counted = [len(list(suite)), *(sum(isinstance(result, kind) for result in results) for kind in kinds)]
        assert [suite.tests, suite.failures, suite.errors, suite.skipped] == counted
        total = [whole + part for whole, part in zip(total, counted, strict=True)]
    assert [read.tests, read.failures, read.errors, read.skipped] == total
    return listed


def test_a_suite_a_file_and_a_failed_test_a_finding() -> None:
    first, second, problems = suites(samples.ordinary())
    assert [(suite.name, suite.tests, suite.failures) for suite in (first, second)] == [
        ("src/a.py", 2, 2),
        ("b.py", 1, 1),
    ]
    case = next(iter(first))
    assert (case.name, case.classname) == ("CNC101 the-name (3:7)", "src/a.py:A.f")
    (failure,) = case.result
    assert isinstance(failure, junitparser.Failure)
    assert (failure.type, failure.message) == ("error CNC101", "it hangs")
    assert failure.text == (
        "src/a.py:3:7: CNC101 it hangs\n"
        "  1: src/a.py:3: `lock` is acquired\n"
        "  2: b.py:5: raises\n"
        "conclint --explain CNC101 tells more."
    )
    assert (problems.name, problems.errors, problems.skipped) == ("conclint", 1, 1)
    assert [type(case.result[0]) for case in problems] == [junitparser.Error, junitparser.Skipped]
    assert next(iter(problems)).result[0].message == "gone.py: cannot be read"


def test_nothing_found_is_a_test_that_passed() -> None:
    (suite,) = suites(samples.run())
    (case,) = suite
    assert case.is_passed
    assert (suite.tests, suite.failures, suite.errors) == (1, 0, 0)


def test_hostile_strings_are_text() -> None:
    first, second, _ = suites(samples.hostile())
    (case,) = first
    (failure,) = case.result
    for text in (first.name, case.name, case.classname, failure.message):
        assert text.isprintable()
    assert "é" in failure.message
    assert "<&>\"']]>" in failure.message
    assert (second.name, next(iter(second)).result[0].message) == ("::error::x", "::error::x")

"""The `concise` format, the summary and the statistics."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conclint.model import Applicability, Finding, Fix, Severity, Span
from conclint.report import FORMATS, Run, concise, load, summary


def run(*findings: Finding, files: int = 5) -> Run:
    def lines(path: str) -> Sequence[str]:
        raise AssertionError("no source is needed")

    return Run(findings, [], files, [], lines)


def finding(path: str = "a.py", severity: Severity = Severity.ERROR, code: str = "CNC101") -> Finding:
    return Finding(path, Span(3, 7, 3, 9), code, "the-name", severity, "it hangs", "", (), None, "")


def test_a_line_a_finding() -> None:
    assert concise.render(run(finding(), finding("b\x1b\udcff.py"))) == (
        "a.py:3:7: CNC101 it hangs\nb\\x1b\\udcff.py:3:7: CNC101 it hangs\n"
    )
    assert concise.render(run()) == ""


def test_the_summary_counts_by_severity() -> None:
    warning, note = (finding("b.py", severity) for severity in (Severity.WARNING, Severity.NOTE))
    assert summary.summary(run()) == "No findings in 5 files.\n"
    assert summary.summary(run(files=1)) == "No findings in 1 file.\n"
    assert summary.summary(run(finding())) == "Found 1 error in 1 file (5 checked).\n"
    assert summary.summary(run(warning, finding(), finding())) == (
        "Found 2 errors and 1 warning in 2 files (5 checked).\n"
    )
    assert summary.summary(run(note, warning, finding())) == (
        "Found 1 error, 1 warning and 1 note in 2 files (5 checked).\n"
    )


@pytest.mark.parametrize(
    ("safe", "unsafe", "before", "with_unsafe", "after", "after_unsafe"),
    [
        (0, 0, "", "", "", ""),
        (1, 0, "1 can be fixed with --fix.\n", "1 can be fixed with --fix.\n", "", ""),
        (
            0,
            1,
            "1 can be fixed with --fix --unsafe-fixes.\n",
            "1 can be fixed with --fix.\n",
            "1 more can be fixed with --unsafe-fixes.\n",
            "",
        ),
        (
            3,
            2,
            "3 can be fixed with --fix, 2 more with --fix --unsafe-fixes.\n",
            "5 can be fixed with --fix.\n",
            "2 more can be fixed with --unsafe-fixes.\n",
            "",
        ),
    ],
)
def test_the_summary_says_what_can_be_fixed(
    safe: int, unsafe: int, before: str, with_unsafe: str, after: str, after_unsafe: str
) -> None:
    def fixable(applicability: Applicability) -> Finding:
        return finding()._replace(fix=Fix(applicability, "use `with`", ()))

    found = [finding(), *[fixable(Applicability.SAFE)] * safe, *[fixable(Applicability.UNSAFE)] * unsafe]

    def hint(is_fixing: bool = False, wants_unsafe: bool = False) -> str:
        result = run(*found)._replace(is_fixing=is_fixing, wants_unsafe=wants_unsafe)
        first, _, rest = summary.summary(result).partition("\n")
        assert first.startswith("Found ")
        return rest

    assert hint() == before
    assert hint(wants_unsafe=True) == with_unsafe
    assert hint(is_fixing=True) == after
    assert hint(is_fixing=True, wants_unsafe=True) == after_unsafe


def test_statistics_put_the_most_frequent_first() -> None:
    found = [finding(code="CNC201"), finding(), *(finding(code="CNC301") for _ in range(10))]
    assert summary.statistics(run(*found)) == "10  CNC301  the-name\n 1  CNC101  the-name\n 1  CNC201  the-name\n"
    assert summary.statistics(run()) == ""


def test_every_format_loads() -> None:
    for name in FORMATS:
        assert isinstance(load(name).render(run()), str)

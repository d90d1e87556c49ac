"""Every file in tests/fixtures marks the lines that must be reported; findings.txt holds positions and messages.

A marker is a comment such as ``# CNC101`` (or ``# CNC101 CNC301``) at the end of the line that a finding starts on,
or alone on the line above it. A line without one must be silent. ``pytest --update`` rewrites the findings.txt of
each folder, and can hide neither a lost finding nor a new one.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from conclint.config import Settings, resolve
from conclint.engine import Checker, check_bytes
from conclint.flake8_plugin import Plugin
from conclint.model import FileReport, Finding
from conclint.registry import rules

FIXTURES = Path(__file__).parent / "fixtures"
FILES = sorted(FIXTURES.glob("*/*.py"))
MARK = re.compile(r"#\s*(CNC\d{3}(?:\s+CNC\d{3})*)\s*$")
EVERYTHING: Settings = resolve(select=["ALL"])

every_fixture = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def check(data: bytes, path: Path) -> FileReport:
    return check_bytes(data, str(path), EVERYTHING)


@cache
def report_of(path: Path) -> FileReport:
    return check(path.read_bytes(), path)


def comments(source: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment; of a file that has no tokens, of what looks like one."""
    try:
        for token in list(tokenize.generate_tokens(io.StringIO(source).readline)):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):
        for number, line in enumerate(source.split("\n"), 1):
            if (column := line.find("#")) >= 0:
                yield number, column, line[column:]


def moved(source: str, replace: Callable[[str], str]) -> tuple[str, Counter[tuple[int, str]]]:
    """``source`` with each marker's text replaced, and what the markers promise: (line, code), counted.

    A marker alone on its line is emptied, and its replacement put at the end of the next line of code.
    """
    lines = source.split("\n")
    promised: Counter[tuple[int, str]] = Counter()
    for number, column, text in comments(source):
        match = MARK.fullmatch(text)
        if match is None:
            continue
        before = lines[number - 1][:column]
        target = number
        if before.strip():
            lines[number - 1] = before + replace(match[1])
        else:
            lines[number - 1] = ""
            while not lines[target].strip() or lines[target].lstrip().startswith("#"):
                target += 1
            lines[target] += "  " + replace(match[1])
            target += 1
        promised.update((target, code) for code in match[1].split())
    return "\n".join(lines), promised


def shape(report: FileReport) -> list[tuple[int, int, str, str]]:
    return [(f.span.line, f.span.column, f.code, f.message) for f in report.findings]


@every_fixture
def test_the_marked_lines_are_exactly_the_reported_ones(path: Path) -> None:
    report = report_of(path)
    assert not report.problems
    _, promised = moved(path.read_text("utf-8"), lambda codes: "")
    assert Counter((f.span.line, f.code) for f in report.findings) == promised


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.name)
def test_positions_and_messages_are_the_golden_ones(folder: Path, request: pytest.FixtureRequest) -> None:
    got = "".join(line for path in sorted(folder.glob("*.py")) for f in report_of(path).findings for line in golden(f))
    file = folder / "findings.txt"
    if request.config.getoption("--update"):
        file.write_text(got, "utf-8")
    assert got == file.read_text("utf-8")


def golden(finding: Finding) -> Iterator[str]:
    span = finding.span
    where = f"{Path(finding.path).name}:{span.line}:{span.column}-{span.end_line}:{span.end_column}"
    yield f"{where} {finding.code} {finding.message}\n"
    for note in finding.notes:
        yield f"    {note.span.line}:{note.span.column}-{note.span.end_line}:{note.span.end_column} {note.message}\n"


@every_fixture
def test_it_compiles_unless_it_is_there_not_to(path: Path) -> None:
    if "CNC900" in {finding.code for finding in report_of(path).findings}:
        with pytest.raises(SyntaxError):
            compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
    else:
        compile(path.read_bytes(), path.name, "exec", dont_inherit=True)


@every_fixture
def test_a_noqa_in_place_of_each_marker_silences_it(path: Path) -> None:
    source, _ = moved(path.read_text("utf-8"), lambda codes: f"# noqa: {','.join(codes.split())}")
    assert shape(check(source.encode(), path)) == []


@every_fixture
def test_a_noqa_for_another_rule_silences_nothing(path: Path) -> None:
    source, promised = moved(path.read_text("utf-8"), lambda codes: "# noqa: CNC000,E501")
    unknown = Counter({(line, "CNC902"): 1 for line, code in promised if code != "CNC900"})
    assert Counter((line, code) for line, _, code, _ in shape(check(source.encode(), path))) == promised + unknown


@every_fixture
def test_the_result_is_the_same_the_second_time(path: Path) -> None:
    assert check(path.read_bytes(), path) == report_of(path)


@every_fixture
def test_newlines_and_byte_order_mark_do_not_matter(path: Path) -> None:
    data = path.read_bytes()
    assert shape(check(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), path)) == shape(report_of(path))
    assert shape(check(data.replace(b"\n", b"\r"), path)) == shape(report_of(path))


@every_fixture
def test_flake8_is_told_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plugin, "checker", Checker(lambda _: EVERYTHING))
    source = path.read_text("utf-8")
    told = list(Plugin(ast.Module([], []), source.splitlines(keepends=True), str(path)).run())
    assert [(line, column + 1, text) for line, column, text, _ in told] == [
        (line, column, f"{code} {message}") for line, column, code, message in shape(report_of(path))
    ]


def test_every_rule_has_a_marked_line_and_a_silent_function() -> None:
    for rule in rules():
        files = [path for path in FILES if path.parent.name == rule.code]
        found = [f for path in files for f in report_of(path).findings if f.code == rule.code]
        assert found, f"no line in tests/fixtures/{rule.code} is marked"
        loud = {(Path(f.path).name, f.symbol.rpartition(".")[2]) for f in found}
        quiet = {(path.name, name) for path in files for name in functions(path)} - loud
        assert quiet, f"nothing in tests/fixtures/{rule.code} shows where {rule.code} stays silent"


def functions(path: Path) -> list[str]:
    return re.findall(r"^\s*(?:async )?def (\w+)", path.read_text("utf-8"), re.MULTILINE)


def test_no_folder_is_orphaned_and_no_golden_is_stale() -> None:
    codes = {rule.code for rule in rules()}
    for folder in filter(Path.is_dir, FIXTURES.iterdir()):
        assert list(folder.glob("*.py")), f"{folder.name} holds no fixture"
        assert folder.name in codes or not folder.name.startswith("CNC"), f"{folder.name} is no rule"


def test_messages_keep_to_the_conventions() -> None:
    for path in FILES:
        for finding in report_of(path).findings:
            for message in (finding.message, *(note.message for note in finding.notes)):
                assert message == " ".join(message.split()), message
                assert not message.endswith("."), message
                assert not message[0].isupper() or message[:2].isupper() or not message[0].isalpha(), message

"""The pipeline: what is parsed at all, rules kept apart from one another, deep nesting, suppression, fingerprints."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from conclint import engine, parsing
from conclint.config import Settings, resolve
from conclint.discovery import File
from conclint.engine import Checker, check_bytes
from conclint.model import FileReport, Rule, Severity
from conclint.rule import ModuleContext, Report, Step

HEAD = "import threading\n"


def rule(check: Callable[[ModuleContext], Iterable[Report]], code: str = "CNC999") -> Rule:
    return Rule(code, f"rule-{code.lower()}", "", Severity.WARNING, check)


def calls(context: ModuleContext) -> Iterable[Report]:
    """A report for each call of a function called `bad`."""
    from conclint import syntax as s

    for node in s.walk(context.facts.module):
        if isinstance(node, s.Call) and isinstance(node.func, s.Name) and node.func.id == "bad":
            yield Report(node, f"`{context.text(node)}` on line {context.line(node)}", [Step(node, "here")])


def check(text: str, *rules: Rule, named: bool = True) -> FileReport:
    return check_bytes(text.encode(), "a.py", Settings(rules or (rule(calls),)), named=named)


SYNTAX = resolve(["CNC900"])


def test_reports_become_findings_with_positions_symbols_and_paths() -> None:
    report = check(HEAD + "class A:\n    def f(self):\n        return bad(\n            1,\n        )\n")
    (finding,) = report.findings
    assert finding.path == "a.py"
    assert finding.span == (4, 16, 6, 10)
    assert (finding.code, finding.name, finding.severity) == ("CNC999", "rule-cnc999", Severity.WARNING)
    assert finding.symbol == "A.f"
    assert finding.message == "`bad( 1, )` on line 4"
    assert [(note.message, note.path, note.span) for note in finding.notes] == [("here", "a.py", finding.span)]


def test_findings_come_in_order_of_position_and_code() -> None:
    report = check(HEAD + "bad(bad())\nbad()\n", rule(calls, "CNC998"), rule(calls, "CNC997"))
    assert [(f.span.line, f.span.column, f.code[-3:]) for f in report.findings] == [
        (2, 1, "997"), (2, 1, "998"), (2, 5, "997"), (2, 5, "998"), (3, 1, "997"), (3, 1, "998"),
    ]  # fmt: skip


def test_long_source_in_messages_is_cut() -> None:
    (finding,) = check(HEAD + f"bad({'x' * 100})\n").findings
    assert len(finding.message.split("`")[1]) == 60
    assert "x…`" in finding.message


def test_what_the_prefilter_drops_is_not_parsed_unless_named() -> None:
    assert not check("bad()\n").findings
    broken = "def f(:\n"
    assert not check_bytes(broken.encode(), "a.py", SYNTAX, named=False).findings
    (finding,) = check_bytes(broken.encode(), "a.py", SYNTAX, named=True).findings
    assert (finding.code, finding.span.line) == ("CNC900", 1)


def test_what_does_not_parse_is_one_finding_in_the_words_of_python() -> None:
    (finding,) = check_bytes((HEAD + "x = (1,\n").encode(), "a.py", SYNTAX, named=False).findings
    assert finding.message == "cannot be parsed: '(' was never closed"
    assert (finding.span.line, finding.span.column, finding.severity) == (2, 5, Severity.ERROR)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r", " "])
@pytest.mark.parametrize("source", ["def f():", "x = ", "x = 'a", "if x:\n    (", "x = \\"])
def test_what_does_not_parse_is_marked_in_the_text(source: str, end: str) -> None:
    text = HEAD + source + end
    (finding,) = check_bytes(text.encode(), "a.py", SYNTAX, named=False).findings
    lines = text.replace("\r", "\n").split("\n")
    assert finding.span[:2] <= finding.span[2:]
    assert finding.span.end_column <= len(lines[finding.span.end_line - 1]) + 1


def test_ignoring_the_rule_for_it_ignores_what_does_not_parse() -> None:
    settings = resolve(ignore=["CNC900"])
    assert check_bytes(HEAD.encode() + b"x = (", "a.py", settings) == FileReport((), ())
    assert check_bytes(b"\xff", "a.py", settings) == FileReport((), ())


def test_syntax_newer_than_the_running_python_is_left_to_libcst(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> parsing._RefusedError:
        return parsing._RefusedError("invalid syntax", 2, 3, final=False)

    monkeypatch.setattr(parsing, "read_by_python", refuse)
    confusing = "x = '('\n# (\ny = 1\n" * 1_000 + f'z = """\n{"(" * 10_000}\n"""\n'
    for text in ("", confusing):
        assert [finding.code for finding in check(f"{HEAD}{text}bad()\n").findings] == ["CNC999"]
    (finding,) = check_bytes((HEAD + "x = = 1\n").encode(), "a.py", SYNTAX).findings
    assert (finding.message, finding.span.line, finding.span.column) == ("cannot be parsed: invalid syntax", 2, 3)


def test_a_crash_in_a_rule_is_one_line_and_the_others_go_on() -> None:
    def crash(context: ModuleContext) -> Iterable[Report]:
        yield from calls(context)
        raise KeyError("a\nb")

    report = check(HEAD + "bad()\n", rule(crash, "CNC997"), rule(crash, "CNC998"), rule(calls))
    assert [finding.code for finding in report.findings] == ["CNC999"]
    (problem,) = report.problems
    assert problem.path == "a.py"
    assert problem.fatal
    assert problem.message.startswith("CNC997, CNC998: internal error: KeyError: 'a\\nb' (test_engine.py:")


def test_a_rule_that_recurses_or_fills_the_memory_is_one_line() -> None:
    def recurse(context: ModuleContext) -> Iterable[Report]:
        return recurse(context)

    def fill(context: ModuleContext) -> Iterable[Report]:
        raise MemoryError

    report = check(HEAD, rule(recurse, "CNC997"), rule(fill, "CNC998"))
    assert [problem.message for problem in report.problems] == [
        "CNC997: not analysed: nested too deeply",
        "CNC998: not analysed: out of memory",
    ]


def test_a_crash_outside_the_rules_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(text: str) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("conclint.parsing.read_by_python", crash)
    (problem,) = check(HEAD).problems
    assert problem.message.startswith("internal error: RuntimeError: oops (test_engine.py:")


def test_files_that_cannot_be_opened_do_not_stop_the_others(tmp_path: Path) -> None:
    good = tmp_path / "good.py"
    good.write_text(HEAD + "bad()\n")
    files = [File(str(tmp_path / "gone.py"), False), File(str(tmp_path), False), File(str(good), False)]
    reports = list(Checker(lambda _: Settings((rule(calls),))).files(files))
    assert [len(report.findings) for report in reports] == [0, 0, 1]
    assert [problem.message for report in reports for problem in report.problems] == [
        "cannot be read: no such file or directory",
        "cannot be read: is a directory",
    ]


def test_large_files_are_refused_if_they_would_need_parsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_PARSED_BYTES", 2_000_000)
    monkeypatch.setattr(engine, "MAX_READ_BYTES", 3_000_000)
    padding = "#" * 2_000_001
    sparse = tmp_path / "sparse.py"
    with sparse.open("wb") as file:
        file.truncate(3_000_001)
    (report,) = Checker(lambda _: SYNTAX).files([File(str(sparse), True)])
    assert report.problems[0].message == "not checked: it is larger than 3 MB"
    assert check("bad()\n" + padding, named=False) == FileReport((), ())
    for text in (HEAD + padding, padding):
        (problem,) = check(text).problems
        assert problem.message == "not checked: it is larger than 2 MB"


DEEP = {
    "parentheses": "(" * 2000 + "1" + ")" * 2000,
    "lists": "[" * 90 + "bad()" + "]" * 90,
    "sum": " + ".join(["1"] * 900),
    "long sum": "+".join(["1"] * 5_000),
    "longest sum": "+".join(["1"] * 100_000),
    "attributes": "a" + ".b" * 30_000,
    "calls": "a" + "()" * 30_000,
    "not": "not " * 50_000 + "1",
    "minus": "-" * 50_000 + "1",
    "lambdas": "lambda: " * 5_000 + "1",
    "conditions": "1 if a else " * 5_000 + "1",
    "and": " and ".join(["a"] * 5_000),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_analysed_or_named_in_one_line(name: str) -> None:
    limit = sys.getrecursionlimit()
    settings = Settings((*SYNTAX.rules, rule(calls)))
    report = check_bytes(f"{HEAD}x = {DEEP[name]}\n".encode(), "a.py", settings)
    lines = [finding.message for finding in report.findings] + [problem.message for problem in report.problems]
    if name in ("sum", "and"):
        assert lines == []
    elif name == "lists":
        assert lines == ["`bad()` on line 2"]
    else:
        assert len(lines) == 1
        assert "too many nested parentheses" in lines[0] or "nested too deeply" in lines[0]
    assert sys.getrecursionlimit() == limit


def test_deep_nesting_after_a_syntax_error_is_not_given_to_libcst() -> None:
    for deep in ("+".join(["1"] * 20_000), "(" * 1_500 + ")" * 1_500, "f(" + "1+\n" * 20_000 + "1)"):
        (finding,) = check_bytes(f"{HEAD}x = {deep}\ny = = 1\n".encode(), "a.py", SYNTAX).findings
        assert finding.message.startswith("cannot be parsed: ")


def test_analysis_runs_on_a_stack_of_its_own_that_may_be_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    def look(context: ModuleContext) -> Iterable[Report]:
        seen.append((threading.current_thread().name, sys.getrecursionlimit()))
        return ()

    grant = threading.stack_size

    def grudging(size: int = 0) -> int:
        if size > 32 << 20:
            raise ValueError("too much")
        return grant(size)

    before = grant()
    check(HEAD, rule(look))
    monkeypatch.setattr(threading, "stack_size", grudging)
    check(HEAD, rule(look))
    monkeypatch.undo()
    assert [name for name, _ in seen] == ["conclint", "conclint"]
    assert seen[0][1] > seen[1][1]
    assert threading.stack_size() == before


def test_comments_suppress_findings_anywhere_on_their_logical_line() -> None:
    text = HEAD + "bad(\n    1,\n)  # noqa: CNC999\nbad()  # noqa: CNC998\nbad()  # noqa\nx = [\n  bad(),\n]  # noqa\n"
    assert [finding.span.line for finding in check(text).findings] == [5]


def test_text_from_flake8_is_not_suppressed() -> None:
    text = HEAD.replace("\n", "\r\n") + "bad()  # noqa\r\n"
    (finding,) = Checker(lambda _: Settings((rule(calls),))).text(text, "a.py").findings
    assert finding.span == (2, 1, 2, 6)


def fingerprints(text: str) -> list[str]:
    return [finding.fingerprint for finding in check(HEAD + text).findings]


def test_fingerprints_survive_moved_lines_and_changed_indentation() -> None:
    before = fingerprints("def f():\n    bad(1)\n")
    assert fingerprints("\n# moved\n\ndef f():\n    if x:\n        bad(1)\n") == before


def test_fingerprints_tell_findings_apart() -> None:
    found = fingerprints("def f():\n    bad(1)\n    bad(1)\n    bad(2)\ndef g():\n    bad(1)\n")
    assert len(set(found)) == 4
    assert all(len(fingerprint) == 16 for fingerprint in found)


def test_twins_on_one_line_have_fingerprints_of_their_own() -> None:
    first, second = fingerprints("x = bad(1); y = bad(1)\n")
    assert first != second


def test_a_main_module_of_a_package_needs_no_guard() -> None:
    """Children of ``python -m package`` do not import ``__main__.py`` again; see multiprocessing.spawn."""
    source = b"import multiprocessing\n\npool = multiprocessing.Pool()\n"
    guard = resolve(["CNC401"])
    assert check_bytes(source, "package/__main__.py", guard).findings == ()
    assert [found.code for found in check_bytes(source, "package/cli.py", guard).findings] == ["CNC401"]


def test_what_libcst_has_grammar_for_and_no_nodes_is_a_syntax_error() -> None:
    report = check_bytes(b'import threading\nx = "a" t"b"\n', "new.py", resolve())
    assert [finding.code for finding in report.findings] == ["CNC900"]
    assert not report.problems

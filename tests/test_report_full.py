"""The `full` format: what is marked stands exactly above its marks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conclint.model import Finding, Note, Severity, Span
from conclint.report import Run, full

PATH = "app.py"


def finding(span: Span, *notes: Note, message: str = "it hangs", path: str = PATH, symbol: str = "") -> Finding:
    return Finding(path, span, "CNC101", "lock-not-released", Severity.ERROR, message, symbol, notes, None, "")


def render(source: str, found: Finding, **others: str) -> list[str]:
    files = {PATH: source, **others}

    def lines(path: str) -> Sequence[str]:
        return files[path].split("\n") if path in files else []

    report = full.render(Run([found], [], 1, [], lines))
    assert report.endswith("\n\n")
    return report.split("\n")[:-2]


def marked(source: str, span: Span) -> tuple[str, str]:
    """The source line and the line of marks, both without the gutter."""
    shown = render(source, finding(span))[3:5]
    assert [line[:2].strip() for line in shown] == [str(span.line), ""]
    return shown[0][5:], shown[1][5:]


def test_a_finding_with_its_path() -> None:
    source = "def f():\n    lock.acquire()\n    work()\n    lock.release()\n"
    notes = (
        Note("`lock` is acquired", PATH, Span(2, 5, 2, 19)),
        Note("this raises", PATH, Span(3, 5, 3, 11)),
        Note("the caller", "other.py", Span(1, 1, 1, 4)),
        Note("the function is left", PATH, Span(1, 1, 1, 8)),
    )
    shown = render(source, finding(Span(2, 5, 2, 19), *notes, symbol="f"), **{"other.py": "f()\n"})
    assert (
        "\n".join(shown)
        == """\
error[CNC101 lock-not-released]: it hangs
  --> app.py:2:5 in `f`
   |
 2 |     lock.acquire()
   |     ^^^^^^^^^^^^^^ 1: `lock` is acquired
 3 |     work()
   |     ------ 2: this raises
  ::: other.py:1:1
 1 | f()
   | --- 3: the caller
  ::: app.py:1:1
 1 | def f():
   | ------- 4: the function is left"""
    )


def test_a_path_that_starts_elsewhere_follows_the_finding() -> None:
    shown = render("a()\nb()\n", finding(Span(2, 1, 2, 4), Note("first", PATH, Span(1, 1, 1, 4))))
    assert shown[3:] == [" 2 | b()", "   | ^^^", " 1 | a()", "   | --- 1: first"]


def test_the_gutter_is_as_wide_as_the_largest_number() -> None:
    source = "\n" * 999 + "f()\n"
    shown = render(source, finding(Span(1000, 1, 1000, 4), Note("here", PATH, Span(1, 1, 1, 2))))
    assert shown[1:] == [
        "     --> app.py:1000:1", "      |", " 1000 | f()", "      | ^^^", "    1 |", "      | - 1: here",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "marks"),
    [
        ("\tf()", 2, 5, "    f()", "    ^^^"),
        ("x =\tf()", 5, 8, "x =    f()", "       ^^^"),
        ("f('日本')", 1, 8, "f('日本')", "^^^^^^^^^"),
        ("'日本', f()", 7, 10, "'日本', f()", "        ^^^"),
        ("e\u0301 = f()", 6, 9, "e\u0301 = f()", "    ^^^"),
        ("'\x1b[31m', f()", 10, 13, "'\\x1b[31m', f()", "            ^^^"),
        ("'\u202e', f()", 6, 9, "'\\u202e', f()", "          ^^^"),
        ("f()", 4, 4, "f()", "   ^"),
        ("", 1, 2, "", "^"),
    ],
)
def test_marks_line_up(line: str, column: int, end: int, shown: str, marks: str) -> None:
    assert marked(line, Span(1, column, 1, end)) == (shown, marks)


def test_of_several_lines_the_first_and_the_last_are_marked() -> None:
    source = "f(\n    1,\n    2,\n)  # end\n"
    shown = render(source, finding(Span(1, 1, 4, 2), Note("all of it", PATH, Span(1, 1, 2, 7))))
    assert shown[3:] == [
        " 1 | f(", "   | ^^", "   ...", " 4 | )  # end", "   | ^", " 1 | f(", "   | --",
        " 2 |     1,", "   |     -- 1: all of it",
    ]  # fmt: skip


def test_long_lines_are_cut_round_what_is_marked() -> None:
    line = "a" * 5000 + "f()" + "b" * 5000
    shown, marks = marked(line, Span(1, 5001, 1, 5004))
    assert len(shown) == full.MAX_WIDTH + 2
    assert shown[0] == shown[-1] == "…"
    assert shown[marks.index("^") : len(marks)] == "f()"
    shown, marks = marked("f()" + "b" * 5000, Span(1, 1, 1, 4))
    assert shown.startswith("f()b")
    assert marks == "^^^"
    shown, marks = marked("x" * 5000, Span(1, 1, 1, 5001))
    assert len(marks) <= len(shown)


def test_a_file_that_has_changed_meanwhile_is_no_crash() -> None:
    assert render("", finding(Span(7, 3, 9, 4), Note("here", "gone.py", Span(2, 1, 2, 2))))[2:] == [
        "   |", "   |", "  ::: gone.py:2:1", "   | 1: here",
    ]  # fmt: skip


def test_nothing_in_a_message_or_a_name_moves_the_cursor() -> None:
    shown = render("x\n", finding(Span(1, 1, 1, 2), message="\x1b]0;title\x07", path="a\n\x9b.py"))
    assert shown[:2] == ["error[CNC101 lock-not-released]: \\x1b]0;title\\x07", "  --> a\\x0a\\x9b.py:1:1"]

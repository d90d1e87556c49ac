"""Edits merged and applied to bytes: what they do not speak of stays, byte for byte; conflicts wait for their turn."""

from __future__ import annotations

import codecs
import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conclint import fix as fixing
from conclint import tree
from conclint.config import resolve
from conclint.engine import check_bytes
from conclint.fix import Fixer, NotFixedError, apply
from conclint.model import Applicability, Edit, FileReport, Finding, Fix, Severity, Span
from conclint.parsing import parse
from conclint.source import SourceError

from .test_fixes import FIXABLE, fixed

EVERYTHING = resolve(select=["ALL"])


def fix(*edits: tuple[int, int, int, int, str], safe: bool = True) -> Fix:
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    return Fix(applicability, "", tuple(Edit(Span(*edit[:4]), edit[4]) for edit in edits))


def finding(path: str, number: int, made: Fix | None, code: str = "CNC999") -> Finding:
    return Finding(path, Span(number, 1, number, 2), code, "rule", Severity.ERROR, "", "", (), made, "")


def check(data: bytes, path: str) -> FileReport:
    return check_bytes(data, path, EVERYTHING)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\r\nb\rc\nd", b"a\r\nB\r1\r2\rc\nd"),
        (b"a\nb\r\nc\rd", b"a\nB\r\n1\r\n2\r\nc\rd"),
        (b"a\nb", b"a\nB\n1\n2"),
        (b"\xef\xbb\xbfa\r\nb\r\n\r\n\f\n", b"\xef\xbb\xbfa\r\nB\r\n1\r\n2\r\n\r\n\f\n"),
        ("é\u2028\x85\r\nb\n".encode(), "é\u2028\x85\r\nB\n1\n2\n".encode()),
        (b"# coding: latin-1 \xe9\nb\n", b"# coding: latin-1 \xe9\nB\n1\n2\n"),
        ("# coding: shift_jis ソ\nb\n".encode("shift_jis"), "# coding: shift_jis ソ\nB\n1\n2\n".encode("shift_jis")),
    ],
)
def test_lines_keep_their_ends_and_new_ones_end_as_their_neighbour(old: bytes, new: bytes) -> None:
    assert apply(old, [fix((2, 1, 2, 2, "B\n1\n2"))]) == new


def test_a_deleted_line_takes_its_end_along() -> None:
    assert apply(b"a\r\nb\rc\nd\n", [fix((2, 1, 3, 1, ""), (3, 1, 4, 1, ""))]) == b"a\r\nd\n"
    assert apply(b"a\r\nb", [fix((1, 2, 2, 2, ""))]) == b"a"


def test_columns_count_characters() -> None:
    assert apply("😀é = x\n".encode(), [fix((1, 6, 1, 7, "y"))]) == "😀é = y\n".encode()


@pytest.mark.parametrize(
    "edits",
    [
        [(3, 1, 3, 1, "")], [(1, 5, 1, 5, "")], [(0, 1, 1, 1, "")], [(1, 0, 1, 1, "")], [(1, 3, 1, 1, "")],
        [(1, 1, 1, 3, ""), (1, 2, 1, 4, "")],
    ],
)  # fmt: skip
def test_edits_that_make_no_sense_are_refused(edits: list[tuple[int, int, int, int, str]]) -> None:
    with pytest.raises(ValueError, match=r"no column|overlap"):
        apply(b"abc\n", [fix(*edits)])


def test_an_encoding_that_does_not_write_back_what_it_read_is_refused() -> None:
    data = b"# coding: utf-7\n" + b"x = '+AGE-'\ny = 1\n"
    with pytest.raises(NotFixedError, match="would change more than the fixes do"):
        apply(data, [fix((3, 5, 3, 6, "2"))])
    with pytest.raises(NotFixedError, match="latin-1 cannot write"):
        apply(b"# coding: latin-1\ny = 1\n", [fix((2, 5, 2, 6, "'€'"))])
    with pytest.raises(NotFixedError, match="change the encoding"):
        apply(b"# coding: latin-1\ny = '\xe9'\n", [fix((1, 1, 1, 1, "\n\n"))])


FAMILIES = st.sampled_from(["\n", "\r\n", "\r", "mixed"])


def with_newlines(source: str, family: str, last: bool) -> str:
    source = source if last else source.rstrip("\n")
    if family != "mixed":
        return source.replace("\n", family)
    ends = itertools.cycle(["\r\n", "\n"])  # no \r: where a line between goes, \r and \n become one end
    return re.sub("\n", lambda match: next(ends), source)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(FIXABLE), FAMILIES, st.booleans(), st.booleans())
def test_fixtures_are_fixed_alike_in_every_dress(path: Path, family: str, bom: bool, last: bool) -> None:
    source = path.read_text("utf-8").rstrip("\n") + "\n"
    start = codecs.BOM_UTF8 if bom else b""
    fixer = Fixer(check, unsafe=True, write=False)
    plain, report = Fixer(check, unsafe=True, write=False).contents(source.encode(), path.name)
    data = start + with_newlines(source, family, last).encode()
    dressed, left = fixer.contents(data, path.name)
    assert [(f.span, f.code) for f in left.findings] == [(f.span, f.code) for f in report.findings]
    assert not fixer.problems
    assert dressed.startswith(start)
    text = dressed.removeprefix(start).decode()
    assert text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") == plain.decode().rstrip("\n")
    if family != "mixed":
        assert set(re.findall(r"\r\n|\r|\n", text)) <= {family}
    assert text.endswith(("\n", "\r")) == last


@pytest.mark.parametrize("path", FIXABLE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_rounds_come_to_where_one_fix_at_a_time_comes(path: Path) -> None:
    source = path.read_text("utf-8")
    fixer = Fixer(check, unsafe=True, write=False)
    new, report = fixer.contents(source.encode(), "module.py")
    assert new.decode() == fixed(source)
    assert not fixer.problems
    assert not [f for f in report.findings if f.fix is not None]
    assert Fixer(check, unsafe=True, write=False).contents(new, "module.py") == (new, report)


class Script:
    """A check that says of each text what it was told to; everything else is clean."""

    def __init__(self, fixes: dict[bytes, list[Fix]]) -> None:
        self.fixes = fixes
        self.seen: list[bytes] = []

    def __call__(self, data: bytes, path: str) -> FileReport:
        self.seen.append(data)
        found = self.fixes.get(data, [])
        return FileReport(tuple(finding(path, n, made, f"CNC99{n}") for n, made in enumerate(found, 1)), ())


def test_of_fixes_that_meet_the_first_by_position_wins_and_the_rest_wait() -> None:
    late, early = fix((1, 5, 1, 6, "3"), (1, 9, 1, 10, "3")), fix((1, 1, 1, 2, "a"), (1, 5, 1, 6, "2"))
    script = Script({b"x = 1 + 1\ny\n": [late, early, fix((2, 1, 2, 2, "b"))]})
    fixer = Fixer(script, unsafe=False, write=False)
    assert fixer.contents(b"x = 1 + 1\ny\n", "a.py")[0] == b"a = 2 + 1\nb\n"
    assert script.seen == [b"x = 1 + 1\ny\n", b"a = 2 + 1\nb\n"]
    assert [change.fixed for change in fixer.changes] == [2]


def test_fixes_side_by_side_on_a_line_need_one_round() -> None:
    script = Script({b"x, x, x\n": [fix((1, n, 1, n + 1, "y")) for n in (1, 4, 7)]})
    assert Fixer(script, unsafe=False, write=False).contents(b"x, x, x\n", "a.py")[0] == b"y, y, y\n"
    assert len(script.seen) == 2


def test_a_fix_over_several_lines_has_them_to_itself() -> None:
    around = fix((1, 1, 1, 1, "if a:\n    "), (2, 1, 2, 1, "    "))
    script = Script({b"x\ny\nz\n": [around, fix((2, 1, 2, 2, "b")), fix((3, 1, 3, 2, "c"))]})
    assert Fixer(script, unsafe=False, write=False).contents(b"x\ny\nz\n", "a.py")[0] == b"if a:\n    x\n    y\nc\n"


@pytest.mark.parametrize(
    ("fixes", "said"),
    [
        ({b"x\n": [fix((1, 1, 1, 2, "y"))], b"y\n": [fix((1, 1, 1, 2, "x"))]}, "the fixes of CNC991 undo one another"),
        ({b"x\n": [fix((1, 1, 1, 2, "x"))]}, "the fixes of CNC991 undo one another"),
        ({b"x\n": [fix((1, 1, 1, 2, "("))]}, "the fixes of CNC991 would leave it invalid; this is a mistake"),
        ({b"x\n": [fix((1, 1, 1, 2, "return"))]}, "would leave it invalid"),
        ({b"x\n": [fix((9, 1, 9, 2, "x"))]}, "internal error: ValueError: no column 1 in line 9"),
    ],
)  # fmt: skip
def test_fixes_that_go_wrong_change_nothing_and_are_named(fixes: dict[bytes, list[Fix]], said: str) -> None:
    fixer = Fixer(Script(fixes), unsafe=False, write=False)
    data, report = fixer.contents(b"x\n", "a.py")
    assert (data, fixer.changes, len(report.findings)) == (b"x\n", [], 1)
    assert not report.problems
    (problem,) = fixer.problems
    assert problem.path == "a.py"
    assert problem.message.startswith("not fixed: ")
    assert said in problem.message
    assert problem.fatal


def test_a_chain_without_end_is_cut() -> None:
    def grow(data: bytes, path: str) -> FileReport:
        return FileReport((finding(path, 1, fix((1, 1, 1, 1, "x"))),), ())

    fixer = Fixer(grow, unsafe=False, write=False)
    data, _ = fixer.contents(b"x\n", "a.py")
    assert data == b"x\n"
    assert fixer.problems[0].message == f"not fixed: after {fixing.MAX_ROUNDS} rounds there is still something to fix"


def test_source_for_a_newer_python_is_fixed_where_libcst_reads_it() -> None:
    old = b"import threading\nreturn\nt = threading.Thread()\nt.setDaemon(True)\n"  # parses, does not compile
    assert Fixer(check, unsafe=False, write=False).contents(old, "a.py")[0].endswith(b"t.daemon = True\n")


def test_source_that_libcst_does_not_read_is_fixed_where_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str, lines: object = None) -> tree.Tree:
        raise tree.ParseError("unknown syntax", 1, 1)  # as that of a Python that it does not know yet

    monkeypatch.setattr(tree, "parse", refuse)
    source = b"import threading\ndef f():\n    if x: y  # noqa: CNC101\n    else:\n        z\nx\n"
    assert isinstance(parse(source.decode()), SourceError)
    fixer = Fixer(lambda data, path: check_bytes(data, path, resolve(["ALL"])), unsafe=False, write=False)
    assert fixer.contents(source, "a.py")[0] == source.replace(b"  # noqa: CNC101", b"")
    assert fixer.problems == []


@pytest.mark.parametrize("change", ["write", "unlink"])
def test_a_file_changed_while_it_is_being_fixed_is_left_alone(change: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"x\n")

    def meanwhile(data: bytes, path: str) -> FileReport:
        if data != b"x\n":
            file.unlink()
            if change == "write":
                file.write_bytes(b"z\n")
            return FileReport((), ())
        return FileReport((finding(path, 1, fix((1, 1, 1, 2, "y"))),), ())

    fixer = Fixer(meanwhile, unsafe=False, write=True)
    (report,) = fixer.files([meanwhile(b"x\n", str(file))])
    said = "it was changed in the meantime" if change == "write" else "it cannot be replaced: no such file or directory"
    assert [problem.message for problem in fixer.problems] == [f"not fixed: {said}"]
    assert len(report.findings) == 1
    assert fixer.changes == []
    assert os.listdir(tmp_path) == (["a.py"] if change == "write" else [])
    assert change == "unlink" or file.read_bytes() == b"z\n"


def test_problems_are_told_once(tmp_path: Path) -> None:
    source = b"import threading\nt = threading.Thread()\nt.setDaemon(True)\n"
    (tmp_path / "pyproject.toml").write_text("[project\n")
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_bytes(source)
    first = check(source, str(files[0]))
    assert len(first.problems) == 1
    clean: Callable[[Path], FileReport] = lambda path: check(source, str(path))._replace(problems=())  # noqa: E731
    reports = Fixer(check, unsafe=False, write=True).files([first, clean(files[1])])
    assert sum(len(report.problems) for report in reports) == 1
    assert all(b"t.daemon = True" in file.read_bytes() for file in files)

"""The judgement of ``benchmarks.recall``: on small entries that are made up, without a package or a network."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import msgspec
import pytest

from benchmarks import archives
from benchmarks.recall.__main__ import bugs, fits
from benchmarks.recall.judging import (
    Bug,
    Fit,
    Found,
    Note,
    Verdict,
    fitting,
    fixed_places,
    functions,
    hit,
    table,
    totals,
)
from conclint.registry import find

SOURCE = """\
class Store:
    def get(self):
        lock.acquire()

    @decorated
    def put(self):
        def inner():
            lock.acquire()
        return inner

def get():
    lock.acquire()
"""
FIT = Fit(rules=["CNC101"])


def bug(**given: object) -> Bug:
    entry = {
        "id": "made-up", "class": "lock-not-released", "package": "made", "buggy": "1", "fixed": "2", "dist": "sdist",
        "fixed_dist": "wheel", "path": "made/up.py", "fixed_path": "made/up.py", "line": 3, "also_lines": [],
        "function": "Store.get", "single_file": True, "note": "", "fix_ref": "",
    }  # fmt: skip
    return msgspec.convert({**entry, **given}, Bug)


def found(
    line: int, code: str = "CNC101", path: str = "made/up.py", notes: tuple[int, ...] = (), mark: str = "mark"
) -> Found:
    return Found(code, path, line, [Note(path, each) for each in notes], mark)


def test_functions_have_qualified_names_and_begin_at_their_decorators() -> None:
    assert {name: list(spans) for name, spans in functions(SOURCE).items()} == {
        "Store": [range(1, 10)],
        "Store.get": [range(2, 4)],
        "Store.put": [range(5, 10)],
        "Store.put.inner": [range(7, 9)],
        "get": [range(11, 13)],
    }


def test_a_function_that_is_defined_twice_has_both_bodies() -> None:
    assert functions("def f():\n    pass\nif x:\n    def f():\n        pass\n")["f"] == [range(1, 3), range(4, 6)]


@pytest.mark.parametrize("source", ["print 'Python 2'", "\0", b"\xff"])
def test_what_python_does_not_read_has_no_functions(source: str | bytes) -> None:
    assert not functions(source)


@pytest.mark.parametrize(
    ("finding", "is_it"),
    [
        (found(3), True),
        (found(2), True),  # elsewhere in the function
        (found(12), True),  # one of the other lines
        (found(11), False),  # which does not open their function
        (found(8), False),
        (found(3, code="CNC105"), False),
        (found(3, path="made/other.py"), False),
        (found(8, notes=(3,)), False),
    ],
)
def test_a_finding_is_the_bug_at_its_place_by_a_rule_that_fits(finding: Found, is_it: bool) -> None:
    assert (hit(bug(also_lines=[12]), FIT, SOURCE, [found(1), finding], []) == finding) is is_it


def test_the_path_of_a_finding_counts_only_where_the_class_says_so() -> None:
    far = found(8, notes=(3,))
    assert hit(bug(), Fit(rules=["CNC101"], path=True), SOURCE, [far], []) == far
    assert hit(bug(), FIT, SOURCE, [far], []) is None


def test_without_functions_only_the_lines_are_the_place() -> None:
    assert hit(bug(), FIT, "print 'Python 2'", [found(2)], []) is None
    assert hit(bug(), FIT, "print 'Python 2'", [found(3)], []) is not None


def test_what_the_fix_does_not_silence_is_the_bug_only_where_it_leads_to_its_line() -> None:
    beside, leading, at = found(2, mark="a"), found(2, mark="a", notes=(3,)), found(3, mark="a")
    left = [found(12, mark="a")]
    assert hit(bug(), FIT, SOURCE, [beside], left) is None
    assert hit(bug(), FIT, SOURCE, [beside], [found(12, mark="b")]) == beside
    assert hit(bug(), FIT, SOURCE, [beside, leading], left) == leading
    assert hit(bug(), FIT, SOURCE, [at], left) == at


def test_the_fixed_version_is_to_be_silent_in_the_functions_of_those_names() -> None:
    moved = f"import threading\n\n{SOURCE}"
    where = fixed_places(bug(also_lines=[8]), SOURCE, moved)
    told = [line for line in range(1, 16) if fitting(FIT, "made/up.py", where, [found(line)])]
    assert told == [4, 5, 9, 10]  # get, and inner


def test_a_function_that_is_gone_in_the_fixed_version_is_silent() -> None:
    assert not fixed_places(bug(), SOURCE, "x = 1\n")


def test_the_totals_count_a_missed_bug_a_hit_and_a_fixed_version_that_is_reported() -> None:
    verdicts = [
        Verdict(bug(), found(3), None, None),
        Verdict(bug(), None, found(3, "CNC109"), found(4)),
        Verdict(bug(single_file=False), None, None, None, "not checked: no such archive"),
    ]
    assert list(totals(verdicts)) == [
        "Found of those visible in one file: 1 of 2 (50%)",
        "Found of all: 1 of 3 (33%)",
        "Fixed versions still reported: 1 of 3",
    ]
    assert [line.split(" | ")[4:] for line in list(table(verdicts))[2:]] == [
        ["CNC101, line 3", "", "2", " |"],
        ["**no**", "CNC109, line 3", "2", "CNC101, line 4 |"],
        ["not checked: no such archive", "", "2", " |"],
    ]


def test_every_class_has_rules_and_they_exist() -> None:
    fitted = fits()
    assert {each.kind for each in bugs()} == {*fitted}
    for fit in fitted.values():
        assert [find(code).code for code in fit.rules] == fit.rules


def test_the_list_names_each_bug_once() -> None:
    names = [each.id for each in bugs()]
    assert len(names) == len({*names}) == 32


def test_only_the_python_files_of_an_archive_are_unpacked(tmp_path: Path) -> None:
    names = ["made-1/setup.py", "made-1/made/up.py", "made-1/README"]
    for kind in ("tar.gz", "zip"):
        buffer, folder = io.BytesIO(), tmp_path / kind
        folder.mkdir()
        if kind == "zip":
            with zipfile.ZipFile(buffer, "w") as wheel:
                for name in names:
                    wheel.writestr(name, b"x = 1\n")
        else:
            with tarfile.open(fileobj=buffer, mode="w:gz") as source:
                for name in names:
                    source.addfile(tarfile.TarInfo(name))
        archives.unpack(f"made-1.{kind}", buffer.getvalue(), folder)
        unpacked = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert unpacked == {"made-1/setup.py", "made-1/made/up.py"}


def test_an_archive_that_leads_outside_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as source:
        source.addfile(tarfile.TarInfo("../../outside.py"))
    with pytest.raises(tarfile.TarError):
        archives.unpack("made-1.tar.gz", buffer.getvalue(), tmp_path)

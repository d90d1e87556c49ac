"""Every folder in tests/projects is a run of its own: what its files mark is found when they are checked together.

Markers and findings.txt are as in tests/fixtures. Of what is found a file alone may say less, and nothing else: that is
what flake8 and an editor see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from conclint import linking, tree
from conclint.config import resolve
from conclint.discovery import discover
from conclint.engine import Checker
from conclint.model import Finding
from conclint.project import Project
from tests.test_fixtures import moved

PROJECTS = sorted(path for path in (Path(__file__).parent / "projects").iterdir() if path.is_dir())
EVERYTHING = resolve(select=["ALL"])

every_project = pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)


@cache
def found_in(folder: Path) -> tuple[Finding, ...]:
    files = discover([str(folder)]).files
    reports = list(Checker(lambda _: EVERYTHING, Project(file.path for file in files)).files(files))
    assert not [problem for report in reports for problem in report.problems]
    return tuple(finding for report in reports for finding in report.findings)


def place(finding: Finding, folder: Path) -> tuple[str, int, str]:
    return Path(finding.path).resolve().relative_to(folder).as_posix(), finding.span.line, finding.code


@every_project
def test_the_marked_lines_are_exactly_the_reported_ones(folder: Path) -> None:
    promised: Counter[tuple[str, int, str]] = Counter()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        _, marks = moved(path.read_text("utf-8"), lambda codes: "")
        promised.update({(name, line, code): count for (line, code), count in marks.items()})
    assert Counter(place(finding, folder) for finding in found_in(folder)) == promised


@every_project
def test_positions_and_messages_are_the_golden_ones(folder: Path, request: pytest.FixtureRequest) -> None:
    lines = []
    for finding in found_in(folder):
        lines.append(f"{_where(finding.path, finding.span, folder)} {finding.code} {finding.message}\n")
        lines += [f"    {_where(note.path, note.span, folder)} {note.message}\n" for note in finding.notes]
    got = "".join(lines)
    file = folder / "findings.txt"
    if request.config.getoption("--update"):
        file.write_text(got, "utf-8")
    assert got == file.read_text("utf-8")


def _where(path: str, span: tuple[int, int, int, int], folder: Path) -> str:
    return f"{Path(path).resolve().relative_to(folder).as_posix()}:{span[0]}:{span[1]}-{span[2]}:{span[3]}"


@every_project
def test_a_file_alone_says_nothing_else(folder: Path) -> None:
    together = {place(finding, folder) for finding in found_in(folder)}
    checker = Checker(lambda _: EVERYTHING)
    for path in sorted(folder.rglob("*.py")):
        alone = checker.contents(path.read_bytes(), str(path)).findings
        assert {place(finding, folder) for finding in alone} <= together


@every_project
def test_the_order_of_the_files_changes_nothing(folder: Path) -> None:
    files = discover([str(folder)]).files[::-1]
    reports = Checker(lambda _: EVERYTHING, Project(file.path for file in files)).files(files)
    assert sorted(finding for report in reports for finding in report.findings) == sorted(found_in(folder))


@every_project
@pytest.mark.parametrize("most", [1, 20, 100, 300])
def test_what_is_too_much_to_look_at_is_unknown(folder: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "MOST_NODES", most)
    files = discover([str(folder)]).files
    reports = [*Checker(lambda _: EVERYTHING, Project(file.path for file in files)).files(files)]
    assert not [report.problems for report in reports if report.problems]


@every_project
def test_each_file_compiles(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        compile(path.read_bytes(), path.name, "exec", dont_inherit=True)


def test_a_file_that_only_python_reads_is_unknown_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its lines nobody can speak: there are none with positions."""
    parse = tree.parse

    def refuse_base(text: str, lines: Sequence[int] | None = None) -> tree.Tree:
        if "class Service" in text:
            raise tree.ParseError("unknown syntax", 1, 1)  # as that of a Python that libcst does not know yet
        return parse(text, lines)

    (tmp_path / "base.py").write_text(
        "import threading\n\n\nclass Service:\n    def __init__(self):\n        self._lock = threading.Lock()\n"
        "        threading.Thread(target=self.serve, daemon=True).start()\n\n"
        "    def serve(self):\n        raise ValueError\n"
    )
    (tmp_path / "web.py").write_text(
        "from base import Service\n\n\nclass Web(Service):\n    def count(self):\n        self_lock.acquire\n\n"
        "    def serve(self):\n        super().serve()\n        assert self.count()\n        raise ValueError\n"
    )
    files = discover([str(tmp_path)]).files
    monkeypatch.setattr(tree, "parse", refuse_base)
    reports = [*Checker(lambda _: EVERYTHING, Project(file.path for file in files)).files(files)]
    assert not [report.problems for report in reports if report.problems]
    assert [finding.code for report in reports for finding in report.findings] == ["CNC900", "CNC115"]

"""One input checked every way there is, and what does not hold of what comes out."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from conclint.config import Settings, resolve
from conclint.discovery import File
from conclint.engine import Checker
from conclint.fix import Fixer
from conclint.model import FileReport, Finding, Span
from conclint.project import Project
from conclint.report import FORMATS, Run, load
from conclint.source import SourceError, decode, normalise_newlines
from conclint.target import START_METHODS

from . import Input, Outcome
from .mutations import parsed

REFUSALS = ("not analysed: nested too deeply", "not checked: it is larger than ")
"""How problems begin that are no mistakes."""

UNWRITABLE = ("cannot write what the fixes bring", "would change more than the fixes do", "encoding that it declares")
"""How they end where strange encodings are in the way of a fix."""

_AS_TEXT = 8
"""One input of so many is also checked as an editor's or flake8's text."""

_DEEP = 60
"""What is nested less deeply than this must not be refused for it: endless recursion looks the same."""


@cache
def everything(method: int) -> Settings:
    """All rules, for one start method or another, and no file of options."""
    return resolve(select=["ALL"], isolated=True, start_method=START_METHODS[method])


def judge(given: Input) -> Outcome:
    """What comes of checking ``given``."""
    said: list[str] = []
    started = time.process_time()
    try:
        with _watched(said), tempfile.TemporaryDirectory() as folder:
            outcome = _Checked(given, Path(folder)).outcome()
    except Exception as error:
        outcome = Outcome((f"raised {type(error).__name__}: {error}",))
    seconds = time.process_time() - started
    failures = [*outcome.failures, *said]
    if seconds > given.seconds:
        failures.append(f"too slow: {given.size} bytes took more than {given.seconds:.0f} s")
    return outcome._replace(failures=tuple(failures), seconds=seconds)


@contextlib.contextmanager
def _watched(said: list[str]) -> Iterator[None]:
    """Notes what is printed, warned of, and raised where nobody hears of it."""
    hooks = sys.unraisablehook, threading.excepthook
    printed = io.StringIO()
    sys.unraisablehook = lambda args: said.append(f"unraisable: {args.exc_type.__name__}: {args.exc_value}")
    threading.excepthook = lambda args: said.append(f"raised in a thread: {args.exc_type.__name__}: {args.exc_value}")
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            warnings.simplefilter("error")
            yield
    finally:
        sys.unraisablehook, threading.excepthook = hooks
        if printed.getvalue():
            said.append(f"printed {printed.getvalue()[:200]!r}")


class _Checked:
    """One input, with the reports of its files."""

    def __init__(self, given: Input, folder: Path) -> None:
        self._given = given
        self._folder = folder
        self._failures: list[str] = []
        self._refusals = 0
        self._settings = everything(given.number % len(START_METHODS))
        self._together = len(given.files) > 1
        self._data = {str(folder / name) if self._together else name: data for name, data in given.files}
        self._texts = {path: _text(data) for path, data in self._data.items()}
        self._lines = {path: text.split("\n") for path, text in self._texts.items()}

    def outcome(self) -> Outcome:
        project = self._written()
        checker = Checker(lambda _: self._settings, project)
        reports = self._reports(checker)
        for path, report in zip(self._data, reports, strict=True):
            self._look(path, report)
        findings = [finding for report in reports for finding in report.findings]
        self._render(findings, reports)
        if self._given.number % _AS_TEXT == 0:
            for path, text in self._texts.items():
                self._look(path, checker.text(text, path))
        fixes = 0
        if any(finding.fix for finding in findings):
            fixes = self._fix(checker, reports)
            if project is not None:
                self._fix_files(checker, reports, project)
        shown = repr(reports).replace(str(self._folder), "")
        return Outcome(
            failures=tuple(dict.fromkeys(self._failures)),
            digest=hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest(),
            findings=len(findings),
            codes=frozenset(finding.code for finding in findings),
            refusals=self._refusals,
            fixes=fixes,
        )

    def _written(self) -> Project | None:
        """Several files become a project."""
        if not self._together:
            return None
        for path, data in self._data.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Path(path).write_bytes(data)
        return Project(self._data)

    def _reports(self, checker: Checker) -> list[FileReport]:
        if self._together:
            return list(checker.files(File(path, named=False) for path in self._data))
        return [checker.contents(data, path) for path, data in self._data.items()]

    def _look(self, path: str, report: FileReport) -> None:
        """What is wrong with the report of one file."""
        for problem in report.problems:
            if problem.message.partition(": not analysed")[2]:
                self._failures.append(problem.message)  # one rule gave up
            elif not problem.message.startswith(REFUSALS):
                self._failures.append(problem.message)
            elif "too deeply" in problem.message and _depth(self._data[path]) < _DEEP:
                self._failures.append(f"refused without reason: {problem.message}")
            else:
                self._refusals += 1
        for finding in report.findings:
            self._lies_in_text(finding.code, finding.path, finding.span)
            for note in finding.notes:
                self._lies_in_text(f"a note of {finding.code}", note.path, note.span)
            for edit in finding.fix.edits if finding.fix is not None else ():
                self._lies_in_text(f"an edit of {finding.code}", finding.path, edit.span)

    def _lies_in_text(self, what: str, path: str, span: Span) -> None:
        lines: Mapping[int, str] = dict(enumerate(self._lines[path], 1))
        inside = all(line in lines and 1 <= column <= len(lines[line]) + 1 for line, column in (span[:2], span[2:]))
        if not inside or span[:2] > span[2:]:
            self._failures.append(f"{what} lies outside of the text: {tuple(span)}")

    def _render(self, findings: list[Finding], reports: list[FileReport]) -> None:
        problems = [problem for report in reports for problem in report.problems]
        findings = sorted(findings, key=lambda finding: (finding.path, finding.span, finding.code))
        codes = {finding.code for finding in findings}
        rules = [rule for rule in self._settings.rules if rule.code in codes]  # all of them take long to print
        run = Run(findings, problems, len(reports), rules, lambda path: self._lines.get(path, []))
        for name in FORMATS:
            try:
                load(name).render(run)
            except Exception as error:
                self._failures.append(f"the format {name}: {type(error).__name__}: {error}")

    def _fix(self, checker: Checker, reports: list[FileReport]) -> int:
        """How many findings all fixes mend."""
        fixer = Fixer(checker.contents, unsafe=True, write=False)
        for (path, data), report in zip(self._data.items(), reports, strict=True):
            if any(finding.fix for finding in report.findings):
                _, after = fixer.contents(data, path)
                self._failures += [f"after fixes: {problem.message}" for problem in after.problems]
        return self._fixed(fixer)

    def _fix_files(self, checker: Checker, reports: list[FileReport], project: Project) -> None:
        """The same in the files themselves, each of which the others then see as it has become."""
        fixer = Fixer(checker.contents, unsafe=True, write=True, replaced=project.forget)
        known = {problem for report in reports for problem in report.problems}
        for report in fixer.files(reports):
            new = [problem for problem in report.problems if problem not in known]
            self._failures += [f"after files were fixed: {problem.message}" for problem in new]
        self._fixed(fixer)

    def _fixed(self, fixer: Fixer) -> int:
        for problem in fixer.problems:
            if problem.message.endswith(UNWRITABLE):
                self._refusals += 1
            else:
                self._failures.append(f"fixes: {problem.message}")
        return sum(change.fixed for change in fixer.changes)


def _text(data: bytes) -> str:
    """What positions in ``data`` speak of."""
    try:
        return decode(data)
    except SourceError:
        return normalise_newlines(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))


def _depth(data: bytes) -> int:
    """How deeply what Python reads in ``data`` is nested."""
    try:
        tree = parsed(decode(data).encode("utf-8", "surrogatepass"))
    except (SourceError, UnicodeError):
        return 0
    deepest = 0
    nodes: list[tuple[ast.AST, int]] = [] if tree is None else [(tree, 0)]
    while nodes:
        node, depth = nodes.pop()
        deepest = max(deepest, depth)
        nodes.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return deepest

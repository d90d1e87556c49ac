"""The one pipeline: bytes, source, facts, rules, suppressions, findings.

libcst, the model and the standard library's larger modules are imported where the first file needs them: a run
in which nothing needs parsing (most runs of a pre-commit hook) costs no more than reading the files.
The rules see each file twice: first the tree that Python's own parser gives, and only where one of them has something
to say of that, libcst's, which knows the positions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .config import SYNTAX_ERROR, Settings, Targets
from .discovery import File, describe
from .model import FileReport, Finding, Problem, Span
from .parsing import Reading, TooDeepError, on_large_stack, parse, refused_by_python
from .project import Project, tree_of
from .replacing import ChangedError
from .source import SourceError, decode, may_hold_finding, normalise_newlines
from .suppressions import Suppressions, may_name_a_rule
from .target import Target, TargetError

if TYPE_CHECKING:
    from .syntax import Module
    from .tree import Tree

MAX_PARSED_BYTES = 5_000_000
"""Larger files that would need parsing are refused: they are data, and a tree takes a hundred times their size."""

MAX_READ_BYTES = 200_000_000
"""Larger files are not even searched for words."""

_NOTHING = FileReport((), ())


class _Given(NamedTuple):
    """What a file is checked with."""

    settings: Settings
    targets: Targets
    project: Project | None
    is_file: bool = True
    """Whether what is checked is what the file holds: only then may others that link to it see the same tree."""


class Checker:
    """Checks files, each by its own settings; what their projects say is read once.

    ``settings_of`` gives the settings of the file at a path, and what it raises passes through; ``project`` is what one
    file sees of others: without it each is checked alone. Nothing that a file holds stops the others.
    """

    def __init__(self, settings_of: Callable[[str], Settings], project: Project | None = None) -> None:
        self._settings_of = settings_of
        self._project = project
        self._targets: dict[tuple[object, ...], Targets] = {}

    def files(self, files: Iterable[File]) -> Iterator[FileReport]:
        """The report of each file, in the order of ``files``."""
        for file in files:
            yield _guarded(file.path, partial(_check_file, file, self._of(file.path)))

    def contents(self, data: bytes, path: str, *, named: bool = True) -> FileReport:
        """The report of one file's contents; ``path`` is what findings call it.

        A file that was not ``named`` by the user is parsed only if its words say that it can hold a finding.
        """
        given = self._of(path)._replace(is_file=False)
        return _guarded(path, lambda: _check_bytes(data, path, given, named))

    def text(self, text: str, path: str, *, noqa: bool = False) -> FileReport:
        """The report of text that somebody else has read: flake8, which sees to ``# noqa`` itself, or an editor."""
        given = self._of(path)._replace(is_file=False)
        return _guarded(path, lambda: _check_text(text, path, given, noqa))

    def _of(self, path: str) -> _Given:
        settings = self._settings_of(path)
        key = settings[1:]  # the rules are no part of a target
        if key not in self._targets:
            self._targets[key] = Targets(settings)
        return _Given(settings, self._targets[key], self._project)


def check_bytes(data: bytes, path: str, settings: Settings, *, named: bool = True) -> FileReport:
    """The report of one file's contents by the same ``settings`` whatever its ``path``; see :class:`Checker`."""
    return Checker(lambda _: settings).contents(data, path, named=named)


def _guarded(path: str, check: Callable[[], FileReport]) -> FileReport:
    try:
        return check()
    except Exception as error:
        return FileReport((), (Problem(path, crash(error)),))


def _check_file(file: File, given: _Given) -> FileReport:
    try:
        with open(file.path, "rb") as handle:
            if os.fstat(handle.fileno()).st_size > MAX_READ_BYTES:
                return _too_large(file.path, MAX_READ_BYTES)
            data = handle.read()
    except OSError as error:
        return FileReport((), (Problem(file.path, f"cannot be read: {describe(error)}"),))
    return _check_bytes(data, file.path, given, file.named)


def _check_text(text: str, path: str, given: _Given, noqa: bool) -> FileReport:
    data = text.encode("utf-8", "replace")
    text = normalise_newlines(text)
    if not may_hold_finding(data, given.settings.declared.words):
        return _check_comments(data, text, path, given.settings, noqa=noqa)
    return on_large_stack(lambda: _analyse(text, path, given, noqa=noqa))


def _check_bytes(data: bytes, path: str, given: _Given, named: bool) -> FileReport:
    try:
        text = decode(data)
    except SourceError as error:
        return _unreadable(normalise_newlines(data.decode("latin-1")), path, given.settings, error)
    relevant = _may_matter(data, path, given)
    if not (relevant or named):
        return _check_comments(data, text, path, given.settings)
    if len(data) > MAX_PARSED_BYTES:
        return _too_large(path, MAX_PARSED_BYTES)
    if relevant:
        return on_large_stack(lambda: _analyse(text, path, given, noqa=True))
    report = on_large_stack(lambda: _check_syntax(text, path, given.settings))
    return _check_comments(data, text, path, given.settings) if report is _NOTHING else report


def _may_matter(data: bytes, path: str, given: _Given) -> bool:
    """Whether the file can hold a finding; one whose outline is known is not searched for words again."""
    words, project = given.settings.declared.words, given.project
    if project is not None and project.may_matter(path):
        return True
    is_told = project is not None and given.is_file and not words and project.is_outlined(path)
    return not is_told and may_hold_finding(data, words)


def _too_large(path: str, limit: int) -> FileReport:
    return FileReport((), (Problem(path, f"not checked: it is larger than {limit // 1_000_000} MB"),))


def _check_syntax(text: str, path: str, settings: Settings) -> FileReport:
    """Only whether ``text`` parses: the file can hold no finding, but the user asked for this very file."""
    if refused_by_python(text) is None:
        return _NOTHING
    parsed = parse(text)
    return _unreadable(text, path, settings, parsed) if isinstance(parsed, SourceError) else _NOTHING


def _check_comments(data: bytes, text: str, path: str, settings: Settings, noqa: bool = True) -> FileReport:
    """What is wrong with the comments of a file that can hold no other finding."""
    if not may_name_a_rule(data):
        return _NOTHING
    suppressions = Suppressions(text)
    if suppressions.skips_file():
        return _NOTHING
    return FileReport(_finished(_judged([], suppressions, settings, (), path), text, suppressions, noqa), ())


def _analyse(text: str, path: str, given: _Given, noqa: bool) -> FileReport:
    suppressions = Suppressions(text)
    if suppressions.skips_file():
        return _NOTHING
    target, unread = _target(path, given.targets)
    reading, quick = _quick_tree(text, path, given.project)
    if quick is not None:
        if given.project is not None and given.is_file:  # what it imports may import it
            given.project.keep_tree(quick, path, text)
        if _is_silent(quick, path, target, given):
            made = _judged([], suppressions, given.settings, (), path)
            return FileReport(_finished(made, text, suppressions, noqa), unread)
    del quick  # before there is another
    parsed = (reading or Reading(text)).tree()
    if isinstance(parsed, SourceError):
        return _unreadable(text, path, given.settings, parsed, noqa)
    _link(parsed.module, path, given.project)
    try:
        made, crashes = _ruled(parsed, text, path, target, given.settings)
    except ChangedError:  # what is linked is no longer there, or libcst cannot read it: then it is unknown
        parsed.module.links = None
        made, crashes = _ruled(parsed, text, path, target, given.settings)
    problems = tuple(Problem(path, f"{', '.join(codes)}: {message}") for message, codes in crashes.items())
    crashed = [code for codes in crashes.values() for code in codes]
    made += _judged(made, suppressions, given.settings, crashed, path)
    return FileReport(_finished(made, text, suppressions, noqa), unread + problems)


def _ruled(
    parsed: Tree, text: str, path: str, target: Target, settings: Settings
) -> tuple[list[Finding], dict[str, list[str]]]:
    """What the rules find, and how some of them broke, with their codes.

    Raises :class:`ChangedError` where one speaks of a linked file that has no such tree with positions.
    """
    from .context import Context

    context = Context(parsed, text, path, target, tree_of)
    made: list[Finding] = []
    crashes: dict[str, list[str]] = {}
    for rule in settings.rules:
        try:
            made += [context.finding(rule, report) for report in rule.check(context) if context.is_own(report.node)]
        except ChangedError:
            raise
        except Exception as error:
            crashes.setdefault(crash(error), []).append(rule.code)
    return made, crashes


def _judged(
    made: list[Finding], suppressions: Suppressions, settings: Settings, crashed: Sequence[str], path: str
) -> list[Finding]:
    """What the rules on comments say, once all others have said what they found, ``crashed`` excepted."""
    if not suppressions.about_us():
        return []
    from .comment_rules import judge

    ran = {rule.code for rule in settings.rules} - {*crashed}
    return judge(suppressions, sorted(made, key=lambda finding: finding.span), settings.rules, ran, path)


def _target(path: str, targets: Targets) -> tuple[Target, tuple[Problem, ...]]:
    """What a file is checked for, and what is wrong with its project's file: a wider target loses no finding."""
    try:
        return targets.of(path), ()
    except TargetError as error:
        return targets.of(path), (Problem(error.path, str(error), fatal=False),)


def _unreadable(text: str, path: str, settings: Settings, error: SourceError, noqa: bool = True) -> FileReport:
    """The report of a file that is no Python, which is one finding of the rule for that."""
    rule = next((rule for rule in settings.rules if rule.code == SYNTAX_ERROR), None)
    if rule is None:
        return _NOTHING
    span = _one_character(text, error.line, error.column)
    finding = Finding(path, span, rule.code, rule.name, rule.severity, error.message, "", (), None, "")
    suppressions = Suppressions(text)
    return _NOTHING if suppressions.skips_file() else FileReport(_finished([finding], text, suppressions, noqa), ())


def _one_character(text: str, line: int, column: int) -> Span:
    """The character at a position that others tell, who also mean what comes behind the last one of a line."""
    lines = text.split("\n")
    line = min(line, len(lines))
    end = len(lines[line - 1]) + 1
    return Span(line, min(column, end), line, min(column + 1, end))


def _finished(findings: list[Finding], text: str, suppressions: Suppressions, noqa: bool) -> tuple[Finding, ...]:
    """``findings`` in order, with fingerprints, and without those that a comment suppresses."""
    if not findings:
        return ()
    findings.sort(key=lambda finding: (finding.span, finding.code, finding.message))
    findings = _with_fingerprints(findings, text.split("\n"))
    return tuple(f for f in findings if not suppressions.covers(f.span.line, f.code, f.name, noqa=noqa))


def _with_fingerprints(findings: Sequence[Finding], lines: Sequence[str]) -> list[Finding]:
    import hashlib

    seen: dict[str, int] = {}
    result = []
    for finding in findings:
        line = lines[finding.span.line - 1] if finding.span.line <= len(lines) else ""
        identity = "\0".join((finding.code, finding.symbol, " ".join(line.split())))
        seen[identity] = count = seen.get(identity, 0) + 1
        digest = hashlib.sha256(f"{identity}\0{count}".encode("utf-8", "surrogatepass")).hexdigest()
        result.append(finding._replace(fingerprint=digest[:16]))
    return result


def _link(module: Module, path: str, project: Project | None) -> None:
    if project is not None:
        module.links = project.link(module, path).links


def _quick_tree(text: str, path: str, project: Project | None) -> tuple[Reading | None, Module | None]:
    """The tree without positions, if there is one, and the reading of ``text``, if it was needed for that."""
    kept = None if project is None else project.kept_tree(path, text)
    if kept is not None:
        return None, kept
    reading = Reading(text)
    return reading, reading.quick()


def _is_silent(quick: Module, path: str, target: Target, given: _Given) -> bool:
    """Whether no rule has anything to say of the tree; one that breaks has."""
    from .context import QuickContext

    _link(quick, path, given.project)
    context = QuickContext(quick, path, target)
    try:
        return not any(context.is_own(report.node) for rule in given.settings.rules for report in rule.check(context))
    except Exception:
        return False
    finally:
        quick.links = None  # others may link to it


def crash(error: Exception) -> str:
    """One line that says what went wrong inside conclint, and where."""
    if isinstance(error, (RecursionError, TooDeepError)):
        return "not analysed: nested too deeply"
    if isinstance(error, MemoryError):
        return "not analysed: out of memory"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace is not None else ""
    return f"internal error: {type(error).__name__}: {' '.join(str(error).split())}{where}"

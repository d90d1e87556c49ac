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
from typing import TYPE_CHECKING

from .config import SYNTAX_ERROR, Settings, Targets
from .discovery import File, describe
from .model import FileReport, Finding, Note, Problem, Rule, Span
from .parsing import Reading, TooDeepError, on_large_stack, parse, refused_by_python
from .source import SourceError, decode, may_hold_finding, normalise_newlines
from .suppressions import Suppressions, may_name_a_rule
from .target import Target, TargetError

if TYPE_CHECKING:
    from .facts import Facts
    from .rewrite import Rewriter
    from .rule import Report
    from .syntax import Module, Node
    from .tree import Tree

MAX_PARSED_BYTES = 5_000_000
"""Larger files that would need parsing are refused: they are data, and a tree takes a hundred times their size."""

MAX_READ_BYTES = 200_000_000
"""Larger files are not even searched for words."""

_TEXT_LENGTH = 60

_NOTHING = FileReport((), ())


class Checker:
    """Checks files, each by its own settings; what their projects say is read once.

    ``settings_of`` gives the settings of the file at a path. Nothing that a file holds stops the others.
    """

    def __init__(self, settings_of: Callable[[str], Settings]) -> None:
        self._settings_of = settings_of
        self._targets: dict[tuple[object, ...], Targets] = {}

    def files(self, files: Iterable[File]) -> Iterator[FileReport]:
        """The report of each file, in the order of ``files``."""
        for file in files:
            yield _guarded(file.path, partial(_check_file, file, *self._of(file.path)))

    def contents(self, data: bytes, path: str, *, named: bool = True) -> FileReport:
        """The report of one file's contents; ``path`` is what findings call it.

        A file that was not ``named`` by the user is parsed only if its words say that it can hold a finding.
        """
        return _guarded(path, lambda: _check_bytes(data, path, *self._of(path), named))

    def text(self, text: str, path: str, *, noqa: bool = False) -> FileReport:
        """The report of text that somebody else has read: flake8, which sees to ``# noqa`` itself, or an editor."""
        return _guarded(path, lambda: _check_text(text, path, *self._of(path), noqa))

    def _of(self, path: str) -> tuple[Settings, Targets]:
        settings = self._settings_of(path)
        key = settings[1:]  # the rules are no part of a target
        if key not in self._targets:
            self._targets[key] = Targets(settings)
        return settings, self._targets[key]


def check_bytes(data: bytes, path: str, settings: Settings, *, named: bool = True) -> FileReport:
    """The report of one file's contents by the same ``settings`` whatever its ``path``; see :class:`Checker`."""
    return Checker(lambda _: settings).contents(data, path, named=named)


def _guarded(path: str, check: Callable[[], FileReport]) -> FileReport:
    try:
        return check()
    except Exception as error:
        return FileReport((), (Problem(path, crash(error)),))


def _check_file(file: File, settings: Settings, targets: Targets) -> FileReport:
    try:
        with open(file.path, "rb") as handle:
            if os.fstat(handle.fileno()).st_size > MAX_READ_BYTES:
                return _too_large(file.path, MAX_READ_BYTES)
            data = handle.read()
    except OSError as error:
        return FileReport((), (Problem(file.path, f"cannot be read: {describe(error)}"),))
    return _check_bytes(data, file.path, settings, targets, file.named)


def _check_text(text: str, path: str, settings: Settings, targets: Targets, noqa: bool) -> FileReport:
    data = text.encode("utf-8", "replace")
    text = normalise_newlines(text)
    if not may_hold_finding(data, settings.declared.words):
        return _check_comments(data, text, path, settings, noqa=noqa)
    return on_large_stack(lambda: _analyse(text, path, settings, targets, noqa=noqa))


def _check_bytes(data: bytes, path: str, settings: Settings, targets: Targets, named: bool) -> FileReport:
    try:
        text = decode(data)
    except SourceError as error:
        return _unreadable(data.decode("latin-1"), path, settings, error)
    relevant = may_hold_finding(data, settings.declared.words)
    if not (relevant or named):
        return _check_comments(data, text, path, settings)
    if len(data) > MAX_PARSED_BYTES:
        return _too_large(path, MAX_PARSED_BYTES)
    if relevant:
        return on_large_stack(lambda: _analyse(text, path, settings, targets, noqa=True))
    report = on_large_stack(lambda: _check_syntax(text, path, settings))
    return _check_comments(data, text, path, settings) if report is _NOTHING else report


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


def _analyse(text: str, path: str, settings: Settings, targets: Targets, noqa: bool) -> FileReport:
    suppressions = Suppressions(text)
    if suppressions.skips_file():
        return _NOTHING
    reading = Reading(text)
    target, unread = _target(path, targets)
    quick = reading.quick()
    if quick is not None and _says_nothing(settings.rules, _QuickContext(quick, path, target)):
        return FileReport(_finished(_judged([], suppressions, settings, (), path), text, suppressions, noqa), unread)
    del quick  # before there is another
    parsed = reading.tree()
    if isinstance(parsed, SourceError):
        return _unreadable(text, path, settings, parsed, noqa)
    context = _Context(parsed, text, path, target)
    made: list[Finding] = []
    crashes: dict[str, list[str]] = {}
    for rule in settings.rules:
        try:
            made += [context.finding(rule, report, path) for report in rule.check(context)]
        except Exception as error:
            crashes.setdefault(crash(error), []).append(rule.code)
    problems = tuple(Problem(path, f"{', '.join(codes)}: {message}") for message, codes in crashes.items())
    crashed = [code for codes in crashes.values() for code in codes]
    made += _judged(made, suppressions, settings, crashed, path)
    return FileReport(_finished(made, text, suppressions, noqa), unread + problems)


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
    span = Span(error.line, error.column, error.line, error.column + 1)
    finding = Finding(path, span, rule.code, rule.name, rule.severity, error.message, "", (), None, "")
    suppressions = Suppressions(text)
    return _NOTHING if suppressions.skips_file() else FileReport(_finished([finding], text, suppressions, noqa), ())


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


class _SomethingToSayError(Exception):
    """A rule has asked for what only a finding needs."""


def _says_nothing(rules: Iterable[Rule], context: _QuickContext) -> bool:
    """Whether all of ``rules`` are silent; one that breaks is not."""
    try:
        return not any(True for rule in rules for _ in rule.check(context))
    except Exception:
        return False


class _QuickContext:
    """A file as the rules see it first: without positions, which ends as soon as somebody asks for one."""

    def __init__(self, module: Module, path: str, target: Target) -> None:
        self._module = module
        self._target = target
        self._path = path
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            from .facts import Facts

            self._facts = Facts(self._module, os.path.basename(self._path), self._target)
        return self._facts

    @property
    def rewrite(self) -> Rewriter:
        raise _SomethingToSayError

    def line(self, node: Node) -> int:
        raise _SomethingToSayError

    def text(self, node: Node) -> str:
        raise _SomethingToSayError


class _Context(_QuickContext):
    """A parsed file as the rules see it; see :class:`conclint.rule.ModuleContext`."""

    def __init__(self, tree: Tree, text: str, path: str, target: Target) -> None:
        super().__init__(tree.module, path, target)
        self._tree = tree
        self._lines = text.split("\n")
        self._rewrite: Rewriter | None = None

    @property
    def rewrite(self) -> Rewriter:
        if self._rewrite is None:
            from .rewrite import Rewriter

            self._rewrite = Rewriter(self._lines, self._tree.extent, self._tree.indentation)
        return self._rewrite

    def line(self, node: Node) -> int:
        return self._tree.span(node).line

    def text(self, node: Node) -> str:
        span = self._tree.span(node)
        lines = self._lines[span.line - 1 : span.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        text = " ".join(" ".join(lines).split())
        return text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1].rstrip() + "…"

    def finding(self, rule: Rule, report: Report, path: str) -> Finding:
        """What ``rule`` said, in positions instead of nodes."""
        from .syntax import symbol_of

        notes = tuple(Note(step.message, path, self._tree.span(step.node)) for step in report.path)
        return Finding(
            path=path,
            span=self._tree.span(report.node),
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            message=report.message,
            symbol=symbol_of(report.node),
            notes=notes,
            fix=report.fix,
            fingerprint="",
        )


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

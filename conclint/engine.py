"""The one pipeline: bytes, source, facts, rules, suppressions, findings.

libcst, the model and the standard library's larger modules are imported where the first file needs them: a run
in which nothing needs parsing (most runs of a pre-commit hook) costs no more than reading the files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from .config import SYNTAX_ERROR, Settings
from .discovery import File, describe
from .model import FileReport, Finding, Note, Problem, Rule, Span
from .source import SourceError, Suppressions, decode, may_hold_finding, normalise_newlines

if TYPE_CHECKING:
    import ast

    from .facts import Facts
    from .rule import Report
    from .syntax import Node
    from .tree import Tree

T = TypeVar("T")

MAX_PARSED_BYTES = 5_000_000
"""Larger files that would need parsing are refused: they are data, and a tree takes a hundred times their size."""

MAX_READ_BYTES = 200_000_000
"""Larger files are not even searched for words."""

MAX_DEPTH = 1_000
"""Expressions nested deeper (which takes a chain of a thousand operators or calls) are not given to libcst: its time
grows with the square of the depth."""

MAX_UNVOUCHED_LENGTH = 8_000
"""Logical lines longer than this are not given to libcst where CPython could not parse the file."""

# The parser of libcst is recursive native code that ends the process when the stack is full, and the walks over
# the tree are recursive too. Address space is all that a large stack costs until it is used.
_STACK_BYTES = (512 << 20, 128 << 20, 32 << 20)
_STACK_PER_FRAME = 25_000
_TEXT_LENGTH = 60

_NOTHING = FileReport((), ())


def check_files(files: Iterable[File], settings: Settings) -> Iterator[FileReport]:
    """The report of each file, in the order of ``files``. Nothing that a file holds stops the others."""
    for file in files:
        yield _guarded(file.path, lambda file=file: _check_file(file, settings))  # type: ignore[misc]


def check_bytes(data: bytes, path: str, settings: Settings, *, named: bool = True) -> FileReport:
    """The report of one file's contents; ``path`` is what findings call it.

    A file that was not ``named`` by the user is parsed only if its words say that it can hold a finding.
    """
    return _guarded(path, lambda: _check_bytes(data, path, settings, named))


def check_text(text: str, path: str, settings: Settings) -> FileReport:
    """The report of text that somebody else has read, with nothing suppressed: flake8 does both itself."""

    def check() -> FileReport:
        if not may_hold_finding(text.encode("utf-8", "replace")):
            return _NOTHING
        return _on_large_stack(lambda: _analyse(normalise_newlines(text), path, settings, noqa=False))

    return _guarded(path, check)


def _guarded(path: str, check: Callable[[], FileReport]) -> FileReport:
    try:
        return check()
    except Exception as error:
        return FileReport((), (Problem(path, _crash(error)),))


def _check_file(file: File, settings: Settings) -> FileReport:
    try:
        with open(file.path, "rb") as handle:
            if os.fstat(handle.fileno()).st_size > MAX_READ_BYTES:
                return _too_large(file.path, MAX_READ_BYTES)
            data = handle.read()
    except OSError as error:
        return FileReport((), (Problem(file.path, f"cannot be read: {describe(error)}"),))
    return _check_bytes(data, file.path, settings, file.named)


def _check_bytes(data: bytes, path: str, settings: Settings, named: bool) -> FileReport:
    try:
        text = decode(data)
    except SourceError as error:
        return _unreadable(data.decode("latin-1"), path, settings, error)
    relevant = may_hold_finding(data)
    if not (relevant or named):
        return _NOTHING
    if len(data) > MAX_PARSED_BYTES:
        return _too_large(path, MAX_PARSED_BYTES)
    if relevant:
        return _on_large_stack(lambda: _analyse(text, path, settings, noqa=True))
    return _on_large_stack(lambda: _check_syntax(text, path, settings))


def _too_large(path: str, limit: int) -> FileReport:
    return FileReport((), (Problem(path, f"not checked: it is larger than {limit // 1_000_000} MB"),))


def _check_syntax(text: str, path: str, settings: Settings) -> FileReport:
    """Only whether ``text`` parses: the file can hold no finding, but the user asked for this very file."""
    if _refused_by_python(text) is None:
        return _NOTHING
    parsed = _parse(text)
    return _unreadable(text, path, settings, parsed) if isinstance(parsed, SourceError) else _NOTHING


def _analyse(text: str, path: str, settings: Settings, noqa: bool) -> FileReport:
    parsed = _parse(text)
    if isinstance(parsed, SourceError):
        return _unreadable(text, path, settings, parsed, noqa)
    context = _Context(parsed, text)
    made: list[Finding] = []
    crashes: dict[str, list[str]] = {}
    for rule in settings.rules:
        try:
            made += [context.finding(rule, report, path) for report in rule.check(context)]
        except Exception as error:
            crashes.setdefault(_crash(error), []).append(rule.code)
    problems = tuple(Problem(path, f"{', '.join(codes)}: {message}") for message, codes in crashes.items())
    return FileReport(_finished(made, text, noqa), problems)


def _unreadable(text: str, path: str, settings: Settings, error: SourceError, noqa: bool = True) -> FileReport:
    """The report of a file that is no Python, which is one finding of the rule for that."""
    rule = next((rule for rule in settings.rules if rule.code == SYNTAX_ERROR), None)
    if rule is None:
        return _NOTHING
    span = Span(error.line, error.column, error.line, error.column + 1)
    finding = Finding(path, span, rule.code, rule.name, rule.severity, error.message, "", (), None, "")
    return FileReport(_finished([finding], text, noqa), ())


def _finished(findings: list[Finding], text: str, noqa: bool) -> tuple[Finding, ...]:
    """``findings`` in order, with fingerprints, and without those that a comment suppresses."""
    if not findings:
        return ()
    findings.sort(key=lambda finding: (finding.span, finding.code, finding.message))
    findings = _with_fingerprints(findings, text.split("\n"))
    if noqa:
        suppressed = Suppressions(text)
        findings = [f for f in findings if not suppressed.covers(f.span.line, f.code, f.name)]
    return tuple(findings)


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


class _Context:
    """A parsed file as the rules see it; see :class:`conclint.rule.ModuleContext`."""

    def __init__(self, tree: Tree, text: str) -> None:
        self._tree = tree
        self._lines = text.split("\n")
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            from .facts import Facts

            self._facts = Facts(self._tree.module)
        return self._facts

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


class _RefusedError(SourceError):
    """CPython's verdict on a text; ``final`` where libcst must not be asked, since it would nest as deeply."""

    def __init__(self, message: str, line: int = 1, column: int = 1, *, final: bool) -> None:
        super().__init__(f"cannot be parsed: {message}", line, column)
        self.final = final


class _TooDeepError(Exception):
    """Valid Python that nests too deeply for us."""


def _parse(text: str) -> Tree | SourceError:
    """The tree of ``text``, or why there is none.

    What CPython refuses is tried all the same: it may be newer than the CPython that runs.
    """
    refused = _refused_by_python(text)
    if refused is not None and (refused.final or _looks_deep(text)):
        return refused
    from .tree import ParseError, parse

    try:
        return parse(text)
    except ParseError as error:
        if refused is not None:
            return refused
        message = f"cannot be parsed: valid, but libcst does not read it: {' '.join(error.message.split())}"
        return SourceError(message, error.line, error.column)


def _refused_by_python(text: str) -> _RefusedError | None:
    """What CPython's own parser has against ``text``: ten times as fast as libcst, and safe from deep nesting.

    Raises :class:`_TooDeepError` for what CPython accepts and libcst should be spared.
    """
    import warnings
    from ast import PyCF_ONLY_AST

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile(text, "<source>", "exec", PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        line = min(max(error.lineno or 1, 1), text.count("\n") + 1)
        return _RefusedError(message, line, max(error.offset or 1, 1), final=message.startswith("too many"))
    except RecursionError:
        return _RefusedError("it is nested too deeply", final=True)
    except MemoryError:  # also how the parser says that its own stack is full
        return _RefusedError("it is nested too deeply, or too large for the memory", final=True)
    except ValueError as error:  # lone surrogates and null bytes, which exotic encodings bring
        return _RefusedError(str(error), final=True)
    _check_depth(module, text)
    return None


def _check_depth(module: ast.AST, text: str) -> None:
    """Raises :class:`_TooDeepError` where an expression nests deeper than ``MAX_DEPTH``.

    A level takes two characters at least, so that nearly every expression is passed over for its length alone.
    """
    import ast

    starts = [0, 0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    stack: list[tuple[ast.AST, int]] = [(module, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _TooDeepError
        if isinstance(node, (ast.stmt, ast.expr)):
            start = starts[node.lineno] + node.col_offset
            end = starts[node.end_lineno or node.lineno] + (node.end_col_offset or 0)
            if end - start + 2 * depth < 2 * MAX_DEPTH:
                continue
        deeper = depth + isinstance(node, ast.expr)
        stack.extend((child, deeper) for child in ast.iter_child_nodes(node))


def _looks_deep(text: str) -> bool:
    """Whether ``text``, which CPython has not vouched for, could nest too deeply for libcst.

    Brackets in strings and comments count too, which errs on the safe side.
    """
    import re

    depth = start = 0
    for match in re.finditer(r"[][(){}\n]", text):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth = max(depth - 1, 0)
        if depth > MAX_DEPTH or match.end() - start > MAX_UNVOUCHED_LENGTH:
            return True
        if depth == 0 and match[0] == "\n":
            start = match.end()
    return len(text) - start > MAX_UNVOUCHED_LENGTH


def _on_large_stack(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, run on a thread whose stack holds the deepest nesting that Python allows."""
    import threading

    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    recursion_limit = sys.getrecursionlimit()
    stack_limit = threading.stack_size()
    try:
        for stack in _STACK_BYTES:
            try:
                threading.stack_size(stack)
                # A daemon, so that Ctrl-C ends the process without waiting for the analysis of a large file.
                thread = threading.Thread(target=run, name="conclint", daemon=True)
                sys.setrecursionlimit(max(recursion_limit, stack // _STACK_PER_FRAME))
                thread.start()
                break
            except (ValueError, RuntimeError):  # more than the system grants
                if stack == _STACK_BYTES[-1]:
                    raise
        thread.join()
    finally:
        threading.stack_size(stack_limit)
        sys.setrecursionlimit(recursion_limit)
    if errors:
        raise errors[0]
    return results[0]


def _crash(error: Exception) -> str:
    """One line that says what went wrong inside conclint, and where."""
    if isinstance(error, (RecursionError, _TooDeepError)):
        return "not analysed: nested too deeply"
    if isinstance(error, MemoryError):
        return "not analysed: out of memory"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace is not None else ""
    return f"internal error: {type(error).__name__}: {' '.join(str(error).split())}{where}"

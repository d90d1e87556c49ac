"""Whether findings are a certain bug: at its place, and by a rule that fits. Knows no files, and runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

Lines = range


class Bug(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``bugs.jsonl``; of the paths each is below the top folder of its archive."""

    id: str
    kind: str = msgspec.field(name="class")
    package: str
    buggy: str
    fixed: str
    dist: Literal["sdist", "wheel"]
    fixed_dist: Literal["sdist", "wheel"]
    path: str
    fixed_path: str
    line: int
    also_lines: list[int]
    """Where the same mistake is made again."""
    function: str
    """Its qualified name."""
    single_file: bool
    """Whether all that there is to know stands in that file."""
    note: str
    fix_ref: str


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of a bug of one class."""

    rules: list[str]
    path: bool = False
    """Whether the path that a finding shows counts as its place."""


class Note(msgspec.Struct, frozen=True):
    """A step of the path of a finding."""

    path: str
    line: int


class Found(msgspec.Struct, frozen=True):
    """What is needed of a finding in the JSON report; paths are those below the top folder."""

    code: str
    path: str
    line: int
    notes: list[Note]
    fingerprint: str = ""


class Verdict(NamedTuple):
    """What is said of a bug."""

    bug: Bug
    hit: Found | None
    """The finding that is the bug, in the buggy version."""
    optional: Found | None
    """The one of an optional rule, where there is no ``hit``."""
    still: Found | None
    """What fits in the fixed version."""
    trouble: str = ""
    """Why one of the versions could not be checked."""


def functions(source: str | bytes) -> Mapping[str, Sequence[Lines]]:
    """The lines of each function and class, by qualified name: several, where a name is defined again.

    What Python does not read has none.
    """
    result: dict[str, list[Lines]] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
                result.setdefault(prefix + child.name, []).append(range(first, (child.end_lineno or first) + 1))
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    try:
        visit(ast.parse(source), "")
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return result


def hit(bug: Bug, fit: Fit, source: str | bytes, findings: Sequence[Found], fixed: Sequence[Found]) -> Found | None:
    """The one of ``findings`` that is the bug.

    It points at the bug's line, or leads there; or it points elsewhere in the function, and says what the ``fixed``
    version is not told any more: what the fix does not silence is something else.
    """
    lines = [range(line, line + 1) for line in (bug.line, *bug.also_lines)]
    function = functions(source).get(bug.function, ())
    left = {finding.fingerprint for finding in fixed}
    standing = Fit(fit.rules)
    for finding in sorted(findings, key=lambda each: fitting(standing, bug.path, [*lines, *function], [each]) is None):
        if fitting(fit, bug.path, [*lines, *function], [finding]) is not None:
            if finding.fingerprint not in left or fitting(Fit(fit.rules, path=True), bug.path, lines, [finding]):
                return finding
    return None


def fixed_places(bug: Bug, source: str | bytes, fixed: str | bytes) -> list[Lines]:
    """The lines of the fixed version where nothing may be said: its functions of the names that have the bug."""
    was = functions(source)
    names = {bug.function}
    for line in bug.also_lines:
        around = [
            (min(len(each) for each in spans if line in each), name) for name, spans in was.items() if _in(line, spans)
        ]
        names |= {name for _, name in sorted(around)[:1]}
    now = functions(fixed)
    return [lines for name in sorted(names) for lines in now.get(name, ())]


def fitting(fit: Fit, path: str, where: Sequence[Lines], findings: Iterable[Found]) -> Found | None:
    """The first of ``findings`` that fits, in the file at ``path``, at one of the places."""
    for finding in findings:
        if finding.code in fit.rules:
            steps = [(finding.path, finding.line)]
            if fit.path:
                steps += [(note.path, note.line) for note in finding.notes]
            if any(at == path and _in(line, where) for at, line in steps):
                return finding
    return None


def _in(line: int, where: Iterable[Lines]) -> bool:
    return any(line in lines for lines in where)


def table(verdicts: Iterable[Verdict]) -> Iterable[str]:
    """The table of all of them in Markdown, line by line."""
    yield "| bug | class | in one file | buggy | found | only by an optional rule | fixed | reported there |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in verdicts:
        bug = each.bug
        cells = [
            bug.id,
            bug.kind,
            "yes" if bug.single_file else "no",
            f"{bug.package} {bug.buggy}",
            each.trouble or _said(each.hit, "**no**"),
            _said(each.optional, ""),
            bug.fixed,
            _said(each.still, ""),
        ]
        yield f"| {' | '.join(cells)} |"


def _said(finding: Found | None, otherwise: str) -> str:
    return otherwise if finding is None else f"{finding.code}, line {finding.line}"


def totals(verdicts: Sequence[Verdict]) -> Iterable[str]:
    """The recall, and how often a fixed version is reported, line by line."""
    single = [each for each in verdicts if each.bug.single_file]
    yield f"Found of those visible in one file: {_share(single)}"
    yield f"Found of all: {_share(verdicts)}"
    yield f"Fixed versions still reported: {sum(each.still is not None for each in verdicts)} of {len(verdicts)}"


def _share(verdicts: Sequence[Verdict]) -> str:
    hits = sum(each.hit is not None for each in verdicts)
    return f"{hits} of {len(verdicts)}" + (f" ({hits / len(verdicts):.0%})" if verdicts else "")

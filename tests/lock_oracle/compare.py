"""What conclint says of programs against what their runs do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from conclint.config import Settings
from conclint.engine import check_bytes
from conclint.registry import rules

from . import IGNORED_RESULT, JUDGED, NUMBER, Program
from .execute import QUICK, THOROUGH
from .policy import Judge, Verdict

HEADER = """\
import asyncio, threading
from contextlib import suppress
from elsewhere import cond, items, manager, step, value


"""


class Comparison:
    """One program: what the rules say of ``f``, and what they should."""

    def __init__(self, program: Program, said: dict[str, set[int]], judged: Sequence[str]) -> None:
        self.program = program
        self.said = said
        self.judged = judged
        self.excused = bool(said.get(IGNORED_RESULT))
        """Whether the result of an acquire is ignored: CNC104 alone speaks then."""
        self.judge = _judge(program)
        self.verdicts = self.judge.verdicts()
        if self._added():
            self.judge = Judge(program, THOROUGH)
            self.verdicts = self.judge.verdicts()

    def _lacking(self) -> set[tuple[str, int]]:
        """What has to be said and is not."""
        lacking = {(code, line) for code in self.judged for line in self.verdicts[code].must - self._of(code)}
        for code in self.judged:
            lacking |= {(code, min(some)) for some in self.verdicts[code].some if some.isdisjoint(self._of(code))}
        return lacking

    def _added(self) -> set[tuple[str, int]]:
        """What is said though no run does it."""
        return {
            (code, line)
            for code in self.judged
            for line in self._of(code) - self.verdicts[code].must - self.verdicts[code].may
        }

    def _of(self, code: str) -> set[int]:
        return self.said.get(code, set())

    @property
    def agrees(self) -> bool:
        return self.excused or self.judge.is_beyond_counting or not (self._lacking() or self._added())

    def verdict(self, code: str) -> Verdict:
        return self.verdicts[code]

    def __str__(self) -> str:
        marks: dict[int, list[str]] = {}
        for sign, pairs in (("not said:", self._lacking()), ("said, but no run does it:", self._added())):
            for code, line in sorted(pairs):
                marks.setdefault(line, []).append(f"{sign} {code}")
        lines = self.program.text.replace(NUMBER, "").split("\n")
        return "\n".join(
            f"{line}    # <- {', '.join(marks[number])}" if number in marks else line
            for number, line in enumerate(lines, 1)
        )


@lru_cache(maxsize=2000)
def _judge(program: Program) -> Judge:
    return Judge(program, QUICK)


@cache
def _settings() -> Settings:
    wanted = tuple(rule for rule in rules() if rule.code in (*JUDGED, IGNORED_RESULT))
    return Settings(rules=wanted)


def judged() -> tuple[str, ...]:
    """The rules that there are, of those whose verdicts can be compared."""
    codes = {rule.code for rule in _settings().rules}
    return tuple(code for code in JUDGED if code in codes)


def compare(programs: Sequence[Program]) -> Iterator[Comparison]:
    """Each of ``programs``, which are analysed as one module."""
    text = HEADER
    starts: list[int] = []
    for number, program in enumerate(programs):
        starts.append(text.count("\n"))
        text += program.text.replace(NUMBER, str(number)) + "\n"
    report = check_bytes(text.encode(), "programs.py", _settings())
    assert not report.problems, f"{report.problems}\n{text}"
    said: list[dict[str, set[int]]] = [{} for _ in programs]
    for finding in report.findings:
        number = max(index for index, start in enumerate([-1, *starts]) if finding.span.line > start) - 1
        if number >= 0 and finding.symbol.rpartition(".")[2] == f"f{number}":
            said[number].setdefault(finding.code, set()).add(finding.span.line - starts[number])
    for program, spoken in zip(programs, said, strict=True):
        yield Comparison(program, spoken, judged())


def count(comparisons: Iterator[Comparison]) -> tuple[Counter[str], list[Comparison]]:
    """How many programs had which verdict, and those that disagree."""
    counted: Counter[str] = Counter()
    wrong: list[Comparison] = []
    for comparison in comparisons:
        outcomes = comparison.judge.outcomes
        counted.update(programs=1, runs=outcomes.runs)
        counted["programs not run to the end"] += not outcomes.complete
        if comparison.excused:
            counted["left to CNC104"] += 1
            continue
        if comparison.judge.is_beyond_counting:
            counted["held too often to be counted"] += 1
            continue
        for code in comparison.judged:
            verdict = comparison.verdicts[code]
            must = bool(verdict.must or verdict.some)
            counted[f"{code} must"] += must
            counted[f"{code} may"] += bool(verdict.may and not must)
            counted[f"{code} silent"] += not (verdict.must or verdict.may)
        if not comparison.agrees:
            wrong.append(comparison)
    return counted, wrong

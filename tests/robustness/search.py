"""Many inputs, each checked and some of them twice; what fails is kept, made small, and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from . import Check, Input, Outcome
from .inputs import Inputs
from .minimal import minimal, signature


class Failure(NamedTuple):
    """An input of which something does not hold."""

    given: Input
    smallest: Input
    outcome: Outcome

    def __str__(self) -> str:
        shown = [f"input {self.given.number}, {self.given.source} of {self.given.origin}:", *self.outcome.failures]
        for name, data in self.smallest.files:
            shown += [f"---- {name}", data.decode("utf-8", "backslashreplace")]
        return "\n".join(shown)

    def save(self, folder: Path) -> Path:
        """Writes the input, and the smallest that fails like it, into a folder of its own in ``folder``."""
        own = folder / str(self.given.number)
        for part, given in (("input", self.given), ("smallest", self.smallest)):
            for name, data in given.files:
                path = own / part / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return own


class Tally(NamedTuple):
    """What a search has seen."""

    sources: Counter[str]
    """How many inputs each source gave."""
    counted: Counter[str]
    codes: Counter[str]
    """How many inputs each rule found something in."""
    seconds: float
    slowest: tuple[float, int]
    """The largest part of its time that an input took, and its number."""


def search(
    inputs: Inputs,
    numbers: Iterable[int],
    check: Check,
    again: Check | None = None,
    every: int = 1,
    tell: Callable[[Failure], None] = lambda failure: None,
    most_told: int = 20,
) -> tuple[Tally, list[Failure]]:
    """Checks the inputs of these ``numbers``; of ``every`` so many one also by ``again``, which has to say the same.

    Each kind of failure is told once.
    """
    sources: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    seconds, slowest = 0.0, (0.0, 0)
    failures: dict[str, Failure] = {}
    for number in numbers:
        given = inputs.input(number)
        if given is None:
            counted["left out"] += 1
            continue
        twice = again is not None and number % every == 0
        both = _checked_twice(check, again if twice else None)
        outcome = both(given)
        sources[given.source] += 1
        counted.update(
            bytes=given.size,
            findings=outcome.findings,
            refusals=outcome.refusals,
            unparsed="CNC900" in outcome.codes,
            fixes=outcome.fixes,
            failures=bool(outcome.failures),
            twice=twice,
        )
        counted["inputs with findings"] += bool(outcome.findings)
        codes.update(outcome.codes)
        seconds += outcome.seconds
        slowest = max(slowest, (outcome.seconds / given.seconds, number))
        kind = signature(outcome)
        if kind and kind not in failures and len(failures) < most_told:
            failures[kind] = Failure(given, minimal(given, outcome, both), outcome)
            tell(failures[kind])
    return Tally(sources, counted, codes, seconds, slowest), list(failures.values())


def _checked_twice(check: Check, again: Check | None) -> Check:
    def both(given: Input) -> Outcome:
        outcome = check(given)
        if again is None or outcome.failures:
            return outcome
        second = again(given)
        if second.failures:
            return second
        if second.digest != outcome.digest:
            return outcome._replace(failures=("says something else the second time",))
        return outcome

    return both

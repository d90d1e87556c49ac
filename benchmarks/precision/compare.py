"""Findings against judgements: what is counted, what is new, and how both are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from .findings import Found
from .labels import Labels, Verdict, line, relatives

GOAL, GOAL_OF_A_RULE, MANY = 0.95, 0.85, 10
"""The precision to reach over all, that of each rule that finds so much, and how much that is."""


class Count(NamedTuple):
    """How many findings there are of each kind."""

    real: int = 0
    false: int = 0
    disputed: int = 0
    unlabelled: int = 0

    @property
    def precision(self) -> float | None:
        """The real ones among those that are real or false; ``None`` where there are neither."""
        return _ratio(self.real, self.real + self.false)

    @property
    def strict(self) -> float | None:
        """The real ones among all."""
        return _ratio(self.real, sum(self))


class Change(NamedTuple):
    """What two versions of conclint find: only the second, and only the first."""

    added: list[Found]
    removed: list[Found]


def count(found: Iterable[Found], labels: Labels) -> Count:
    """How many of ``found`` are judged how."""
    verdicts = Counter(labels[each.key].verdict if each.key in labels else None for each in found)
    return Count(verdicts[Verdict.REAL], verdicts[Verdict.FALSE], verdicts[Verdict.DISPUTED], verdicts[None])


def table(found: Sequence[Found], labels: Labels) -> Iterator[str]:
    """The counts of each rule and of all, as a table in Markdown, line by line."""
    yield "| rule | real | false | disputed | unlabelled | real / (real + false) | real / all |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for code, name in sorted({(each.key.code, each.name) for each in found}):
        yield _row(f"{code} {name}", count((each for each in found if each.key.code == code), labels))
    yield _row("all", count(found, labels))


def short_of_goal(found: Sequence[Found], labels: Labels) -> Iterator[str]:
    """What does not reach the goal, in words."""
    codes = Counter(each.key.code for each in found)
    many = sorted(code for code, number in codes.items() if number >= MANY)
    parts = [("all", list(found), GOAL)]
    parts += [(code, [each for each in found if each.key.code == code], GOAL_OF_A_RULE) for code in many]
    for name, part, goal in parts:
        counted = count(part, labels)
        if counted.precision is None and part:
            yield f"{name}: none of its {len(part)} findings is judged real or false, so there is nothing to measure"
        elif counted.precision is not None and counted.precision < goal:
            yield f"{name}: {percent(counted.precision)} real, and {percent(goal)} to reach"


def unlabelled(found: Iterable[Found], labels: Labels) -> Iterator[str]:
    """For each finding that nobody has judged its place and message, and the line of ``labels.jsonl`` to fill in."""
    for each in found:
        if each.key not in labels:
            yield describe(each, labels)
            yield f"    {line(each.key, None)}"
            for other in relatives(each.key, labels):
                yield f"    perhaps as before: {line(other, labels[other])}"


def stale(found: Iterable[Found], labels: Labels) -> Iterator[str]:
    """The judgements of what is not found."""
    missing = labels.keys() - {each.key for each in found}
    yield from (line(key, labels[key]) for key in sorted(missing))


def compare(before: Collection[Found], after: Collection[Found]) -> Change:
    """What only one of the two has."""
    old, new = {each.key for each in before}, {each.key for each in after}
    return Change([each for each in after if each.key not in old], [each for each in before if each.key not in new])


def review(change: Change, labels: Labels) -> Iterator[str]:
    """What a change adds and takes away, each with its judgement."""
    for title, part in (("added", change.added), ("removed", change.removed)):
        counted = count(part, labels)._asdict()
        kinds = ", ".join(f"{number} {kind}" for kind, number in counted.items() if number)
        yield f"{title}: {len(part)}" + (f" ({kinds})" if kinds else "")
        for each in part:
            yield f"  {describe(each, labels)}"


def describe(found: Found, labels: Labels) -> str:
    """A finding and its judgement."""
    label = labels.get(found.key)
    judged = "unlabelled" if label is None else f"{label.verdict.value}: {label.why}"
    return f"{found.path}:{found.line}: {found.key.code} {found.message} [{judged}]"


def summary(found: Sequence[Found], labels: Labels) -> str:
    """Both precisions of all, in a line."""
    counted = count(found, labels)
    judged = counted.real + counted.false
    return (
        f"{percent(counted.precision)} of what is real or false is real ({counted.real} of {judged}), "
        f"{percent(counted.strict)} of all ({counted.real} of {sum(counted)})"
    )


def percent(ratio: float | None) -> str:
    """As people write it, and a dash for nothing."""
    return "-" if ratio is None else f"{ratio:.1%}".replace("%", " %")


def _row(name: str, counted: Count) -> str:
    return f"| {name} | {' | '.join(map(str, counted))} | {percent(counted.precision)} | {percent(counted.strict)} |"


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None

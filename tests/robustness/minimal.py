"""What fails made small, by leaving out files, then lines, then parts of lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from . import Check, Input, Outcome

_PLACE = re.compile(r" \(\w+\.py:\d+\)$")
"""Where in conclint something went wrong."""

_MOST_CHECKS = 400
_MOST_SLOW_CHECKS = 40

T = TypeVar("T")

_NAMED = re.compile(r"input\.py|/[^\s:]*|\d+")


def signature(outcome: Outcome) -> str:
    """What kind of failure it is, the first where there are several: where in the input it happens is left out."""
    if not outcome.failures:
        return ""
    first = outcome.failures[0].partition("\n")[0]
    place = _PLACE.search(first)
    return _NAMED.sub("#", first[: place.start()]) + place[0] if place is not None else _NAMED.sub("#", first)


def minimal(given: Input, outcome: Outcome, check: Check) -> Input:
    """The smallest input found that fails as ``given`` does, of which ``outcome`` came."""
    wanted = signature(outcome)
    left = _MOST_CHECKS if 0 < outcome.seconds < 1 else _MOST_SLOW_CHECKS

    def fails(files: Sequence[tuple[str, bytes]]) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and signature(check(given._replace(files=tuple(files)))) == wanted

    files = list(given.files)
    if len(files) > 2:
        files = _fewer(files, lambda some: len(some) > 1 and fails(some))
    for pattern in (rb"[^\n]*\n|[^\n]+", rb"\w+|\s+|[^\w\s]"):
        for number, (name, data) in enumerate(files):
            pieces: list[bytes] = re.findall(pattern, data)

            def fails_with(pieces: list[bytes], number: int = number, name: str = name) -> bool:
                return fails([*files[:number], (name, b"".join(pieces)), *files[number + 1 :]])

            pieces = _fewer(pieces, fails_with)
            files[number] = name, b"".join(pieces)
    return given._replace(files=tuple(files))


def _fewer(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """As few of ``items`` as still fail, runs of them left out, ever shorter ones."""
    size = max(len(items) // 2, 1)
    while items:
        start, before = 0, len(items)
        while start < len(items):
            rest = items[:start] + items[start + size :]
            if fails(rest):
                items = rest
            else:
                start += size
        if size == 1 and len(items) == before:
            break
        size = max(size // 2, 1)
    return items

"""Drives the comparison with Hypothesis: many programs, and the smallest one that disagrees."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from . import Program
from .compare import Comparison, compare, count
from .programs import make

BATCH = 10
"""Programs to a module: parsing and looking up are cheaper by the dozen."""


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A program; Hypothesis shrinks it by choosing simpler things."""
    return make(lambda choices: draw(st.integers(0, choices - 1)))


class DisagreementError(AssertionError):
    """Conclint and execution differ over a program."""


def search(programs_wanted: int, seeded: int) -> tuple[Counter[str], Comparison | None]:
    """How many programs had which verdict, and the smallest found that disagrees."""
    counted: Counter[str] = Counter()
    found: list[Comparison] = []

    @seed(seeded)
    @settings(
        max_examples=-(-programs_wanted // BATCH),
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.lists(programs(), min_size=BATCH, max_size=BATCH))
    def look(batch: list[Program]) -> None:
        found.clear()
        seen, wrong = count(compare(batch))
        counted.update(seen)
        if wrong:
            found.extend(wrong)
            raise DisagreementError

    try:
        look()
    except DisagreementError:
        return counted, found[0]
    return counted, None

"""Verdicts on locks against execution: what no run does is not reported, and what some run does is.

``tests/lock_oracle`` makes small functions and runs each of them under every sequence of choices (what raises what,
which way a condition goes, whether an acquire succeeds or is interrupted). Where a run ends with a lock held, releases
what it does not hold, or blocks on itself, the rules for that must point at that very line, and at no other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from conclint import syntax as s
from conclint.cfg import Level, Step, StepKind
from conclint.cfg_builder import _Builder
from conclint.dataflow import LIKELY
from conclint.exceptions import Caught, ExceptionClasses
from conclint.facts import lock_facts, lock_paths, lock_releases, locks
from conclint.facts.conditions import Conditions
from conclint.facts.flow import Flow
from conclint.facts.lock_states import LockState, LockTransfer
from conclint.facts.locks import LockUses
from tests.lock_oracle import JUDGED, Program
from tests.lock_oracle.compare import Comparison, compare, judged
from tests.lock_oracle.programs import make
from tests.lock_oracle.search import BATCH, search


def check(wanted: int, seeded: int) -> Counter[str]:
    counted, disagreement = search(wanted, seeded)
    assert disagreement is None, f"\n{disagreement}"
    return counted


def test_verdicts_are_what_runs_do() -> None:
    counted = check(3_000, seeded=1)
    assert counted["programs"] >= 3_000
    assert counted["programs not run to the end"] < 450
    for code in judged():  # a healthy share of each verdict, and hardly any that is left open
        assert counted[f"{code} must"] >= 150, counted
        assert counted[f"{code} silent"] >= 1_800, counted
        assert counted[f"{code} may"] <= 180, counted


@pytest.mark.slow
@pytest.mark.parametrize("seeded", range(2, 8))
def test_verdicts_are_what_runs_do_at_length(seeded: int) -> None:
    check(4_000, seeded)


def test_every_rule_about_the_state_of_a_lock_is_judged() -> None:
    assert judged() == JUDGED


# ---- the oracle can fail


def some_programs() -> list[Program]:
    generator = random.Random(1)
    return [make(generator.randrange) for _ in range(600)]


def first_disagreement(programs: list[Program]) -> Comparison | None:
    for start in range(0, len(programs), BATCH):
        for comparison in compare(programs[start : start + BATCH]):
            if not comparison.agrees:
                return comparison
    return None


def _return_skips_finally(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._route

    def route(self: _Builder, completion: tuple[str, object], depth: int | None = None) -> Step:
        return self._graph.steps[self._graph.exit] if completion[0] == "return" else real(self, completion, depth)

    patch.setattr(_Builder, "_route", route)


def _break_is_continue(patch: pytest.MonkeyPatch) -> None:
    real = _Builder._route

    def route(self: _Builder, completion: tuple[str, object], depth: int | None = None) -> Step:
        kind, loop = completion
        return real(self, ("continue", loop) if kind == "break" else completion, depth)

    patch.setattr(_Builder, "_route", route)


def _calls_never_raise(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flow, "level", lambda self, call: Level.NEVER)


def _everything_raises(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flow, "level", lambda self, call: Level.LIKELY)


def _nothing_is_interrupted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_releases, "INTERRUPTED", LIKELY)


def _interrupted_by_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flow, "is_interruptible", lambda self, call: False)


def _handlers_catch_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ExceptionClasses, "catches", staticmethod(lambda flying, handled: Caught.YES))


def _with_does_not_release(patch: pytest.MonkeyPatch) -> None:
    real = LockTransfer._released

    def released(self: LockTransfer, step: Step, state: LockState) -> LockState:
        return state if step.kind is StepKind.LEAVE else real(self, step, state)

    patch.setattr(LockTransfer, "_released", released)


def _every_acquire_succeeds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(locks, "is_conditional", lambda call, instance: False)


def _nothing_is_learnt_from_tests(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Conditions, "branch", lambda self, step, label, known: known)


def _helpers_are_not_followed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_facts.LockFacts, "_follow_helpers", lambda self: None)


def _aliases_are_not_followed(patch: pytest.MonkeyPatch) -> None:
    real = LockUses._method
    patch.setattr(LockUses, "_method", lambda self, func: None if isinstance(func, s.Name) else real(self, func))


def _every_lock_is_reentrant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LockUses, "blocks_its_holder", lambda self, place: False)


def _acquires_do_not_add_up(patch: pytest.MonkeyPatch) -> None:
    real = LockTransfer._acquired

    def acquired(self: LockTransfer, step: Step, state: LockState) -> LockState:
        return real(self, step, state._replace(held=min(state.held, 0)))

    patch.setattr(LockTransfer, "_acquired", acquired)


def _nobody_counts_on_his_caller(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_paths.LockPaths, "_caller_holds", lambda self: False)


BROKEN: Iterable[Callable[[pytest.MonkeyPatch], None]] = (
    _return_skips_finally,
    _break_is_continue,
    _calls_never_raise,
    _everything_raises,
    _nothing_is_interrupted,
    _interrupted_by_anything,
    _handlers_catch_all,
    _with_does_not_release,
    _every_acquire_succeeds,
    _nothing_is_learnt_from_tests,
    _helpers_are_not_followed,
    _aliases_are_not_followed,
    _every_lock_is_reentrant,
    _acquires_do_not_add_up,
    _nobody_counts_on_his_caller,
)


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda change: change.__name__.strip("_"))
def test_a_broken_model_is_noticed(break_it: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        break_it(patch)
        assert first_disagreement(some_programs()) is not None


def test_the_model_that_is_not_broken_agrees_on_the_same_programs() -> None:
    disagreement = first_disagreement(some_programs())
    assert disagreement is None, f"\n{disagreement}"


def test_hypothesis_finds_and_shrinks_what_a_broken_model_gets_wrong() -> None:
    with pytest.MonkeyPatch.context() as patch:
        _return_skips_finally(patch)
        _, disagreement = search(300, seeded=1)
    assert disagreement is not None
    shown = str(disagreement)
    assert "finally:" in shown
    assert "return" in shown
    assert "<- " in shown
    assert shown.count("\n") < 16, shown

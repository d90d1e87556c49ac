"""Inputs that nobody would write: no crash, no hang, nothing outside of the text, and the same each time.

``tests/robustness`` makes them: generated programs, the standard library, files cut off and garbled, and fixtures
changed as programs are. ``python -m tests.robustness`` is the long run.
"""

from __future__ import annotations

import os
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conclint import engine
from conclint.config import Settings
from conclint.model import Applicability, Edit, Fix, FixAvailability, Rule, Severity, Span
from conclint.rule import ModuleContext, Report
from tests.robustness import Input, Outcome, generated, judge
from tests.robustness.guarded import Guarded
from tests.robustness.inputs import SMALL, Inputs
from tests.robustness.minimal import minimal, signature
from tests.robustness.search import search

COUNT = 500
HEAD = b"import threading\n"


def given(*contents: bytes) -> Input:
    names = ("input.py", "b.py", "c.py")
    return Input(1, "test", "a test", tuple(zip(names, contents, strict=False)))


@pytest.fixture(scope="module")
def small() -> Inputs:
    return Inputs(1, sizes=SMALL)


def test_nothing_breaks(small: Inputs) -> None:
    with closing(Guarded(judge.judge, hash_seed=1)) as check:
        tally, failures = search(small, range(COUNT), check)
    assert not failures, "\n\n".join(map(str, failures))
    done = tally.sources.total()
    assert done + tally.counted["left out"] == COUNT
    assert tally.counted["inputs with findings"] >= done // 2  # what is checked gets somewhere
    assert tally.counted["unparsed"] <= done // 2
    assert tally.counted["fixes"] >= done // 10
    assert len(tally.codes) >= 30, tally.codes


@pytest.mark.slow
def test_the_same_is_said_whatever_the_order_of_sets(small: Inputs) -> None:
    with closing(Guarded(judge.judge, hash_seed=1)) as check, closing(Guarded(judge.judge, hash_seed=2)) as again:
        _, failures = search(small, range(COUNT, 2 * COUNT), check, again)
    assert not failures, "\n\n".join(map(str, failures))


def test_there_are_generated_programs() -> None:
    if generated.missing():
        pytest.skip(generated.missing())
    for way in generated.WAYS:
        assert generated.generated(way, 1, 0, random.Random(1), SMALL.programs).startswith(b"import ")


def test_an_input_is_the_same_whenever_it_is_asked_for(small: Inputs) -> None:
    again = Inputs(1, sizes=SMALL)
    backwards = [again.input(number) for number in reversed(range(40))]
    assert [small.input(number) for number in range(40)] == backwards[::-1]
    assert small.input(1) != Inputs(2, sizes=SMALL).input(1)


# ---- the judge can find something


def settings(check: Callable[[ModuleContext], Iterable[Report]]) -> Settings:
    return Settings((Rule("CNC999", "rule", "", Severity.WARNING, check, fix=FixAvailability.SAFE),))


def of_rule(check: Callable[[ModuleContext], Iterable[Report]], text: bytes = HEAD) -> tuple[str, ...]:
    """What the judge says of a rule that checks so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "everything", lambda method: settings(check))
        return judge.judge(given(text)).failures


def report(module: ModuleContext, fix: Fix | None = None) -> Report:
    return Report(module.facts.module, "said", fix=fix)


def breaks(module: ModuleContext) -> Iterator[Report]:
    raise KeyError("x")


def recurses(module: ModuleContext) -> Iterator[Report]:
    return recurses(module)


def warns(module: ModuleContext) -> Iterator[Report]:
    warnings.warn("about something", DeprecationWarning, stacklevel=1)
    yield report(module)


def prints(module: ModuleContext) -> Iterator[Report]:
    print("found something")
    yield report(module)


def is_forgotten(module: ModuleContext) -> Iterator[Report]:
    class Forgotten:
        def __del__(self) -> None:
            raise KeyError("x")

    Forgotten()
    yield report(module)


def edits_beyond(module: ModuleContext) -> Iterator[Report]:
    yield report(module, Fix(Applicability.SAFE, "fix", (Edit(Span(1, 1, 9, 1), ""),)))


def breaks_the_text(module: ModuleContext) -> Iterator[Report]:
    yield report(module, Fix(Applicability.SAFE, "fix", (Edit(Span(1, 1, 1, 1), "("),)))


def fixes_for_ever(module: ModuleContext) -> Iterator[Report]:
    yield report(module, Fix(Applicability.SAFE, "fix", (Edit(Span(1, 1, 1, 1), "\n"),)))


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (breaks, "CNC999: internal error: KeyError: 'x' (test_robustness.py:"),
        (recurses, "CNC999: not analysed: nested too deeply"),
        (warns, "CNC999: internal error: DeprecationWarning: about something"),
        (prints, "printed 'found something"),
        (is_forgotten, "unraisable: KeyError: 'x'"),
        (edits_beyond, "an edit of CNC999 lies outside of the text: (1, 1, 9, 1)"),
        (breaks_the_text, "fixes: not fixed: the fixes of CNC999 would leave it invalid"),
        (fixes_for_ever, "fixes: not fixed: after 100 rounds there is still something to fix"),
    ],
)
def test_a_broken_rule_is_noticed(check: Callable[[ModuleContext], Iterable[Report]], said: str) -> None:
    assert [each for each in of_rule(check) if each.startswith(said)], of_rule(check)


def test_a_rule_that_works_is_not_blamed() -> None:
    assert of_rule(lambda module: [report(module)]) == ()


def test_a_finding_outside_of_the_text_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_one_character", lambda text, line, column: Span(line, column, line, column + 1))
    assert judge.judge(given(HEAD + b"def")).failures == ("CNC900 lies outside of the text: (2, 4, 2, 5)",)


def test_a_format_that_breaks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conclint.report.full.render", lambda run: 1 / 0)
    assert judge.judge(given(b"def")).failures == ("the format full: ZeroDivisionError: division by zero",)


def test_a_refusal_needs_a_reason() -> None:
    deep = HEAD + b"x = y" + b".z" * 1_200 + b"\n"
    outcome = judge.judge(given(deep))
    assert (outcome.failures, outcome.refusals) == ((), 1)


def test_an_encoding_that_cannot_be_written_is_a_reason_not_to_fix() -> None:
    head = b"# coding: idna\nimport threading\nlock = threading.Lock()\n"
    long = b"n" * 55  # with its indentation more than a label of a domain may have
    outcome = judge.judge(given(head + b"lock.acquire()\ntry:\n    x = %s\nfinally:\n    lock.release()\n" % long))
    assert (outcome.failures, outcome.refusals, outcome.fixes) == ((), 1, 0)


# ---- what happens to the process


def crashes(_: Input) -> Outcome:
    os.abort()


def runs_for_ever(_: Input) -> Outcome:
    while True:
        pass


def waits_for_ever(_: Input) -> Outcome:
    while True:
        time.sleep(1)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("check", "said"),
    [(crashes, "the process ended with -6"), (runs_for_ever, "does not end"), (waits_for_ever, "hangs")],
)
def test_the_end_of_a_process_is_told_and_where_it_was(check: Callable[[Input], Outcome], said: str) -> None:
    with closing(Guarded(check, patience=0.01 if check is waits_for_ever else 0.2)) as guarded:
        for _ in range(2 if check is crashes else 1):  # and is there again for the next one
            (failure,) = guarded(given(HEAD)).failures
            first, _, trace = failure.partition("\n")
            assert first == said
            assert f"in {check.__name__}" in trace


# ---- what is told


def fails_where_it_is_bad(of: Input) -> Outcome:
    bad = sum(data.count(b"bad") for _, data in of.files)
    return Outcome((f"internal error: {bad} bad ones (rule.py:7)",) if bad else (), seconds=0.1)


def test_what_fails_is_made_small() -> None:
    found = given(b"good\n" * 40, b"good\n" * 40 + b"not(bad)\nx" + b"good\n" * 9 + b"bad bad\n", b"also good\n")
    smallest = minimal(found, fails_where_it_is_bad(found), fails_where_it_is_bad)
    assert b"".join(data for _, data in smallest.files) == b"bad"
    assert signature(fails_where_it_is_bad(smallest)) == "internal error: # bad ones (rule.py:7)"


class Few(Inputs):
    def input(self, number: int) -> Input | None:
        return given(HEAD + b"bad" * number)._replace(number=number)


def test_each_kind_of_failure_is_told_once_and_kept(tmp_path: Path) -> None:
    told: list[str] = []
    tally, failures = search(Few(1), range(5), fails_where_it_is_bad, tell=lambda failure: told.append(str(failure)))
    assert (tally.counted["failures"], len(failures), len(told)) == (4, 1, 1)
    assert "input 1, test of a test:\ninternal error: 1 bad ones (rule.py:7)\n---- input.py\nbad" in told[0]
    folder = failures[0].save(tmp_path)
    assert (folder / "input" / "input.py").read_bytes() == HEAD + b"bad"
    assert (folder / "smallest" / "input.py").read_bytes() == b"bad"


def test_what_differs_the_second_time_is_a_failure() -> None:
    _, failures = search(Few(1), range(1), lambda of: Outcome((), "one"), lambda of: Outcome((), "other"))
    assert [failure.outcome.failures for failure in failures] == [("says something else the second time",)]

"""The options that accept findings: ``--baseline``, ``--write-baseline`` and ``--add-noqa``."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from .baseline import Baseline, BaselineError, Key, load, rebased, write
from .config import Settings
from .model import Finding, Problem
from .report import Run


class Accepted(NamedTuple):
    """What is left of a run."""

    run: Run
    note: str
    """A line with its newline that says what was accepted, or ``""``."""
    is_written: bool
    """Whether the findings were written to somewhere, and so are not to be reported."""


class Accepting:
    """Applies the options to a run. Where the baseline cannot be read, making one raises :class:`BaselineError`."""

    def __init__(self, baseline: str | None, write_baseline: str | None, add_noqa: bool) -> None:
        self._target = write_baseline
        self._add_noqa = add_noqa
        self._baseline: Baseline | None = None
        is_first = baseline == write_baseline and baseline is not None and not os.path.lexists(baseline)
        if baseline is not None and not is_first:
            self._baseline = load(baseline)

    def applied(self, run: Run, settings: Settings, checked: Collection[str]) -> Accepted:
        """What is left of ``run``, in which the files at ``checked`` were looked at to the end."""
        new: Sequence[Finding] = run.findings
        note = ""
        unseen: dict[Key, int] = {}
        if self._baseline is not None:
            new, missing = self._baseline.split(run.findings)
            gone = self._baseline.gone(missing, checked, [rule.code for rule in settings.rules])
            unseen = missing - gone
            note = _baseline_note(self._baseline.path, len(run.findings) - len(new), sum(gone.values()))
        if self._target is not None:
            return self._written(run, unseen)
        if self._add_noqa:
            return _silenced(run._replace(findings=new), settings)
        return Accepted(run._replace(findings=new), note, is_written=False)

    def _written(self, run: Run, unseen: dict[Key, int]) -> Accepted:
        assert self._target is not None
        if self._baseline is not None:
            unseen = rebased(unseen, self._baseline.path, self._target)
        try:
            write(self._target, run.findings, unseen)
        except BaselineError as error:
            problems = [*run.problems, Problem(error.path, str(error))]
            return Accepted(run._replace(problems=problems), "", is_written=True)
        kept = f", and kept {sum(unseen.values())} of what this run did not check" if unseen else ""
        return Accepted(run, f"Wrote {_count(len(run.findings), 'finding')} to {self._target}{kept}.\n", True)


def _silenced(run: Run, settings: Settings) -> Accepted:
    from .add_noqa import add_noqa

    added = add_noqa(run.findings, settings)
    run = run._replace(problems=[*run.problems, *added.problems])
    note = f"Silenced {_count(added.findings, 'finding')} in {_count(added.files, 'file')}.\n"
    return Accepted(run, note, is_written=True)


def _baseline_note(path: str, known: int, gone: int) -> str:
    parts = []
    if known:
        parts.append(f"{_count(known, 'finding')} of {path} {'is' if known == 1 else 'are'} not shown")
    if gone:
        occur = "occurs" if gone == 1 else "occur"
        said = f"{_count(gone, 'entry', 'entries')} of {path} {occur} no more"
        parts.append(f"{said}: --baseline and --write-baseline together take them out")
    return "; ".join(parts) + ".\n" if parts else ""


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"

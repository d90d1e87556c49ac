"""The options that accept findings: ``--baseline``, ``--write-baseline`` and ``--add-noqa``."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from .baseline import Baseline, BaselineError, Key, load, rebased, refuse_unwritable, write
from .model import FileReport, Finding, Problem
from .report import Run
from .report.summary import count


class Accepted(NamedTuple):
    """What is left of a run."""

    run: Run
    is_written: bool
    """Whether the findings were written to somewhere, and so are not to be reported."""


class Accepting:
    """Applies the options to a run.

    Where a baseline cannot be read, or plainly not be written, making one raises :class:`BaselineError`.
    """

    def __init__(self, baseline: str | None, write_baseline: str | None, add_noqa: bool) -> None:
        self._target = write_baseline
        self._add_noqa = add_noqa
        self._baseline: Baseline | None = None
        if write_baseline is not None:
            refuse_unwritable(write_baseline)
        if baseline is not None and not _is_first(baseline, write_baseline):
            self._baseline = load(baseline)

    def new(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Those of the ``findings`` of a file that the baseline does not hold."""
        return findings if self._baseline is None else self._baseline.split(findings)[0]

    def applied(
        self, run: Run, checked: Mapping[str, Collection[str]], check: Callable[[bytes, str], FileReport]
    ) -> Accepted:
        """What is left of ``run``; ``checked`` has the files looked at to the end, and what rules ran on each.

        ``check`` gives the report of a file's contents and path.
        """
        new: Sequence[Finding] = run.findings
        unseen: dict[Key, int] = {}
        remarks: Sequence[str] = ()
        if self._baseline is not None:
            new, missing = self._baseline.split(run.findings)
            gone = self._baseline.gone(missing, checked)
            unseen = missing - gone
            remarks = _baseline_remarks(self._baseline.path, len(run.findings) - len(new), sum(gone.values()))
        if self._target is not None:
            return self._written(run, unseen)
        if self._add_noqa:
            return _silenced(run._replace(findings=new), check)
        return Accepted(run._replace(findings=new, remarks=[*run.remarks, *remarks]), is_written=False)

    def _written(self, run: Run, unseen: dict[Key, int]) -> Accepted:
        assert self._target is not None
        if self._baseline is not None:
            unseen = rebased(unseen, self._baseline.path, self._target)
        try:
            write(self._target, run.findings, unseen)
        except BaselineError as error:
            return Accepted(run._replace(problems=[*run.problems, Problem(error.path, str(error))]), is_written=True)
        kept = f", and kept {sum(unseen.values())} of what this run did not check" if unseen else ""
        said = f"{_fixed(run)}Wrote {count(len(run.findings), 'finding')} to {self._target}{kept}."
        return Accepted(run._replace(remarks=[*run.remarks, said]), is_written=True)


def _is_first(baseline: str, target: str | None) -> bool:
    """Whether the baseline that is to be read is the one that this run writes for the first time."""
    if target is None or os.path.lexists(baseline):
        return False
    return os.path.realpath(baseline) == os.path.realpath(target)


def _silenced(run: Run, check: Callable[[bytes, str], FileReport]) -> Accepted:
    from .add_noqa import add_noqa

    added = add_noqa(run.findings, check)
    said = f"{_fixed(run)}Silenced {count(added.findings, 'finding')} in {count(added.files, 'file')}."
    run = run._replace(problems=[*run.problems, *added.problems], remarks=[*run.remarks, said])
    return Accepted(run, is_written=True)


def _fixed(run: Run) -> str:
    """What was done before; a run whose findings are not reported ends in no summary that would say it."""
    return f"Fixed {count(run.fixed, 'finding')}. " if run.fixed else ""


def _baseline_remarks(path: str, known: int, gone: int) -> list[str]:
    remarks = []
    if known:
        remarks.append(f"{count(known, 'finding')} of {path} {'is' if known == 1 else 'are'} not shown.")
    if gone:
        occur = "occurs" if gone == 1 else "occur"
        said = f"{count(gone, 'entry', 'entries')} of {path} {occur} no more"
        remarks.append(f"{said}: --baseline and --write-baseline together take them out.")
    return remarks

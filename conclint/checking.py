"""All files of a run checked: by this process where there is little to do, else by several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from .config import Settings
from .discovery import File
from .engine import Checker
from .model import FileReport, Problem
from .project import Project

LITTLE = 200_000
"""So many bytes that may have to be parsed are done before a second process could help."""


def check_files(
    files: Sequence[File], settings_of: Callable[[str], Settings], project: Project, jobs: int
) -> Iterator[FileReport]:
    """The report of each file, in the order of ``files``, made by up to so many processes (``jobs``).

    ``settings_of`` has to be picklable where there may be more than one.
    """
    checker = Checker(settings_of, project)
    heavy = [number for number, file in enumerate(files) if file.named or file.path in project.relevant.checked]
    if min(jobs, len(heavy)) < 2 or sum(project.size(files[number].path) for number in heavy) < LITTLE:
        yield from checker.files(files)
        return
    from .workers import Died, Workers

    workers = Workers(jobs, _make_check, (settings_of, project))
    coming = workers.run([files[number] for number in heavy])
    come: dict[int, FileReport] = {}
    is_heavy = dict.fromkeys(heavy)
    for number, file in enumerate(files):
        if number not in is_heavy:
            yield from checker.files([file])
            continue
        while number not in come:
            done, result = next(coming)
            path = files[heavy[done]].path
            if isinstance(result, Died):
                result = FileReport((), (Problem(path, f"not checked: {result.reason}"),))
            come[heavy[done]] = result
        yield come.pop(number)


def all_cores() -> int:
    """How many processes can run at once on the processors that this one may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _make_check(settings_of: Callable[[str], Settings], project: Project) -> Callable[[File], FileReport]:
    checker = Checker(settings_of, project)
    return lambda file: next(checker.files([file]))

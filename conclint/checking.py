"""All files of a run checked: what earlier runs know is taken from them, the rest is done by one process or several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .config import Settings
from .discovery import File
from .engine import Checker
from .model import FileReport, Problem
from .parsing import garbage_is_rare
from .project import Project, SeenOfOthers
from .relevance import Relevant
from .target import nearest_project

if TYPE_CHECKING:
    from .cache import Cache, Entry

LITTLE = 200_000
"""So many bytes that may have to be parsed are done before a second process could help."""

Checked = tuple[FileReport, SeenOfOthers]


def check_files(
    files: Sequence[File],
    settings_of: Callable[[str], Settings],
    project: Project,
    *,
    jobs: int = 1,
    cache: Cache | None = None,
) -> Iterator[FileReport]:
    """The report of each file, in the order of ``files``, made by up to so many processes (``jobs``).

    ``settings_of`` has to be picklable where there may be more than one. What is found out goes into the ``cache``.
    """
    with garbage_is_rare():
        if cache is None:
            for report, _ in _checked(files, settings_of, project, jobs):
                yield report
        else:
            yield from _Cached(files, settings_of, project, jobs, cache).reports()


def all_cores() -> int:
    """How many processes can run at once on the processors that this one may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _checked(
    files: Sequence[File], settings_of: Callable[[str], Settings], project: Project, jobs: int
) -> Iterator[Checked]:
    heavy = [number for number, file in enumerate(files) if file.named or file.path in project.relevant.checked]
    check = _make_check(settings_of, project)
    if min(jobs, len(heavy)) < 2 or sum(project.size(files[number].path) for number in heavy) < LITTLE:
        yield from map(check, files)
        return
    from .workers import Died, Workers

    workers = Workers(jobs, _make_check, (settings_of, project))
    coming = workers.run([files[number] for number in heavy])
    come: dict[int, Checked] = {}
    is_heavy = dict.fromkeys(heavy)
    for number, file in enumerate(files):
        if number not in is_heavy:
            yield check(file)
            continue
        while number not in come:
            done, result = next(coming)
            if isinstance(result, Died):
                problem = Problem(files[heavy[done]].path, f"not checked: {result.reason}")
                result = FileReport((), (problem,)), SeenOfOthers()
            come[heavy[done]] = result
        yield come.pop(number)


def _make_check(settings_of: Callable[[str], Settings], project: Project) -> Callable[[File], Checked]:
    checker = Checker(settings_of, project)
    return lambda file: (next(checker.files([file])), project.seen_of_others(file.path))


class _Cached:
    """A run that takes from a cache what it can."""

    def __init__(
        self,
        files: Sequence[File],
        settings_of: Callable[[str], Settings],
        project: Project,
        jobs: int,
        cache: Cache,
    ) -> None:
        from .cache import digest_of

        self._files = files
        self._settings_of = settings_of
        self._project = project
        self._jobs = jobs
        self._cache = cache
        self._digest_of = digest_of
        self._settings_keys: dict[tuple[int, str | None], bytes] = {}
        self._projects: dict[str, str | None] = {}
        names = tuple(os.fsencode(file.path) for file in files)
        digests = tuple(cache.digest(file.path) or b"" for file in files)
        self._paths = digest_of(names)
        self._run = digest_of((*names, *digests))
        self._tell_what_matters()
        self._keys = [
            digest_of((name, digest, self._treatment(file), self._settings_key(file.path))) if digest else b""
            for file, name, digest in zip(files, names, digests, strict=True)
        ]

    def reports(self) -> Iterator[FileReport]:
        """The report of each file."""
        known = [self._known(key) for key in self._keys]
        missing = [file for file, report in zip(self._files, known, strict=True) if report is None]
        coming = _checked(missing, self._settings_of, self._project, self._jobs)
        for report, key in zip(known, self._keys, strict=True):
            if report is None:
                made, seen = next(coming)
                self._keep(key, made, seen)
                yield made
            else:
                yield report
        self._cache.save()

    def _treatment(self, file: File) -> bytes:
        """How much of the file is looked at."""
        return b"%d%d" % (file.named, file.path in self._project.relevant.checked)

    def _tell_what_matters(self) -> None:
        """Lets the project know which files matter, if this very run was made before; else remembers it."""
        from .cache import Mattering

        paths = [file.path for file in self._files]
        known = self._cache.mattering(self._run)
        if known is not None and all(0 <= number < len(paths) for number in (*known.checked, *known.seen)):
            checked, seen = (frozenset(paths[number] for number in part) for part in known)
            self._project.relevant = Relevant(checked, seen)
            return
        found = self._project.relevant
        numbers = {path: number for number, path in enumerate(paths)}
        self._cache.keep_mattering(
            self._run, Mattering(*(tuple(sorted(numbers[path] for path in part)) for part in found))
        )

    def _known(self, key: bytes) -> FileReport | None:
        entry = self._cache.entry(key) if key else None
        if entry is None:
            return None
        if not self._cache.is_valid(key, self._run):
            if not self._holds(entry):
                return None
            self._cache.confirm(key, self._run)
        return entry.report

    def _holds(self, entry: Entry) -> bool:
        """Whether what the entry hangs on is what it was."""
        if not (entry.needs.files or entry.needs.asked):
            return True
        seen = self._project.relevant.seen
        return (
            entry.paths == self._paths
            and all(
                self._cache.digest(path) == file.digest and (path in seen) == file.is_seen
                for file in entry.needs.files
                for path in (os.fsdecode(file.path),)
            )
            and all(
                tuple(map(os.fsencode, self._project.importers(os.fsdecode(asked.path), asked.name))) == asked.answer
                for asked in entry.needs.asked
            )
        )

    def _keep(self, key: bytes, report: FileReport, seen: SeenOfOthers) -> None:
        from .cache import Asked, Entry, LookedAt, Needs

        if not key or report.problems:
            return  # what went wrong may go well the next time
        everything = self._project.relevant.seen
        needs = Needs(
            tuple(
                LookedAt(os.fsencode(path), self._cache.digest(path) or b"", path in everything)
                for path in sorted(seen.files)
            ),
            tuple(Asked(os.fsencode(path), name, tuple(map(os.fsencode, found))) for path, name, found in seen.asked),
        )
        self._cache.keep(key, self._run, Entry(report, needs, self._paths))

    def _settings_key(self, path: str) -> bytes:
        """What stands for the settings of the file, and for what its project says of it."""
        settings = self._settings_of(path)
        folder = os.path.dirname(path)
        if folder not in self._projects:
            self._projects[folder] = None if settings.isolated else nearest_project(folder)
        project = self._projects[folder]
        key = id(settings), project
        if key not in self._settings_keys:
            said = b"" if project is None else self._cache.digest(project) or b""
            codes = ",".join(rule.code for rule in settings.rules)
            self._settings_keys[key] = self._digest_of((codes.encode(), repr(settings[1:]).encode(), said))
        return self._settings_keys[key]

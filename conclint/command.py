"""A run of the command line: files found, checked, fixed, accepted and reported; it comes to an exit status."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from . import output, progress
from .checking import all_cores, check_files
from .configuration import Configuration
from .discovery import Discovery, discover
from .engine import Checker
from .model import FileReport, Problem, Rule
from .project import Project
from .report import TEXT_FORMATS, Run

if TYPE_CHECKING:
    from .accepting import Accepting
    from .cache import Cache
    from .fix import Fixer

CLEAN, FOUND, FAILED = 0, 1, 2

STDIN = "-"


def run(options: Namespace, configuration: Configuration) -> int:
    """Does what ``options`` ask of the files that they name.

    Raises :class:`model.PathError` for a file other than these that cannot be read or written as it should be.
    """
    if options.show_settings:
        from . import show

        paths = [options.stdin_filename if path == STDIN else path for path in options.paths]
        sys.stdout.write(show.settings(configuration, paths))
        return CLEAN
    if options.output_file is not None:
        output.refuse_unwritable(options.output_file)
    return _Command(options, configuration).run()


_FEW = 50
"""So many files are read faster than a cache is: whether there is anything to analyse is found out first."""


class _Command:
    def __init__(self, options: Namespace, configuration: Configuration) -> None:
        self._options = options
        self._configuration = configuration
        self._here = configuration.here.options
        self._found = discover(
            [path for path in options.paths if path != STDIN],
            configuration.excludes,
            respect_gitignore=self._here.get("respect-gitignore", True),
            force_exclude=self._here.get("force-exclude", False),
        )
        paths = [file.path for file in self._found.files]
        self._project = Project(paths)
        self._cache = self._make_cache()
        if self._cache is not None and len(paths) > _FEW:
            self._project = Project(paths, self._cache.outline)
        self._checker = Checker(configuration.of, self._project)
        self._stdin = b""
        self._accepting = self._make_accepting()
        self._fixer = self._make_fixer()

    def run(self) -> int:
        options = self._options
        if options.show_files:
            return _show_files(self._found)
        self._refuse_overwriting()
        paths, reports = self._checked()
        run = self._result(reports)
        if not run.files and not run.problems:
            print("conclint: no Python files found", file=sys.stderr)
        is_written = False
        if self._accepting is not None:
            done = {
                path: report for path, report in zip(paths, reports, strict=True) if not _has_failed(report.problems)
            }
            ran = {path: {rule.code for rule in self._configuration.of(path).rules} for path in done}
            run, is_written = self._accepting.applied(run, ran, self._checker.contents)
        self._report(run, is_written)
        if _has_failed(run.problems):
            return FAILED
        if is_written or options.exit_zero:
            return CLEAN
        return FOUND if (self._fixer.changes if self._fixer is not None and options.diff else run.findings) else CLEAN

    def _make_cache(self) -> Cache | None:
        is_unwanted = self._options.no_cache or os.environ.get("CONCLINT_NO_CACHE")
        if is_unwanted or self._options.show_files:
            return None
        if len(self._found.files) <= _FEW and not self._project.relevant.checked:
            return None
        from .cache import Cache

        return Cache(self._configuration.here.cache_folder)

    def _make_accepting(self) -> Accepting | None:
        baseline = self._configuration.here.baseline
        if baseline is None and self._options.write_baseline is None and not self._options.add_noqa:
            return None
        from .accepting import Accepting

        return Accepting(baseline, self._options.write_baseline, self._options.add_noqa)

    def _make_fixer(self) -> Fixer | None:
        if not (self._here.get("fix", False) or self._options.diff):
            return None
        from .fix import Fixer

        return Fixer(
            self._checker.contents,
            unsafe=self._here.get("unsafe-fixes", False),
            write=not self._options.diff,
            pick=tuple if self._accepting is None else self._accepting.new,
            replaced=self._project.forget,
        )

    def _refuse_overwriting(self) -> None:
        """Raises :class:`output.OutputError` where a report would take the place of what the run reads."""
        report, accepted = self._options.output_file, self._options.write_baseline
        written = [os.path.realpath(path) for path in (report, accepted) if path is not None]
        if not any(map(os.path.lexists, written)):
            return
        baseline = self._configuration.here.baseline
        if report is not None and baseline is not None and os.path.realpath(baseline) == written[0]:
            raise output.OutputError(report, "cannot be written: it is the baseline")
        for file in self._found.files:
            if os.path.realpath(file.path) in written:
                raise output.OutputError(file.path, "cannot be written: it is one of the files to check")

    def _checked(self) -> tuple[list[str], list[FileReport]]:
        """The paths looked at, standard input's name among them, and the report of each."""
        paths: list[str] = []
        reports: list[FileReport] = []
        if STDIN in self._options.paths:
            name = self._options.stdin_filename
            self._stdin = sys.stdin.buffer.read() if sys.stdin is not None else b""
            is_wanted = not self._here.get("force-exclude", False)
            if is_wanted or not self._configuration.excludes(os.path.dirname(name)).leave_out_named(name):
                paths.append(name)
                reports.append(self._check_stdin(name))
        checked = progress.watched(self._reports(), len(self._found.files))
        reports += checked if self._fixer is None else self._fixer.files(checked)
        return paths + [file.path for file in self._found.files], reports

    def _reports(self) -> Iterator[FileReport]:
        jobs = self._here.get("jobs", 0) or all_cores()
        return check_files(self._found.files, self._configuration.of, self._project, jobs=jobs, cache=self._cache)

    def _check_stdin(self, name: str) -> FileReport:
        if self._fixer is None:
            return self._checker.contents(self._stdin, name)
        self._stdin, report = self._fixer.contents(self._stdin, name)
        return report

    def _result(self, reports: Sequence[FileReport]) -> Run:
        fixer = self._fixer
        return Run(
            findings=sorted((f for report in reports for f in report.findings), key=lambda f: (f.path, f.span, f.code)),
            problems=list(
                dict.fromkeys(  # each process says what is wrong with a project
                    [
                        *self._found.problems,
                        *(problem for report in reports for problem in report.problems),
                        *(() if fixer is None else fixer.problems),
                    ]
                )
            ),
            files=sum(not _has_failed(report.problems) for report in reports),
            rules=self._configuration.rules(),
            lines=_line_reader({self._options.stdin_filename: self._stdin} if STDIN in self._options.paths else {}),
            fixed=0 if fixer is None else sum(change.fixed for change in fixer.changes),
            is_fixing=fixer is not None,
            wants_unsafe=self._here.get("unsafe-fixes", False),
            page=_page,
        )

    def _report(self, run: Run, is_written: bool) -> None:
        """Prints what the options ask for; of findings that were written to somewhere (``is_written``) only remarks."""
        options, fixer = self._options, self._fixer
        if fixer is not None and options.diff:
            self._print_diff(fixer, run)
            return
        stdout = sys.stdout
        if fixer is not None and STDIN in options.paths:
            _print_bytes(self._stdin)
            stdout = sys.stderr
        if is_written:
            output.print_problems(run.problems)
            if not options.quiet:
                output.say(run.remarks, stdout if options.output_format in TEXT_FORMATS else sys.stderr)
            return
        output.deliver(
            run,
            options.output_format,
            file=options.output_file,
            color=options.color,
            statistics=options.statistics,
            quiet=options.quiet,
            stdout=stdout,
        )

    def _print_diff(self, fixer: Fixer, run: Run) -> None:
        """Prints what the fixes would do: for people at a terminal, else byte for byte, as `patch` wants it."""
        from .report import diff, summary

        diffs = [
            diff.unified(change.path, change.old, change.new)
            for change in sorted(fixer.changes, key=lambda change: change.path)
        ]
        if self._options.output_file:
            output.write(self._options.output_file, b"".join(line for lines in diffs for line in lines))
        elif sys.stdout.isatty():
            sys.stdout.write("".join(map(diff.shown, diffs)))
        else:
            _print_bytes(b"".join(line for lines in diffs for line in lines))
        sys.stdout.flush()
        output.print_problems(run.problems)
        if not self._options.quiet:
            sys.stderr.write(summary.would_fix(run, len(fixer.changes)))


def _show_files(found: Discovery) -> int:
    from . import show

    output.print_problems(found.problems)
    sys.stdout.write(show.files(found.files))
    return FAILED if _has_failed(found.problems) else CLEAN


def _has_failed(problems: Sequence[Problem]) -> bool:
    return any(problem.fatal for problem in problems)


def _print_bytes(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _page(rule: Rule) -> str:
    from . import pages

    return pages.page(rule)


def _line_reader(known: dict[str, bytes]) -> Callable[[str], Sequence[str]]:
    """Gives the lines of a file when a report wants to show some; a file that has gone meanwhile has none."""
    cache: dict[str, Sequence[str]] = {}

    def lines(path: str) -> Sequence[str]:
        if path not in cache:
            from .source import SourceError, decode, normalise_newlines, read

            cache.clear()  # findings come sorted by path: the last file is enough
            data = known[path] if path in known else read(path) or b""
            try:
                text = decode(data)
            except SourceError:
                text = normalise_newlines(data.decode("utf-8", "backslashreplace"))
            cache[path] = text.split("\n")
        return cache[path]

    return lines

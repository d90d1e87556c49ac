"""The command line: options to settings, files to findings, findings to a report and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from . import __version__
from .config_files import ConfigError
from .configuration import Configuration, typed
from .discovery import describe, discover, shown
from .engine import check_bytes, check_files
from .model import FileReport, Problem
from .registry import UnknownRuleError, find
from .report import FORMATS, Run, load
from .target import START_METHODS, Version, parse_version

CLEAN, FOUND, FAILED = 0, 1, 2

STDIN = "-"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0 nothing found, 1 findings, 2 an error."""
    for stream in (sys.stdout, sys.stderr):
        # A file may hold, or be called, what the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _ctrl_c_ends_at_once():
            status = _run(_parser(), argv)
            sys.stdout.flush()
    except BrokenPipeError:  # `conclint | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except OSError as error:  # a full disk behind standard output
        if sys.stderr is not None:
            print(f"conclint: {describe(error)}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


@contextlib.contextmanager
def _ctrl_c_ends_at_once() -> Iterator[None]:
    """Leaves Ctrl-C to the system: libcst keeps Python from seeing it while it parses, which may take seconds."""
    try:
        previous = signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # called from a thread, where signals do not arrive
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    options = parser.parse_args(argv)
    try:
        if options.explain:
            from . import pages

            return _say(pages.page(find(options.explain)))
        if options.rules:
            from . import pages

            return _say(pages.listing())
    except UnknownRuleError as error:
        parser.error(str(error))
    try:
        configuration = _configuration(parser, options)
        options.output_format = configuration.here.options.get("output-format", FORMATS[0])
    except ConfigError as error:
        return _refuse(error)
    if options.statistics and options.output_format == "json":
        parser.error("--statistics needs a text format")
    try:
        return _check(options, configuration)
    except ConfigError as error:
        return _refuse(error)


def _configuration(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Configuration:
    """What the options, and the files that set some, come to."""
    if options.isolated and options.config is not None:
        parser.error("--isolated reads no configuration files, --config is one")
    try:
        given = typed(vars(options))
        if given.get("select") == []:
            parser.error("--select names no rule")
        return Configuration(given, options.config, options.isolated)
    except ValueError as error:  # of a selector or a pattern
        parser.error(str(error))


def _refuse(error: ConfigError) -> int:
    _print_problems([Problem(shown(error.path), str(error))], sys.stderr)
    return FAILED


def _check(options: argparse.Namespace, configuration: Configuration) -> int:
    if options.show_settings:
        from . import show

        return _say(show.settings(configuration, options.paths))
    force_exclude = configuration.here.options.get("force-exclude", False)
    found = discover(
        [path for path in options.paths if path != STDIN],
        configuration.excludes,
        respect_gitignore=configuration.here.options.get("respect-gitignore", True),
        force_exclude=force_exclude,
    )
    if options.show_files:
        from . import show

        _print_problems(found.problems, sys.stderr)
        _say(show.files(found.files))
        return FAILED if any(problem.fatal for problem in found.problems) else CLEAN
    reports: list[FileReport] = []
    stdin = b""
    if STDIN in options.paths:
        name = options.stdin_filename
        stdin = sys.stdin.buffer.read() if sys.stdin is not None else b""
        if not (force_exclude and configuration.excludes(os.path.dirname(name)).leave_out_named(name)):
            reports.append(check_bytes(stdin, name, configuration.of(name)))
    reports += check_files(found.files, configuration.here.settings, configuration.of)
    run = Run(
        findings=sorted((f for report in reports for f in report.findings), key=lambda f: (f.path, f.span, f.code)),
        problems=[*found.problems, *(problem for report in reports for problem in report.problems)],
        files=sum(not report.problems for report in reports),
        rules=configuration.rules(),
        lines=_line_reader({options.stdin_filename: stdin} if STDIN in options.paths else {}),
    )
    if not run.files and not run.problems:
        print("conclint: no Python files found", file=sys.stderr)
    _print(run, options)
    if any(problem.fatal for problem in run.problems):
        return FAILED
    return FOUND if run.findings and not options.exit_zero else CLEAN


def _print(run: Run, options: argparse.Namespace) -> None:
    out = sys.stdout
    if options.output_format == "json":
        out.write(load("json").render(run))
        return
    from .report import summary

    out.write(summary.statistics(run.findings) if options.statistics else load(options.output_format).render(run))
    out.flush()
    _print_problems(run.problems, sys.stderr)
    if not options.quiet:
        out.write(summary.summary(run))


def _print_problems(problems: Sequence[Problem], out: TextIO) -> None:
    from .report.terminal import printable

    for problem in problems:
        print(f"conclint: {printable(problem.path)}: {printable(problem.message)}", file=out)


def _line_reader(known: dict[str, bytes]) -> Callable[[str], Sequence[str]]:
    """Gives the lines of a file when a report wants to show some; a file that has gone meanwhile has none."""
    cache: dict[str, Sequence[str]] = {}

    def lines(path: str) -> Sequence[str]:
        if path not in cache:
            from .source import SourceError, decode, normalise_newlines

            cache.clear()  # findings come sorted by path: the last file is enough
            try:
                if path in known:
                    data = known[path]
                else:
                    with open(path, "rb") as file:
                        data = file.read()
            except OSError:
                data = b""
            try:
                text = decode(data)
            except SourceError:
                text = normalise_newlines(data.decode("utf-8", "backslashreplace"))
            cache[path] = text.split("\n")
        return cache[path]

    return lines


def _say(text: str) -> int:
    sys.stdout.write(text)
    return CLEAN


def _version(text: str) -> Version:
    try:
        return parse_version(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _HelpFormatter(argparse.HelpFormatter):
    """Asks the system for the width: argparse imports `shutil` to do so, and for every option that it is given."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
        except (OSError, ValueError):
            width = 80
        super().__init__(prog, width=max(width - 2, 40), max_help_position=28)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="conclint",
        description="Find the mistakes that make concurrent programs hang, lose errors or die at start-up.",
        epilog="Exit status: 0 nothing found, 1 findings, 2 an error in the usage, in a file or in conclint.",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="file or folder [.]; - is standard input"
    )

    check = parser.add_argument_group("what to check (codes, beginnings of codes, names, ALL; separated by commas)")
    check.add_argument("--select", action="append", metavar="RULES", help="run these instead of the default rules")
    check.add_argument("--extend-select", action="append", metavar="RULES", help="run these as well")
    check.add_argument("--ignore", action="append", metavar="RULES", help="do not run these")
    check.add_argument(
        "--per-file-ignores", action="append", metavar="GLOB:RULES", help="do not run these on files like GLOB"
    )

    files = parser.add_argument_group("which files (patterns as in .gitignore; separated by commas)")
    files.add_argument(
        "--exclude", action="append", metavar="GLOBS", help="pass over these, not .venv, build and the like"
    )
    files.add_argument("--extend-exclude", action="append", metavar="GLOBS", help="pass over these as well")
    files.add_argument(
        "--force-exclude", action="store_true", default=None, help="pass over excluded files even if they are named"
    )
    files.add_argument(
        "--no-respect-gitignore",
        dest="respect_gitignore",
        action="store_false",
        default=None,
        help="check what .gitignore rules out too",
    )

    runs = parser.add_argument_group("what the checked code runs on")
    runs.add_argument(
        "--target-version",
        type=_version,
        metavar="VERSION",
        help="the oldest Python it runs on, such as 3.10 [requires-python of the project]",
    )
    runs.add_argument(
        "--start-method",
        choices=START_METHODS,
        help="how multiprocessing starts a process; auto is the strictest [auto]",
    )

    show = parser.add_argument_group("what to print")
    show.add_argument("--output-format", choices=FORMATS, help=f"[{FORMATS[0]}]")
    show.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule instead of showing them"
    )
    show.add_argument("-q", "--quiet", action="store_true", help="print findings and errors only")

    how = parser.add_argument_group("how to run")
    how.add_argument("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    how.add_argument("--config", metavar="FILE", help="read this file instead of the nearest to each checked one")
    how.add_argument("--isolated", action="store_true", help="read no configuration files")
    how.add_argument("--no-cache", action="store_true", help="neither read nor write cached results")
    how.add_argument("--stdin-filename", default="<stdin>", metavar="PATH", help="what to call standard input")

    learn = parser.add_argument_group("to learn")
    learn.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    learn.add_argument("--rules", action="store_true", help="list all rules")
    learn.add_argument("--show-settings", action="store_true", help="print the options that hold for each PATH")
    learn.add_argument("--show-files", action="store_true", help="print the files that would be checked")
    learn.add_argument("--version", action="version", version=f"conclint {__version__}")
    return parser

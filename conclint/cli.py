"""The command line: options to settings, files to findings, findings to a report and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from . import __version__, output, progress
from .config import Settings, resolve
from .discovery import describe, discover
from .engine import check_bytes, check_files
from .model import FileReport, Rule
from .registry import UnknownRuleError, find
from .report import FORMATS, Run
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
        select, extend_select, ignore = map(_listed, (options.select, options.extend_select, options.ignore))
        if select == []:
            parser.error("--select names no rule")
        settings = resolve(
            select,
            extend_select or (),
            ignore or (),
            oldest_version=options.target_version,
            start_method=options.start_method,
            isolated=options.isolated,
        )
    except UnknownRuleError as error:
        parser.error(str(error))
    if options.statistics and options.output_format not in output.COUNTED_FORMATS:
        parser.error(f"--statistics needs one of the formats {', '.join(output.COUNTED_FORMATS)}")
    try:
        if options.output_file:
            output.refuse_unwritable(options.output_file)
        return _check(options, settings)
    except output.OutputError as error:
        print(f"conclint: {error}", file=sys.stderr)
        return FAILED


def _check(options: argparse.Namespace, settings: Settings) -> int:
    found = discover([path for path in options.paths if path != STDIN])
    reports: list[FileReport] = []
    stdin = b""
    if STDIN in options.paths:
        stdin = sys.stdin.buffer.read() if sys.stdin is not None else b""
        reports.append(check_bytes(stdin, options.stdin_filename, settings))
    reports += progress.watched(check_files(found.files, settings), len(found.files))
    run = Run(
        findings=sorted((f for report in reports for f in report.findings), key=lambda f: (f.path, f.span, f.code)),
        problems=[*found.problems, *(problem for report in reports for problem in report.problems)],
        files=sum(not report.problems for report in reports),
        rules=settings.rules,
        lines=_line_reader({options.stdin_filename: stdin} if STDIN in options.paths else {}),
        page=_page,
    )
    if not run.files and not run.problems:
        print("conclint: no Python files found", file=sys.stderr)
    output.deliver(
        run,
        options.output_format,
        file=options.output_file,
        color=options.color,
        statistics=options.statistics,
        quiet=options.quiet,
    )
    if any(problem.fatal for problem in run.problems):
        return FAILED
    return FOUND if run.findings and not options.exit_zero else CLEAN


def _page(rule: Rule) -> str:
    from . import pages

    return pages.page(rule)


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


def _listed(values: list[str] | None) -> list[str] | None:
    """The selectors of an option that may be given more than once, each time with several between commas."""
    if values is None:
        return None
    return [selector for value in values for selector in value.split(",") if selector.strip()]


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
        default=START_METHODS[0],
        help="how multiprocessing starts a process; auto is the strictest [%(default)s]",
    )

    show = parser.add_argument_group("what to print")
    show.add_argument("--output-format", choices=FORMATS, default=FORMATS[0], help="[%(default)s]")
    show.add_argument("--output-file", metavar="FILE", help="write the report there instead of to standard output")
    show.add_argument(
        "--color",
        choices=output.COLORS,
        default=output.COLORS[0],
        help="auto: at a terminal, unless NO_COLOR is set, or where FORCE_COLOR is [%(default)s]",
    )
    show.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule instead of showing them"
    )
    show.add_argument("-q", "--quiet", action="store_true", help="print findings and errors only")

    how = parser.add_argument_group("how to run")
    how.add_argument("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    how.add_argument("--isolated", action="store_true", help="read no configuration files")
    how.add_argument("--no-cache", action="store_true", help="neither read nor write cached results")
    how.add_argument("--stdin-filename", default="<stdin>", metavar="PATH", help="what to call standard input")

    learn = parser.add_argument_group("to learn")
    learn.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    learn.add_argument("--rules", action="store_true", help="list all rules")
    learn.add_argument("--version", action="version", version=f"conclint {__version__}")
    return parser

"""The options of the command line."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn

from . import __version__
from .output import COLORS
from .report import FORMATS
from .report.terminal import printable
from .target import START_METHODS, Version, parse_version

_YES_OR_NO = argparse.BooleanOptionalAction
"""An option that a file may set, and the command line therefore has to be able to take back."""


def _jobs(text: str) -> int:
    try:
        number = int(text) if text != "auto" else 0
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return number


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


class _Parser(argparse.ArgumentParser):
    """Says what was typed wrong without obeying it: a shell puts names of files among the options."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def parser() -> argparse.ArgumentParser:
    """The parser; what a file of options can set as well has ``None`` as its default."""
    made = _Parser(
        prog="conclint",
        description="Find the mistakes that make concurrent programs hang, lose errors or die at start-up.",
        epilog="Exit status: 0 nothing found, 1 findings, 2 an error in the usage, in a file or in conclint.",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="file or folder [.]; - is standard input")

    check = made.add_argument_group("what to check (codes, beginnings of codes, names, ALL; separated by commas)")
    check.add_argument("--select", action="append", metavar="RULES", help="run these instead of the default rules")
    check.add_argument("--extend-select", action="append", metavar="RULES", help="run these as well")
    check.add_argument("--ignore", action="append", metavar="RULES", help="do not run these")
    check.add_argument(
        "--per-file-ignores", action="append", metavar="GLOB:RULES", help="do not run these on files like GLOB"
    )

    files = made.add_argument_group("which files (patterns as in .gitignore; separated by commas)")
    files.add_argument(
        "--exclude", action="append", metavar="GLOBS", help="pass over these, not .venv, build and the like"
    )
    files.add_argument("--extend-exclude", action="append", metavar="GLOBS", help="pass over these as well")
    files.add_argument("--force-exclude", action=_YES_OR_NO, help="pass over excluded files even if they are named")
    files.add_argument("--respect-gitignore", action=_YES_OR_NO, help="pass over what .gitignore rules out [yes]")

    runs = made.add_argument_group("what the checked code runs on")
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

    show = made.add_argument_group("what to print")
    show.add_argument("--output-format", choices=FORMATS, help=f"[{FORMATS[0]}]")
    show.add_argument("--output-file", metavar="FILE", help="write the report there instead of to standard output")
    show.add_argument(
        "--color",
        choices=COLORS,
        default=COLORS[0],
        help="auto: at a terminal, unless NO_COLOR is set, or where FORCE_COLOR is [%(default)s]",
    )
    show.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule instead of showing them"
    )
    show.add_argument("-q", "--quiet", action="store_true", help="print findings and errors only")

    change = made.add_argument_group("what to change")
    change.add_argument("--fix", action=_YES_OR_NO, help="fix in the files what can be fixed safely")
    change.add_argument(
        "--unsafe-fixes",
        action=_YES_OR_NO,
        help="with --fix or --diff: also fix what then wants a look",
    )
    change.add_argument("--diff", action="store_true", help="show what --fix would do as a diff, and change nothing")
    change.add_argument("--add-noqa", action="store_true", help="silence each finding by a comment on its line")
    change.add_argument("--baseline", metavar="FILE", help="show only what FILE does not hold")
    change.add_argument("--write-baseline", metavar="FILE", help="write the findings to FILE instead of showing them")

    how = made.add_argument_group("how to run")
    how.add_argument("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    how.add_argument(
        "-j", "--jobs", type=_jobs, metavar="N", help="check in up to N processes [as many as can run at once]"
    )
    how.add_argument("--config", metavar="FILE", help="read this file instead of the nearest to each checked one")
    how.add_argument("--isolated", action="store_true", help="read no configuration files")
    how.add_argument("--no-cache", action="store_true", help="neither read nor write cached results")
    how.add_argument("--cache-dir", metavar="FOLDER", help="where results are kept for later runs [.conclint_cache]")
    how.add_argument("--stdin-filename", default="<stdin>", metavar="PATH", help="what to call standard input")

    learn = made.add_argument_group("to learn")
    learn.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    learn.add_argument("--rules", action="store_true", help="list all rules")
    learn.add_argument("--show-settings", action="store_true", help="print the options that hold for each PATH")
    learn.add_argument("--show-files", action="store_true", help="print the files that would be checked")
    learn.add_argument("--version", action="version", version=f"conclint {__version__}")
    return made

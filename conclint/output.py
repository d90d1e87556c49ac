"""Where a report goes: to standard output or a file, in colour or not; and beside it the problems and the summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from . import replacing
from .discovery import describe
from .model import PathError, Problem
from .report import TEXT_FORMATS, WITH_PROBLEMS, Run, load

COLORS = ("auto", "always", "never")

COUNTED_FORMATS = ("full", "concise", "json")
"""Those that have a way to show statistics."""


class OutputError(PathError):
    """A file that cannot be written; the message says why."""


def wants_color(choice: str, stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether to write colours to ``stream`` (``None`` is a file): ``auto`` asks it and, before it, the environment."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR") or stream is None:
        return False
    if environ.get("FORCE_COLOR") not in (None, "", "0"):
        return True
    if environ.get("TERM") == "dumb" or (os.name == "nt" and not environ.keys() & {"WT_SESSION", "TERM"}):
        return False
    return stream.isatty()


def deliver(
    run: Run, output_format: str, *, file: str | None, color: str, statistics: bool, quiet: bool, stdout: TextIO
) -> None:
    """Writes the report of ``run`` to ``file`` or ``stdout``, and problems that it has no place for to stderr.

    A summary goes to ``stdout`` unless a document is there. Raises :class:`OutputError` where ``file`` cannot be
    written, and leaves what was in it.
    """
    from .report import summary

    stream = None if file else stdout
    text = _rendered(run._replace(color=wants_color(color, stream, os.environ)), output_format, statistics)
    if file:
        write(file, text.encode("utf-8", "backslashreplace"))
    else:
        stdout.write(text)
        stdout.flush()
    if file or output_format not in WITH_PROBLEMS:
        print_problems(run.problems)
    if not quiet:
        is_room = file or output_format in TEXT_FORMATS
        if is_room:
            stdout.write(summary.summary(run))
        say(run.remarks, stdout if is_room else sys.stderr)


def say(remarks: Iterable[str], stream: TextIO) -> None:
    """Writes a line for each of ``remarks``."""
    from .report.terminal import printable

    stream.writelines(printable(remark) + "\n" for remark in remarks)


def _rendered(run: Run, output_format: str, statistics: bool) -> str:
    if not statistics:
        return load(output_format).render(run)
    if output_format == "json":
        from .report import json

        return json.statistics(run)
    from .report import summary

    return summary.statistics(run)


def print_problems(problems: Sequence[Problem]) -> None:
    """Says on standard error what could not be analysed."""
    from .report.terminal import printable

    for problem in problems:
        print(f"conclint: {printable(problem.path)}: {printable(problem.message)}", file=sys.stderr)


def refuse_unwritable(path: str) -> None:
    """Raises :class:`OutputError` where it is plain before the run that ``path`` cannot be written after it."""
    try:
        replacing.refuse_unwritable(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {describe(error)}") from None


def write(path: str, data: bytes) -> None:
    """Puts ``data`` into the file at ``path``, in one step. Raises :class:`OutputError`."""
    try:
        replacing.write(path, data)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {describe(error)}") from None

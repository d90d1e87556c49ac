"""Where a report goes: to standard output or a file, in colour or not; and beside it the problems and the summary."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from .discovery import describe
from .model import Problem
from .report import TEXT_FORMATS, WITH_PROBLEMS, Run, load

COLORS = ("auto", "always", "never")

COUNTED_FORMATS = ("full", "concise", "json")
"""Those that have a way to show statistics."""


class OutputError(Exception):
    """A file that cannot be written: its name and why."""


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


def deliver(run: Run, output_format: str, *, file: str | None, color: str, statistics: bool, quiet: bool) -> None:
    """Writes the report of ``run`` to ``file`` or standard output, and problems that it has no place for to stderr.

    A summary goes to standard output unless a document is there. Raises :class:`OutputError` where ``file`` cannot be
    written, and leaves what was in it.
    """
    from .report import summary

    stream = None if file else sys.stdout
    text = _rendered(run._replace(color=wants_color(color, stream, os.environ)), output_format, statistics)
    if file:
        _write(file, text)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    if file or output_format not in WITH_PROBLEMS:
        print_problems(run.problems)
    if not quiet and (file or output_format in TEXT_FORMATS):
        sys.stdout.write(summary.summary(run))


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
        mode = _mode(path)
        real = os.path.realpath(path)
        needed = [real] if os.path.exists(real) else []
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if stat.S_ISREG(mode):
            needed.append(os.path.dirname(real))
            os.stat(needed[-1])
        if not all(os.access(place, os.W_OK) for place in needed):
            raise PermissionError(errno.EACCES, "permission denied")
    except OSError as error:
        raise _error(path, error) from None


def _write(path: str, text: str) -> None:
    """Puts ``text`` into the file at ``path`` in one step; a device or a pipe is written to as it is."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        mode = _mode(path)
        if stat.S_ISREG(mode):
            _replace(os.path.realpath(path), data, stat.S_IMODE(mode))
        else:
            with open(path, "wb") as file:
                file.write(data)
    except OSError as error:
        raise _error(path, error) from None


def _mode(path: str) -> int:
    """The kind and the permissions of what is at ``path``, or of the file that will be."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return stat.S_IFREG | 0o666 & ~umask


def _replace(path: str, data: bytes, mode: int) -> None:
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".conclint-", suffix=".tmp", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _error(path: str, error: OSError) -> OutputError:
    from .report.terminal import printable

    return OutputError(f"{printable(path)}: cannot be written: {describe(error)}")

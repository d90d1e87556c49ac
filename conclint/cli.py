"""The command line: options to a run, whatever stops it to a message and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from . import arguments, command, output
from .command import CLEAN, FAILED, FOUND, STDIN
from .configuration import Configuration, typed
from .discovery import describe, shown
from .model import PathError, Problem
from .registry import UnknownRuleError, find
from .report import FORMATS


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0 nothing found, 1 findings, 2 an error."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A file may hold, or be called, what the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _ctrl_c_ends_at_once():
            status = _run(arguments.parser(), argv)
            sys.stdout.flush()
    except BrokenPipeError:  # `conclint | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except OSError as error:  # a full disk behind standard output
        print(f"conclint: {describe(error)}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _open_what_is_closed() -> None:
    """Gives a process that was started without standard output or standard error one that nobody reads."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


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
        _refuse_contradictions(parser, options)
        return command.run(options, configuration)
    except PathError as error:
        output.print_problems([Problem(shown(error.path), str(error))])
        return FAILED


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


def _refuse_contradictions(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.statistics and options.output_format not in output.COUNTED_FORMATS:
        parser.error(f"--statistics needs one of the formats {', '.join(output.COUNTED_FORMATS)}")
    if options.statistics and options.diff:
        parser.error("--diff shows no findings that --statistics could count")
    if options.diff and (options.add_noqa or options.write_baseline is not None):
        parser.error("--diff changes nothing, so not with --add-noqa or --write-baseline")
    if options.add_noqa and STDIN in options.paths:
        parser.error("--add-noqa cannot write to standard input")
    if options.add_noqa and options.write_baseline is not None:
        parser.error("--add-noqa leaves nothing for --write-baseline")
    if options.add_noqa or options.write_baseline is not None:
        for name in ("output_file", "statistics"):
            if getattr(options, name):
                parser.error(
                    f"--add-noqa and --write-baseline show no findings, so not with --{name.replace('_', '-')}"
                )


def _say(text: str) -> int:
    sys.stdout.write(text)
    return CLEAN

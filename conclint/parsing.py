"""Text to tree without harm: libcst crashes on deep nesting and is slow on long chains, so it is guarded here.

CPython's own parser reads every text first, and what it makes is enough to find out whether there is anything to say.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from _thread import allocate_lock  # threading takes longer to import
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar, cast

from .source import SourceError

if TYPE_CHECKING:
    import ast

    from .syntax import Module
    from .tree import Tree

T = TypeVar("T")

MAX_DEPTH = 1_000
"""Expressions nested deeper (which takes a chain of a thousand operators or calls) are not given to libcst: its time
grows with the square of the depth."""

MAX_UNVOUCHED_LENGTH = 8_000
"""Logical lines longer than this are not given to libcst where CPython could not parse the file."""

# The parser of libcst is recursive native code that ends the process when the stack is full, and the walks over
# the tree are recursive too. Address space is all that a large stack costs until it is used.
_STACK_BYTES = (512 << 20, 128 << 20, 32 << 20)
_STACK_PER_FRAME = 25_000

_thresholds: list[tuple[int, int, int]] = []
"""What held when each that has garbage looked for rarely began; the last one to end goes back to the first."""
_thresholds_lock = allocate_lock()

_large_stacks: set[int] = set()
"""The threads that have one, by their identifiers."""

_OBJECTS = 500_000
"""How many more objects there may be before garbage is looked for: the trees of a file of some 10,000 lines."""

_FILES_AN_OLDER, _FILES_A_FULL = 25, 300
"""After so many files garbage is looked for among what one of them has left, and among everything."""

_collections = itertools.count(1)

_SCANNED = r"""
    \"{3} (?: \\. | [^\\] )*? \"{3} | '{3} (?: \\. | [^\\] )*? '{3}
    | " (?: \\. | [^"\\\n] )* " | ' (?: \\. | [^'\\\n] )* ' | \# [^\n]* | [][(){}\n]
"""


class _RefusedError(SourceError):
    """CPython's verdict on a text; ``final`` where libcst must not be asked, since it would nest as deeply."""

    def __init__(self, message: str, line: int = 1, column: int = 1, *, final: bool) -> None:
        super().__init__(f"cannot be parsed: {message}", line, column)
        self.final = final


class TooDeepError(Exception):
    """Valid Python that nests too deeply for us."""


class Reading:
    """A text that CPython has read, or has refused.

    Raises :class:`TooDeepError` for what CPython accepts and libcst should be spared.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        read = read_by_python(text)
        self._refused = read if isinstance(read, _RefusedError) else None
        self._module = None if isinstance(read, _RefusedError) else read
        self._lines = None if self._module is None else [statement.lineno for statement in self._module.body]

    def quick(self) -> Module | None:
        """The tree without positions, where CPython read the text and there is one; it is made only once."""
        module, self._module = self._module, None
        if module is None:
            return None
        from . import quick

        try:
            return quick.lower(module, self._text)
        except (quick.UnsureError, RecursionError):
            return None

    def tree(self) -> Tree | SourceError:
        """The tree with positions, or why there is none.

        What CPython refuses is tried all the same: it may be newer than the CPython that runs.
        """
        refused, self._module = self._refused, None
        if refused is not None and (refused.final or _looks_deep(self._text)):
            return refused
        from . import tree

        try:
            return tree.parse(self._text, self._lines)
        except tree.ParseError as error:
            if refused is not None:
                return refused
            message = f"cannot be parsed: valid, but libcst does not read it: {' '.join(error.message.split())}"
            return SourceError(message, error.line, error.column)


def parse(text: str) -> Tree | SourceError:
    """The tree of ``text``, or why there is none; see :class:`Reading`."""
    return Reading(text).tree()


def refused_by_python(text: str) -> _RefusedError | None:
    """What CPython's own parser has against ``text``; see :func:`read_by_python`."""
    read = read_by_python(text)
    return read if isinstance(read, _RefusedError) else None


def read_by_python(text: str) -> ast.Module | _RefusedError:
    """What CPython's own parser makes of ``text``, or has against it: it is fast, and safe from deep nesting.

    Raises :class:`TooDeepError` for what CPython accepts and libcst should be spared.
    """
    import warnings
    from ast import PyCF_ONLY_AST

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile(text, "<source>", "exec", PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        line = min(max(error.lineno or 1, 1), text.count("\n") + 1)
        return _RefusedError(message, line, max(error.offset or 1, 1), final=message.startswith("too many"))
    except RecursionError:
        return _RefusedError("it is nested too deeply", final=True)
    except MemoryError:  # also how the parser says that its own stack is full
        return _RefusedError("it is nested too deeply, or too large for the memory", final=True)
    except ValueError as error:  # lone surrogates and null bytes, which exotic encodings bring
        return _RefusedError(str(error), final=True)
    _check_depth(module, text)
    return cast("ast.Module", module)


def _check_depth(module: ast.AST, text: str) -> None:
    """Raises :class:`TooDeepError` where an expression nests deeper than ``MAX_DEPTH``.

    A level takes two characters at least, so that nearly every expression is passed over for its length alone.
    """
    import ast

    starts = [0, 0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    last = len(starts) - 1
    stack: list[tuple[ast.AST, int]] = [(module, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise TooDeepError
        if isinstance(node, (ast.stmt, ast.expr)):
            # Positions inside f-strings are wrong before Python 3.12: never trust them to lie in the text.
            start = starts[min(node.lineno, last)] + node.col_offset
            end = starts[min(node.end_lineno or node.lineno, last)] + (node.end_col_offset or 0)
            if end - start + 2 * depth < 2 * MAX_DEPTH:
                continue
        deeper = depth + isinstance(node, ast.expr)
        stack.extend((child, deeper) for child in ast.iter_child_nodes(node))


def _looks_deep(text: str) -> bool:
    """Whether ``text``, which CPython has not vouched for, could nest too deeply for libcst.

    Tells by brackets and by the length of logical lines, strings and comments left out.
    """
    import re

    depth = start = skipped = 0
    for match in re.finditer(_SCANNED, text, re.DOTALL | re.VERBOSE):
        if (found := match[0]) in "([{":
            depth += 1
        elif found in ")]}":
            depth = max(depth - 1, 0)
        elif found != "\n":
            skipped += len(found)
        if depth > MAX_DEPTH or match.end() - start - skipped > MAX_UNVOUCHED_LENGTH:
            return True
        if depth == 0 and found == "\n":
            start = match.end()
            skipped = 0
    return len(text) - start - skipped > MAX_UNVOUCHED_LENGTH


@contextlib.contextmanager
def garbage_is_rare() -> Iterator[None]:
    """Has garbage looked for only once there is as much as a large file leaves.

    Trees live until their file is done, and some of them longer: looking among them all the time is in vain.
    """
    import gc

    with _thresholds_lock:
        _thresholds.append(gc.get_threshold())
        before = _thresholds[0]
        if before[0]:  # zero is for never
            gc.set_threshold(max(before[0], _OBJECTS), *before[1:])
    try:
        yield
    finally:
        with _thresholds_lock:
            _thresholds.pop()
            if not _thresholds:
                gc.set_threshold(*before)


def on_large_stack(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, run on a thread whose stack holds the deepest nesting that Python allows.

    Work done on such a thread already stays there.
    """
    import threading

    if threading.get_ident() in _large_stacks:
        try:
            return work()
        finally:
            _collect_young()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        here = threading.get_ident()
        _large_stacks.add(here)
        try:
            with garbage_is_rare():
                results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            _large_stacks.discard(here)

    recursion_limit = sys.getrecursionlimit()
    stack_limit = threading.stack_size()
    try:
        for stack in _STACK_BYTES:
            try:
                threading.stack_size(stack)
                # A daemon, so that Ctrl-C ends the process without waiting for the analysis of a large file.
                thread = threading.Thread(target=run, name="conclint", daemon=True)
                sys.setrecursionlimit(max(recursion_limit, stack // _STACK_PER_FRAME))
                thread.start()
                break
            except (ValueError, RuntimeError):  # more than the system grants
                if stack == _STACK_BYTES[-1]:
                    raise
        thread.join()
    finally:
        threading.stack_size(stack_limit)
        sys.setrecursionlimit(recursion_limit)
    _collect_young()
    if errors:
        raise errors[0]
    return results[0]


def _collect_young() -> None:
    """Frees the trees of one file before there are those of another: they refer to themselves.

    What is collected by hand never makes an older generation's turn come, so that is seen to here: trees that were kept
    for other files have grown old when they are let go.
    """
    import gc

    if gc.isenabled():
        count = next(_collections)
        gc.collect(2 if count % _FILES_A_FULL == 0 else 1 if count % _FILES_AN_OLDER == 0 else 0)

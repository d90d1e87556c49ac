"""Fixes by running them: where the old code came to a good end, the new code does the very same.

Small functions round one lock are made up, fixed, and both versions run with a lock that keeps the books.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conclint.config import resolve
from conclint.engine import check_bytes
from conclint.model import Fix

from .test_fixes import apply

LOCK_RULES = resolve(select=["CNC101", "CNC102", "CNC103"])
HEAD = "import threading\n\n\ndef f(trace: list, lock: threading.Lock, a, b, c):\n"
JUMPS = ("return 1", "return trace", "return (a, b)", "raise ValueError(2)", "break", "continue")


class BookkeepingLock:
    """A lock of one thread: what would block or fail raises."""

    def __init__(self) -> None:
        self.held = False

    def acquire(self) -> None:
        assert not self.held, "blocks on itself"
        self.held = True

    def release(self) -> None:
        assert self.held, "not held"
        self.held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *args: object) -> None:
        self.release()


class Trace(list[Any]):
    """Notes of each item whether the lock was held when it came."""

    def __init__(self, lock: BookkeepingLock) -> None:
        super().__init__()
        self._lock = lock
        self.seen: list[tuple[object, bool]] = []

    def append(self, item: object) -> None:
        self.seen.append((item, self._lock.held))


@st.composite
def block(draw: st.DrawFn, depth: int = 2) -> list[str]:
    out: list[str] = []
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(("note", "note", "if", "if", "else", "for", "try", "release", "jump", "swap")))
        if kind == "note" or (depth == 0 and kind in ("if", "else", "for", "try")):
            out.append(f"trace.append({draw(st.integers(0, 9))})")
        elif kind in ("if", "else"):
            out += [f"if {draw(st.sampled_from('abc'))}:", *indented(draw(block(depth - 1)))]
            out += ["else:", *indented(draw(block(depth - 1)))] if kind == "else" else []
        elif kind == "for":
            out += ["for n in (1, 2):", *indented(draw(block(depth - 1)))]
        elif kind == "try":
            out += ["try:", *indented(draw(block(depth - 1)))]
            last = draw(st.sampled_from(("except ValueError:", "finally:")))
            out += [last, *indented(draw(block(depth - 1)))]
        elif kind == "release":
            out += ["lock.release()", draw(st.sampled_from(JUMPS))]
        elif kind == "jump":
            out.append(draw(st.sampled_from(JUMPS)))
        else:
            out += ["lock.release()", "trace.append(10)", "lock.acquire()"]
    return out


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


@st.composite
def functions(draw: st.DrawFn) -> str:
    body = draw(block())
    if draw(st.booleans()):
        handler = ["except ValueError:", *indented(draw(block(0)))] if draw(st.booleans()) else []
        before = ["trace.append(11)"] if draw(st.booleans()) else []
        first = draw(block(0)) if draw(st.booleans()) else []
        body = [*first, "try:", *indented(body), *handler, "finally:", *indented([*before, "lock.release()"])]
    else:
        body.append("lock.release()")
    rounds = ["for m in (1, 2):", *indented(["lock.acquire()", *body, "trace.append(12)"])]
    return HEAD + "\n".join(indented([*rounds, "return 0"])) + "\n"


def fix_of(source: str) -> Fix | None:
    line = source[: source.index("lock.acquire()")].count("\n") + 1
    report = check_bytes(source.encode(), "module.py", LOCK_RULES)
    assert not report.problems
    return next((f.fix for f in report.findings if f.span.line == line and f.fix is not None), None)


def run(source: str, choice: tuple[bool, ...]) -> tuple[list[tuple[object, bool]], object, bool]:
    """What was noted, how the function ended, and whether the lock is held after that."""
    namespace: dict[str, Any] = {"threading": threading}
    exec(compile(source, "module.py", "exec", dont_inherit=True), namespace)
    lock = BookkeepingLock()
    trace = Trace(lock)
    try:
        end: object = namespace["f"](trace, lock, *choice)
    except (ValueError, AssertionError) as error:
        end = type(error)
    return trace.seen, "the trace" if end is trace else end, lock.held


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(functions())
def test_what_ended_well_ends_the_same(source: str) -> None:
    try:
        compile(source, "module.py", "exec", dont_inherit=True)
    except SyntaxError:
        return  # a jump out of no loop
    fix = fix_of(source)
    if fix is None:
        return
    new = apply(source, [fix])
    for choice in itertools.product((False, True), repeat=3):
        old_run = run(source, choice)
        _, end, still_held = old_run
        if end is not AssertionError and not still_held:
            assert run(new, choice) == old_run, new

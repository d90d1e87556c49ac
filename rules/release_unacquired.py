"""# release-unacquired (CNC105)

## What it finds

A `release()` that some path reaches without holding the lock: the `acquire()` stands inside the `try` whose `finally`
releases, an acquire that failed is not the end of the matter, or the lock was released already, by hand or by leaving
the `with` around.

## Why it matters

Releasing a lock that nobody holds raises RuntimeError (ValueError or AssertionError for multiprocessing), from a
`finally` in place of the error that led there. If another thread holds it, a plain `Lock` is taken away from that
thread without any error. Waiting in `acquire()` is enough for that: Ctrl-C, or cancellation of a task, raises there
while the lock is somebody else's.

## Bad

```python
import threading

lock = threading.Lock()


def store(rows, write):
    try:
        prepared = [row.strip() for row in rows]
        lock.acquire()
        write(prepared)
    finally:
        lock.release()
```

## Good

```python
import threading

lock = threading.Lock()


def store(rows, write):
    prepared = [row.strip() for row in rows]
    with lock:
        write(prepared)
```

## When it stays silent

- A helper that drops its caller's lock for a while: `release()` first, `acquire()` after.
- Functions that only release, and flags that say whether to: `if got: lock.release()`.
- A release that may fail, and the code says so: alone in `try: ... except RuntimeError` or `suppress(RuntimeError)`.
- Semaphores, which count and may be released by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.lock_releases import BadRelease


def check(module: ModuleContext) -> Iterator[Report]:
    ignored = {op.place for op in module.facts.locks.ignored_results()}
    for paths in module.facts.locks.each():
        for bad in paths.bad_releases():
            if bad.op.place not in ignored and not bad.op.may_exceed:
                yield _report(module, bad)


def _report(module: ModuleContext, bad: BadRelease) -> Report:
    name = module.text(bad.op.receiver)
    if bad.last.value == "released":
        message = f"`{name}` has already been released on a path that gets here; releasing it again raises"
    else:
        raiser = bad.path.raiser
        if bad.last.value == "not acquired" and raiser is None:
            cause = "the acquire() may have failed"
        else:
            what = "an exception" if raiser is None else module.facts.what_raises(raiser)
            where = "" if raiser is None else f" (line {module.line(raiser)})"
            cause = f"{what}{where} leads here without it"
        message = (
            f"`{name}` may be released without being held: {cause}; "
            "that raises, or frees the lock of whoever does hold it"
        )
    steps = bad.path.tell("", f"`{name}` is not held at the release")
    return Report(bad.op.call, message, steps)


RULE = Rule(
    code="CNC105",
    name="release-unacquired",
    summary="A path reaches release() with the lock not held",
    severity=Severity.ERROR,
    check=check,
)

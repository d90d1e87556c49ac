"""# release-not-in-finally (CNC102)

## What it finds

An `acquire()` and its `release()` with code between them that no `finally` protects, where nothing in that code is
likely to raise today. Where something is likely to raise, lock-not-released (CNC101) reports the leak itself.

## Why it matters

The lock is released only as long as nobody ever adds a line between the two that can raise. When somebody does, the
lock stays held and every other thread hangs, with nothing in the change that looks like locking.

## Bad

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    lock.acquire()
    hits += 1
    lock.release()
```

## Good

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    with lock:
        hits += 1
```

## When it stays silent

- `acquire()` directly followed by `release()`: nothing lies between them.
- The release stands in a `finally`, or an `except` clause releases too.
- The two are halves of a protocol split over functions, or the lock is handed to somebody else.

## Fix

`with`, round everything between the two, where both are statements of one block and nothing between them touches the
lock or rebinds it. A release right before an early `return`, `break` or the like goes too, as long as nothing would
now run with the lock held that did not before. The fix is unsafe where only a name says that the object is a lock: it
may be no context manager.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    locks = module.facts.locks
    for paths in locks.each():
        leaking = {leak.op.call for leak in paths.leaks()}
        for pair in paths.pairs():
            if pair.op.call in leaking or locks.reported_elsewhere(pair.op):
                continue
            name = module.text(pair.op.receiver)
            line = module.line(pair.release)
            message = (
                f"`{name}` is released on line {line} outside `finally`; "
                "an exception raised between here and there would leave it held forever"
            )
            steps = (Step(pair.release, "released here, but not after an exception"),)
            fix = module.rewrite.as_with(module.facts.with_blocks.unprotected(pair), safe=True)
            yield Report(pair.op.call, message, steps, fix)


RULE = Rule(
    code="CNC102",
    name="release-not-in-finally",
    summary="An acquire/release pair that no `finally` protects",
    severity=Severity.WARNING,
    check=check,
    fix=FixAvailability.SAFE,
)

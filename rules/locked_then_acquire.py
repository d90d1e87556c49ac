"""# locked-then-acquire (CNC114)

## What it finds

`locked()` asked first, and the lock taken by a blocking `acquire()` or a `with` because the answer was "free":
`if not lock.locked(): lock.acquire()`, `if lock.locked(): return` followed by `with lock:`, `while lock.locked():
sleep()` followed by either. Also where a small function of the file does the asking. For asyncio locks only where an
`await` comes between the two.

## Why it matters

The answer is old when it arrives: another thread may take the lock between the question and the `acquire()`. This one
then waits after all, and does what it meant to leave to the other one, a second time.

## Bad

```python
import threading

refreshing = threading.Lock()


def refresh(cache, load):
    if refreshing.locked():
        return
    with refreshing:
        cache.update(load())
```

## Good

```python
import threading

refreshing = threading.Lock()


def refresh(cache, load):
    if not refreshing.acquire(blocking=False):
        return
    try:
        cache.update(load())
    finally:
        refreshing.release()
```

## When it stays silent

- The lock is taken whatever the answer is: the test decides about a log line.
- The acquire is non-blocking or timed, and its result tells.
- Both stand in the `with` of another lock.
- asyncio locks with no `await` between question and `acquire()`: no other task runs there.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for race in module.facts.lock_races.each():
        name = module.text(race.receiver)
        other = "task" if race.is_async else "thread"
        message = (
            f"another {other} may take `{name}` between this question and the acquire on line "
            f"{module.line(race.acquire)}, which then waits for it after all"
        )
        yield Report(race.test, message, (Step(race.acquire, f"`{name}` is taken here, on the answer of before"),))


RULE = Rule(
    code="CNC114",
    name="locked-then-acquire",
    summary="A lock is taken because locked() said that it was free",
    severity=Severity.WARNING,
    check=check,
)

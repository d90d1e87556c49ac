"""# acquire-result-ignored (CNC104)

## What it finds

A non-blocking or timed `acquire()` whose result nobody looks at: `lock.acquire(timeout=5)`, `lock.acquire(False)`,
`lock.acquire(blocking=wait)` as a statement, or assigned to a name that is never read. Also `self.acquire()` in the
`__enter__` of a lock of the project's own, whose `acquire()` returns `False` where it fails.

## Why it matters

When the lock is busy such a call returns `False` and the program goes on without it: the critical section runs
unprotected, and the `release()` at its end frees the lock of whoever does hold it (a `Lock` may be released by
anybody), or raises.

## Bad

```python
import threading

lock = threading.Lock()


def update(state, value):
    lock.acquire(timeout=5)
    try:
        state["value"] = value
    finally:
        lock.release()
```

## Good

```python
import threading

lock = threading.Lock()


def update(state, value):
    if not lock.acquire(timeout=5):
        raise TimeoutError("state is busy")
    try:
        state["value"] = value
    finally:
        lock.release()
```

## When it stays silent

- The lock's type is not known: other libraries' locks raise when they time out. Of locks that the file writes itself,
  an `acquire()` whose answer may hang on a parameter, on what the object notes of itself, or on another lock; and one
  that entering, leaving or `release()` ask again.
- `timeout=None`, `timeout=-1` and `blocking=True`, which wait as long as it takes.
- A semaphore that the function does not release: a timed wait for a signal, whose outcome may not matter.
- `acquire(False)` directly followed by `release()`, which makes sure that the lock is free.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for op in module.facts.locks.ignored_results():
        name = module.text(op.receiver)
        message = (
            f"the result of this acquire() is ignored: when `{name}` is busy the code goes on without it, "
            "and a release() then frees the lock of another holder"
        )
        yield Report(op.call, message)
    for call in module.facts.unheeded_entries():
        message = (
            f"`{module.text(call)}` may return False, and nobody looks: the body of the `with` then runs without the "
            "lock, and leaving it releases that of another holder"
        )
        yield Report(call, message)


RULE = Rule(
    code="CNC104",
    name="acquire-result-ignored",
    summary="The result of a non-blocking or timed acquire is unused",
    severity=Severity.ERROR,
    check=check,
)

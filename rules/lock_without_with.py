"""# lock-without-with (CNC103)

## What it finds

An `acquire()`, a `try` and a `release()` at the end of its `finally`, all correct, which `with` would say in one line.

## Why it matters

Nothing is wrong with it today. The three parts can come apart in the next change: a line between the acquire and the
`try` that raises, one before the release in the `finally`. And a Ctrl-C right after the acquire finds the `try` not yet
entered, while `with` on a lock of CPython leaves no such gap.

## Bad

```python
import threading

lock = threading.Lock()
hits = {}


def count(name):
    lock.acquire()
    try:
        hits[name] += 1
    finally:
        lock.release()
```

## Good

```python
import threading

lock = threading.Lock()
hits = {}


def count(name):
    with lock:
        hits[name] += 1
```

## When it stays silent

- The acquire has a timeout, does not block, or its result is used: `with` cannot say so.
- Other locks are taken or released in the same breath, or the lock is given back for a while in between.
- The `finally` goes on after the release, or an `except` clause releases too.
- The variable or attribute that names the lock is bound anew before the release.
- Only a name says that the object is a lock, or its class is one of this file: it may be no context manager, or do
  something else as one.

```python
import threading

lock = threading.Lock()
hits = {}


def count(name):
    if not lock.acquire(timeout=1):
        return
    try:
        hits[name] += 1
    finally:
        lock.release()
```

## Why it is not on by default

The code is correct: this is about style, and about what the next change may break.

## Fix

`with` (for asyncio locks `async with`) instead of the acquire. The `try` goes, or stays without its `finally` where it
has `except` clauses: they run with the lock held, as before.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for section in module.facts.with_blocks.guarded():
        op = section.op
        name = module.text(op.receiver)
        keyword = "async with" if section.is_async else "with"
        message = (
            f"`{name}` is acquired here and released in the `finally` on line {module.line(section.release)}; "
            f"`{keyword} {name}:` says both in one place, and no later change can part them"
        )
        steps = (Step(section.release, "released here, whatever happens"),)
        yield Report(op.call, message, steps, module.rewrite.as_with(section, safe=True))


RULE = Rule(
    code="CNC103",
    name="lock-without-with",
    summary="An acquire, `try`, `finally` and release that `with` would say",
    severity=Severity.NOTE,
    check=check,
    default=False,
    fix=FixAvailability.SAFE,
)

"""# lock-rebound (CNC118)

## What it finds

An attribute or global that holds a lock in use, and is assigned a new lock by a method or function that runs later.

## Why it matters

A lock excludes those who take the same object. Whoever is inside the old one, or waits for it, goes on with the old
one; whoever comes next takes the new one, at once. Both are then in the section that the lock guards. A `release()`
by name reaches the new lock, which nobody holds, and raises.

## Bad

```python
import threading


class Counter:
    def __init__(self):
        self._lock = threading.Lock()
        self.value = 0

    def add(self, amount):
        with self._lock:
            self.value += amount

    def restart(self):
        self._lock = threading.Lock()
        self.value = 0
```

## Good

```python
import threading


class Counter:
    def __init__(self):
        self._lock = threading.Lock()
        self.value = 0

    def add(self, amount):
        with self._lock:
            self.value += amount

    def restart(self):
        with self._lock:
            self.value = 0
```

## When it stays silent

- `__init__`, `__setstate__`, `setUp` and the like, functions that only those call, and functions whose name says that
  they set up or reset.
- After-fork handlers: a forked child has no other threads, and has to replace its locks.
- The first assignment, also a late one: `if self._lock is None: self._lock = threading.Lock()`.
- asyncio locks, which are made anew for another event loop.
- Functions that make the threads which will use the lock, and locks that nothing in the file takes.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for rebound in module.facts.lock_reach.rebound():
        name = module.text(rebound.target)
        message = f"`{name}` is given a new lock while the old one may be held: whoever is inside is no longer excluded"
        yield Report(rebound.target, message, (Step(rebound.first, "the first lock is made here"),))


RULE = Rule(
    code="CNC118",
    name="lock-rebound",
    summary="A lock in use is replaced by a new one",
    severity=Severity.WARNING,
    check=check,
)

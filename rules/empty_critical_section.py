"""# empty-critical-section (CNC119)

## What it finds

A lock held for nothing: `with lock: pass`, or `lock.acquire()` directly followed by `lock.release()`.

## Why it matters

Nothing is done while the lock is held, so nothing is protected: often the section was moved or emptied and its lock
left behind. Where it is meant as a wait for whoever holds the lock, that is over as soon as the lock is released again;
another thread may take it at once. An Event or a Condition says what is being waited for.

## Bad

```python
import threading

lock = threading.Lock()


def store(rows, row):
    with lock:
        pass
    rows.append(row)
```

## Good

```python
import threading

lock = threading.Lock()


def store(rows, row):
    with lock:
        rows.append(row)
```

## When it stays silent

- `with lock, open(path): pass`, where the other context manager does something.
- `acquire()` and `release()` of a semaphore, the turnstile that lets through as many as there are permits.
- A non-blocking or timed acquire, which may be a test.
- A lock made on the spot, of which CNC111 speaks.

## Why it is not on by default

To take a lock and give it back at once is also a way to wait for whoever has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for section in module.facts.empty_sections.empty():
        name = module.text(section.lock)
        yield Report(section.node, f"`{name}` is released as soon as it is taken: nothing happens while it is held")


RULE = Rule(
    code="CNC119",
    name="empty-critical-section",
    summary="A lock is held while nothing happens",
    severity=Severity.NOTE,
    check=check,
    default=False,
)

"""# queue-check-then-act (CNC206)

## What it finds

A blocking `get()` that relies on `empty()` or `qsize()` having just said that there is an item, where another consumer
may take it first: `if not q.empty(): q.get()`, `while q.qsize() > 0: q.get()`.

## Why it matters

What `empty()` says is old when it returns. Two workers see the last item, one gets it, and the other waits in `get()`
for ever, where the code was written so that it never would.

## Bad

```python
import queue
import threading

jobs = queue.Queue()


def worker(handle):
    while not jobs.empty():
        handle(jobs.get())


def run(handle):
    threads = [threading.Thread(target=worker, args=(handle,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## Good

```python
import queue
import threading

jobs = queue.Queue()


def worker(handle):
    while True:
        try:
            job = jobs.get_nowait()
        except queue.Empty:
            return
        handle(job)


def run(handle):
    threads = [threading.Thread(target=worker, args=(handle,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## When it stays silent

- `get_nowait()`, `get(timeout=...)` and `get(block=False)`: they come back.
- Only one function takes items, it does not run in a worker, and no other code knows the queue: a list of results that
  is emptied at the end, a priority queue in an algorithm.
- The check and the `get()` stand under a lock.
- asyncio queues: nobody gets between without an `await`.

## Why it is not on by default

Whether there is a second consumer is often decided elsewhere; with only one the check holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.queue_checks.stale():
        name = module.text(found.receiver)
        message = (
            f"another consumer may empty `{name}` after `{module.text(found.check)}` on line "
            f"{module.line(found.check)}; this get() then waits forever"
        )
        yield Report(found.get, message, (Step(found.check, f"`{name}` is found to hold something"),))


RULE = Rule(
    code="CNC206",
    name="queue-check-then-act",
    summary="A blocking get() relies on empty() or qsize()",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

"""# queue-never-done (CNC205)

## What it finds

`join()` on a queue that this file makes and consumes, where nothing ever calls its `task_done()`.

## Why it matters

`join()` does not wait for the queue to be empty: it waits until `task_done()` has been called once for every item put.
Without those calls it returns only if nothing was ever put, and otherwise never.

## Bad

```python
import queue
import threading


def process_all(items, handle):
    jobs = queue.Queue()

    def worker():
        while True:
            handle(jobs.get())

    threading.Thread(target=worker, daemon=True).start()
    for item in items:
        jobs.put(item)
    jobs.join()
```

## Good

```python
import queue
import threading


def process_all(items, handle):
    jobs = queue.Queue()

    def worker():
        while True:
            job = jobs.get()
            try:
                handle(job)
            finally:
                jobs.task_done()

    threading.Thread(target=worker, daemon=True).start()
    for item in items:
        jobs.put(item)
    jobs.join()
```

## When it stays silent

- The queue is passed to, returned to or stored for code in another file, which may consume it too.
- Nothing in this file takes items out of it.
- It is an attribute of a class with a base in another file.
- The `join()` is limited in time, or `shutdown()` wakes those who wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.queues.never_done():
        message = (
            f"nothing calls `{module.text(found.receiver)}.task_done()`; this join() waits forever for the first item"
        )
        yield Report(found.join, message, (Step(found.get, "an item is taken, and never said to be done"),))


RULE = Rule(
    code="CNC205",
    name="queue-never-done",
    summary="A queue is joined whose consumers never call task_done()",
    severity=Severity.ERROR,
    check=check,
)

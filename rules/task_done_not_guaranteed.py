"""# task-done-not-guaranteed (CNC204)

## What it finds

A `get()` of a queue after which some path does not reach `task_done()`, where somebody calls `join()` on that queue:
an exception that leaves the worker, a handler that goes on with the next item, a `continue` or `return` before the
`task_done()`. The path is shown.

Queues of `queue`, `asyncio` and `multiprocessing` (`JoinableQueue`) count, and the places they are passed to.

## Why it matters

`join()` waits until there has been one `task_done()` for every item put. When a single one is missing it waits for
ever, long after the item that failed, and nothing says which one that was.

## Bad

```python
import queue
import threading

jobs = queue.Queue()


def worker(handle):
    while True:
        job = jobs.get()
        handle(job)
        jobs.task_done()


def run(items, handle):
    threading.Thread(target=worker, args=(handle,), daemon=True).start()
    for item in items:
        jobs.put(item)
    jobs.join()
```

## Good

```python
import logging
import queue
import threading

jobs = queue.Queue()


def worker(handle):
    while True:
        job = jobs.get()
        try:
            handle(job)
        except Exception:
            logging.exception("job %s failed", job)
        finally:
            jobs.task_done()


def run(items, handle):
    threading.Thread(target=worker, args=(handle,), daemon=True).start()
    for item in items:
        jobs.put(item)
    jobs.join()
```

## When it stays silent

- Nobody joins the queue in this file, or only for a limited time; of a queue that comes from elsewhere somebody there
  is taken to, where a handler goes on with the next item after a failure, and gives neither the queue, nor what holds
  it, nor the item to other code than that which logs.
- The path leaves on a sentinel, or because the worker is told to stop: `if job is None: break`.
- `task_done()` is called elsewhere: in a callback, a helper, a context manager, once for each item of a batch.
- The item is handed on: returned, put into a list or another queue.
- Only what is unlikely to raise stands between, or nothing but cancellation could skip the `task_done()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.queue_items import Consumption


def check(module: ModuleContext) -> Iterator[Report]:
    for consumption in module.facts.queues.unfinished():
        yield _report(module, consumption)


def _report(module: ModuleContext, consumption: Consumption) -> Report:
    get = consumption.get
    name = module.text(get.receiver)
    join = consumption.join
    waiting = "whoever calls join() on it" if join is None else f"the join() on line {module.line(join.where)}"
    message = f"{_cause(module, consumption)} task_done() for this item of `{name}`; {waiting} waits forever"
    steps = consumption.path.tell("an item is taken", "task_done() has not been called")
    return Report(get.where, message, steps)


def _cause(module: ModuleContext, consumption: Consumption) -> str:
    path = consumption.path
    raiser = path.raiser
    if raiser is not None:
        return f"{module.facts.what_raises(raiser)} (line {module.line(raiser)}) skips"
    if path.left_by is not None:
        return f"{path.way_out(module.line)} skips"
    if consumption.how == "again":
        return "the loop comes back to this get() without"
    return "a path to the end of the function skips"


RULE = Rule(
    code="CNC204",
    name="task-done-not-guaranteed",
    summary="A path from a queue's get() misses task_done(), and somebody joins the queue",
    severity=Severity.ERROR,
    check=check,
)

"""# join-before-drain (CNC406)

## What it finds

A process that puts into a `multiprocessing.Queue` and is joined before anything is taken out of that queue.

## Why it matters

`put()` only hands the item to a thread of the process, which writes it to a pipe, and the process does not end before
everything is written. Once the pipe is full (64 KiB on Linux), that waits for somebody to call `get()`; who calls
`join()` first waits for the process: neither goes on, ever. With small results it works, until they grow.

## Bad

```python
import multiprocessing


def work(results):
    results.put(list(range(100_000)))


if __name__ == "__main__":
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(results,))
    process.start()
    process.join()
    print(len(results.get()))
```

## Good

```python
import multiprocessing


def work(results):
    results.put(list(range(100_000)))


if __name__ == "__main__":
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(results,))
    process.start()
    print(len(results.get()))
    process.join()
```

## When it stays silent

- Anything is taken out of the queue on some way to the `join()`, or by another function, thread or process.
- The `join()` has a timeout, or the process is terminated or killed.
- `cancel_join_thread()` is called, or the queue has `task_done()` or `join()` called on it.
- All the process puts is one constant or the result of a comparison.
- A manager's queue and `SimpleQueue`, which have no such thread.
- The queue, or what runs in the process, is in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.drains.undrained():
        process, queue = module.text(found.process), module.text(found.get.receiver)
        message = (
            f"`{process}` is joined before `{queue}` is read; once it has put more than the pipe holds, "
            "it waits for a reader and this join() for it, forever"
        )
        steps = (Step(found.put.where, "the process puts here"), Step(found.get.where, "and is only read here"))
        yield Report(found.join, message, steps)


RULE = Rule(
    code="CNC406",
    name="join-before-drain",
    summary="A process that puts into a queue is joined before the queue is read",
    severity=Severity.ERROR,
    check=check,
)

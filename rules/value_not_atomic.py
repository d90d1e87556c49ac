"""# value-not-atomic (CNC413)

## What it finds

`value.value += 1`, or `value.value = value.value + 1`, on a number that processes share (`Value`, `RawValue`, an item
of an `Array`, a manager's `Value`), without a lock, in code that several workers run at once.

## Why it matters

It is two operations: a read, and a write of the result. The lock of a `Value` is held for each of them, not for both,
so another process may write in between, and its update is lost. Four processes that add 20,000 each end far below
80,000.

## Bad

```python
import multiprocessing


def count(done, pages):
    for page in pages:
        done.value += 1


def main(parts):
    done = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=count, args=(done, part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return done.value
```

## Good

```python
import multiprocessing


def count(done, pages):
    for page in pages:
        with done.get_lock():
            done.value += 1


def main(parts):
    done = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=count, args=(done, part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return done.value
```

## When it stays silent

- Under `with value.get_lock():`, `with value:`, or any other lock, here or in all callers.
- A single worker changes the number, and the others only read it.
- `array[index] += 1` with an index that differs from worker to worker.
- The number is made in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for update in module.facts.shared_values.unguarded():
        name = module.text(update.target)
        remedy = "its lock is not held from the one to the other" if update.has_lock else "no lock is held"
        message = (
            f"`{name}` is read and then written, and {remedy}; updates that another worker makes in between are lost"
        )
        steps = (
            Step(update.made, "the number is made, for all workers"),
            Step(update.entry.site, "several workers run this code"),
        )
        yield Report(update.statement, message, steps)


RULE = Rule(
    code="CNC413",
    name="value-not-atomic",
    summary="A shared number is read and written back without its lock",
    severity=Severity.ERROR,
    check=check,
)

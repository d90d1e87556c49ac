"""# exitcode-unchecked (CNC407)

## What it finds

A process that is joined, and whose `exitcode` nobody reads.

## Why it matters

An exception in a child process is printed there and ends it with exit code 1. `join()` returns all the same: the
program goes on as if the work were done, and exits with status 0.

## Bad

```python
from multiprocessing import Process


def export(rows, write):
    process = Process(target=write, args=(rows,))
    process.start()
    process.join()
    rows.mark_exported()
```

## Good

```python
from multiprocessing import Process


def export(rows, write):
    process = Process(target=write, args=(rows,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("the export failed")
    rows.mark_exported()
```

## When it stays silent

- The file reads `exitcode` or `sentinel`, asks `is_alive()`, or terminates the process.
- The process is given a queue, a pipe or shared memory, through which it may tell.
- It is a daemon, is returned or passed on, or its target stands in this file and lets no exception out.

## Why it is not on by default

A process may tell how it fared by what it leaves behind: a file, a row, a message.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_outcomes.unchecked_exit_codes():
        message = (
            f"nobody reads the `exitcode` of process `{module.text(found.receiver)}`: "
            "where it dies of an exception, the program goes on as if it had worked"
        )
        yield Report(found.join, message)


RULE = Rule(
    code="CNC407",
    name="exitcode-unchecked",
    summary="A process is joined and nobody reads its exit code",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

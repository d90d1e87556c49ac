"""# daemon-does-io (CNC317)

## What it finds

A daemon thread that opens a file to write to it, where nothing in the file joins the thread.

## Why it matters

Daemon threads are cut off in the middle of a statement when the program ends. `finally` and `with` do not run there:
what was still in the file's buffer is lost, and the file ends in the middle of a line.

## Bad

```python
import threading


def record(samples, path):
    with open(path, "w") as file:
        for sample in samples:
            print(sample, file=file)


def start(samples, path):
    threading.Thread(target=record, args=(samples, path), daemon=True).start()
```

## Good

```python
import threading


def record(samples, path):
    with open(path, "w") as file:
        for sample in samples:
            print(sample, file=file)


def run(samples, path):
    thread = threading.Thread(target=record, args=(samples, path), daemon=True)
    thread.start()
    thread.join()
```

## When it stays silent

- A thread that something joins, or that is handed to other code.
- Files that are only read.

## Why it is not on by default

A log or cache that is cut short may be no loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.unheard.cut_off():
        message = (
            f"this daemon thread writes a file (line {module.line(found.node)}) and nobody joins it: "
            "when the program ends, it is cut off and what is in the file's buffer is lost"
        )
        yield Report(found.worker.call, message, (*found.reach.tell(), Step(found.node, "opens the file")))


RULE = Rule(
    code="CNC317",
    name="daemon-does-io",
    summary="A daemon thread writes a file, and is cut off when the program ends",
    severity=Severity.NOTE,
    check=check,
    default=False,
)

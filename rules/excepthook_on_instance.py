"""# excepthook-on-instance (CNC304)

## What it finds

An `excepthook` assigned to a thread object, or to `threading.Thread` itself: `thread.excepthook = report`.

## Why it matters

It has no effect: the attribute is never read. The hook for exceptions in threads is the function
`threading.excepthook`, one for the whole process. The handler that was meant to report failures is never called.

## Bad

```python
import threading


def report(args):
    print("failed:", args.exc_value)


def run(job):
    thread = threading.Thread(target=job)
    thread.excepthook = report
    thread.start()
    thread.join()
```

## Good

```python
import threading


def report(args):
    print("failed:", args.exc_value)


threading.excepthook = report


def run(job):
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
```

## When it stays silent

- `threading.excepthook = ...` and `sys.excepthook = ...`.
- A Thread subclass whose own code reads the attribute.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for target in module.facts.thread_excepthooks():
        message = (
            f"`{module.text(target)}` is never called: Python reads only `threading.excepthook`, "
            "so exceptions in the thread do not reach this handler"
        )
        yield Report(target, message)


RULE = Rule(
    code="CNC304",
    name="excepthook-on-instance",
    summary="An excepthook assigned to a thread object has no effect",
    severity=Severity.ERROR,
    check=check,
)

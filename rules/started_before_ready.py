"""# started-before-ready (CNC308)

## What it finds

A constructor that starts a thread or process which runs a method of the same object, and assigns attributes which that
method reads only after it: in the same `__init__`, or in that of a subclass after `super().__init__()`.

## Why it matters

The worker begins at once, beside the rest of the constructor. When it is quicker it dies of an AttributeError; mostly
it is not, so that the tests pass. A process that is forked never sees what is assigned after the start.

## Bad

```python
import threading


class Poller(threading.Thread):
    def __init__(self, fetch):
        super().__init__(daemon=True)
        self.start()
        self.fetch = fetch

    def run(self):
        while True:
            self.fetch()
```

## Good

```python
import threading


class Poller(threading.Thread):
    def __init__(self, fetch):
        super().__init__(daemon=True)
        self.fetch = fetch
        self.start()

    def run(self):
        while True:
            self.fetch()
```

## When it stays silent

- The attribute has a default on the class, or is assigned before the start as well.
- The worker first waits for something: an event, a lock, a queue.
- The worker assigns the attribute itself, or reckons with its absence (`getattr(self, "x", None)`,
  `except AttributeError`).
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_readiness.unready():
        name = f"`self.{found.read.attr}`"
        message = (
            f"`{found.entry.name}` is started here and reads {name}, which is assigned on line "
            f"{module.line(found.assigned)} only: it may die of an AttributeError"
        )
        steps = (
            Step(found.start, f"`{found.entry.name}` is started"),
            Step(found.read, f"it reads {name}"),
            Step(found.assigned, f"{name} is assigned"),
        )
        yield Report(found.start, message, steps)


RULE = Rule(
    code="CNC308",
    name="started-before-ready",
    summary="A constructor starts a worker before it has assigned what that reads",
    severity=Severity.ERROR,
    check=check,
)

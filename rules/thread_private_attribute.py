"""# thread-private-attribute (CNC318)

## What it finds

A Thread, Timer or Process class that defines or assigns a private name which the class it derives from uses for itself,
such as `_stop`, `_started`, `_handle` or `_popen`. The message says in which versions of Python that breaks.

## Why it matters

The base class calls or reads what it takes for its own: `join()` of a thread with a `self._stop = Event()` raises
"TypeError: 'Event' object is not callable", but only up to Python 3.12, and a `_handle` breaks from 3.13 on. Such a
class works until Python is updated, or until somebody joins it.

## Bad

```python
import threading


class Poller(threading.Thread):
    def __init__(self):
        super().__init__()
        self._stop = threading.Event()

    def run(self):
        while not self._stop.wait(1):
            print("polling")
```

## Good

```python
import threading


class Poller(threading.Thread):
    def __init__(self):
        super().__init__()
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.wait(1):
            print("polling")
```

## When it stays silent

- Private names that break nothing in any version that the project runs on (`requires-python`), such as `_name`.
- What may be assigned without harm: an Event to `_started`, `None` to `_popen`.
- A class that knows the name for the base's: it calls `super()._stop()`, or keeps the old value to wrap it.
- A class attribute that the base hides behind one of its own, and what a Process assigns in the child.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.worker_classes import Clash


def check(module: ModuleContext) -> Iterator[Report]:
    for clash in module.facts.worker_classes.clashes():
        owner = "Process" if clash.kind == "process" else "Thread"
        message = f"`{clash.name}` is a name that {owner} uses itself: {clash.private.effect} ({_versions(clash)})"
        yield Report(clash.node, message)


def _versions(clash: Clash) -> str:
    first, last = clash.private.first, clash.private.last
    if first and last:
        return f"breaks in Python {first} to {last}"
    if first:
        return f"breaks from Python {first} on"
    return f"breaks up to Python {last}" if last else "breaks in every version of Python"


RULE = Rule(
    code="CNC318",
    name="thread-private-attribute",
    summary="A thread or process class takes a private name that its base class uses",
    severity=Severity.ERROR,
    check=check,
)

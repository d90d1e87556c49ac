"""# worker-at-import (CNC309)

## What it finds

A thread or timer that is started when the module is imported: at module level outside `if __name__ == "__main__":`, or
in a function or constructor that is called there. (CNC401 speaks of processes.)

## Why it matters

Whoever imports the module gets the thread: tests, documentation builds, command lines that only print a version. A
program that forks afterwards, as servers and multiprocessing do, has it in the parent alone, with whatever lock it held
at that moment held forever in the child. A thread that imports something while the import runs may wait for it.

## Bad

```python
import threading

cache = {}


def refresh():
    cache.clear()


def lookup(key):
    return cache.get(key)


timer = threading.Timer(60, refresh)
timer.daemon = True
timer.start()
```

## Good

```python
import threading

cache = {}


def refresh():
    cache.clear()


def lookup(key):
    return cache.get(key)


def start():
    timer = threading.Timer(60, refresh)
    timer.daemon = True
    timer.start()
    return timer
```

## When it stays silent

- Code under the main guard, and `__main__.py`.
- Scripts: files that use everything they define, or at module level wait, print, read arguments or input, or exit.

## Why it is not on by default

Some modules are there to do this, and a file that is only ever run as a script looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.thread_starts.starts():
        call = found.chain[0]
        message = f"importing this module starts a thread (`{found.what}`): whoever imports it has it from then on"
        steps = [Step(inner, "calls" if inner is not found.start else "starts the thread") for inner in found.chain[1:]]
        yield Report(call, message, steps)


RULE = Rule(
    code="CNC309",
    name="worker-at-import",
    summary="A thread is started by importing the module",
    severity=Severity.NOTE,
    check=check,
    default=False,
)

"""# lock-per-call (CNC111)

## What it finds

A lock that is made by the very call that takes it: `with threading.Lock():`, or a lock in a local variable that the
function neither passes on, stores, returns, nor lets a nested function see.

## Why it matters

A lock excludes those who take the same object. One made anew for each call is never busy: the section that it seems
to guard runs unprotected, in as many threads as there are, and no test that is not lucky shows it.

## Bad

```python
import threading

total = 0


def add(amount):
    global total
    with threading.Lock():
        total += amount
```

```python
import threading


def append_line(path, line):
    lock = threading.Lock()
    with lock:
        with open(path, "a") as file:
            file.write(line)
```

## Good

```python
import threading

total = 0
total_lock = threading.Lock()


def add(amount):
    global total
    with total_lock:
        total += amount
```

## When it stays silent

- The lock is given to a thread, a callback, a container or a caller, or a nested function uses it.
- It lives on an object, a class or the module, is a default argument, or comes from a cached function.
- Generators, whose callers may share one, and functions that the file calls at its top level only.
- Test functions, which try out the lock itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for lonely in module.facts.lock_reach.lonely():
        made = module.text(lonely.node)
        if lonely.name:
            message = f"`{lonely.name}` is a new lock in each call, and nothing outside the call can hold it"
        else:
            message = f"`{made}` makes a new lock each time, which nobody else can hold"
        yield Report(lonely.node, f"{message}: it excludes nobody")


RULE = Rule(
    code="CNC111",
    name="lock-per-call",
    summary="A lock made anew for each call that takes it excludes nobody",
    severity=Severity.ERROR,
    check=check,
)

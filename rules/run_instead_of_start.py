"""# run-instead-of-start (CNC307)

## What it finds

`run()` called on a Thread, Timer or Process that is made in this file with a target: `Thread(target=work).run()`.

## Why it matters

`run()` is what the new thread calls. Called directly it runs the target here: nothing is concurrent, the caller waits
for the end, and exceptions are the caller's. `join()` afterwards raises RuntimeError, since the thread was never
started.

## Bad

```python
import threading


def refresh(cache):
    cache.clear()


def run(cache):
    thread = threading.Thread(target=refresh, args=(cache,))
    thread.run()
    return cache
```

## Good

```python
import threading


def refresh(cache):
    cache.clear()


def run(cache):
    thread = threading.Thread(target=refresh, args=(cache,))
    thread.start()
    thread.join()
    return cache
```

## When it stays silent

- `super().run()` and `Thread.run(self)` in a subclass.
- An object of a subclass of this file: tests and single-threaded modes call its `run()` on purpose.
- The thread is also started somewhere: this is then the other of two ways.
- Where an exception is expected: in `pytest.raises()`, `assertRaises()`, or a `try` with handlers.

## Fix

`start()` instead, where the thread is joined later on, as if it had been started. It is unsafe, since what follows may
rely on the work being done.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_misuse.run_here():
        new = "process" if found.kind == "process" else "thread"
        message = (
            f"`{module.text(found.call)}` runs the target here and waits for its end: no {new} is started; "
            "start() makes one"
        )
        fix = module.rewrite.renaming(found.call.func, "start", safe=False) if found.may_start else None
        yield Report(found.call, message, (), fix)


RULE = Rule(
    code="CNC307",
    name="run-instead-of-start",
    summary="`run()` called on a thread or process runs its target in the caller",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

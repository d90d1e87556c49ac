"""# timeout-ignored (CNC203)

## What it finds

A timed `wait()` of an event or condition, or a `wait_for()` with a timeout, whose result nobody looks at, followed by
code that relies on what was waited for.

## Why it matters

When the time is up such a call returns `False` like any other, and raises nothing. The code then goes on with a server
that is not up, or a result that is not there, and fails later, somewhere else, and only on a slow day.

## Bad

```python
import threading

started = threading.Event()


def connect(open_connection, serve):
    threading.Thread(target=serve, args=(started,), daemon=True).start()
    started.wait(timeout=5)
    return open_connection()
```

## Good

```python
import threading

started = threading.Event()


def connect(open_connection, serve):
    threading.Thread(target=serve, args=(started,), daemon=True).start()
    if not started.wait(timeout=5):
        raise TimeoutError("the server did not start")
    return open_connection()
```

## When it stays silent

- A wait used as a sleep: in a `while` loop, or for an event that this file neither sets nor hands to anyone.
- Something is tested or iterated over before anything else happens, or the function asserts: a test fails then.
- The wait ends when something is due, by the clock.
- What follows only tidies up (`close()`, `stop()`, `join()` ...), or nothing follows.
- asyncio, whose waits take no timeout.

## Why it is not on by default

Whether what follows relies on the wait is often known only to its author: a bounded wait for something that is merely
nice to have looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    facts = module.facts
    relapses = {found.wait.call for found in facts.waits.untested}
    for found in facts.timed_waits.ignored():
        if found.wait.call in relapses:
            continue  # CNC201 says it
        name = module.text(found.wait.receiver)
        if found.wait.is_for:
            late = "its predicate does not come true in time"
        else:
            late = f"`{name}` is not {'set' if found.wait.kind == 'event' else 'notified'} in time"
        method = "wait_for" if found.wait.is_for else "wait"
        message = f"the result of this {method}() is ignored: when {late}, the code goes on as if all were well"
        yield Report(found.wait.call, message, [Step(found.node, "this happens all the same")])


RULE = Rule(
    code="CNC203",
    name="timeout-ignored",
    summary="The result of a timed wait is unused, and what follows relies on it",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

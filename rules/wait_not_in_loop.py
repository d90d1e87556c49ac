"""# wait-not-in-loop (CNC201)

## What it finds

A `Condition.wait()` of threading, multiprocessing or asyncio after which some path goes on without testing again what
it waited for: an `if` where a `while` belongs, or no test at all. Paths are followed to the end of the critical
section, to what is done after it, and into the callers of a helper that only waits.

## Why it matters

`wait()` returns because somebody notified, not because the state is as hoped. Between the notification and the moment
the lock is held again another thread may have taken the item, `notify_all()` wakes every waiter for one item, and one
condition often stands for several events. The thread then pops from an empty list, or reads a value that is not there
yet. A `wait()` with no test before it also misses a notification that came earlier, and blocks for ever.

## Bad

```python
import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        if not items:
            ready.wait()
        return items.pop()
```

```python
import threading


class Camera:
    def __init__(self):
        self.changed = threading.Condition()
        self.frame = None

    def stream(self, send):
        while True:
            with self.changed:
                self.changed.wait()
                frame = self.frame
            send(frame)
```

## Good

```python
import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        while not items:
            ready.wait()
        return items.pop()
```

```python
import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        ready.wait_for(lambda: items)
        return items.pop()
```

## When it stays silent

- A loop around the wait that tests shared state, in the function or in a caller of it in the same file.
- The state is tested, iterated over, or its test returned before anything is done with it; an exception of taking from
  an empty container is caught.
- A timed wait, which may be a sleep, unless what was tested for is then taken without another test; one whose result
  is used.
- A function that does nothing but wait, and that nothing in the file calls: whoever calls it has the loop.
- The critical section itself starts the thread that will notify.
- `Event.wait()`, and conditions whose type is not known.

## Fix

`if not ready: condition.wait()` becomes `condition.wait_for(lambda: ready)`. The fix is unsafe: the test runs again
after each notification, which is the point, and may not be what it was written for. A timed wait gets no fix: what to
do when the time is up is for the author to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.waits.untested:
        name = module.text(found.wait.receiver)
        early = "when the time is up, or woken too early" if found.wait.is_timed else "woken too early or by chance"
        if found.takes:
            then = f"`{module.text(found.node)}` fails on what is not there"
        else:
            then = "the code goes on as if it held"
        message = f"the condition is not tested again after `{name}` was waited for: {early}, {then}"
        steps = [] if found.node is found.wait.call else [Step(found.node, "this happens without another test")]
        yield Report(found.wait.call, message, steps, module.rewrite.waiting_for(found.wait.call))


RULE = Rule(
    code="CNC201",
    name="wait-not-in-loop",
    summary="A condition is waited for without a loop that tests what it stands for",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

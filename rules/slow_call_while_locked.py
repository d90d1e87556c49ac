"""# slow-call-while-locked (CNC109)

## What it finds

A call that waits for something outside, made while a lock is held, directly or through functions of the file: sleep, a
subprocess, the network, user input, another thread or task. Where the awaited code needs the lock itself,
wait-while-locked (CNC108) reports the deadlock.

## Why it matters

Everybody who wants the lock waits as long as the call takes, and if it hangs, so does the whole program.

To hold a lock over a slow call may be the very purpose of the lock: one request at a time, one start of a service. So
the rule is not on by default.

## Bad

```python
import threading
import time

lock = threading.Lock()


def refresh(cache, fetch):
    with lock:
        while not cache:
            time.sleep(1)
            cache.update(fetch())
```

## Good

```python
import threading
import time

lock = threading.Lock()


def refresh(cache, fetch):
    fresh = {}
    while not fresh:
        time.sleep(1)
        fresh = fetch()
    with lock:
        cache.update(fresh)
```

## When it stays silent

- Calls that come back at once: `get(block=False)`, `join(0)`.
- `wait()` of the condition whose lock is held, which gives it back meanwhile.
- asyncio's locks, and locks whose type is not known.

## Why it is not on by default

To hold a lock over a slow call may be the very purpose of the lock: one request at a time, one start of a service.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for section, event, come in module.facts.lock_waits.slow():
        name = module.text(module.facts.lock_name(section))
        line = module.line(come.wait.node)
        by = f", which comes to `{module.text(come.wait.node)}` on line {line}," if come.sites else ""
        message = (
            f"`{module.text(event)}`{by} waits while `{name}` is held since line {module.line(section.site)}: "
            "whoever needs the lock waits with it"
        )
        steps = [*section.path(event, name, "calls a function that waits" if come.sites else "waits")]
        if come.sites:
            steps.append(Step(come.wait.node, "waits"))
        yield Report(event, message, steps)


RULE = Rule(
    code="CNC109",
    name="slow-call-while-locked",
    summary="A sleep, subprocess, network or other waiting call under a lock",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

"""# unbalanced-semaphore (CNC116)

## What it finds

A `release()` of a Semaphore that some path reaches without its `acquire()`: the `acquire()` stands inside the `try`
whose `finally` releases, or it failed, or the semaphore was released already. CNC105 says the same of locks that raise
when it happens.

## Why it matters

A Semaphore never complains: each release too many adds a permit for good. The limit it was made for slowly rises, until
it limits nothing. A BoundedSemaphore raises instead.

## Bad

```python
import threading

slots = threading.Semaphore(4)


def fetch(prepare, get):
    try:
        request = prepare()
        slots.acquire()
        return get(request)
    finally:
        slots.release()
```

## Good

```python
import threading

slots = threading.Semaphore(4)


def fetch(prepare, get):
    request = prepare()
    with slots:
        return get(request)
```

## When it stays silent

- Functions that only release: semaphores count what others produce.
- Semaphores that start at zero, and what is one by its name only.
- BoundedSemaphore, Lock and RLock, of which CNC105 speaks.

## Why it is not on by default

A semaphore counts what others produce as well, and code that means that looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.lock_releases import BadRelease


def check(module: ModuleContext) -> Iterator[Report]:
    ignored = {op.place for op in module.facts.locks.ignored_results()}
    for paths in module.facts.locks.each():
        for bad in paths.bad_releases():
            if bad.op.instance is None or bad.op.is_counter or bad.op.place in ignored:
                continue
            if bad.op.may_exceed:
                yield _report(module, bad)


def _report(module: ModuleContext, bad: BadRelease) -> Report:
    name = module.text(bad.op.receiver)
    cause = "it was released already" if bad.last.value == "released" else "it was not acquired"
    message = f"`{name}` is released on a path on which {cause}: the permit is added for good, and the limit rises"
    return Report(bad.op.call, message, bad.path.tell("", f"`{name}` is not held at the release"))


RULE = Rule(
    code="CNC116",
    name="unbalanced-semaphore",
    summary="A Semaphore is released on a path that did not acquire it",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

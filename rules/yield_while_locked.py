"""# yield-while-locked (CNC112)

## What it finds

A generator that yields while it holds a lock.

## Why it matters

The lock is held for as long as the caller takes between two items. If the caller stops before the last one and keeps a
reference to the generator (a traceback is enough), the lock is never released; and if the caller's loop body needs the
lock, it waits for itself.

A generator that is always consumed at once, by code that nobody will change, does no harm. So the rule is not on by
default.

## Bad

```python
import threading

lock = threading.Lock()
rows = []


def each():
    with lock:
        for row in rows:
            yield row
```

## Good

```python
import threading

lock = threading.Lock()
rows = []


def each():
    with lock:
        copied = list(rows)
    yield from copied
```

## When it stays silent

- Context managers (`@contextmanager`) and fixtures, which are there to hold the lock at their `yield`.
- Generators that this file only calls to take all of their items at once (`list()`, `join()`, a comprehension),
  or under `contextlib.closing`.
- Locks of threads in coroutines: lock-across-await (CNC110).

## Why it is not on by default

A generator that is always consumed at once, by code that nobody will change, does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for section, event, _ in module.facts.suspensions.of_generators():
        name = module.text(module.facts.lock_name(section))
        message = (
            f"the generator yields with `{name}` held since line {module.line(section.site)}: "
            "a caller that stops early or takes long keeps everybody else from the lock"
        )
        yield Report(event, message, section.path(event, name, "yields to the caller"))


RULE = Rule(
    code="CNC112",
    name="yield-while-locked",
    summary="A generator yields while it holds a lock",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

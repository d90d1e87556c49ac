"""# condition-not-held (CNC202)

## What it finds

`wait()`, `wait_for()`, `notify()` or `notify_all()` of a condition on a path that does not hold its lock. A helper that
relies on its callers is reported where one of them does not hold the condition, and that call is shown.

## Why it matters

The call raises RuntimeError ("cannot notify on un-acquired lock"). In a worker thread nobody sees that: the thread
ends, and those who wait for its notification wait forever.

## Bad

```python
import threading


class Box:
    def __init__(self):
        self._filled = threading.Condition()
        self._items = []

    def put(self, item):
        with self._filled:
            self._items.append(item)
        self._filled.notify()
```

## Good

```python
import threading


class Box:
    def __init__(self):
        self._filled = threading.Condition()
        self._items = []

    def put(self, item):
        with self._filled:
            self._items.append(item)
            self._filled.notify()
```

## When it stays silent

- Conditions made with a lock that this file cannot name: whoever holds that lock holds the condition.
- `Condition(lock)` under `with lock:`, and the reverse.
- Helpers whose callers all hold the condition, or are not in this file; but a function that a thread starts with, or
  that a pool calls, starts without it.
- Code that expects the RuntimeError.
- Conditions whose type is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for call, receiver, method, callers in module.facts.held_conditions.not_held():
        name = module.text(receiver)
        where = f" when called from line {module.line(callers[0])}" if callers else ""
        message = f"`{name}` is not held at this {method}(){where}: it raises RuntimeError"
        steps = [Step(site, f"a call without `{name}`") for site in reversed(callers)]
        yield Report(call, message, [*steps, Step(call, "raises RuntimeError")] if steps else ())


RULE = Rule(
    code="CNC202",
    name="condition-not-held",
    summary="wait or notify on a path that does not hold the condition",
    severity=Severity.ERROR,
    check=check,
)

"""# super-init-missing (CNC314)

## What it finds

A Thread, Timer or Process class whose `__init__` does not call that of the class it derives from, or does so only after
it has set `daemon` or `name`, or called `start()`.

## Why it matters

`start()` of such a thread raises RuntimeError("thread.__init__() not called"), and so does setting `daemon`; of such a
process it is an AttributeError. The class cannot be used at all.

## Bad

```python
import threading


class Poller(threading.Thread):
    def __init__(self, interval):
        self.interval = interval

    def run(self):
        print("polling every", self.interval)
```

```python
import threading


class Poller(threading.Thread):
    def __init__(self, interval):
        self.daemon = True
        super().__init__()
        self.interval = interval

    def run(self):
        print("polling every", self.interval)
```

## Good

```python
import threading


class Poller(threading.Thread):
    def __init__(self, interval):
        super().__init__(daemon=True)
        self.interval = interval

    def run(self):
        print("polling every", self.interval)
```

## When it stays silent

- Some method that `__init__` calls does it, or may: `super().__init__()` of a class with further bases, a base in
  another file.
- A subclass in this file does it instead, or a method that the class only knows by another name.
- Its `__init__` makes a thread or process to keep: the object need not be one itself.
- The class has a `start()` or `__new__()` of its own, or its `__init__` only raises.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_classes.uninitialised():
        error = "AttributeError" if found.kind == "process" else "RuntimeError"
        if found.early:
            what = "call of" if found.early == "start" else "use of"
            message = (
                f"`{module.text(found.node)}` comes before {found.base}.__init__(): the {what} `{found.early}` raises"
            )
        else:
            message = f"`{found.base}.__init__()` is never called: start() of a `{found.symbol}` raises {error}"
        yield Report(found.node, message)


RULE = Rule(
    code="CNC314",
    name="super-init-missing",
    summary="A thread or process class that does not initialise its base",
    severity=Severity.ERROR,
    check=check,
)

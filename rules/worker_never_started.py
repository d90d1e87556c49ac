"""# worker-never-started (CNC321)

## What it finds

A `Thread`, `Timer` or `Process` that is made and that nothing starts: no code of the file calls its `start()`, and
nobody is given it who could.

## Why it matters

Making a worker runs nothing. The work is never done, and nothing says so.

## Bad

```python
import threading


def save(document, upload):
    thread = threading.Thread(target=upload, args=(document,))
    thread.daemon = True
```

## Good

```python
import threading


def save(document, upload):
    thread = threading.Thread(target=upload, args=(document,))
    thread.daemon = True
    thread.start()
```

## When it stays silent

- The worker is returned, passed on, or stored where other files may find it: in a global variable, in an attribute
  whose name is public, in a container that is one.
- It is only looked at, as tests do: `assert thread.name == "reader"`.
- Its class starts it in the constructor, gives itself away there, or has a base in another file.
- Its `run()` is called.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for use in module.facts.worker_starts.never_started():
        kind = use.worker.kind
        home = "" if use.home is None else f" `{module.text(use.home)}`"
        yield Report(use.worker.call, f"{kind}{home} is made and never started: what it was to do is never done")


RULE = Rule(
    code="CNC321",
    name="worker-never-started",
    summary="A thread, timer or process is made and never started",
    severity=Severity.ERROR,
    check=check,
)

"""# thread-exception-unobserved (CNC303)

## What it finds

A thread or timer whose code says `raise`, in its function or in what that calls, where nothing up to the top of the
thread catches the exception and the file does not set `threading.excepthook`.

## Why it matters

An exception that nothing catches ends the thread with a traceback on stderr, if there is one. `join()` returns as if
the work were done, and the program goes on to exit status 0.

## Bad

```python
import threading


def publish(reports, upload):
    for report in reports:
        if not upload(report):
            raise OSError(f"{report} was refused")


def start(reports, upload):
    thread = threading.Thread(target=publish, args=(reports, upload), daemon=True)
    thread.start()
    return thread
```

## Good

```python
import logging
import threading

log = logging.getLogger(__name__)


def publish(reports, upload):
    for report in reports:
        if not upload(report):
            log.error("%s was refused", report)


def start(reports, upload):
    thread = threading.Thread(target=publish, args=(reports, upload), daemon=True)
    thread.start()
    return thread
```

## When it stays silent

- Exceptions that the thread's own code may catch, and those that other libraries raise.
- `raise NotImplementedError`, which stands for a method of a subclass, and exits, of which CNC311 speaks.
- A `raise` in a helper that depends on what the helper is called with.
- Functions with a decorator, which may see to their exceptions.
- Tests (CNC319 speaks of their assertions), and files that set `threading.excepthook`.

## Why it is not on by default

For much work a traceback on stderr is all that is wanted, and a hook for the whole program may stand in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.unheard.unobserved():
        message = (
            f"{module.facts.what_raises(found.raised)} (line {module.line(found.raised)}) ends the {found.worker.kind} "
            "with a traceback on stderr at most: the program goes on as if its work were done"
        )
        yield Report(found.worker.call, message, (*found.reach.tell(), Step(found.raised, "nothing catches this")))


RULE = Rule(
    code="CNC303",
    name="thread-exception-unobserved",
    summary="A thread may end by an exception that nobody hears of",
    severity=Severity.NOTE,
    check=check,
    default=False,
)

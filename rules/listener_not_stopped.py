"""# listener-not-stopped (CNC208)

## What it finds

A `logging.handlers.QueueListener` that is started, and that nothing in the file stops or is given who could.

## Why it matters

The listener writes the records in a daemon thread, which ends with the interpreter wherever it is. What stands in the
queue then is lost: the last records, which are those that say why the program ended. `stop()` writes them first.

## Bad

```python
import logging
import logging.handlers
import queue


def configure(path):
    records = queue.Queue()
    listener = logging.handlers.QueueListener(records, logging.FileHandler(path))
    listener.start()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
```

## Good

```python
import atexit
import logging
import logging.handlers
import queue


def configure(path):
    records = queue.Queue()
    listener = logging.handlers.QueueListener(records, logging.FileHandler(path))
    listener.start()
    atexit.register(listener.stop)
    logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
```

## When it stays silent

- `stop()` is called or mentioned anywhere: in another method, in `finally`, through `atexit`; or it is used in `with`.
- The listener is returned, passed on, put into a container, or stored on an object that code in another file knows.
- It is not started here.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for call in module.facts.unstopped_listeners():
        yield Report(
            call, "this listener is started and never stopped; the records in its queue at exit are never written"
        )


RULE = Rule(
    code="CNC208",
    name="listener-not-stopped",
    summary="A QueueListener is started and never stopped",
    severity=Severity.WARNING,
    check=check,
)

"""# worker-misordered (CNC313)

## What it finds

Calls on a `Thread`, `Timer` or `Process` that raise because of their order: `join()` before `start()`, a second
`start()`, and a worker that joins itself.

## Why it matters

A worker can be started once, and joined only by others once it is started. Anything else raises at the call: a
RuntimeError for threads, an AssertionError for processes. A thread that joins itself through the `stop()` of the object
it belongs to dies of it where nobody sees.

## Bad

```python
import threading


def poll(check, wanted):
    thread = threading.Thread(target=check)
    for _ in range(wanted):
        thread.start()
        thread.join()
```

```python
import threading


class Reader:
    def __init__(self, source):
        self._source = source
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        for line in self._source:
            print(line)
        self.close()

    def close(self):
        self._thread.join()
        self._source.close()
```

## Good

```python
import threading


def poll(check, wanted):
    threads = [threading.Thread(target=check) for _ in range(wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## When it stays silent

- Some path to the call is in order: the worker may or may not have been started.
- The worker is passed on, kept in a container, or another function may start it.
- The error is expected: `with pytest.raises(...)`, `except RuntimeError`.
- The code asks which thread it runs in before it joins.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_order.misordered():
        name = f"`{module.text(found.receiver)}`"
        error = "an AssertionError" if found.kind == "process" else "a RuntimeError"
        if found.how == "itself":
            message = f"{found.kind} {name} joins itself: this is {error} in the {found.kind}, and ends it"
        elif found.how == "twice":
            message = f"{found.kind} {name} is started a second time here: that raises {error}"
        else:
            message = f"{found.kind} {name} is joined before it is started: that raises {error}"
        steps = () if found.path is None else found.path.tell("", message)
        yield Report(found.call, message, steps)


RULE = Rule(
    code="CNC313",
    name="worker-misordered",
    summary="A worker is joined before it is started, started twice, or joins itself",
    severity=Severity.ERROR,
    check=check,
)

"""# join-timeout-unchecked (CNC310)

## What it finds

`join(timeout)` on a non-daemon thread, timer or process of which no code asks `is_alive()` or `exitcode`.

## Why it matters

`join()` returns `None` whether or not the worker has ended. After a timeout the code goes on as if the work were done,
while the worker still runs.

## Bad

```python
import threading


def load(fetch, results):
    thread = threading.Thread(target=fetch, args=(results,))
    thread.start()
    thread.join(10)
    return list(results)
```

## Good

```python
import threading


def load(fetch, results):
    thread = threading.Thread(target=fetch, args=(results,))
    thread.start()
    thread.join(10)
    if thread.is_alive():
        raise TimeoutError("the fetch takes too long")
    return list(results)
```

## When it stays silent

- The file asks the worker for `is_alive()`, `exitcode` or `sentinel`, terminates it, or joins it elsewhere without a
  timeout.
- Daemon threads and processes, and `join()` in `__del__`.
- The worker is returned or passed on.

## Why it is not on by default

A timeout is often there so that a shutdown does not hang, and then nothing that follows relies on the worker.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_outcomes.unchecked_timeouts():
        name = f"{found.worker.kind} `{module.text(found.receiver)}`"
        message = f"{name} may still run after this: `join()` with a timeout returns either way, and nobody asks"
        yield Report(found.join, message)


RULE = Rule(
    code="CNC310",
    name="join-timeout-unchecked",
    summary="A worker is joined with a timeout, and nobody asks whether it has ended",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

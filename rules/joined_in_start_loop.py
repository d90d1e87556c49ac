"""# joined-in-start-loop (CNC322)

## What it finds

A loop that starts a thread or process in each round and joins it in the same round, with nothing done in between.

## Why it matters

Each round waits for its worker, so that no two of them ever run at the same time. The loop takes as long as it would
without threads, and somewhat longer.

## Bad

```python
import threading


def fetch_all(urls, fetch):
    for url in urls:
        thread = threading.Thread(target=fetch, args=(url,))
        thread.start()
        thread.join()
```

## Good

```python
import threading


def fetch_all(urls, fetch):
    threads = [threading.Thread(target=fetch, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## When it stays silent

- The loop does other work between `start()` and `join()`.
- The worker is there to be watched: `join()` has a timeout, or the code asks for `exitcode` or `is_alive()`.
- A round may be the last one, so that the next is not to be started before: it has a `break`, `return`, `raise` or
  `assert`.
- `while` loops, which start a worker again whenever it has ended, and loops of one round.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_starts.in_turn():
        kind = found.worker.kind
        plural = "processes" if kind == "process" else "threads"
        message = (
            f"{kind} `{module.text(found.receiver)}` is joined in the round of the loop that starts it (line "
            f"{module.line(found.start)}): the {plural} run one after the other, never at the same time"
        )
        yield Report(found.join, message)


RULE = Rule(
    code="CNC322",
    name="joined-in-start-loop",
    summary="Each worker of a loop is joined before the next one is started",
    severity=Severity.WARNING,
    check=check,
)

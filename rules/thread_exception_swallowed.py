"""# thread-exception-swallowed (CNC302)

## What it finds

In code that runs in a thread, process, pool task or done-callback: an `except Exception`, `except BaseException` or
bare `except` (or `contextlib.suppress(Exception)`) that neither logs, re-raises, records nor passes on what it caught.
`pass`, `continue`, `return`, sleeping and tidying up are no passing on.

## Why it matters

A thread has no caller to notice that something went wrong. When its own handler drops the exception too, the work is
simply not done, at exit status 0 and without a line in any log.

## Bad

```python
import threading


def worker(jobs, results):
    for job in jobs:
        try:
            results.append(job.run())
        except Exception:
            pass


def start(jobs, results):
    thread = threading.Thread(target=worker, args=(jobs, results))
    thread.start()
    return thread
```

## Good

```python
import logging
import threading

log = logging.getLogger(__name__)


def worker(jobs, results):
    for job in jobs:
        try:
            results.append(job.run())
        except Exception:
            log.exception("job %s failed", job)


def start(jobs, results):
    thread = threading.Thread(target=worker, args=(jobs, results))
    thread.start()
    return thread
```

## When it stays silent

- The handler names particular exceptions.
- It logs, counts, sets an event, calls a callback, assigns something, or uses the exception in any way.
- A pool task that returns something else than `None` instead.
- What is tried only tidies up (`close()`, `shutdown()` ...), only waits on a queue, or sets a flag when it succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    results = {found.node for found in module.facts.dropped_results.dropped}  # CNC506 says it
    for found in module.facts.swallowing.swallowed():
        if found.node in results:
            continue
        entry = found.entry
        runs = {"thread": "a thread", "process": "a process", "pool task": "a pool task"}.get(entry.place, "a callback")
        name = "a lambda" if found.function.is_lambda else f"`{found.function.name}`"
        message = (
            f"every exception of this code is dropped here; {name} runs in {runs} (line {module.line(entry.site)}), "
            "where nobody else will see it either"
        )
        yield Report(found.node, message, (Step(entry.site, f"`{entry.function.name}` is made to run in {runs}"),))


RULE = Rule(
    code="CNC302",
    name="thread-exception-swallowed",
    summary="Code that runs in a thread drops every exception",
    severity=Severity.WARNING,
    check=check,
)

"""# result-swallowed (CNC506)

## What it finds

`future.result()`, or `get()` of an `AsyncResult`, under a handler that catches everything and does nothing with it.

## Why it matters

What a task raised is kept in its future, without a word, until somebody asks. `result()` is where it comes out, and
often the only place: a handler there that drops it makes every failure of the task invisible.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor, as_completed


def load_all(paths, load):
    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(load, path) for path in paths]
        for future in as_completed(futures):
            try:
                future.result()
            except Exception:
                pass
```

## Good

```python
import logging
from concurrent.futures import ThreadPoolExecutor, as_completed


def load_all(paths, load):
    with ThreadPoolExecutor() as executor:
        futures = {executor.submit(load, path): path for path in paths}
        for future in as_completed(futures):
            try:
                future.result()
            except Exception:
                logging.exception("cannot load %s", futures[future])
```

## When it stays silent

- The handler logs, counts, assigns, returns a value, calls something or raises; or an `else:` says that all went
  well.
- It catches only some classes, as `CancelledError` or `TimeoutError`.
- The future is cancelled in the same function, or asked for its exception elsewhere.
- The result only replaces a default.
- Code that tidies up: `finally`, `except`, `close()`, `stop()`, `__exit__()` ...
- The task is a function of this file that handles its own exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.dropped_results.dropped:
        task = "the task" if found.task is None else f"`{module.text(found.task)}`"
        call = module.text(found.asked.call)
        message = f"the handler drops what `{call}` raises: an exception of {task} ends here, and nobody learns of it"
        yield Report(found.node, message, (Step(found.asked.call, "the exception of the task comes out here"),))


RULE = Rule(
    code="CNC506",
    name="result-swallowed",
    summary="A handler round result() drops the exception of the task",
    severity=Severity.ERROR,
    check=check,
)

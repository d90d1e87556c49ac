"""# waited-not-checked (CNC504)

## What it finds

Futures that are given to `concurrent.futures.wait()` or `as_completed()`, and that nobody asks for `result()` or
`exception()`, there or elsewhere.

## Why it matters

Neither of the two raises what a task raised, `return_when=FIRST_EXCEPTION` included: a task that failed is done like
any other. Its exception stays in a future that nobody reads, and the program goes on as if all had worked.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor, wait


def load_all(paths, load):
    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(load, path) for path in paths]
        wait(futures)
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor, wait


def load_all(paths, load):
    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(load, path) for path in paths]
        done, _ = wait(futures)
        for future in done:
            future.result()
```

## When it stays silent

- The futures, or those that `wait()` says are done, are asked for their outcome, returned, passed on, or kept where
  other code asks them.
- A done-callback looks at the exception (one from another file is trusted).
- The tasks are functions of this file that handle their own exceptions.
- The futures come from a caller, who may ask them.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.futures.waited_only():
        task = "a task" if found.task is None else f"`{module.text(found.task)}`"
        message = (
            f"{found.function}() raises nothing, and nobody asks the futures: an exception of {task} is lost "
            "and the program goes on as if it had worked"
        )
        yield Report(found.wait, message, (Step(found.made, "the future is made here"),))


RULE = Rule(
    code="CNC504",
    name="waited-not-checked",
    summary="Futures are waited for, and nobody asks for their exceptions",
    severity=Severity.ERROR,
    check=check,
)

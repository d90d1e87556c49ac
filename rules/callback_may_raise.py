"""# callback-may-raise (CNC508)

## What it finds

`future.result()` or `future.exception()` in a done-callback, with neither a look at `cancelled()` nor a handler.

## Why it matters

`result()` raises in the callback what the task raised, and both raise `CancelledError` when it was cancelled. Nobody
catches what a callback raises: it is only logged, and what the callback was still to do is not done, so that whoever
waits for it waits for ever. A `SystemExit` of the task ends the worker thread of the executor, too.

## Bad

```python
import asyncio

results = []


def keep(task):
    if task.exception() is None:
        results.append(task.result())


async def start(load):
    task = asyncio.create_task(load())
    task.add_done_callback(keep)
    return await task
```

## Good

```python
import asyncio

results = []


def keep(task):
    if not task.cancelled() and task.exception() is None:
        results.append(task.result())


async def start(load):
    task = asyncio.create_task(load())
    task.add_done_callback(keep)
    return await task
```

## When it stays silent

- The callback asks `cancelled()`, or a handler stands round the call; for `result()`, also where it asks
  `exception()`.
- All that the callback does with `result()` is to raise, at its end: so that the error is logged.
- `exception()` of an executor's future that nothing in the file cancels.
- The task is a function of this file that handles its own exceptions.
- The type of the future is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.done_callbacks.raising():
        call = module.text(found.call)
        if found.method == "exception":
            what = "CancelledError when the task was cancelled"
        elif found.task is None:
            what = "what the task raised"
        else:
            what = f"what `{module.text(found.task)}` raised"
        logs = "the event loop" if found.callback.future.type.api == "asyncio" else "concurrent.futures"
        message = f"`{call}` raises {what}: {logs} only logs it, and the rest of this callback is not run"
        yield Report(found.call, message, (Step(found.callback.site, "the callback is added here"),))


RULE = Rule(
    code="CNC508",
    name="callback-may-raise",
    summary="A done-callback asks for a result that may raise, and catches nothing",
    severity=Severity.WARNING,
    check=check,
)

"""# wrong-exception-class (CNC507)

## What it finds

A handler for an exception that has the right name and is another class than the one raised under it:

- `TimeoutError` round `AsyncResult.get(timeout)`, which raises `multiprocessing.TimeoutError`, in all versions;
- `TimeoutError` round `Future.result(timeout)` or `asyncio.wait_for()` in code that also runs below Python 3.11,
  where `concurrent.futures` and `asyncio` have classes of their own;
- `asyncio.CancelledError` round futures of `concurrent.futures`, and the reverse;
- `queue.Empty` or `queue.Full` round asyncio's queues, and `asyncio.QueueEmpty` or `asyncio.QueueFull` round the
  others.

## Why it matters

The handler looks right and is never entered. When the time is up, or the task is cancelled, the exception goes past
it to whoever calls, which no test shows that does not wait for it.

## Bad

```python
import multiprocessing


def answer(pool: multiprocessing.Pool, work):
    result = pool.apply_async(work)
    try:
        return result.get(timeout=5)
    except TimeoutError:
        return None
```

## Good

```python
import multiprocessing


def answer(pool: multiprocessing.Pool, work):
    result = pool.apply_async(work)
    try:
        return result.get(timeout=5)
    except multiprocessing.TimeoutError:
        return None
```

## When it stays silent

- A handler there names the right class too, alone or in a tuple.
- The project's `requires-python` (or `--target-version`) leaves only versions in which the classes are one.
- Something else under the handler may raise what it names, and another handler catches everything.
- The call has no timeout, or the class of a handler is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.wrong_handlers.found():
        raiser = found.raiser
        call, named = module.text(raiser.node), module.text(found.named)
        passes = "the exception goes past this handler"
        if raiser.waits:
            message = f"`{call}` waits and never raises {named}: this handler is not entered"
        elif found.until is not None:
            version = ".".join(map(str, found.until))
            message = f"below Python {version} `{call}` raises {found.right}, another class than {named}: {passes}"
        else:
            message = f"`{call}` raises {found.right}, which is no {named}: {passes}"
        yield Report(found.named, message, (Step(raiser.node, f"raises {found.right}"),))


RULE = Rule(
    code="CNC507",
    name="wrong-exception-class",
    summary="A handler names another class than the one that is raised under it",
    severity=Severity.ERROR,
    check=check,
)

"""# future-dropped (CNC501)

## What it finds

The result of `submit()`, `apply_async()`, `map_async()`, `starmap_async()`, `run_coroutine_threadsafe()` or
`run_in_executor()` that is thrown away, kept where nobody calls `result()`, `exception()` or `get()` on it, or
overwritten by the next one in a loop.

## Why it matters

The exception of the task is stored in that result and nowhere else: no log, no warning, in any version of Python
(asyncio alone logs one, when the garbage collector finds it). The program goes on as if the task had worked.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor


def fetch_all(urls, fetch):
    with ThreadPoolExecutor() as executor:
        for url in urls:
            executor.submit(fetch, url)
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor, as_completed


def fetch_all(urls, fetch):
    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(fetch, url) for url in urls]
        for future in as_completed(futures):
            future.result()
```

## When it stays silent

- The result is read, awaited, returned, passed on, or waited for with others.
- `error_callback=`, or a done-callback that looks at the exception (one from another file is trusted).
- The task is a function of this file that handles its own exceptions.
- The object's type is not known: `task.apply_async()` of a task queue is not a `Pool`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

_STATES = {
    "dropped": "is thrown away",
    "unread": "is kept, but nobody asks it for the outcome",
    "overwritten": "is overwritten by the next one before anybody asks it for the outcome",
}


def check(module: ModuleContext) -> Iterator[Report]:
    for lost in module.facts.lives.lost_results():
        if lost.call in module.facts.pools.cut_off:
            continue  # it may not even run: pool-terminated-early
        task = "the task" if lost.task is None else f"`{module.text(lost.task)}`"
        message = (
            f"the result of {lost.method}() {_STATES[lost.how]}: an exception of {task} is stored in it "
            "and never seen; the program goes on as if it had worked"
        )
        yield Report(lost.call, message)


RULE = Rule(
    code="CNC501",
    name="future-dropped",
    summary="Nobody reads the result of an asynchronous call, so its exception is lost",
    severity=Severity.ERROR,
    check=check,
)

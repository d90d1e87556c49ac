"""# map-not-consumed (CNC502)

## What it finds

The iterator that `executor.map()`, `pool.imap()` or `pool.imap_unordered()` returns, from which nobody takes
anything.

## Why it matters

The calls run, but what they raise comes out of that iterator and nowhere else. Nobody takes from it, so every
exception is lost, and the program goes on as if all calls had worked. In `with multiprocessing.Pool()` even the calls
are lost: the block does not wait for them, its end terminates the pool.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor


def save_all(rows, save):
    with ThreadPoolExecutor() as executor:
        executor.map(save, rows)
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor


def save_all(rows, save):
    with ThreadPoolExecutor() as executor:
        for _ in executor.map(save, rows):
            pass
```

## When it stays silent

- Something iterates over the result, here or later, or takes one item of it.
- The iterator is returned, passed on, or stored for code in another file.
- The calls run a function of this file that handles its own exceptions.
- `map()` and `starmap()` of a `Pool`, which wait and raise themselves.
- The object's type is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.futures.unread_maps():
        if found.call in module.facts.pools.cut_off:
            continue  # it may not even run: pool-terminated-early
        task = "the calls" if found.task is None else f"`{module.text(found.task)}`"
        if found.ends_early:
            message = (
                f"nobody takes a result from {found.method}(): the end of the `with` terminates the pool while {task} "
                "may still run, and every exception is lost"
            )
        else:
            message = (
                f"nobody takes a result from {found.method}(): an exception of {task} is lost "
                "and the program goes on as if it had worked"
            )
        yield Report(found.call, message)


RULE = Rule(
    code="CNC502",
    name="map-not-consumed",
    summary="Nobody takes the results of a map(), so its exceptions are lost",
    severity=Severity.ERROR,
    check=check,
)

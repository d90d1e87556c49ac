"""# pool-terminated-early (CNC404)

## What it finds

`apply_async()`, `map_async()`, `starmap_async()`, `imap()` or `imap_unordered()` inside `with Pool() as pool:`
where nobody waits for the results before the `with` is left.

## Why it matters

Leaving the `with` of a pool terminates it: other than an executor's, it waits for nothing. Work that is not done is
killed or never begun, without an exception anywhere, and a `get()` that comes after the `with` waits forever. Where the
machine is fast it works; where it is busy it does not.

## Bad

```python
import multiprocessing


def save_all(pages, save):
    with multiprocessing.Pool(4) as pool:
        for page in pages:
            pool.apply_async(save, (page,))
```

```python
import multiprocessing


def load_all(paths, load):
    with multiprocessing.Pool(4) as pool:
        results = pool.imap(load, paths)
    return list(results)
```

## Good

```python
import multiprocessing


def save_all(pages, save):
    with multiprocessing.Pool(4) as pool:
        results = [pool.apply_async(save, (page,)) for page in pages]
        for result in results:
            result.get()
```

```python
import multiprocessing


def load_all(paths, load):
    with multiprocessing.Pool(4) as pool:
        return list(pool.imap(load, paths))
```

## When it stays silent

- The pool is closed and joined inside the `with`.
- The result is waited for, iterated over or passed on inside the `with`.
- Something else is waited for between the call and the end of the `with`: a queue, an event, another result.
- The pool is passed to other code, which may join it.
- The `with` is never left, other than by an exception.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for cut in module.facts.pools.cut_off.values():
        steps = [Step(cut.item, "leaving this `with` terminates the pool")]
        consequence = "what is not done by then is killed"
        if cut.use is not None:
            steps.append(Step(cut.use, "the result is only asked for here"))
            consequence += ", and its result never comes"
        message = f"the `with` of the pool ends without waiting for {cut.method}(); {consequence}"
        yield Report(cut.call, message, steps)


RULE = Rule(
    code="CNC404",
    name="pool-terminated-early",
    summary="The `with` of a pool is left, which terminates it, before its asynchronous work is done",
    severity=Severity.ERROR,
    check=check,
)

"""# pool-not-closed (CNC403)

## What it finds

A `multiprocessing` `Pool` or `ThreadPool` that stands in no `with` statement and that nothing closes or terminates; and
a `join()` that is reached while the pool is still open.

## Why it matters

A pool has workers and three threads of its own. Unless it is closed or terminated, they live until the garbage
collector finds the pool, which may be never, or when the interpreter is half gone: the documentation warns that the
program can then hang at its end. `join()` on an open pool raises `ValueError: Pool is still running`.

## Bad

```python
import multiprocessing


def load_all(paths, load):
    pool = multiprocessing.Pool(4)
    return pool.map(load, paths)
```

```python
import multiprocessing


def load_all(paths, load):
    with multiprocessing.Pool(4) as pool:
        loaded = pool.map(load, paths)
        pool.join()
    return loaded
```

## Good

```python
import multiprocessing


def load_all(paths, load):
    with multiprocessing.Pool(4) as pool:
        return pool.map(load, paths)
```

```python
import multiprocessing


def load_all(paths, load):
    pool = multiprocessing.Pool(4)
    try:
        return pool.map(load, paths)
    finally:
        pool.close()
        pool.join()
```

## When it stays silent

- `close()` or `terminate()` is called somewhere, or the pool is given to `contextlib.closing` or an `ExitStack`.
- The pool is passed to other code, returned, or stored where this file cannot follow it.
- It is an attribute of an object whose class has a base in another file.
- It is a variable of the module or of a class: it lives as long as the program, which terminates it at its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for pool in module.facts.pools.unclosed():
        name = "the pool" if pool.home is None else f"`{module.text(pool.home)}`"
        if pool.join is not None:
            message = f"{name} is still open here; join() raises ValueError unless close() or terminate() came before"
            yield Report(pool.join, message, (Step(pool.made, "the pool is made here"),))
            continue
        message = (
            f"nothing closes or terminates {name}; its workers live until the garbage collector finds it, "
            "and the program may hang when it ends"
        )
        yield Report(pool.made, message)


RULE = Rule(
    code="CNC403",
    name="pool-not-closed",
    summary="A multiprocessing pool that is never closed, or joined before it is",
    severity=Severity.WARNING,
    check=check,
)

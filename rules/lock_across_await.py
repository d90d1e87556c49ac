"""# lock-across-await (CNC110)

## What it finds

A lock of `threading` or `multiprocessing` that a coroutine holds over an `await`, `async with`, `async for` or, in an
asynchronous generator, `yield`.

## Why it matters

While the coroutine is suspended the event loop runs other tasks in the same thread. The first of them that wants the
lock blocks the thread, so that nobody can resume the one that holds it: the whole loop stands still forever. An `RLock`
is worse in another way: it lets the other task in, since it is the same thread.

## Bad

```python
import threading

lock = threading.Lock()


async def store(connection, row):
    with lock:
        await connection.insert(row)
```

## Good

```python
import asyncio

lock = asyncio.Lock()


async def store(connection, row):
    async with lock:
        await connection.insert(row)
```

## When it stays silent

- The lock is released before the coroutine is suspended.
- asyncio's own locks, and locks whose type is not known.
- A lock that everybody only tries, without waiting for it.
- Plain generators: yield-while-locked (CNC112).
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for section, event, lets_in in module.facts.suspensions.of_coroutines():
        name = module.text(module.facts.lock_name(section))
        if lets_in:
            end = "other tasks of this thread get it all the same, and other threads wait for all of them"
        else:
            end = "the next task that wants the lock stops the event loop forever"
        message = f"the coroutine is suspended here with `{name}` held since line {module.line(section.site)}: {end}"
        yield Report(event, message, section.path(event, name, "suspended, and other tasks run in this thread"))


RULE = Rule(
    code="CNC110",
    name="lock-across-await",
    summary="A lock of threads or processes held over an await",
    severity=Severity.ERROR,
    check=check,
)

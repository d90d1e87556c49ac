"""# lock-decorates-generator (CNC117)

## What it finds

A generator or `async def` under a decorator that holds a lock while the function is called: a `@contextmanager` that
takes a lock, used as `@locked()`, a ContextDecorator that takes one in `__enter__`, or a wrapper of this file that says
`with lock: return function(...)`.

## Why it matters

Calling a generator or coroutine function runs nothing of its body, it only makes the generator. The lock is released
when that is made, before the first item: the body runs unprotected. (From Python 3.15 on, context managers used as
decorators stay open while such a body runs; wrappers written by hand do not.)

## Bad

```python
import contextlib
import threading

lock = threading.Lock()


@contextlib.contextmanager
def locked():
    with lock:
        yield


@locked()
def rows(table):
    for row in table:
        yield row
```

## Good

```python
import contextlib
import threading

lock = threading.Lock()


@contextlib.contextmanager
def locked():
    with lock:
        yield


@locked()
def rows(table):
    return list(table)
```

## When it stays silent

- `@asynccontextmanager` on a coroutine, which is awaited while the lock is held.
- Decorators that look at what kind of function they are given, or run the coroutine or generator themselves, and
  those that stand above one that might.
- Decorators from other files.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for unguarded in module.facts.lock_decorators.each():
        lock = module.text(unguarded.lock)
        function = unguarded.function
        what = "the generator gives its first item" if function.is_generator else "the coroutine's body runs"
        message = f"this holds `{lock}` only while `{function.name}()` is called, and releases it before {what}"
        yield Report(unguarded.decorator, message)


RULE = Rule(
    code="CNC117",
    name="lock-decorates-generator",
    summary="A decorator's lock is released before the generator or coroutine it decorates runs",
    severity=Severity.ERROR,
    check=check,
)

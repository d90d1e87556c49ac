"""# lock-misused (CNC115)

## What it finds

Lines about a lock that cannot mean what they say:

- `with lock.acquire():`. The result is a `bool`, which is no context manager: TypeError, with the lock held.
- `lock.acquire` or `lock.release` as a statement, without the parentheses: nothing happens.
- `if lock:`, `while not lock:`, `assert lock`, `if lock.locked:` on what is always a lock: always true.
- `lock.acquire(False, timeout=1)`: ValueError.
- `acquire(blocking=False)` of a multiprocessing lock, which calls it `block`, or any argument for an asyncio lock,
  which takes none: TypeError.

## Why it matters

Two of these raise where a lock was to be taken, one of them after taking it; the others run on without it, in silence.

## Bad

```python
import threading

lock = threading.Lock()


def update(state, value):
    with lock.acquire():
        state["value"] = value
```

```python
import multiprocessing

lock = multiprocessing.Lock()


def try_update(state, value):
    if lock.acquire(blocking=False):
        try:
            state["value"] = value
        finally:
            lock.release()
```

## Good

```python
import threading

lock = threading.Lock()


def update(state, value):
    with lock:
        state["value"] = value
```

## When it stays silent

- Something other than a lock of the standard library may be bound to the name; for `if lock:` also `None`.
- `if lock: lock.acquire()` and the like, which mean "if there is a lock".
- `lock.acquire` in a `try` that finds out whether there is such a method.
- Locks of managers, which take `blocking=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.lock_misuse import Misused

_WORDS = {
    "entered": "`{call}` gives a bool, which `with` cannot enter: it raises, and `{name}` stays locked",
    "coroutine entered": "`{call}` makes a coroutine, which `with` cannot enter: it raises, and `{name}` is not taken",
    "method entered": "`{name}.{detail}` is not called, and `with` cannot enter a method: it raises",
    "not called": "`{name}.{detail}` is not called: the line does nothing",
    "method tested": "`{name}.{detail}` is not called, and a method is always true",
    "lock tested": "`{name}` is a lock, and a lock is always true, taken or free",
    "no such argument": "acquire() of `{name}`, a lock of {api}, takes no `{detail}=`: it raises TypeError",
    "too many arguments": "acquire() of `{name}`, a lock of {api}, takes fewer arguments: it raises TypeError",
    "timeout of non-blocking": "a non-blocking acquire() takes no timeout: this raises ValueError",
}


def check(module: ModuleContext) -> Iterator[Report]:
    for misused in module.facts.lock_misuse.each():
        yield Report(misused.node, _message(module, misused))


def _message(module: ModuleContext, misused: Misused) -> str:
    api = "" if misused.lock is None else misused.lock.type.api
    words = _WORDS[misused.how.value]
    return words.format(
        name=module.text(misused.receiver), call=module.text(misused.node), detail=misused.detail, api=api
    )


RULE = Rule(
    code="CNC115",
    name="lock-misused",
    summary="A lock is entered, tested or called in a way that raises or does nothing",
    severity=Severity.ERROR,
    check=check,
)

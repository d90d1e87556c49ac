"""# barrier-party-may-die (CNC207)

## What it finds

A function run by a thread, process or pool that calls `barrier.wait()` after a step that is likely to raise, where
neither a handler nor a `finally` calls `barrier.abort()`, and no timeout frees the others. The path is shown.

## Why it matters

A barrier opens when all its parties are there. A party that fails on its way never comes, and the others wait for ever:
the program hangs because of an exception that was printed long before.

## Bad

```python
import threading

barrier = threading.Barrier(2)


def party(load):
    data = load()
    barrier.wait()
    data.use()


def run(load):
    threads = [threading.Thread(target=party, args=(load,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## Good

```python
import threading

barrier = threading.Barrier(2)


def party(load):
    try:
        data = load()
    except BaseException:
        barrier.abort()
        raise
    barrier.wait()
    data.use()


def run(load):
    threads = [threading.Thread(target=party, args=(load,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## When it stays silent

- The barrier has a timeout, or some party waits with one: it breaks, and everybody learns of it.
- `abort()` is called on the path of the exception.
- The barrier is passed to code in another file, which may abort it.
- Nothing that is likely to raise stands before the `wait()`.

## Why it is not on by default

Most barriers stand in tests and benchmarks, where an exception ends the run anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.barriers.deserted():
        name = module.text(found.receiver)
        raiser = found.path.raiser
        cause = "an exception"
        if raiser is not None:
            cause = f"{module.facts.what_raises(raiser)} (line {module.line(raiser)})"
        message = f"{cause} keeps this party from `{name}`, and nothing aborts it; the others wait forever"
        yield Report(found.wait, message, found.path.tell("", f"`{name}` has not been reached"))


RULE = Rule(
    code="CNC207",
    name="barrier-party-may-die",
    summary="A worker may fail before the barrier that others wait at",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

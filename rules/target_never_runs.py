"""# target-never-runs (CNC315)

## What it finds

An `async def` or a generator function given to a Thread, Timer, Process, executor or pool, `run_in_executor()`,
`to_thread()` or a callback, and an `async def run` in a Thread or Process class.

## Why it matters

Calling such a function runs nothing of its body: the call makes a coroutine or a generator, and the thread, which knows
nothing of either, drops it. The thread ends at once, without an error; of a coroutine there may be a RuntimeWarning
that it was never awaited.

## Bad

```python
import threading


async def poll(queue):
    queue.append(1)


def run(queue):
    thread = threading.Thread(target=poll, args=(queue,))
    thread.start()
    thread.join()
```

## Good

```python
import asyncio
import threading


async def poll(queue):
    queue.append(1)


def run(queue):
    thread = threading.Thread(target=lambda: asyncio.run(poll(queue)))
    thread.start()
    thread.join()
```

## When it stays silent

- The function is decorated: the decorator may run it.
- The result of the task is looked at, or handed on: who gets the coroutine or generator may run it. So for `map()`.
- The class has a `start()` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for idle in module.facts.handed.idle():
        function = idle.function
        if function.is_lambda:
            what = f"`{module.text(idle.node)}` only makes a coroutine or generator"
        elif function.is_generator:
            what = f"`{function.name}` is a generator function: calling it only makes a generator"
        else:
            what = f"`{function.name}` is a coroutine function: calling it only makes a coroutine"
        message = f"{what}, and its body never runs in the {idle.place}"
        steps = () if idle.subclass is not None else (Step(function, "the body that is never run"),)
        yield Report(idle.node, message, steps)


RULE = Rule(
    code="CNC315",
    name="target-never-runs",
    summary="A coroutine or generator function given to a thread, process or pool",
    severity=Severity.ERROR,
    check=check,
)

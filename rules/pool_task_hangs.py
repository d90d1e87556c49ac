"""# pool-task-hangs (CNC414)

## What it finds

`sys.exit()` or `raise SystemExit` in a task, initializer or callback of a `multiprocessing.Pool` or ThreadPool,
`os._exit()` in a task of a Pool, and in a `callback=` or `error_callback=` any `raise` that leaves it.

## Why it matters

A worker of a Pool sends back what its task returns, or the Exception that it raises. SystemExit is no Exception: the
worker ends without an answer, and whoever waits for it, in `get()`, `map()` or `join()`, waits forever. The callbacks
run in the one thread that takes in all answers. What they raise ends it, and from then on nothing that was asked of the
pool is ever answered: an `error_callback` that raises the error again hangs the program instead of stopping it.

## Bad

```python
import multiprocessing


def on_error(error):
    raise error


def convert_all(convert, paths):
    with multiprocessing.Pool() as pool:
        results = [pool.apply_async(convert, (path,), error_callback=on_error) for path in paths]
        return [result.get() for result in results]
```

## Good

```python
import multiprocessing


def convert_all(convert, paths):
    with multiprocessing.Pool() as pool:
        results = [pool.apply_async(convert, (path,)) for path in paths]
        return [result.get() for result in results]
```

`get()` raises the exception of the task where it can be dealt with.

## When it stays silent

- Tasks of a ThreadPoolExecutor or ProcessPoolExecutor: those store SystemExit too, and `result()` raises it.
- Exits that the task's own code catches.
- Other exceptions in a task: `get()` raises them.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.exits.in_pools():
        text = module.text(found.node)
        line = module.line(found.at.site)
        if found.at.place == "pool callback":
            message = (
                f"`{text}` leaves a callback (line {line}) and ends the thread that takes in the pool's answers: "
                "every `get()` and `join()` after it waits forever"
            )
        elif found.at.place == "initializer":
            message = (
                f"`{text}` ends each worker of the pool (line {line}) before its first task, and a new one is started "
                "in its place, over and over: whoever waits for a task waits forever"
            )
        else:
            message = (
                f"`{text}` ends a worker of the pool before it answers: whoever waits for the task (line {line}) "
                "waits forever"
            )
        steps = [Step(found.at.site, f"by way of `{found.at.api}`")]
        steps += [] if found.reach is None else found.reach.tell()
        yield Report(found.node, message, (*steps, Step(found.exit, "leaves the worker's code")))


RULE = Rule(
    code="CNC414",
    name="pool-task-hangs",
    summary="A task or callback of a multiprocessing Pool ends what should answer",
    severity=Severity.ERROR,
    check=check,
)

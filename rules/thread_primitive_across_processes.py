"""# thread-primitive-across-processes (CNC410)

## What it finds

A lock, event, condition, semaphore or barrier of `threading`, or a queue of `queue`, among the arguments of a
`Process`, of a pool's initializer, or of a task of a `Pool` or `ProcessPoolExecutor`; and one that the `__init__` of a
`Process` subclass keeps on `self`.

## Why it matters

Threads share memory, processes do not. A forked process gets a copy of the object: setting the event, taking the lock
or putting into the queue on one side is never seen on the other. Where the object has to be pickled (spawn, forkserver,
every task of a pool), that fails: `TypeError: cannot pickle '_thread.lock' object`.

## Bad

```python
import multiprocessing
import queue


def work(results):
    results.put(42)


if __name__ == "__main__":
    results = queue.Queue()
    process = multiprocessing.Process(target=work, args=(results,))
    process.start()
    print(results.get())
    process.join()
```

## Good

```python
import multiprocessing


def work(results):
    results.put(42)


if __name__ == "__main__":
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(results,))
    process.start()
    print(results.get())
    process.join()
```

## When it stays silent

- The same names of `multiprocessing`, and a manager's.
- `multiprocessing.dummy` and `ThreadPool`, which run threads.
- The object or the worker may be of another kind, depending on a condition.
- The object is a parameter, which each caller chooses.
- A `Process` subclass with `__getstate__` or the like; under fork, also one where only `run()` uses the object.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.pickling.unshared():
        made = found.instance.made_at
        copied = "a forked process gets a copy, cut off from this one" if found.may_be_copied else ""
        pickled = "pickling it raises TypeError"
        if found.fails:
            pickled += f", so that the call {found.fails}"
        elif copied:
            pickled = "under spawn and forkserver " + pickled
        effects = "; ".join(part for part in (copied, pickled if found.may_fail else "") if part)
        name = f"`{module.text(found.expr)}`, a `{found.instance.type.name}`,"
        message = f"{name} is not shared with other processes: {effects}"
        yield Report(found.expr, message, [] if made is None else [Step(made, "made here")])
    for kept in module.facts.process_attributes.kept():
        effects = (
            "a forked child has a copy, cut off from the one that the other methods use" if kept.both_sides else ""
        )
        if kept.may_fail:
            effects += "; " if effects else ""
            effects += "under spawn and forkserver start() raises TypeError, since it cannot be pickled"
        name = f"`{module.text(kept.target)}`, a `{kept.instance.type.name}`,"
        yield Report(kept.target, f"{name} is not shared with the child process: {effects}")


RULE = Rule(
    code="CNC410",
    name="thread-primitive-across-processes",
    summary="A lock, event or queue of threads is given to another process",
    severity=Severity.ERROR,
    check=check,
)

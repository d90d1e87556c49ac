"""# terminate-with-shared-state (CNC412)

## What it finds

`terminate()` or `kill()` of a process that was given a multiprocessing lock, queue or `Value` which others go on using.

## Why it matters

The process stops wherever it is. A lock that it holds is never released, and everybody who acquires it waits for ever.
A queue may be left with half an item in its pipe, or with its lock taken: its readers hang, or get nonsense.

## Bad

```python
import multiprocessing


def collect(work, seconds):
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(results,))
    process.start()
    process.join(seconds)
    process.terminate()
    process.join()
    return results.get()
```

## Good

```python
import multiprocessing


def collect(work):
    results = multiprocessing.Queue()
    stop = multiprocessing.Event()
    process = multiprocessing.Process(target=work, args=(results, stop))
    process.start()
    item = results.get()
    stop.set()
    process.join()
    return item
```

## When it stays silent

- What is shared is a local variable that nothing uses after the call: it is given up together with the process.
- Objects of a manager, which live in its own process.
- Events and pipes alone.

## Why it is not on by default

As the last resort, for a process that does not answer, it is right, and whether others need what it held is not
always in sight.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.terminations.of_sharing():
        name = module.text(found.shared)
        if found.is_queue:
            effect = f"`{name}` may be left locked, or with half an item in it; who uses it next hangs"
        else:
            effect = f"if it holds the lock of `{name}` at that moment, nobody else ever gets it"
        message = f"this stops the process wherever it is: {effect}"
        yield Report(found.call, message, (Step(found.worker.call, f"the process is given `{name}`"),))


RULE = Rule(
    code="CNC412",
    name="terminate-with-shared-state",
    summary="A process that shares a lock or queue is stopped by force",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

"""# wrong-lock (CNC120)

## What it finds

An attribute that one function changes under one lock of the object, while all the others that hold any touch it under
another one.

## Why it matters

Two locks do not exclude each other: both changes may happen at the same time, as if there were no lock at all. Most
often the name of the lock was copied from the function beside.

## Bad

```python
import threading


class Scheduler:
    def __init__(self):
        self._jobs = {}
        self._jobs_lock = threading.Lock()
        self._workers = {}
        self._workers_lock = threading.Lock()

    def add_job(self, name, job):
        with self._jobs_lock:
            self._jobs[name] = job

    def add_worker(self, name, worker):
        with self._workers_lock:
            if name not in self._workers:
                self._workers[name] = worker

    def start(self):
        with self._workers_lock:
            for worker in self._workers.values():
                worker.start()

    def remove_worker(self, name):
        with self._jobs_lock:
            del self._workers[name]
```

## Good

```python
import threading


class Scheduler:
    def __init__(self):
        self._jobs = {}
        self._jobs_lock = threading.Lock()
        self._workers = {}
        self._workers_lock = threading.Lock()

    def add_job(self, name, job):
        with self._jobs_lock:
            self._jobs[name] = job

    def add_worker(self, name, worker):
        with self._workers_lock:
            if name not in self._workers:
                self._workers[name] = worker

    def start(self):
        with self._workers_lock:
            for worker in self._workers.values():
                worker.start()

    def remove_worker(self, name):
        with self._workers_lock:
            del self._workers[name]
```

## When it stays silent

- The attribute is only read there, or touched under both locks.
- Fewer than three other uses, in two functions, tell which lock is its own; those under no lock tell nothing.
- Two functions and more do it the other way, or nothing else is done under the lock that is held.
- Locks taken by `acquire()`, and what a helper holds for the code that calls it.
- Constructors, and private methods that only they call: nobody else has the object yet.
- Methods of what is no list, dict or other container: an `Event` can be cleared under any lock.

## Why it is not on by default

Which lock guards an attribute is counted, not known. Where the other code does not run at the same time, for example
because its thread is joined before, another lock does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.wrong_locks():
        name, held, guard = (module.text(each) for each in (found.node, found.held, found.guard))
        message = (
            f"`{name}` is changed under `{held}`, and elsewhere under `{guard}` "
            f"(line {module.line(found.guard)}): the two do not exclude each other"
        )
        steps = (
            Step(found.held, f"`{held}` is acquired"),
            Step(found.node, f"`{name}` is changed"),
            Step(found.guard, f"others acquire `{guard}`"),
        )
        yield Report(found.node, message, steps)


RULE = Rule(
    code="CNC120",
    name="wrong-lock",
    summary="An attribute is changed under another lock than elsewhere",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

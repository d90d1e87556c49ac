"""# atexit-stops-nondaemon (CNC320)

## What it finds

A function registered with `atexit` that alone tells a thread to end (sets its event or flag, puts the last item into
its queue), where the thread is no daemon or belongs to a ThreadPoolExecutor.

## Why it matters

When the main thread is done, Python first joins every thread that is no daemon, and those of executors, and only then
runs what `atexit` holds. The thread waits for a signal that comes after its own end: the program never exits.

## Bad

```python
import atexit
import threading

stopping = threading.Event()


def report(send):
    while not stopping.wait(60):
        send()


def start(send):
    thread = threading.Thread(target=report, args=(send,))
    thread.start()
    atexit.register(stopping.set)
    return thread
```

## Good

```python
import atexit
import threading

stopping = threading.Event()


def report(send):
    while not stopping.wait(60):
        send()


def start(send):
    thread = threading.Thread(target=report, args=(send,), daemon=True)
    thread.start()
    atexit.register(finish, thread)
    return thread


def finish(thread):
    stopping.set()
    thread.join()
```

A daemon thread is not waited for, so the handler runs while it is still at work, and may wait for it.

## When it stays silent

- Daemon threads, and threads that may be daemons.
- Threads that other code of the file stops too, or that end by themselves.
- Handlers that only join: by then the thread has ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.late_stops.found():
        message = (
            f"this exit handler runs only after the thread of line {module.line(found.started)} has ended, which waits "
            "for its signal: the program never exits"
        )
        steps = (
            Step(found.started, "started here, not as a daemon"),
            Step(found.waits, "the thread asks whether it shall end"),
            Step(found.signal.node, "only the exit handler tells it to"),
        )
        yield Report(found.handler.site, message, steps)


RULE = Rule(
    code="CNC320",
    name="atexit-stops-nondaemon",
    summary="An exit handler is to stop a thread that the interpreter joins before it runs exit handlers",
    severity=Severity.ERROR,
    check=check,
)

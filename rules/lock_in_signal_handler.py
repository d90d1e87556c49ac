"""# lock-in-signal-handler (CNC113)

## What it finds

A signal handler that acquires a lock which is not re-entrant and which other code takes too, directly or through the
functions it calls; also one that uses a `queue.Queue`, whose methods hold such a lock.

## Why it matters

Python runs a signal handler in the main thread, between two instructions of whatever that is doing. If it holds the
lock, the handler waits for code that goes on only when the handler is done: the program hangs, at a random moment, in a
signal handler that is often there to shut it down.

## Bad

```python
import signal
import threading

lock = threading.Lock()
state = {"stopping": False}


def stop(signum, frame):
    with lock:
        state["stopping"] = True


def step(work):
    with lock:
        if not state["stopping"]:
            work()


signal.signal(signal.SIGTERM, stop)
```

## Good

```python
import signal
import threading

lock = threading.Lock()
stopping = threading.Event()


def stop(signum, frame):
    stopping.set()


def step(work):
    with lock:
        if not stopping.is_set():
            work()


signal.signal(signal.SIGTERM, stop)
```

`queue.SimpleQueue` is made for this and may be put to from a handler; and with asyncio, `loop.add_signal_handler` calls
its function from the event loop, where nothing is interrupted.

## When it stays silent

- Re-entrant locks, and acquires that do not wait or have a timeout.
- A lock that only the handler takes, or else only code that runs in threads: the handler interrupts neither.
- Files that hold signals back with `signal.pthread_sigmask()`.
- Setting an Event, assigning a flag, raising an exception.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    interrupts = module.facts.interrupts
    for entry, taking, held in interrupts.locks():
        name = module.text(module.facts.lock_name(held))
        line = module.line(held.site)
        message = (
            f"a signal handler acquires `{name}` here: if the signal comes while the main thread holds it "
            f"(line {line}), the handler waits forever for the code that it interrupts"
        )
        steps = [
            Step(entry.site, f"`{entry.function.name}` becomes a signal handler"),
            *(Step(t.site, f"calls `{t.callee.name}`") for t in taking.chain() if t.callee is not None),
            Step(taking.origin.site, f"`{name}` is acquired"),
            Step(held.site, "the code that a signal may interrupt"),
        ]
        yield Report(taking.node, message, steps)
    for entry, use, other in interrupts.queues():
        message = (
            f"a signal handler calls `{module.text(use.node)}()` here, which takes the queue's own lock: if the signal "
            f"comes while the main thread uses the queue (line {module.line(other.where)}), the handler waits forever"
        )
        steps = [
            Step(entry.site, f"`{entry.function.name}` becomes a signal handler"),
            Step(other.where, "the code that a signal may interrupt"),
        ]
        yield Report(use.where, message, steps)


RULE = Rule(
    code="CNC113",
    name="lock-in-signal-handler",
    summary="A signal handler waits for a lock that the interrupted code may hold",
    severity=Severity.ERROR,
    check=check,
)

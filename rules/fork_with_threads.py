"""# fork-with-threads (CNC409)

## What it finds

`os.fork()`, `os.forkpty()`, `pty.fork()` or a process of the fork context, on a path on which a thread was started
before and not joined since.

## Why it matters

The child is a copy of all memory, with one thread: the one that forked. A lock that another thread held at that moment
stays locked in the child for ever, be it in logging, in `print()` or in the C library, and the child hangs when it
needs it. That happens rarely, and only under load. Python 3.12 and later warn of it at run time.

## Bad

```python
import os
import threading


def serve(watch, handle):
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    pid = os.fork()
    if pid == 0:
        handle()
        os._exit(0)
    os.waitpid(pid, 0)
```

## Good

```python
import os
import threading


def serve(watch, handle):
    pid = os.fork()
    if pid == 0:
        handle()
        os._exit(0)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    os.waitpid(pid, 0)
```

## When it stays silent

- All threads were joined, or may have been.
- The child becomes another program (`os.exec*()`).
- The start method is the default, which depends on the platform, or is not known.
- The threads are started by other functions that this one does not call.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for fork in module.facts.forking.with_threads():
        name, line = module.text(fork.call.func), module.line(fork.thread)
        message = (
            f"`{name}()` forks while the thread started on line {line} runs; "
            "a lock that it holds then stays locked in the child for ever"
        )
        yield Report(fork.call, message, (Step(fork.thread, "a thread is started"),))


RULE = Rule(
    code="CNC409",
    name="fork-with-threads",
    summary="A process forks while other threads run",
    severity=Severity.WARNING,
    check=check,
)

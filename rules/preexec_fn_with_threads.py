"""# preexec-fn-with-threads (CNC418)

## What it finds

`preexec_fn=` for a child program, in code that starts threads too.

## Why it matters

The function runs in the child after the fork, where only one thread is left, and before the other program takes over. A
lock that another thread held at the fork stays locked there, also inside Python itself: the child hangs before it has
begun, and `Popen()` hangs with it. The documentation calls `preexec_fn` unsafe beside threads.

## Bad

```python
import os
import subprocess
import threading


def run(command, watch):
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    return subprocess.Popen(command, preexec_fn=os.setsid)
```

## Good

```python
import subprocess
import threading


def run(command, watch):
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    return subprocess.Popen(command, start_new_session=True)
```

## When it stays silent

- The file starts no thread, or only after the child, in the same function.
- `preexec_fn=None`, and a function that may be `None` or comes from the caller.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for fork in module.facts.forking.preexec():
        where = "this code runs in a thread" if fork.in_thread else "a thread is started"
        assert fork.preexec is not None
        message = (
            f"`preexec_fn={module.text(fork.preexec)}` runs between fork and exec, where locks of other threads stay "
            f"locked; the child may hang{module.facts.forking.remedy(fork.preexec)}"
        )
        yield Report(fork.call, message, (Step(fork.thread, where),))


RULE = Rule(
    code="CNC418",
    name="preexec-fn-with-threads",
    summary="preexec_fn is used in a program that starts threads",
    severity=Severity.WARNING,
    check=check,
)

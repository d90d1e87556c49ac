"""# popen-not-waited (CNC417)

## What it finds

A child program started by `Popen()` that nothing waits for, polls, communicates with or is given.

## Why it matters

Its exit status is lost, so a failure goes unseen. Once it has ended it stays in the process table as a zombie for as
long as the program runs, or until `subprocess` happens to look through its leftovers when the next child is started.

## Bad

```python
import subprocess


def notify(text):
    subprocess.Popen(["notify-send", text])
```

## Good

```python
import subprocess


def notify(text):
    subprocess.run(["notify-send", text], check=True)
```

## When it stays silent

- `wait()`, `poll()`, `communicate()`, a `with`.
- The child is returned, passed on, or stored where other files may find it.
- The file waits for children by number (`os.waitpid()`), or sets a handler for `SIGCHLD`.
- `creationflags=`, which exist on Windows only: it has no zombies.
- The program ends right after.

## Why it is not on by default

Programs that start a browser or an editor, and do not care what becomes of it, mean to do so.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.child_ends.not_waited():
        if found.killed:
            yield Report(
                found.child.call,
                "this child is stopped and never waited for; it stays a zombie while the program runs",
            )
        else:
            yield Report(
                found.child.call,
                "nothing waits for this child; its exit status is lost, and it stays a zombie once it has ended",
            )


RULE = Rule(
    code="CNC417",
    name="popen-not-waited",
    summary="A child program is started and never waited for",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

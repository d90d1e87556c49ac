"""# popen-pipe-wait (CNC415)

## What it finds

A child program is started with `stdout=PIPE` or `stderr=PIPE` and waited for (`wait()`, a loop round `poll()`,
`subprocess.call()`) before anybody reads the pipe.

## Why it matters

A pipe holds little: 64 KiB on Linux, less elsewhere. A child that writes more blocks until somebody reads, and the
parent reads nothing until the child has ended: both wait for ever. It works in every test with short output.

## Bad

```python
import subprocess


def log_of(repository):
    child = subprocess.Popen(["git", "log"], cwd=repository, stdout=subprocess.PIPE)
    child.wait()
    return child.stdout.read()
```

```python
import subprocess


def update(repository):
    return subprocess.call(["git", "fetch"], cwd=repository, stderr=subprocess.PIPE)
```

## Good

```python
import subprocess


def log_of(repository):
    child = subprocess.Popen(["git", "log"], cwd=repository, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    return output


def update(repository):
    return subprocess.call(["git", "fetch"], cwd=repository, stderr=subprocess.DEVNULL)
```

## When it stays silent

- `communicate()`, and a pipe that is read, iterated over, closed or passed on before the wait.
- The child, or the pipe, is handed to other code: a thread, a selector, a function.
- The child was told to end: `kill()`, `terminate()`, `send_signal()`.
- The wait is limited in time.
- `stdin=PIPE` alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.child_pipes.unread():
        pipes = " and ".join(found.pipes)
        if found.receiver is None:
            message = (
                f"`{module.text(found.made.func)}()` waits for the child and never reads its {pipes}; "
                "once the pipe is full, both wait forever"
            )
            yield Report(found.wait, message)
        else:
            message = (
                f"this waits for `{module.text(found.receiver)}` to end while nothing has read its {pipes} yet; "
                "once the pipe is full, both wait forever"
            )
            yield Report(found.wait, message, (Step(found.made, f"the child gets a pipe for its {pipes}"),))


RULE = Rule(
    code="CNC415",
    name="popen-pipe-wait",
    summary="A child program is waited for while nobody reads its pipe",
    severity=Severity.ERROR,
    check=check,
)

"""# timeout-without-kill (CNC416)

## What it finds

`communicate(timeout=)` or `wait(timeout=)` of a child program with a handler for the timeout after which nobody kills
the child, waits for it or gives it to anybody. The same for `asyncio.wait_for(child.wait(), ...)`.

## Why it matters

A timeout ends the wait, not the child. It runs on, with its files, ports and locks, after the program has reported a
failure, and often beside the next attempt. `subprocess.run(timeout=)` does kill it.

## Bad

```python
import subprocess


def version_of(program):
    child = subprocess.Popen([program, "--version"], stdout=subprocess.PIPE)
    try:
        return child.communicate(timeout=5)[0]
    except subprocess.TimeoutExpired:
        return None
```

## Good

```python
import subprocess


def version_of(program):
    child = subprocess.Popen([program, "--version"], stdout=subprocess.PIPE)
    try:
        return child.communicate(timeout=5)[0]
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None
```

## When it stays silent

- After the handler, the child is killed, terminated, signalled or waited for again, also in a `finally`, a later
  round of the loop or a function of this file.
- It was killed before the wait: more cannot be done.
- The child is handed to other code, returned, or kept in a container.
- It is an attribute that another method ends or waits for.
- It came as an argument: the caller may end it. Unless this function asked it to terminate and says nothing of the
  failure.
- A `with` of the child, which waits for it.
- `subprocess.run()` and the like, which kill it.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.child_ends.left_running():
        name = module.text(found.receiver)
        if found.asked:
            what = f"`{name}` was asked to end, did not in time, and is not killed"
        else:
            what = f"the timeout ends the wait, not the child: `{name}` is neither killed nor waited for"
        yield Report(
            found.handler,
            f"{what}; it runs on in the background",
            found.path.tell("", "nobody ends the child"),
        )


RULE = Rule(
    code="CNC416",
    name="timeout-without-kill",
    summary="A child program runs on after the timeout of a wait for it",
    severity=Severity.WARNING,
    check=check,
)

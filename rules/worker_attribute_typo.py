"""# worker-attribute-typo (CNC323)

## What it finds

An attribute set on a plain Thread, Timer or Process that it does not have, with nearly the name of one that it has:
`thread.deamon = True`. And a method assigned to: `thread.setDaemon = True`.

## Why it matters

Python sets any attribute without a word. The thread stays what it was: not a daemon, so that the program waits for it
at its end, or without the name that the log should show.

## Bad

```python
import threading


def run(work):
    thread = threading.Thread(target=work)
    thread.deamon = True
    thread.start()
    thread.join()
```

## Good

```python
import threading


def run(work):
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    thread.join()
```

## When it stays silent

- The attribute is read somewhere in the file: it is the program's own.
- An object of a subclass in this file.
- A name that is near none, and `excepthook`, of which CNC304 speaks.

## Fix

The near name. It is unsafe, since the program then does what it says.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_misuse.misnamed():
        target = module.text(found.target)
        if found.is_method:
            message = (
                f"`{target}` is a method, and this replaces it: `{found.near}` of the {found.kind} stays what it was"
            )
        else:
            message = f"a {found.kind} has no attribute `{found.target.attr}`: `{found.near}` stays what it was"
        yield Report(found.target, message, (), module.rewrite.renaming(found.target, found.near, safe=False))


RULE = Rule(
    code="CNC323",
    name="worker-attribute-typo",
    summary="An attribute set on a thread or process that has another one of nearly that name",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

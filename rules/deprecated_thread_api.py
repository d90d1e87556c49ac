"""# deprecated-thread-api (CNC316)

## What it finds

The old names of threading: `setDaemon`, `isDaemon`, `setName` and `getName` of threads, `isSet` of events, `notifyAll`
of conditions, `threading.currentThread` and `threading.activeCount`.

## Why it matters

They are deprecated since Python 3.10 and warn at every call, which fails where warnings are errors. They will go.

## Bad

```python
import threading


def run(work):
    thread = threading.Thread(target=work)
    thread.setDaemon(True)
    thread.start()
```

## Good

```python
import threading


def run(work):
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
```

## When it stays silent

- What is known to be no thread, event or condition of threading, or of which nothing is known.
- A class of this file that defines a method of that name.
- Where the warning is expected: in `pytest.warns()`, or in a `try` with handlers.
- What is left where the new name is not there: after `hasattr()`, `sys.version_info`, `except AttributeError`.

## Fix

The attribute or method that took its place. An imported name (`from threading import currentThread`) is left to you.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import FixAvailability, Rule, Severity, Tag
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.worker_misuse import Deprecated
    from conclint.model import Fix


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.worker_misuse.deprecated():
        instead = f"`{found.instead}`" if found.is_property else f"`{found.instead}()`"
        message = f"`{found.name}()` is deprecated since Python 3.10 and warns at every call; {instead} took its place"
        yield Report(found.node, message, (), _fix(module, found))


def _fix(module: ModuleContext, found: Deprecated) -> Fix | None:
    if found.is_property:
        return module.rewrite.as_property(found.node, found.instead)
    return module.rewrite.renaming(found.access, found.instead, safe=True)


RULE = Rule(
    code="CNC316",
    name="deprecated-thread-api",
    summary="An old name of threading that warns since Python 3.10",
    severity=Severity.WARNING,
    check=check,
    fix=FixAvailability.SAFE,
    tag=Tag.DEPRECATED,
)

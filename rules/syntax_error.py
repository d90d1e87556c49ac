"""# syntax-error (CNC900)

## What it finds

A file that cannot be read as Python: a syntax error, bytes that are not in the declared encoding, an unknown
encoding, null bytes, or nesting deeper than Python itself accepts.

## Why it matters

Nothing else can be said about such a file, so none of its other mistakes are found. The rest of the run goes on.
That is also why this rule runs with every `--select`: only `--ignore CNC900` switches it off.

## Bad

```python
import threading

lock = threading.Lock(
```

## Good

```python
import threading

lock = threading.Lock()
```

## When it stays silent

- Source newer than the Python that conclint runs on is fine where its parser knows the syntax.
- A file met while walking a folder is parsed only if it can hold a finding, that is if it mentions threads,
  processes, executors or locks. Its encoding is checked in any case, and a file named on the command line is
  always checked.
- flake8 reports a syntax error itself, as `E999`, before any plugin runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity

if TYPE_CHECKING:
    from conclint.rule import ModuleContext, Report


def check(context: ModuleContext) -> Iterable[Report]:
    """Nothing: a file that has come this far was parsed. The engine makes these findings."""
    return ()


RULE = Rule(
    code="CNC900",
    name="syntax-error",
    summary="A file that does not parse or cannot be decoded",
    severity=Severity.ERROR,
    check=check,
)

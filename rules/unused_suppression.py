"""# unused-suppression (CNC901)

## What it finds

A code or name of a rule, in `# noqa: CNC101` or `# conclint: ignore[CNC101]`, that silences nothing: the statement that
the comment belongs to has no such finding.

## Why it matters

The mistake that was accepted there is gone, or never was. The comment stays, tells readers of a danger that does not
exist, and silences the next mistake of this kind that somebody makes in the statement.

## Bad

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    with lock:  # noqa: CNC101
        hits += 1
```

## Good

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    with lock:
        hits += 1
```

## When it stays silent

- A `# noqa` without codes may be there for another tool, and so may every code that is none of conclint's. A bare
  `# conclint: ignore` is meant for whatever may come.
- Of a rule that was not selected, or could not be run on the file, nobody knows what it would have found.
- A beginning of codes such as `CNC1` is used if one of its rules finds something, and judged only if all of them ran.
- `# noqa: CNC901` silences this rule and is never unused.
- A file in which comments cannot be told from text, as it does not parse.

## Fix

Removes the code, or the comment where it has no other; a reason that stands behind it stays as a comment. There is no
fix where what is left would tell another tool something new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conclint.model import FixAvailability, Rule, Severity

if TYPE_CHECKING:
    from conclint.rule import ModuleContext, Report


def check(context: ModuleContext) -> Iterable[Report]:
    """Nothing: what a comment silences is known when all rules have spoken. The engine makes these findings."""
    return ()


RULE = Rule(
    code="CNC901",
    name="unused-suppression",
    summary="A comment silences a rule that finds nothing there",
    severity=Severity.WARNING,
    check=check,
    fix=FixAvailability.SAFE,
)

"""# unknown-code (CNC902)

## What it finds

A comment for conclint that means nothing: `# noqa` with a `CNC` code, or `# conclint: ignore[...]` with anything, that
names no rule; an `ignore` with an empty or open bracket; a word behind `# conclint:` that is no directive.

## Why it matters

The comment silences nothing. Whoever wrote it believes that it does, and where the finding does not show for another
reason, it will one day.

## Bad

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    with lock:  # conclint: ignore[lock-not-relaesed]
        hits += 1
```

## Good

```python
import threading

lock = threading.Lock()
hits = 0


def count():
    global hits
    lock.acquire()  # conclint: ignore[release-not-in-finally] measured: `with` is too slow here
    hits += 1
    lock.release()
```

## When it stays silent

- `# noqa` with codes of other tools, known or not: only those of the form `CNC123` are judged.
- Prose that begins with `conclint:` and is no attempt at a directive.
- A selector in the settings or on the command line that names no rule is an error, with exit status 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity

if TYPE_CHECKING:
    from conclint.rule import ModuleContext, Report


def check(context: ModuleContext) -> Iterable[Report]:
    """Nothing: comments are not in the tree that rules see. The engine makes these findings."""
    return ()


RULE = Rule(
    code="CNC902",
    name="unknown-code",
    summary="A comment that is to silence something names no rule",
    severity=Severity.WARNING,
    check=check,
)

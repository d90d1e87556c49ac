"""# executor-not-shutdown (CNC503)

## What it finds

An executor that is neither left by a `with` nor shut down.

## Why it matters

Its idle threads, or processes, stay until the executor is collected as garbage or the program ends. A function that
makes one a call piles them up for as long as something refers to them, and nothing says when its work is done.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor


def first_answer(urls, fetch):
    executor = ThreadPoolExecutor()
    futures = [executor.submit(fetch, url) for url in urls]
    return futures[0].result(), [future.result() for future in futures]
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor


def first_answer(urls, fetch):
    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(fetch, url) for url in urls]
        return futures[0].result(), [future.result() for future in futures]
```

## When it stays silent

- Something in the file calls its `shutdown()`, or enters it by `with` or an `ExitStack`.
- It is returned, passed on, or stored for code in another file.
- It lives as long as the module does: the interpreter waits for its work at the end.

## Why it is not on by default

An executor that is let go of ends its idle workers by itself, and the interpreter waits for the work of all others.
What is lost is only time and memory, and one executor for a whole program loses neither.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for call in module.facts.futures.never_shut_down():
        message = (
            f"`{module.text(call)}` is never shut down: its workers stay until it is collected as garbage, "
            "and nothing waits for their work before that"
        )
        yield Report(call, message)


RULE = Rule(
    code="CNC503",
    name="executor-not-shutdown",
    summary="An executor is neither left by with nor shut down",
    severity=Severity.WARNING,
    check=check,
    default=False,
)

"""# assert-in-thread (CNC319)

## What it finds

In tests: `assert`, `self.assert...()`, `self.fail()` or `pytest.fail()` in a function that runs in a thread, where the
failure reaches nobody.

## Why it matters

A failed assertion is an exception, and one that ends a thread is printed and forgotten. `join()` returns as if all were
well and the test passes, whatever the assertion says.

## Bad

```python
import threading


def test_counter_is_shared(counter):
    def count():
        counter.increment()
        assert counter.value > 0

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor


def test_counter_is_shared(counter):
    def count():
        counter.increment()
        assert counter.value > 0

    with ThreadPoolExecutor() as executor:
        futures = [executor.submit(count) for _ in range(4)]
        for future in futures:
            future.result()
```

`result()` raises the AssertionError in the test. Or collect in the thread and assert in the test. From pytest 8.4 on, a
test whose thread died with an exception fails where warnings are errors; elsewhere it is a warning.

## When it stays silent

- The thread's own code catches the failure and keeps it.
- After the assertion the thread leaves something behind that the test can look at: an event that is set, an item put
  into a queue or a list, an attribute or outer variable.
- The file sets `threading.excepthook`, or `filterwarnings` in the project's `pyproject.toml` makes an error of pytest's
  warning.
- Tasks of executors: CNC501 speaks where nobody reads their results.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.lost_asserts.found():
        entry = found.reach.entry
        message = (
            f"if this fails it only ends the thread of line {module.line(entry.site)}: "
            "the test does not hear of it, and may pass"
        )
        steps = [Step(entry.site, f"runs `{entry.function.name}` in a thread")]
        steps += found.reach.tell()
        yield Report(found.node, message, steps)


RULE = Rule(
    code="CNC319",
    name="assert-in-thread",
    summary="An assertion fails in a thread, and the test passes",
    severity=Severity.WARNING,
    check=check,
)

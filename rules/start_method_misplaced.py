"""# start-method-misplaced (CNC408)

## What it finds

`multiprocessing.set_start_method()` at the top level of a module, outside the main guard; a second call of it; and one
after the start method was settled by a queue, lock, pool, `get_context()` or `get_start_method()`.

## Why it matters

The start method can be set once. The second time, and once anything has used the default, `set_start_method()` raises
RuntimeError. At the top level of a module it runs again in every child that spawn or forkserver start, where it fails,
and in every program that imports the module.

## Bad

```python
import multiprocessing

multiprocessing.set_start_method("spawn")


def work():
    print("working")


if __name__ == "__main__":
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
    print(process.exitcode)
```

```python
import multiprocessing


def main():
    results = multiprocessing.Queue()
    multiprocessing.set_start_method("spawn")
    return results
```

## Good

```python
import multiprocessing


def work():
    print("working")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
    print(process.exitcode)
```

## When it stays silent

- `force=True`, and a handler for the RuntimeError.
- Objects of a context of its own (`get_context("spawn").Queue()`), which leave the default alone.
- `set_start_method("fork")` at the top level: forked children do not import the module.
- A file called `__main__.py`, which children do not import.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.start_method_calls.misplaced():
        if found.earlier is None:
            message = (
                "this sets the start method of every program that imports the module, outside the main guard; "
                "children that import it, and programs that have set theirs, fail with a RuntimeError"
            )
            yield Report(found.call, message)
        else:
            earlier = module.text(found.earlier.func)
            message = f"`{earlier}()` has settled the start method before; this raises RuntimeError"
            yield Report(found.call, message, (Step(found.earlier, "the start method is settled"),))


RULE = Rule(
    code="CNC408",
    name="start-method-misplaced",
    summary="The start method of processes is set at import, twice, or too late",
    severity=Severity.ERROR,
    check=check,
)

"""# target-called (CNC305)

## What it finds

A function that is called where it was to be handed over: `Thread(target=work())`, `submit(work())`, `Timer(5, work())`,
and the like of Process, `apply_async`, `to_thread`, `run_in_executor` and `add_done_callback`.

## Why it matters

`work()` runs here and now, before there is a thread at all, and whoever started it waits for it. The thread is left
with what `work()` returned. That is mostly `None`: a Thread or Process without a target starts, does nothing and ends,
and everywhere else calling it is a TypeError, which pools keep in a future.

## Bad

```python
import threading


def refresh(cache):
    cache.clear()


def run(cache):
    thread = threading.Thread(target=refresh(cache))
    thread.start()
    thread.join()
```

## Good

```python
import threading


def refresh(cache):
    cache.clear()


def run(cache):
    thread = threading.Thread(target=refresh, args=(cache,))
    thread.start()
    thread.join()
```

## When it stays silent

- What the call gives back may be called: a function that returns a function, an object with `__call__`, `partial`.
- Nothing certain is known of it: a function of another file, a decorated one, a method with an empty body.

```python
import threading


def make_worker(name):
    def work():
        print(name)

    return work


def run():
    thread = threading.Thread(target=make_worker("a"))
    thread.start()
    thread.join()
```

## Fix

The function itself, with its arguments as `args=` and `kwargs=`, or after it. It is offered where the function is a
plain one. It is unsafe, since the code then runs elsewhere, as was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report

if TYPE_CHECKING:
    from conclint.facts.handed import Called


def check(module: ModuleContext) -> Iterator[Report]:
    for called in module.facts.handed.called():
        fix = module.rewrite.handing_over(called.call, called.passing) if called.passing else None
        yield Report(called.call, _message(module, called), (), fix)


def _message(module: ModuleContext, called: Called) -> str:
    call, what, place = module.text(called.call), called.result.what, called.handed.place
    there = f"the {place}"
    if not called.result.is_plain:
        return f"`{call}` gives {what}, which {there} cannot call: TypeError"
    if what == "nothing":
        return f"`{call}` runs here and never returns: {there} is never made"
    if what == "None" and called.handed.is_optional:
        return f"`{call}` runs here; {there} gets the None that it returns, and does nothing"
    gets = "what it returns" if what == "a value" else what
    return f"`{call}` runs here; {there} gets {gets}, which cannot be called: TypeError"


RULE = Rule(
    code="CNC305",
    name="target-called",
    summary="A function called where it should be handed to a thread, process or pool",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

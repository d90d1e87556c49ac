"""# bad-worker-arguments (CNC306)

## What it finds

Arguments that a Thread, Timer, Process or pool task cannot use:

- `args=(item)` or `args="name"`, which is no tuple: the comma makes one, not the parentheses.
- The function as first argument, which is `group`: `Thread(work)`.
- Neither `target=` nor a class with a `run()` of its own.
- `daemon` set after `start()`.

## Why it matters

`args` is unpacked when the thread runs: a string becomes one argument a character, and what is not iterable is a
TypeError in the new thread, far from the line that caused it. A `group` is an AssertionError. A thread without a target
ends at once. `daemon` of a started thread cannot be set: RuntimeError for threads, AssertionError for processes.

## Bad

```python
import threading


def greet(name):
    print("hello", name)


def run():
    thread = threading.Thread(target=greet, args=("world"))
    thread.start()
    thread.join()
```

## Good

```python
import threading


def greet(name):
    print("hello", name)


def run():
    thread = threading.Thread(target=greet, args=("world",))
    thread.start()
    thread.join()
```

## When it stays silent

- `args=items`, where nothing is known of `items`, unless it stands in parentheses and the function takes one argument.
- A list, set or generator, and a string of one character: they work.
- A class that has an `__init__` of its own, with arguments of its own.
- A thread whose `run` is assigned, or which is handed on before it is known what it will do.
- Where the error is expected: in `pytest.raises()`, `assertRaises()`, or a `try` with handlers.

## Fix

The comma that makes a tuple: `args=(item,)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.worker_arguments import BadArgument

_WORDS = {
    "text": "`{text}` is a string, not a tuple: each of its characters becomes an argument of its own",
    "single": "`{text}` is not a tuple: to unpack it as arguments raises TypeError{where}",
    "alone": "`({text})` is `{text}`, not a tuple: it is unpacked into the arguments of the {kind}",
    "group": "`{text}` is passed as `group`, which must be None: this raises AssertionError; say `target={text}`",
    "idle": "this {kind} has no target: it starts, does nothing and ends",
    "daemon": "the {kind} runs already, and its `daemon` can be set only before start(): this raises {error}",
}
_TUPLES = ("text", "single", "alone")


def check(module: ModuleContext) -> Iterator[Report]:
    for bad in module.facts.worker_arguments.bad():
        how = bad.wrong.value
        if how == "alone" and not module.rewrite.is_parenthesised(bad.node):
            continue
        fix = module.rewrite.as_tuple(bad.node) if how in _TUPLES else None
        steps = () if bad.started is None else (Step(bad.started, "started here"),)
        yield Report(bad.node, _message(module, bad), steps, fix)


def _message(module: ModuleContext, bad: BadArgument) -> str:
    error = "AssertionError" if bad.kind == "process" else "RuntimeError"
    where = "" if bad.kind == "process" else f" in the {bad.kind}"
    return _WORDS[bad.wrong.value].format(text=module.text(bad.node), kind=bad.kind, error=error, where=where)


RULE = Rule(
    code="CNC306",
    name="bad-worker-arguments",
    summary="Arguments that a thread, process or pool task cannot use",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.SAFE,
)

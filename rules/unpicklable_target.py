"""# unpicklable-target (CNC405)

## What it finds

What a call sends to another process and `pickle` refuses: a lambda, a function or class defined inside a function, a
generator, an open file, a pool, an executor, a thread, and any object of this file that keeps one of these or a lock in
an attribute, also by way of a bound method. In the task of a pool or executor it also finds locks, queues and events of
`multiprocessing`, which a process can only inherit.

## Why it matters

A task of a `Pool` or `ProcessPoolExecutor` is always pickled; with `submit()` and `apply_async()` the error is stored
in the result, and the task never runs. What a `Process` is given is pickled under spawn and forkserver (Windows, macOS,
and Linux from Python 3.14), where `start()` raises; under fork it works, so that nobody sees it before the program runs
elsewhere.

## Bad

```python
from concurrent.futures import ProcessPoolExecutor


def scale_all(images, factor):
    with ProcessPoolExecutor() as executor:
        return list(executor.map(lambda image: image.scaled(factor), images))
```

```python
import multiprocessing


class Loader:
    def load_all(self, paths):
        self.pool = multiprocessing.Pool(4)
        try:
            return self.pool.map(self.load, paths)
        finally:
            self.pool.close()

    def load(self, path):
        return path.read_text()
```

## Good

```python
from concurrent.futures import ProcessPoolExecutor
from functools import partial


def scale(factor, image):
    return image.scaled(factor)


def scale_all(images, factor):
    with ProcessPoolExecutor() as executor:
        return list(executor.map(partial(scale, factor), images))
```

## When it stays silent

- A `Process` with an explicit fork context, after `set_start_method("fork")`, under `--start-method fork`, or where the
  start method is only known at run time.
- The class has `__getstate__`, `__reduce__` or the like, or a base in another file.
- The attribute is not certain to hold the object by then.
- What stands in a function that asks for `__name__ == "__main__"`: its body is taken out and run as a module.
- The file imports `dill`, `cloudpickle`, `copyreg` or `multiprocessing.reduction`, or sets a `__qualname__`.
- `multiprocess`, `pathos` and `loky`, which pickle more than `pickle` does, and pools of threads.
- Primitives of `threading` and `queue` that are arguments: thread-primitive-across-processes (CNC410) speaks of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.pickling import Unpicklable


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.pickling.unpicklable():
        sent = found.sent
        fails = f"{sent.name}() {sent.fails}" if sent.fails else "under spawn and forkserver the process cannot start"
        steps = [] if found.where is None else [Step(found.where, "defined or made here")]
        yield Report(sent.expr, f"{_subject(module, found)} cannot be pickled; {fails}", steps)


def _subject(module: ModuleContext, found: Unpicklable) -> str:
    name = module.text(found.sent.expr)
    if found.why == "lambda":
        return "a lambda" if found.where is None else f"`{name}`, a lambda,"
    if found.why == "nested":
        return f"`{name}`, defined inside `{found.what}()`,"
    if found.why == "generator":
        return "a generator" if found.where is None else f"`{name}`, a generator,"
    if found.why == "held":
        what = "a lambda" if found.what == "lambda" else f"`{found.what}`"
        return f"`{name}` takes `{found.attribute}` along, {what}, which"
    return f"`{name}`, of type `{found.what}`,"


RULE = Rule(
    code="CNC405",
    name="unpicklable-target",
    summary="Something is sent to another process that cannot be pickled",
    severity=Severity.ERROR,
    check=check,
)

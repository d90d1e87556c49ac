"""# main-guard-missing (CNC401)

## What it finds

Code at the top level of a module, outside `if __name__ == "__main__":`, that starts a process: `Process.start()`,
`Pool()`, `Manager()`, `ProcessPoolExecutor.submit()`; directly, or through functions of the module that it calls. The
chain of calls is shown.

## Why it matters

Under the spawn and forkserver start methods (Windows, macOS, and Linux from Python 3.14) each child imports the main
module again, and so reaches the same line. `Process` and executors then fail with a RuntimeError in the child, while
the parent goes on as if the work were done; a `Pool` starts children for ever.

## Bad

```python
import multiprocessing


def work(n):
    return n * n


pool = multiprocessing.Pool(4)
print(pool.map(work, range(10)))
```

```python
import multiprocessing


def work():
    print("working")


def main():
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
    print(process.exitcode)


main()
```

## Good

```python
import multiprocessing


def work(n):
    return n * n


if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        print(pool.map(work, range(10)))
```

## When it stays silent

- Functions that nothing at the top level calls.
- An explicit fork context, `set_start_method("fork")` or `--start-method fork`: forked children do not import the
  module again.
- `multiprocessing.dummy` and `ThreadPool`, which start threads.
- A file called `__main__.py`, which children of a package run with `-m` do not import.
- All but the first such statement of a module: one guard mends them all.

## Fix

The guard, round the statement and those that follow it, up to the next definition or import. It is unsafe: who imports
the module for what these statements do, or for the names that they bind, gets that no more. There is no fix where the
rest of the file reads such a name, where a process is started further down too, or in the body of a class.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    starts = module.facts.startup.starts()
    if not starts:
        return
    first = starts[0]
    steps = [Step(call, "calls a function of this module") for call in first.chain[:-1]]
    steps.append(Step(first.start, f"`{first.what}` starts a process"))
    steps += [Step(other.chain[0], "starts a process too") for other in starts[1:4]]
    message = (
        f'`{first.what}` runs when this module is imported, outside `if __name__ == "__main__":`; '
        "under spawn and forkserver every child imports the module and fails here"
    )
    fix = module.rewrite.under_guard(module.facts.startup.unguarded())
    yield Report(module.facts.statement(first.chain[0]), message, tuple(steps), fix)


RULE = Rule(
    code="CNC401",
    name="main-guard-missing",
    summary="A process is started at import, outside the main guard",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

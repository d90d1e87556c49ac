"""# process-not-joined (CNC402)

## What it finds

A non-daemon `Process` that is started and, on some normal path, never joined, and that nobody is given who could:
`Process(target=f).start()`, a local variable or attribute that no code joins, a variable overwritten in a loop so that
only the last process is joined, and a `terminate()` or `kill()` with no `join()` after it. In a `@contextmanager`, also
one, daemon or not, that is joined after the `yield` and outside of a `finally`: the `yield` raises where the body does.

## Why it matters

A child process that fails says so only in its exit code, and nobody reads it: the program goes on, and exits with
status 0. Until it is joined, a child that has ended stays in the process table as a zombie.

## Bad

```python
from multiprocessing import Process


def export(rows, write):
    process = Process(target=write, args=(rows,))
    process.start()
    rows.mark_exported()
```

```python
from multiprocessing import Process


class Worker:
    def start(self, work):
        self._process = Process(target=work)
        self._process.start()

    def stop(self):
        self._process.terminate()
```

## Good

```python
from multiprocessing import Process


def export(rows, write):
    process = Process(target=write, args=(rows,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("the export failed")
```

## When it stays silent

- Daemon processes, also where the class or a variable decides.
- The process is joined, or asked for its `exitcode`, `sentinel` or `is_alive()`, anywhere in the file, also through
  a list of processes; the file calls `active_children()` or `os.waitpid()`, or handles `SIGCHLD`.
- It is returned, passed on, or stored on an object whose class has a base in another file.
- Its target stands in this file and lets no exception out, or puts a result on a queue as the last thing it does, and
  the code that starts it gets that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.worker_lives import Unjoined

_CONSEQUENCE = "its exit code is lost, so nobody notices when it fails, and it stays a zombie when it ends"


def check(module: ModuleContext) -> Iterator[Report]:
    for unjoined in module.facts.worker_lives.unjoined(("process",)):
        yield _report(module, unjoined)


def _report(module: ModuleContext, unjoined: Unjoined) -> Report:
    home = "" if unjoined.home is None else f" `{module.text(unjoined.home)}`"
    steps: tuple[Step, ...] = ()
    if unjoined.how == "overwritten":
        message = f"process{home} is overwritten by the next one before it is joined; {_CONSEQUENCE}"
    elif unjoined.how == "path" and unjoined.path is not None:
        where = unjoined.path.way_out(module.line)
        message = f"process{home} is started and never joined on the path to {where}; {_CONSEQUENCE}"
        steps = unjoined.path.tell("", f"process{home} has not been joined")
    elif unjoined.body is not None:
        message = (
            f"process{home} is joined only if the body of the `with` raises nothing: an exception comes out of the "
            f"`yield` (line {module.line(unjoined.body)}), and leaves it running"
        )
        steps = (Step(unjoined.body, "an exception of the body is raised here"),)
    elif unjoined.ending is not None:
        ended = f"`{unjoined.ending.name}()` on line {module.line(unjoined.ending.node)}"
        message = f"process{home} is never joined, also not after {ended}, which does not wait: it stays a zombie"
    else:
        message = f"process{home} is started and never joined; {_CONSEQUENCE}"
    return Report(unjoined.worker.call, message, steps)


RULE = Rule(
    code="CNC402",
    name="process-not-joined",
    summary="A process is started and never joined",
    severity=Severity.WARNING,
    check=check,
)

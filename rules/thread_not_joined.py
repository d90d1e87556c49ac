"""# thread-not-joined (CNC301)

## What it finds

A non-daemon `Thread` or `Timer` that is started and, on some normal path, never joined (a timer: nor cancelled), and
that nobody is given who could: `Thread(target=f).start()`, a local variable or attribute that no code joins, a `return`
between `start()` and `join()`, a variable overwritten in a loop so that only the last thread is joined. In a
`@contextmanager`, the `yield` raises where the body of the `with` does: a thread that is joined after it, outside of a
`finally`, runs on; there this is said of daemon threads too.

## Why it matters

Nobody notices when the work ends, or that it has failed: an exception in a thread is printed and forgotten. The
interpreter does wait for the thread at exit, so a thread that never ends keeps the whole process alive.

## Bad

```python
import threading


def save(document, upload):
    thread = threading.Thread(target=upload, args=(document,))
    thread.start()
    document.mark_saved()
```

```python
import threading


def save_all(documents, upload):
    for document in documents:
        thread = threading.Thread(target=upload, args=(document,))
        thread.start()
    thread.join()
```

## Good

```python
import threading


def save_all(documents, upload):
    threads = [threading.Thread(target=upload, args=(document,)) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
```

## When it stays silent

- Daemon threads, also where the class, a variable or the creating thread decides.
- Fixtures of pytest, into which it raises nothing.
- The thread is joined, cancelled or asked whether it is alive anywhere in the file: in `close()`, in a loop over
  a list of threads, through `atexit` or `addCleanup`.
- It is returned, passed on, or stored on an object whose class has a base in another file.
- Its target stands in this file and lets no exception out, or sets an event or puts a result as the last thing it
  does, and the function that starts it waits for that.
- It runs `server.serve_forever` or `loop.run_forever`, and the file calls `server.shutdown()`, or names `loop.stop`.
- Timers of three seconds at most, which keep nobody waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.worker_lives import Unjoined


def check(module: ModuleContext) -> Iterator[Report]:
    for unjoined in module.facts.worker_lives.unjoined(("thread", "timer")):
        yield _report(module, unjoined)


def _report(module: ModuleContext, unjoined: Unjoined) -> Report:
    timer = unjoined.worker.kind == "timer"
    noun = "timer" if timer else "thread"
    ended = "cancelled nor joined" if timer else "joined"
    never = "neither" if timer else "never"
    home = "" if unjoined.home is None else f" `{module.text(unjoined.home)}`"
    consequence = "nobody notices when it fails, and the program does not end before it does"
    steps: tuple[Step, ...] = ()
    if unjoined.how == "overwritten":
        message = f"{noun}{home} is overwritten by the next one before it is {ended}; {consequence}"
    elif unjoined.how == "path" and unjoined.path is not None:
        where = unjoined.path.way_out(module.line)
        message = f"{noun}{home} is started and {never} {ended} on the path to {where}; {consequence}"
        steps = unjoined.path.tell("", f"{noun}{home} has not been {ended}")
    elif unjoined.body is not None:
        message = (
            f"{noun}{home} is joined only if the body of the `with` raises nothing: an exception comes out of the "
            f"`yield` (line {module.line(unjoined.body)}), and leaves it running"
        )
        steps = (Step(unjoined.body, "an exception of the body is raised here"),)
    else:
        message = f"{noun}{home} is started and {never} {ended}; {consequence}"
    return Report(unjoined.worker.call, message, steps)


RULE = Rule(
    code="CNC301",
    name="thread-not-joined",
    summary="A non-daemon thread or timer is started and never joined",
    severity=Severity.WARNING,
    check=check,
)

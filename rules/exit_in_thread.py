"""# exit-in-thread (CNC311)

## What it finds

`sys.exit()`, `exit()`, `quit()` or `raise SystemExit` in code that runs in a thread: in a target, a `run()`, a timer, a
request handler of a threading server, a done-callback, or in what these call; also `Timer(5, sys.exit)`.

## Why it matters

`sys.exit()` only raises SystemExit, and in a thread nobody is there to catch it: the thread ends without a word and the
program goes on. A fatal error, a watchdog or a "quit" command that was to end the program ends nothing, and the exit
status it asked for is lost.

## Bad

```python
import sys
import threading


def watch(heartbeat):
    while heartbeat.wait(timeout=30):
        heartbeat.clear()
    print("no heartbeat for 30 s, giving up", file=sys.stderr)
    sys.exit(1)


def start(heartbeat):
    thread = threading.Thread(target=watch, args=(heartbeat,), daemon=True)
    thread.start()
    return thread
```

## Good

```python
import sys
import threading


def watch(heartbeat, failed):
    while heartbeat.wait(timeout=30):
        heartbeat.clear()
    print("no heartbeat for 30 s, giving up", file=sys.stderr)
    failed.set()


def main(heartbeat):
    failed = threading.Event()
    threading.Thread(target=watch, args=(heartbeat, failed), daemon=True).start()
    failed.wait()
    sys.exit(1)
```

To end only the thread, `return`.

## When it stays silent

- Processes: there the exit sets the exit code. Tasks of an executor: the exception comes back from `result()`.
  Tasks of a `multiprocessing.Pool` are CNC414's.
- Exits that a handler for SystemExit (or BaseException, or everything) of the thread's own code catches.
- `_thread.exit()`, which says that it is the thread that ends, and `os._exit()`, which ends the process.
- Files that set `threading.excepthook`, which is told of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.exits.in_threads():
        where = {"thread": "a thread", "done callback": "a done-callback"}.get(found.at.place, f"a {found.at.place}")
        line = module.line(found.at.site)
        calls = "" if found.node is found.exit else f" (at line {module.line(found.exit)})"
        message = (
            f"`{module.text(found.node)}` ends only the thread, without a word{calls}: this runs in {where} "
            f"(line {line}), and the program goes on"
        )
        steps = [Step(found.at.site, f"by way of `{found.at.api}`")]
        steps += [] if found.reach is None else found.reach.tell()
        yield Report(found.node, message, (*steps, Step(found.exit, "raises SystemExit")))


RULE = Rule(
    code="CNC311",
    name="exit-in-thread",
    summary="An exit in a thread ends the thread and not the program",
    severity=Severity.WARNING,
    check=check,
)

"""# signal-in-thread (CNC312)

## What it finds

`signal.signal()`, `signal.set_wakeup_fd()` or `loop.add_signal_handler()` in code that runs in a thread: in a target, a
`run()`, a task of a thread pool, a request handler of a threading server, or in what these call.

## Why it matters

Only the main thread may set signal handlers. Elsewhere the call raises ValueError (RuntimeError for the loop's): the
thread ends right there, before it has done any of its work, and the signal is not handled either.

## Bad

```python
import signal
import threading


class Server:
    def __init__(self, sock):
        self._sock = sock
        self._stopping = False

    def _stop(self, signum, frame):
        self._stopping = True

    def serve(self):
        signal.signal(signal.SIGTERM, self._stop)
        while not self._stopping:
            self._sock.accept()


def start(sock):
    thread = threading.Thread(target=Server(sock).serve, daemon=True)
    thread.start()
    return thread
```

## Good

```python
import signal
import threading


class Server:
    def __init__(self, sock):
        self._sock = sock
        self._stopping = False

    def stop(self, signum, frame):
        self._stopping = True

    def serve(self):
        while not self._stopping:
            self._sock.accept()


def start(sock):
    server = Server(sock)
    signal.signal(signal.SIGTERM, server.stop)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    return thread
```

## When it stays silent

- Code that asks which thread it is in (`threading.current_thread() is threading.main_thread()`).
- A call whose exception is caught.
- A call that depends on an argument or an attribute: `if install_signal_handlers:`.
- Processes: what they run is their main thread.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.main_only.misplaced():
        entry = found.reach.entry
        where = {"thread": "a thread", "initializer": "a thread of a pool"}.get(entry.place, f"a {entry.place}")
        message = (
            f"`{module.text(found.call.func)}()` raises {found.thrown} here: this runs in {where} "
            f"(line {module.line(entry.site)}), and only the main thread may set signal handlers"
        )
        steps = [Step(entry.site, f"`{entry.function.name}` runs there by way of `{entry.api}`")]
        steps += found.reach.tell()
        yield Report(found.call, message, (*steps, Step(found.call, f"raises {found.thrown}")))


RULE = Rule(
    code="CNC312",
    name="signal-in-thread",
    summary="A signal handler is set in a thread, where that raises ValueError",
    severity=Severity.ERROR,
    check=check,
)

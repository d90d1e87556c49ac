"""# wait-while-locked (CNC108)

## What it finds

Code that holds a lock while it waits, without a timeout, for other code that needs this very lock: `join()` of a
thread whose target takes it, `result()` of a task that does, `Queue.join()` where the consumer does, shutting down or
leaving an executor whose tasks do, awaiting asyncio's tasks that do, and `get()`, `put()`, `Event.wait()` or
`Condition.wait()` that only calls under the same lock could end. A thread that calls callbacks which others register
may come to need every lock that public methods of the object take.

## Why it matters

The one waits for the other to finish, the other for the lock: both wait forever. It depends on who comes first, so that
it passes the tests and hangs the shutdown in production.

## Bad

```python
import threading


class Poller:
    def __init__(self, poll):
        self._lock = threading.Lock()
        self._poll = poll
        self._running = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            with self._lock:
                if not self._running:
                    return
            self._poll()

    def stop(self):
        with self._lock:
            self._running = False
            self._thread.join()
```

## Good

```python
import threading


class Poller:
    def __init__(self, poll):
        self._lock = threading.Lock()
        self._poll = poll
        self._running = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            with self._lock:
                if not self._running:
                    return
            self._poll()

    def stop(self):
        with self._lock:
            self._running = False
        self._thread.join()
```

## When it stays silent

- The wait has a timeout: it is slow (slow-call-while-locked, CNC109), but it ends.
- What is awaited does not need the lock, as far as this file shows, or is not in this file. A callback that the object
  was made with is taken not to.
- `wait()` of the condition whose lock is held, which gives it back.
- Somebody could end the wait without the lock: one `put()` or `set()` outside it is enough, and so is a public name,
  by which other files may make one.
- Code that asks first (`while not q.empty(): q.get()`), or that cancels what it awaits.
- Processes, where the lock is one of `threading`: they have their own copy of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.lock_waits import Blocked


def check(module: ModuleContext) -> Iterator[Report]:
    for blocked in module.facts.lock_waits.blocked:
        yield _report(module, blocked)


def _report(module: ModuleContext, blocked: Blocked) -> Report:
    section, come = blocked.section, blocked.come
    name = module.text(module.facts.lock_name(section))
    wait = module.text(come.wait.node)
    if blocked.back is not None and blocked.needs is not None and blocked.needs.callee is not None:
        cause = (
            f"waits for `{blocked.awaited_name}`, which calls `{module.text(blocked.back.call)}`: "
            f"a callback that calls `{blocked.needs.callee.name}()` needs `{name}`"
        )
    elif blocked.needs is not None:
        cause = f"waits for `{blocked.awaited_name}`, which needs `{name}`"
    else:
        cause = f"waits for a call that is made under `{name}` only (line {module.line(blocked.awaited)})"
    message = f"`{wait}` {cause}, held here since line {module.line(section.site)}: both wait forever"
    steps = [*section.path(blocked.event, name, "calls a function that waits" if come.sites else "waits")]
    if come.sites:
        steps.append(Step(come.wait.node, "waits"))
    if blocked.needs is None:
        steps.append(Step(blocked.awaited, f"would end the wait, but needs `{name}` first"))
    else:
        chain = list(blocked.needs.chain())
        if blocked.back is not None:
            steps += [Step(site, f"calls `{module.text(site)}`") for site in blocked.back.sites]
            steps.append(Step(chain.pop(0).site, "others' code is called"))
        for taking in chain:
            told = f"`{name}` is needed" if taking.callee is None else f"calls `{taking.callee.name}`"
            steps.append(Step(taking.site, told))
    return Report(blocked.event, message, steps)


RULE = Rule(
    code="CNC108",
    name="wait-while-locked",
    summary="Waiting under a lock for code that needs this very lock",
    severity=Severity.ERROR,
    check=check,
)

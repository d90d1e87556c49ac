"""# self-deadlock (CNC106)

## What it finds

A lock that is not re-entrant, acquired by code that already holds it: a `with` inside a `with`, a second `acquire()`,
or a call of a method or function that takes the lock, directly or through others. Properties, context managers,
inherited methods and `Condition(lock)`, which is that lock under another name, count.

So does a callback that is called while the lock is held, where a public method of the object takes that lock: whoever
registered the callback has the object, and may well call that method in it.

## Why it matters

The thread waits for itself: it hangs there for ever, and every other thread that wants the lock hangs with it. It
happens the first time the path is taken.

## Bad

```python
import threading


class Account:
    def __init__(self):
        self._lock = threading.Lock()
        self._balance = 0

    def balance(self):
        with self._lock:
            return self._balance

    def withdraw(self, amount):
        with self._lock:
            if self.balance() < amount:
                raise ValueError("not enough")
            self._balance -= amount
```

## Good

```python
import threading


class Account:
    def __init__(self):
        self._lock = threading.Lock()
        self._balance = 0

    def balance(self):
        with self._lock:
            return self._balance

    def withdraw(self, amount):
        with self._lock:
            if self._balance < amount:
                raise ValueError("not enough")
            self._balance -= amount
```

An `RLock` in place of the `Lock` is the other way. Callbacks are best called after the lock is released.

## When it stays silent

- `RLock`, and `Condition()`, which makes one for itself.
- Non-blocking and timed acquires, which come back.
- Semaphores, unless they are known to start at one.
- The same attribute of two objects, and items that a variable picks out of a container: those are different locks.
- What an object was made with (`Connection(on_close=...)`) and calls under a lock: its maker has not had the object
  yet, and most often hands in something that knows nothing of it. Also what only private methods register, and what
  is not called callback, handler, hook, listener, observer, subscriber or `on_something`, or is a `handler_class`.
- A helper that gives the lock back before it takes it again, and one that a constant argument tells not to take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.deadlocks import CallBack, SelfDeadlock


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.self_deadlocks():
        yield _report(module, found)
    for back in module.facts.called_back():
        yield _report_callback(module, back)


def _report(module: ModuleContext, found: SelfDeadlock) -> Report:
    section, taking = found
    locks = module.facts.locks.uses
    held = module.facts.lock_name(section)
    name = module.text(held)
    line = module.line(section.site)
    if taking.callee is None:
        again = module.text(locks.receiver_at(taking.site) or held)
        what = f"`{name}` is acquired again by code that holds it"
        if again != name:
            what = f"`{again}` is acquired by code that holds the same lock as `{name}`"
        message = f"{what} since line {line}: the thread waits for itself forever"
        steps = section.path(taking.site, name, f"`{name}` is acquired again")
    else:
        message = (
            f"`{module.text(taking.site)}` acquires `{name}`, which is held here since line {line}: "
            "the thread waits for itself forever"
        )
        inner = list(taking.chain())[1:]
        steps = (
            *section.path(taking.site, name, f"calls `{taking.callee.name}`"),
            *(Step(t.site, f"calls `{t.callee.name}`") for t in inner if t.callee is not None),
            Step(inner[-1].site, f"`{name}` is acquired again"),
        )
    return Report(taking.node, message, steps)


def _report_callback(module: ModuleContext, found: CallBack) -> Report:
    section, event, back = found.section, found.event, found.back
    name = module.text(module.facts.lock_name(section))
    call = module.text(back.call)
    where = f"`{call}`" if back.call is event else f"`{call}` (line {module.line(back.call)})"
    message = (
        f"{where} is called with `{name}` held since line {module.line(section.site)}: a callback that calls "
        f"`{found.method.name}()`, which acquires it again, waits for itself forever"
    )
    last = "others' code is called"
    steps = [*section.path(event, name, last if back.call is event else f"calls `{module.text(event)}`")]
    if back.call is not event:
        steps += [Step(site, f"calls `{module.text(site)}`") for site in back.sites[1:]]
        steps.append(Step(back.call, last))
    steps.append(Step(found.taking.origin.site, f"`{found.method.name}` acquires `{name}` again"))
    return Report(event, message, steps)


RULE = Rule(
    code="CNC106",
    name="self-deadlock",
    summary="A lock that is not re-entrant is acquired by code that holds it",
    severity=Severity.ERROR,
    check=check,
)

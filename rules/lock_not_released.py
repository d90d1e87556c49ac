"""# lock-not-released (CNC101)

## What it finds

An `acquire()` after which some path leaves the function with the lock still held: an exception, an early `return`,
a `break` or `continue`, the end of the function, or the `yield` of a `@contextmanager` into which the `with` block
throws. Also an `acquire()` that nothing at all ever releases.

All paths count: through `except` clauses that catch only some exceptions, through `finally` and `except` bodies
that may themselves raise before they release. The path is shown.

## Why it matters

A lock is not released when the function that took it ends. Every later `acquire()` of it, in every thread, blocks
for ever, far away from the exception that caused it. For a multiprocessing lock the same is true when the whole
process dies.

## Bad

```python
import threading

lock = threading.Lock()


def transfer(account, amount):
    lock.acquire()
    account.withdraw(amount)
    lock.release()
```

```python
import threading


class Cache:
    def __init__(self):
        self._lock = threading.Lock()
        self._data = {}

    def get(self, key):
        self._lock.acquire()
        if key not in self._data:
            return None
        value = self._data[key]
        self._lock.release()
        return value
```

## Good

```python
import threading

lock = threading.Lock()


def transfer(account, amount):
    with lock:
        account.withdraw(amount)
```

```python
import threading


class Cache:
    def __init__(self):
        self._lock = threading.Lock()
        self._data = {}

    def get(self, key):
        if not self._lock.acquire(timeout=1):
            return None
        try:
            return self._data.get(key)
        finally:
            self._lock.release()
```

## When it stays silent

- A function that never releases the lock, where another function of the class or module does: `__enter__` and
  `__exit__`, `lock` and `unlock`, `begin` and `commit`. (One that releases only what it took itself is no such
  other half.) Also one that keeps the lock on success and releases it on failure, or tells by its result.
- A function that keeps the lock for somebody else to give back, and raises instead, where that is seen to: by a
  function of the file that it calls before, which releases the lock, perhaps; or by one of its callers, which runs it
  in a `try` whose handler or `finally` releases it, or in a `with` that may. Also where the lock is a semaphore, or a
  signal: held from the start by the code that makes it, or taken and kept by another function.
- A lock made in the function and used by nothing else: it excludes nobody, so nobody waits for it.
- The lock, its `release`, or a function that releases it is handed to somebody else while it is held: a thread, a
  callback, an `ExitStack`, a container.
- Paths on which the acquire failed: `if not lock.acquire(timeout=1): return`, `got = ...; if got:`.
- Locks of items that one loop takes and another gives back, where a call between the two is given the items, the two
  loops do not stand under the same conditions, or another function gives such locks back.
- A cancelled wait for a lock that the file writes itself, under any `with`, or where a handler calls a method of the
  lock, or passes the lock or the one that waits to anything but the queue of those who wait.
- Things that only look like locks: the `acquire()` of a connection pool.
- A generated function with hundreds of locks: only as many are followed as take time in proportion to its length.

## Fix

`with`, where the acquire and a release (or the `try` whose `finally` releases) are statements of one block and nothing
between them touches the lock or rebinds it. A release right before an early `return`, `raise`, `break` or `continue`
goes. The fix is unsafe: the lock is now given back on paths that kept it, which may have been meant, and before an
early `return` it is held a little longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import FixAvailability, Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.lock_handing import LostHandover
    from conclint.facts.lock_leaks import Leak


def check(module: ModuleContext) -> Iterator[Report]:
    locks = module.facts.locks
    for paths in locks.each():
        for leak in paths.leaks():
            if not locks.reported_elsewhere(leak.op):
                yield _report(module, leak)
    for leak in module.facts.lock_groups.leaks():
        yield _report(module, leak)
    for lost in module.facts.lost_handovers():
        yield _report_handover(module, lost)


def _report(module: ModuleContext, leak: Leak) -> Report:
    name = module.text(leak.op.receiver)
    if leak.op.is_counted:
        state, end = f"a permit of `{name}` taken", f"the permit of `{name}` is lost"
        consequence = "when none is left, every acquire() blocks forever"
    else:
        state, end = f"`{name}` held", f"`{name}` is still held"
        others = "every later acquire() of it"
        if leak.op.is_reentrant:
            others = "every other thread that acquires it"
        elif leak.op.instance is None and not leak.op.is_own:  # it may be either
            others = "whoever else acquires it"
        consequence = "nobody else gets it" if leak.op.is_own else f"{others} blocks forever"
    if leak.how.value == "again":
        consequence = "it blocks on itself forever"
    steps = leak.path.tell(f"`{name}` is acquired", end)
    fix = module.rewrite.as_with(module.facts.with_blocks.leaking(leak.op), safe=False)
    return Report(leak.op.call, f"{_cause(module, leak)} {state}; {consequence}", steps, fix)


def _report_handover(module: ModuleContext, lost: LostHandover) -> Report:
    message = (
        f"a cancelled `{module.text(lost.wait)}` may already have been handed the lock by `release()` "
        f"(line {module.line(lost.wake)}), and does not give it back; every later acquire() of it blocks forever"
    )
    steps = (
        Step(lost.wake, "the lock is handed over"),
        Step(lost.wait, "who waits for it is cancelled before he runs"),
    )
    return Report(lost.wait, message, steps)


def _cause(module: ModuleContext, leak: Leak) -> str:
    if not leak.released_somewhere:
        return "nothing ever releases this lock: the function leaves"
    if leak.how.value == "again":
        return "the loop comes back to this acquire() with"
    if leak.how.value == "return":
        path = "a path to " if leak.path.left_by is None else ""
        return f"{path}{leak.path.way_out(module.line)} leaves"
    raiser = leak.path.raiser
    if raiser is None:
        return "an exception leaves"
    what = module.facts.what_raises(raiser)
    if leak.path.past_narrow_handler:
        what += ", of a class that no handler catches (KeyboardInterrupt, SystemExit),"
    return f"{what} (line {module.line(raiser)}) leaves"


RULE = Rule(
    code="CNC101",
    name="lock-not-released",
    summary="A path leaves the function with the lock still held",
    severity=Severity.ERROR,
    check=check,
    fix=FixAvailability.UNSAFE,
)

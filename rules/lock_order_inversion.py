"""# lock-order-inversion (CNC107)

## What it finds

Two locks that are taken in both orders: one function acquires B while it holds A, another acquires A while it holds B,
directly or through the functions it calls. Also longer circles (A then B, B then C, C then A). Each circle is reported
once, with the way to every acquire.

## Why it matters

One thread holds A and waits for B, another holds B and waits for A: both wait forever, and so does everybody else who
needs either lock. It takes bad luck, so that it happens in production and not in the tests.

## Bad

```python
import threading


class Bank:
    def __init__(self):
        self._accounts_lock = threading.Lock()
        self._log_lock = threading.Lock()
        self._accounts = {}
        self._log = []

    def deposit(self, name, amount):
        with self._accounts_lock:
            self._accounts[name] += amount
            with self._log_lock:
                self._log.append(name)

    def audit(self):
        with self._log_lock:
            for name in self._log:
                with self._accounts_lock:
                    print(name, self._accounts[name])
```

## Good

```python
import threading


class Bank:
    def __init__(self):
        self._accounts_lock = threading.Lock()
        self._log_lock = threading.Lock()
        self._accounts = {}
        self._log = []

    def deposit(self, name, amount):
        with self._accounts_lock:
            self._accounts[name] += amount
            with self._log_lock:
                self._log.append(name)

    def audit(self):
        with self._accounts_lock:
            with self._log_lock:
                for name in self._log:
                    print(name, self._accounts[name])
```

## When it stays silent

- Every way round the circle holds a further lock: only one thread at a time can be in it.
- The inner acquire is non-blocking or has a timeout, or the lock is held already (re-entry).
- Locks of different objects that the file cannot tell apart: parameters, items of containers, the locks of two
  instances of one class. (An object and the one that it makes and hands itself, `self.worker = Worker(self)`, are told
  apart.) Nor in `__init__`, where no other thread has the object.
- Locks whose type is not known, but for one of a circle whose name says what it is, where others in it are made in this
  file; semaphores that are not known to start at one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step

if TYPE_CHECKING:
    from conclint.facts.lock_order import Edge


def check(module: ModuleContext) -> Iterator[Report]:
    for circle in module.facts.lock_order.circles():
        yield _report(module, circle)


def _report(module: ModuleContext, circle: tuple[Edge, ...]) -> Report:
    first = circle[0]
    held, acquired = _names(module, first)
    if len(circle) == 2:
        names = _names(module, circle[1])
        other = f"and on line {module.line(circle[1].taking.node)} "
        other += "the other way round, " if names != (acquired, held) else ""
        other += f"`{names[1]}` while `{names[0]}` is held"
    else:
        lines = ", ".join(str(module.line(edge.taking.node)) for edge in circle[1:])
        other = f"and lines {lines} close the circle"
    message = (
        f"`{acquired}` is acquired while `{held}` is held, {other}: "
        "threads that do these at the same time wait for each other forever"
    )
    return Report(first.taking.node, message, [step for edge in circle for step in _path(module, edge)])


def _path(module: ModuleContext, edge: Edge) -> Iterator[Step]:
    held, acquired = _names(module, edge)
    taking = edge.taking
    end = f"`{acquired}` is acquired while `{held}` is held"
    if taking.callee is None:
        yield from edge.section.path(taking.site, held, end)
        return
    yield from edge.section.path(taking.site, held, f"calls `{taking.callee.name}`")
    for inner in list(taking.chain())[1:]:
        yield Step(inner.site, end if inner.callee is None else f"calls `{inner.callee.name}`")


def _names(module: ModuleContext, edge: Edge) -> tuple[str, str]:
    uses = module.facts.locks.uses
    held = module.facts.lock_name(edge.section)
    acquired = uses.receiver_at(edge.taking.origin.site)
    names = module.text(held), "it" if acquired is None else module.text(acquired)
    return names if names[0] != names[1] else (edge.held.title, edge.acquired.title)


RULE = Rule(
    code="CNC107",
    name="lock-order-inversion",
    summary="Two locks are acquired in both orders",
    severity=Severity.ERROR,
    check=check,
)

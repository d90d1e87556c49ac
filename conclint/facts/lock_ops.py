"""What a call of a lock's method does to it."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from .. import syntax as s
from ..catalog import load
from ..kinds import Instance, Place


class Action(Enum):
    """What a call does to a lock."""

    ACQUIRE = auto()
    TRY_ACQUIRE = auto()
    """May come back without the lock: non-blocking, timed, or through a helper that says so by its result."""
    RELEASE = auto()


ENTERING = frozenset({"__enter__", "__aenter__"})
"""The methods that a ``with`` begins by; no exit follows one that raises."""


class LockOp(NamedTuple):
    """A call of ``acquire()`` or ``release()`` of a lock, or of a helper that does as much."""

    place: Place
    action: Action
    call: s.Call
    receiver: s.Expr
    """The expression that names the lock, or the helper called."""
    instance: Instance | None
    """The catalogued lock, ``None`` where only its name says what it is."""
    direct: bool = True
    """Whether the call itself is ``acquire``/``release``, not a helper."""
    is_own: bool = False
    """Whether the lock is of a class of this file, whose methods decide what is an error and who waits."""

    @property
    def is_counted(self) -> bool:
        """Whether the lock is a semaphore, by its kind or else by its name."""
        if self.instance is not None:
            return self.instance.type.kind in ("semaphore", "bounded_semaphore")
        return load().says_semaphore(s.last_name(self.receiver))

    @property
    def is_reentrant(self) -> bool:
        """Whether the thread that holds the lock may acquire it again."""
        if self.instance is None:
            return False
        kind = self.instance.type
        return kind.kind == "rlock" or (kind.kind == "condition" and kind.api != "asyncio")

    @property
    def is_counter(self) -> bool:
        """Whether the lock is a semaphore that starts at zero: it counts what others bring, and excludes nobody."""
        made = None if self.instance is None else self.instance.made_at
        first = made.argument(0, "value") if self.is_counted and isinstance(made, s.Call) else None
        return isinstance(first, s.Constant) and first.value == 0

    @property
    def may_exceed(self) -> bool:
        """Whether more releases than acquires are no error: a plain semaphore counts up for ever."""
        return self.is_counted and not (self.instance and self.instance.type.kind == "bounded_semaphore")


def is_conditional(call: s.Call, instance: Instance | None) -> bool:
    """Whether ``acquire(...)`` may return without the lock: ``blocking`` false or unknown, or a timeout given."""
    if instance is not None and instance.type.api == "asyncio":
        return False
    if call.has_star:
        return True
    blocking = call.argument(0, "blocking") or call.keyword("block")
    if blocking is not None and not (isinstance(blocking, s.Constant) and blocking.value):
        return True
    timeout = call.argument(1, "timeout")
    if timeout is None:
        return False
    return not (isinstance(timeout, s.Constant) and timeout.value in (None, -1))


def is_to_fail(call: s.Call) -> bool:
    """Whether a test fails where ``call`` gets the lock: ``self.assertFalse(lock.acquire(False))``."""
    if s.last_name(call.func) not in load().acquire_methods:
        return False
    asserting = call.parent.parent if isinstance(call.parent, s.Argument) else None
    if not isinstance(asserting, s.Call) or asserting.positional(0) is not call:
        return False
    name, other = s.last_name(asserting.func), asserting.positional(1)
    if name in ("assertEqual", "assertIs"):
        return isinstance(other, s.Constant) and other.value is False
    return name == "assertFalse"

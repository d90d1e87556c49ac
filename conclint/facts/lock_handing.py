"""Locks that a file writes itself, and whose ``release()`` hands them to whoever waits, before he runs.

If he is cancelled in that moment, his ``await`` raises although the lock is his, and nobody else knows that it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..names import Names

_TAKE = ("popleft", "pop")
_WAKE = ("set", "set_result")
_LEAVE = ("remove", "discard", "pop")
_QUEUE = ("append", "appendleft", "add")


class LostHandover(NamedTuple):
    """A wait that may be cancelled when the lock has been handed over, with nobody to give it back."""

    wait: s.Await
    wake: s.Call
    """The call in ``release()`` that tells the one who waits."""


def lost_handovers(names: Names) -> Iterator[LostHandover]:
    """Every wait in the ``acquire()`` of such a lock that no handler gives the lock back after."""
    for node in names.module.classes:
        acquire, release = names.method(node, "acquire"), names.method(node, "release")
        if acquire is None or release is None or not acquire.is_async or not names.catalog.says_lock(node.name):
            continue
        for queue, wake in _handed_over(release, _state(node, names), names):
            queued = _queued(acquire, queue, names)
            for wait in s.own_nodes(acquire):
                if isinstance(wait, s.Await) and _root(wait.value) in queued and _is_lost(wait, acquire, queued, names):
                    yield LostHandover(wait, wake)


def _state(node: s.ClassDef, names: Names) -> set[str]:
    """The attributes that say whether the lock is taken: those that its methods assign, ``release()`` apart."""
    functions = (each for each in names.module.functions if names.owner(each) is node)
    return set().union(*(_assigned(each.body, names) for each in functions if each.name not in ("__init__", "release")))


def _handed_over(release: s.Function, state: set[str], names: Names) -> Iterator[tuple[str, s.Call]]:
    """The queues from which ``release`` wakes the next one, keeping the lock taken, and where it does.

    It gives the lock up, changing its ``state``, only where nobody waits: in the ``else`` of that test.
    """
    for node in s.own_nodes(release):
        if not isinstance(node, s.If) or not node.orelse:
            continue
        calls = [part for statement in node.body for part in s.walk(statement) if isinstance(part, s.Call)]
        wake = next((call for call in calls if _method(call) in _WAKE), None)
        given_up = _assigned(node.orelse, names) & state
        for part in s.walk(node.test):
            queue = _own(part, names)
            if queue and wake is not None and given_up and any(_takes(call, queue, names) for call in calls):
                before = [each for each in release.body if each is not node]
                if state.isdisjoint(_assigned(before, names)):
                    yield queue, wake


def _queued(acquire: s.Function, queue: str, names: Names) -> set[str]:
    """The variables whose objects ``acquire`` puts into the queue, alone or with others."""
    found: set[str] = set()
    for node in s.own_nodes(acquire):
        if isinstance(node, s.Call) and isinstance(node.func, s.Attribute) and node.func.attr in _QUEUE:
            if _own(node.func.value, names) == queue:
                found |= {part.id for a in node.args for part in s.walk(a.value) if isinstance(part, s.Name)}
    for node in s.own_nodes(acquire):  # `token = task, event`
        if isinstance(node, s.Assign) and isinstance(node.value, s.Display):
            if any(isinstance(target, s.Name) and target.id in found for target in node.targets):
                found |= {part.id for part in node.value.elements if isinstance(part, s.Name)}
    return found


def _is_lost(wait: s.Await, acquire: s.Function, queued: set[str], names: Names) -> bool:
    """Whether an exception at ``wait`` leaves ``acquire`` before anything could give the lock back.

    A context manager could, and so could in a handler a method of the lock, or whatever is given the lock or the one
    who waits; all but what only takes him out of the queue.
    """
    child: s.Node = wait
    for parent in s.ancestors(wait):
        if parent is acquire:
            return True
        if isinstance(parent, s.With):
            return False
        if isinstance(parent, s.Try) and any(child is statement for statement in parent.body):
            endings = [*parent.final, *(statement for handler in parent.handlers for statement in handler.body)]
            parts = [part for statement in endings for part in s.walk(statement)]
            if any(isinstance(part, s.Call) and _may_give_back(part, queued, names) for part in parts):
                return False
            if parent.handlers and not any(isinstance(part, s.Raise) for part in parts):
                return False
        child = parent
    return True


def _may_give_back(call: s.Call, queued: set[str], names: Names) -> bool:
    if _own(call.func, names):
        return True
    if isinstance(call.func, s.Attribute) and _own(call.func.value, names) and call.func.attr in _LEAVE:
        return False
    given = (part for argument in call.args for part in s.walk(argument.value) if isinstance(part, s.Name))
    return any(part.id in queued or names.self_of(part) is not None for part in given)


def _own(node: s.Node, names: Names) -> str:
    """The attribute that ``node`` is of ``self``, ``""`` for anything else."""
    is_own = isinstance(node, s.Attribute) and isinstance(node.value, s.Name) and names.self_of(node.value) is not None
    return node.attr if is_own and isinstance(node, s.Attribute) else ""


def _assigned(statements: list[s.Stmt], names: Names) -> set[str]:
    """The attributes of ``self`` that ``statements`` assign or delete."""
    found: set[str] = set()
    for statement in statements:
        for node in s.walk(statement):
            if isinstance(node, (s.Assign, s.Delete)):
                found |= {_own(target, names) for target in node.targets}
            elif isinstance(node, s.AugAssign):
                found.add(_own(node.target, names))
    return found - {""}


def _method(call: s.Call) -> str:
    return call.func.attr if isinstance(call.func, s.Attribute) else ""


def _takes(call: s.Call, queue: str, names: Names) -> bool:
    return isinstance(call.func, s.Attribute) and call.func.attr in _TAKE and _own(call.func.value, names) == queue


def _root(expr: s.Expr) -> str:
    """The variable that is awaited, or whose method is: ``future``, ``event.wait()``."""
    func = expr.func if isinstance(expr, s.Call) else expr
    base = func.value if isinstance(func, s.Attribute) else func
    return base.id if isinstance(base, s.Name) else ""

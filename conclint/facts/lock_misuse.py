"""Calls and tests of locks that do not do what they say: they raise, do nothing, or are always true."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Instance
from .flow import Flow
from .lock_objects import LockObjects


class Misuse(Enum):
    """What is wrong with a line."""

    ENTERED = "entered"
    """``with lock.acquire():``"""
    COROUTINE_ENTERED = "coroutine entered"
    """``async with lock.acquire():`` of an asyncio lock."""
    METHOD_ENTERED = "method entered"
    """``with lock.acquire:``"""
    NOT_CALLED = "not called"
    """``lock.release`` as a statement."""
    METHOD_TESTED = "method tested"
    """``if lock.locked:``"""
    LOCK_TESTED = "lock tested"
    """``if lock:``"""
    NO_SUCH_ARGUMENT = "no such argument"
    """``acquire(blocking=False)`` of a multiprocessing lock."""
    TOO_MANY_ARGUMENTS = "too many arguments"
    TIMEOUT_OF_NONBLOCKING = "timeout of non-blocking"
    """``acquire(False, timeout=1)``"""


class Misused(NamedTuple):
    """One such line."""

    how: Misuse
    node: s.Expr
    """What to point at."""
    receiver: s.Expr
    """The lock."""
    lock: Instance | None
    detail: str = ""
    """The method or the argument that it is about."""


class LockMisuse:
    """The misused locks of a module."""

    def __init__(self, flow: Flow, objects: LockObjects) -> None:
        self._flow = flow
        self._catalog = flow.names.catalog
        self._objects = objects

    def each(self) -> Iterator[Misused]:
        """Every misuse, each expression once."""
        for call in self._flow.names.module.all(s.Call):
            found = misused_call(call, self._objects, self._flow)
            if found is not None:
                yield found
        for access in self._flow.names.module.all(s.Attribute):
            how = self._forgotten_call(access)
            if how is not None:
                yield Misused(how, access, access.value, None, access.attr)
        if self._objects.identifiers:
            for test in _tests(self._flow.names.module):
                yield from self._tested(test)

    def _forgotten_call(self, access: s.Attribute) -> Misuse | None:
        """What is wrong with ``lock.acquire`` or ``lock.release`` where it is neither called nor kept."""
        if access.attr not in self._catalog.acquire_methods and access.attr not in self._catalog.release_methods:
            return None
        parent = access.parent
        if isinstance(parent, s.WithItem) and parent.context is access:
            return Misuse.METHOD_ENTERED if self._objects.surely(access.value) is not None else None
        if not isinstance(parent, s.ExprStmt) or not self._flow.is_lock(access.value):
            return None
        block = parent.parent
        asks = isinstance(block, s.Try) and parent in block.body and any(map(self._expects_no_method, block.handlers))
        return None if asks else Misuse.NOT_CALLED

    def _expects_no_method(self, handler: s.Handler) -> bool:
        """Whether a handler is there for objects without the method."""
        return "AttributeError" in self._flow.classes.handled(handler.type)

    def _tested(self, test: s.Expr) -> Iterator[Misused]:
        if isinstance(test, s.Attribute) and test.attr in self._catalog.lock_methods:
            lock = self._objects.surely(test.value)
            if lock is not None:
                yield Misused(Misuse.METHOD_TESTED, test, test.value, lock, test.attr)
        lock = self._objects.always(test)
        if lock is not None and not self._uses_it_if_there(test):
            yield Misused(Misuse.LOCK_TESTED, test, test, lock)

    def _uses_it_if_there(self, test: s.Expr) -> bool:
        """Whether ``if lock:`` means "if there is a lock", since what follows uses it."""
        if isinstance(test.parent, s.Not):
            return False
        place = self._flow.names.place(test)
        statement = s.statement_of(test)
        uses: list[s.Expr] = []
        for node in s.walk(statement, into_functions=False):
            if isinstance(node, s.Attribute):
                uses.append(node.value)
            elif isinstance(node, s.WithItem):
                uses.append(node.context)
        return any(self._flow.names.place(use) == place for use in uses)


def misused_call(call: s.Call, objects: LockObjects, flow: Flow) -> Misused | None:
    """What is wrong with a call of ``acquire()``, if it cannot work as it stands."""
    func = call.func
    catalog = flow.names.catalog
    if not isinstance(func, s.Attribute) or func.attr not in catalog.acquire_methods:
        return None
    lock = objects.surely(func.value)
    if lock is None:
        return None
    is_awaited = isinstance(call.parent, s.Await)
    outer = call.parent if is_awaited else call
    if outer is not None and isinstance(outer.parent, s.WithItem) and outer.parent.context is outer:
        is_coroutine = lock.type.api == "asyncio" and not is_awaited
        return Misused(Misuse.COROUTINE_ENTERED if is_coroutine else Misuse.ENTERED, call, func.value, lock)
    parameters = catalog.lock_parameters.get(objects.module_of(lock))
    if parameters is None:
        return None
    unknown = next((a.keyword for a in call.args if a.keyword is not None and a.keyword not in parameters), None)
    if unknown is not None:
        return Misused(Misuse.NO_SUCH_ARGUMENT, call, func.value, lock, unknown)
    if not call.has_star and len(call.args) > len(parameters):
        return Misused(Misuse.TOO_MANY_ARGUMENTS, call, func.value, lock)
    if parameters[:1] == ["blocking"]:
        blocking, timeout = call.argument(0, "blocking"), call.argument(1, "timeout")
        if isinstance(blocking, s.Constant) and not blocking.value and _is_timeout(timeout, flow):
            return Misused(Misuse.TIMEOUT_OF_NONBLOCKING, call, func.value, lock)
    return None


def _is_timeout(timeout: s.Expr | None, flow: Flow) -> bool:
    """Whether a timeout is a number of seconds: neither absent nor -1 nor told by somebody else."""
    if isinstance(timeout, s.Name):
        timeout = flow.names.sole_value(timeout)
    return isinstance(timeout, s.Constant) and isinstance(timeout.value, (int, float)) and timeout.value != -1


def _tests(module: s.Module) -> Iterator[s.Expr]:
    """Every name and attribute whose truth decides something."""
    stack: list[s.Expr] = []
    deciders: list[s.If | s.While | s.Assert | s.IfExp]
    deciders = [*module.all(s.If), *module.all(s.While), *module.all(s.Assert), *module.all(s.IfExp)]
    stack += [node.test for node in deciders]
    stack += [test for clause in module.all(s.Clause) for test in clause.ifs]
    stack += [case.guard for case in module.all(s.Case) if case.guard is not None]
    stack += [node.operand for node in module.all(s.Not)]
    seen: set[s.Expr] = set()
    while stack:
        test = stack.pop()
        if test in seen:
            continue
        seen.add(test)
        if isinstance(test, s.Not):
            stack.append(test.operand)
        elif isinstance(test, s.BoolOp):
            stack += [test.right, test.left]
        elif isinstance(test, (s.Name, s.Attribute)):
            yield test

"""The waits of a module: who waits for what, and what the calls around a wait do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, Place
from .flow import Flow
from .locks import LockUses
from .predicates import Predicates


class Wait(NamedTuple):
    """A call of ``wait()`` or ``wait_for()`` of a condition or event."""

    call: s.Call
    receiver: s.Expr
    kind: str
    """``condition`` or ``event``."""
    is_timed: bool
    is_for: bool
    """Whether it is ``wait_for``, which tests by itself."""


class Acting(NamedTuple):
    """The step that relies on something which nothing tested after the wait."""

    wait: Wait
    node: s.Node
    takes: bool
    """Whether it takes what may not be there, rather than merely goes on."""


class WaitUses:
    """The waits of a module, and the words that the analyses of them share."""

    def __init__(self, flow: Flow, locks: LockUses) -> None:
        self.flow = flow
        self.names = flow.names
        self._locks = locks
        self.predicates = Predicates(flow.names)
        self._checkers: dict[s.Function, bool] = {}
        self.waits = list(self._find())

    def _find(self) -> Iterator[Wait]:
        for call in self.names.module.all(s.Call):
            method = call.func if isinstance(call.func, s.Attribute) else None
            if method is None and isinstance(call.func, s.Name):
                method = self.names.bound_method(call.func)
            if method is None or method.attr not in ("wait", "wait_for"):
                continue
            for kind in self.names.kinds(call.func):
                if isinstance(kind, ApiMethod) and kind.receiver.type.kind in ("condition", "event"):
                    is_for = method.attr == "wait_for"
                    timed = kind.receiver.type.api != "asyncio" and _is_timed(call, 1 if is_for else 0)
                    yield Wait(call, method.value, kind.receiver.type.kind, timed, is_for)
                    break

    def is_used(self, wait: Wait) -> bool:
        """Whether the result of a timed wait is looked at, or nothing is waited for here."""
        top = self.top(wait.call)
        statement = top.parent
        if isinstance(statement, s.Return):
            return wait.is_timed
        if not isinstance(statement, (s.ExprStmt, s.Assign)):
            return True
        return wait.is_timed and self._locks.result_used(wait.call)

    def top(self, call: s.Call) -> s.Expr:
        """The expression that has waited when it is evaluated: the ``await`` around a coroutine."""
        top: s.Expr = call
        node: s.Node = call
        while isinstance(node.parent, (s.Argument, s.Call, s.Await)):
            node = node.parent
            if isinstance(node, s.Await):
                top = node
                break
        return top

    def section(self, node: s.Node, receiver: s.Expr) -> s.With | None:
        """The ``with`` around ``node`` in its function that holds the lock of the condition."""
        home = self.home(receiver)
        for parent in s.ancestors(node):
            if isinstance(parent, (s.Function, s.ClassDef)):
                return None
            if isinstance(parent, s.With) and any(self.home(item.context) == home for item in parent.items):
                return parent
        return None

    def home(self, expr: s.Expr) -> Place | None:
        """Where the lock of a condition lives: ``Condition(lock)`` is that lock."""
        instance = self.names.instance(expr)
        made = None if instance is None else instance.made_at
        lock = made.argument(0, "lock") if isinstance(made, s.Call) and instance is not None else None
        shared = None
        if lock is not None and instance is not None and instance.type.kind == "condition":
            shared = self.names.place(lock)
        return self.names.place(expr) if shared is None else shared

    def is_handshake(self, wait: Wait, section: s.Node) -> bool:
        """Whether the lock's holder first starts a worker, or gives away what notifies: nobody can before the wait."""
        home = self.home(wait.receiver)
        held = isinstance(section, s.With)
        found = False
        for node in s.walk(section, into_functions=False):
            if node is wait.call:
                break
            if isinstance(node, s.Call):
                if isinstance(node.func, s.Attribute):
                    if node.func.attr in self.names.catalog.acquire_methods and self.home(node.func.value) == home:
                        held, found = True, False
                    elif node.func.attr == "start" and held:
                        found = found or self._is_worker(node.func.value)
                if held and not found:
                    found = any(self._notifies(argument.value, wait) for argument in node.args)
        return found

    def _is_worker(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is a thread or process, or their class, whose ``start(self)`` is called."""
        instance = self.names.instance(expr)
        api_type = self.names.catalog.made_by.get(self.names.qualified(expr) or "")
        found = api_type if instance is None else instance.type
        return found is not None and found.target is not None

    def _notifies(self, expr: s.Expr, wait: Wait) -> bool:
        """Whether ``expr`` is a function that notifies the condition waited for."""
        if not isinstance(expr, (s.Name, s.Attribute, s.Lambda)):
            return False
        home = self.home(wait.receiver)
        for function in self.names.functions(expr):
            for node in s.own_nodes(function):
                if isinstance(node, s.Attribute) and node.attr in ("notify", "notify_all", "notifyAll"):
                    if self.home(node.value) == home:
                        return True
        return False

    def checks(self, node: s.Node) -> bool:
        """Whether ``node`` calls a function of this file that only raises where it does not like the state."""
        return isinstance(node, s.Call) and any(self._is_checker(callee) for callee in self.flow.callees(node))

    def _is_checker(self, function: s.Function) -> bool:
        known = self._checkers.get(function)
        if known is None:
            body = [node for node in function.body if not _is_docstring(node)]
            known = bool(body) and all(isinstance(node, s.Assert) or _raises_if(node) for node in body)
            self._checkers[function] = known
        return known

    def is_idle(self, call: s.Call) -> bool:
        """Whether a call only looks, logs, or has to do with locks."""
        if self.flow.is_log_call(call):
            return True
        catalog = self.names.catalog
        if isinstance(call.func, s.Attribute) and call.func.attr in catalog.looking_methods:
            return True
        for kind in self.names.kinds(call.func):
            if isinstance(kind, External):
                return kind.name in catalog.harmless_functions
            if isinstance(kind, ApiMethod):
                return kind.receiver.type.kind in catalog.lock_kinds and kind.name not in ("wait", "wait_for")
        if isinstance(call.func, s.Attribute):
            return call.func.attr in catalog.release_methods and self.flow.is_lock(call.func.value)
        return False


def _is_timed(call: s.Call, index: int) -> bool:
    timeout = call.argument(index, "timeout")
    if timeout is None:
        return call.has_star
    return not (isinstance(timeout, s.Constant) and timeout.value is None)


def up_to(node: s.Node, scope: s.Node) -> Iterator[s.Node]:
    """The ancestors of ``node`` inside ``scope``."""
    for parent in s.ancestors(node):
        if parent is scope:
            return
        yield parent


def _raises_if(node: s.Stmt) -> bool:
    """Whether ``node`` is an ``if`` with a ``raise`` in it."""
    return isinstance(node, s.If) and any(isinstance(found, s.Raise) for found in s.walk(node))


def _is_docstring(node: s.Stmt) -> bool:
    return isinstance(node, s.ExprStmt) and isinstance(node.value, s.Constant)


def catchers(node: s.Node) -> list[s.Try]:
    """The ``try`` statements of the function whose handlers stand ready for what ``node`` raises."""
    found: list[s.Try] = []
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            break
        if isinstance(parent, s.Try) and parent.handlers and any(child is statement for statement in parent.body):
            found.append(parent)
        child = parent
    return found


def is_tested(node: s.Node) -> bool:
    """Whether ``node`` is evaluated for a test: of a statement, or by a method whose name says that it asserts."""
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, (s.If, s.While, s.Assert)):
            return child is parent.test
        if isinstance(parent, s.Stmt):
            return False
        if isinstance(parent, s.Call) and s.last_name(parent.func).lower().startswith("assert"):
            return True
        child = parent
    return False

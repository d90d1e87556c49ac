"""Exceptions that die in a handler of code that runs in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Union

from .. import syntax as s
from ..names import Names
from .flow import Flow
from .handlers import Handlers
from .running import Entry
from .worker_code import WorkerCode

_RISKY = (s.Raise, s.Await, s.Subscript, s.Operation, s.Import, s.ImportFrom, s.Yield)
# What handles a request or sets up a pool answers to the server, or the pool.
_PLACES = frozenset({"thread", "process", "pool task", "done callback", "pool callback"})
_WAITING = frozenset({"get", "put", "get_nowait", "put_nowait", "wait", "join"})


class Swallowed(NamedTuple):
    """A handler (or ``with suppress(...)``) that drops every exception in worker code."""

    node: Union[s.Handler, s.With]
    function: s.Function
    """The function it stands in."""
    entry: Entry
    """How that function, or the one that calls it, comes to run elsewhere."""
    body: list[s.Stmt]
    """What may raise the exceptions that are dropped."""


class Swallowing:
    """Finds them."""

    def __init__(self, flow: Flow, handlers: Handlers, code: WorkerCode) -> None:
        self._flow = flow
        self._handlers = handlers
        self._names = flow.names
        self._code = code

    def swallowed(self) -> Iterator[Swallowed]:
        """Every broad handler in worker code that does nothing with what it catches, in source order."""
        code = self._code.alone
        for function in self._names.module.functions:
            entry = code.get(function)
            if entry is None or entry.place not in _PLACES:
                continue
            for node in s.own_nodes(function):
                if isinstance(node, s.Try) and not self._is_harmless(node):
                    for handler in node.handlers:
                        if self._handlers.is_broad(handler) and self._drops(handler, function, entry):
                            yield Swallowed(handler, function, entry, node.body)
                elif isinstance(node, s.With) and self._suppresses(node) and not self._is_harmless(node):
                    yield Swallowed(node, function, entry, node.body)

    # ---- what is dropped

    def _suppresses(self, node: s.With) -> bool:
        for item in node.items:
            if self._names.is_call_of(item.context, {"contextlib.suppress"}) and isinstance(item.context, s.Call):
                if any(self._flow.classes.is_broad(argument.value) for argument in item.context.args):
                    return True
        return False

    def _drops(self, handler: s.Handler, function: s.Function, entry: Entry) -> bool:
        if function is not entry.function and _answers(function, handler):
            return False
        return self._handlers.drops(
            handler, result_counts=entry.place == "pool task", exit_counts=entry.place == "process"
        )

    def _is_harmless(self, node: s.Try | s.With) -> bool:
        """Whether an exception of the protected code, dropped, loses nothing.

        So it is where the code only tidies up, only waits on a queue (the exception is the timeout), sets a flag when
        it succeeded, or only improves on a value that there is already. In a ``finally`` or an ``except`` body
        everything is tidying up: dropping the second exception keeps the first. Where an ``assert`` is all that is
        tried, and an ``else`` follows, the exception is the answer to a question.
        """
        if in_cleanup(node):
            return True
        body = node.body
        if isinstance(node, s.Try) and node.orelse and len(body) == 1 and isinstance(body[0], s.Assert):
            return True
        if all(isinstance(statement, s.Assign) and has_defaults(self._names, statement) for statement in body):
            return True
        if records_success(body[-1]):
            return True
        return all(
            not isinstance(part, (*_RISKY, s.Call)) or (isinstance(part, s.Call) and self._is_tame(part))
            for statement in body
            for part in s.walk(statement, into_functions=False)
        )

    def _is_tame(self, call: s.Call) -> bool:
        """Whether a call tidies up, sleeps, writes a log, or waits on a queue."""
        func = call.func
        if self._handlers.tells_nothing(call) or self._flow.is_log_call(call):
            return True
        if not isinstance(func, s.Attribute) or func.attr not in _WAITING:
            return False
        instance = self._names.instance(func.value)
        return instance is not None and instance.type.kind == "queue"


def _answers(function: s.Function, handler: s.Handler) -> bool:
    """Whether the handler returns something to the caller, of a function that has results to return."""
    returned = [node.value for node in s.own_nodes(function) if isinstance(node, s.Return) and node.value is not None]
    if all(isinstance(value, s.Constant) for value in returned):
        return False
    last = handler.body[-1]
    return isinstance(last, s.Return) and last.value is not None


def has_defaults(names: Names, assign: s.Assign) -> bool:
    """Whether every name assigned has a value from elsewhere in the function too."""
    for target in assign.targets:
        found = names.scopes.lookup(target.id, target) if isinstance(target, s.Name) else None
        if found is None or len(found[1]) < 2:
            return False
    return True


def records_success(last: s.Stmt) -> bool:
    """Whether the last statement tells that all went well: ``done = True``, ``ok.append(1)``, ``finished.set()``."""
    if isinstance(last, s.Assign):
        return isinstance(last.value, s.Constant)
    call = last.value if isinstance(last, s.ExprStmt) else None
    if not isinstance(call, s.Call) or not isinstance(call.func, s.Attribute):
        return False
    if call.func.attr not in ("append", "add", "put", "set"):
        return False
    return all(isinstance(argument.value, s.Constant) for argument in call.args)


def in_cleanup(node: s.Node) -> bool:
    """Whether ``node`` stands in the ``finally`` or an ``except`` body of a ``try`` of the same function."""
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            return False
        if isinstance(parent, s.Handler) or (isinstance(parent, s.Try) and child in parent.final):
            return True
        child = parent
    return False

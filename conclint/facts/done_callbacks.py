"""Done-callbacks that ask their future for what it may raise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, Instance, Place
from .expected import is_caught
from .flow import Flow
from .lives import Lives
from .values import ValueFlow

_DEEPEST = 3
"""How many functions a future is followed into."""


class Callback(NamedTuple):
    """A function that gets a future when that is done."""

    function: s.Function
    param: s.Param
    site: s.Call
    """The ``add_done_callback(...)``."""
    future: Instance


class RaisingCallback(NamedTuple):
    """A call in a done-callback that raises what nobody catches."""

    call: s.Call
    method: str
    """``result`` or ``exception``."""
    callback: Callback
    task: s.Expr | None


class DoneCallbacks:
    """The done-callbacks of a module whose future's type is known."""

    def __init__(self, flow: Flow, lives: Lives, values: ValueFlow) -> None:
        self._flow = flow
        self._names = flow.names
        self._lives = lives
        self._values = values

    def raising(self) -> Iterator[RaisingCallback]:
        """The first ``result()`` or ``exception()`` of each callback that may raise out of it."""
        seen: set[s.Node] = set()
        for callback in self._callbacks():
            for call, method in self._unguarded(callback.function, callback.param, _DEEPEST):
                if self._may_raise(callback, call, method):
                    function = s.enclosing_function(call)  # what follows is not reached
                    if function is not None and function not in seen:
                        seen.add(function)
                        yield RaisingCallback(call, method, callback, self._lives.task_of(callback.future.made_at))

    # ---- which functions

    def _callbacks(self) -> Iterator[Callback]:
        for call in self._names.module.all(s.Call):
            if s.last_name(call.func) != "add_done_callback":
                continue
            future = next((k.receiver for k in self._names.kinds(call.func) if isinstance(k, ApiMethod)), None)
            given = call.argument(0, "fn") or call.keyword("callback")
            if future is None or given is None or future.type.kind not in ("future", "task"):
                continue
            shift = self._filled(given)
            for function in self._names.functions(given):
                param = self._param(function, shift)
                if param is not None and not function.is_async and not function.is_generator:
                    yield Callback(function, param, call, future)

    def _filled(self, given: s.Expr) -> int:
        """How many parameters a ``partial()`` fills before the future comes."""
        value = self._names.sole_value(given) if isinstance(given, s.Name) else given
        if isinstance(value, s.Call) and self._names.qualified(value.func) in self._names.catalog.calls["partials"]:
            return sum(argument.keyword is None for argument in value.args) - 1
        return 0

    def _param(self, function: s.Function, position: int) -> s.Param | None:
        positional = [param for param in function.params if param.kind in ("posonly", "normal")]
        index = position + (0 if function.is_lambda or self._names.self_class(function) is None else 1)
        return positional[index] if index < len(positional) else None

    # ---- what they do

    def _unguarded(self, function: s.Function, param: s.Param, depth: int) -> Iterator[tuple[s.Call, str]]:
        """What asks the future ``param`` without a look at whether it was cancelled, and without a handler."""
        loads = list(self._values.loads(self._names.scopes.info(function), param.name))
        asks = {_asked(load) for load in loads}
        if any(isinstance(node, s.Attribute) and node.attr == "cancelled" for node in s.own_nodes(function)):
            return  # also by another name of the future
        for load in loads:
            parent = load.parent
            method = _asked(load)
            if method in ("result", "exception") and isinstance(parent, s.Attribute):
                call = parent.parent
                if isinstance(call, s.Call) and s.enclosing_function(call) is function:
                    looked = method == "result" and "exception" in asks
                    if not looked and not is_caught(self._flow, call) and not _only_raises(call):
                        yield call, method
            elif isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call) and depth > 1:
                call = parent.parent
                if s.enclosing_function(call) is function and not is_caught(self._flow, call):
                    for callee in self._flow.callees(call):
                        position = next(i for i, argument in enumerate(call.args) if argument is parent)
                        inner = None if parent.keyword is not None or parent.star else self._param(callee, position)
                        if inner is not None and not callee.is_async and not callee.is_generator:
                            yield from self._unguarded(callee, inner, depth - 1)

    # ---- what the future may raise

    def _may_raise(self, callback: Callback, call: s.Call, method: str) -> bool:
        if method == "exception":
            if callback.future.type.api == "asyncio":
                return callback.future.type.kind == "task" or self._is_of_this_file(callback)
            return self._is_cancelled(callback.future.made_at)
        if callback.future.type.api == "asyncio" and _is_last(s.statement_of(call)):
            return False  # what is left undone needs the result, and the loop would log no less without the callback
        task = self._lives.task_of(callback.future.made_at)
        if task is None:
            return not self._is_only_set_well(callback.future.made_at)
        return not self._lives.task_handles_errors(task)

    @staticmethod
    def _is_of_this_file(callback: Callback) -> bool:
        """Whether this file makes the future: of others it is not known whether anybody cancels them."""
        made = callback.future.made_at
        return made is not None and s.root_of(made) is s.root_of(callback.site)

    def _is_only_set_well(self, made: s.Node | None) -> bool:
        """Whether a future is made and completed here, and never with an exception."""
        instance = (
            self._names.catalog.made_by.get(self._names.qualified(made.func) or "")
            if isinstance(made, s.Call)
            else None
        )
        if not isinstance(made, s.Call) or instance is None or instance.kind != "future":
            return False
        return all(
            use.kind == "test" or (use.kind == "method" and use.name not in ("set_exception", "cancel"))
            for use in self._values.uses(made)
        )

    def _is_cancelled(self, made: s.Node | None) -> bool:
        """Whether something may cancel what ``made`` makes: a loop that ends does, an executor only when it is told."""
        if not isinstance(made, s.Call):
            return False
        if self._names.is_call_of(made, {"asyncio.run_coroutine_threadsafe"}):
            return True
        if any(use.kind == "method" and use.name == "cancel" for use in self._values.uses(made)):
            return True
        submit = self._names.bound_method(made.func)
        executor = None if submit is None else self._names.place(submit.value)
        return executor is not None and executor in self._cancelling

    @cached_property
    def _cancelling(self) -> set[Place | None]:
        """The executors whose ``shutdown()`` cancels what has not begun."""
        return {
            self._names.place(call.func.value)
            for call in self._names.module.all(s.Call)
            if isinstance(call.func, s.Attribute) and call.keyword("cancel_futures") is not None
        }


def _asked(load: s.Expr) -> str:
    """The attribute of the future that is read."""
    return load.parent.attr if isinstance(load.parent, s.Attribute) else ""


def _only_raises(call: s.Call) -> bool:
    """Whether nothing is done with what ``result()`` gives, and nothing after it: it is there to raise."""
    child: s.Node = call
    parent = call.parent
    while isinstance(parent, s.Display) and parent.elements[-1] is child:
        child, parent = parent, parent.parent
    return isinstance(parent, (s.ExprStmt, s.Return)) and _is_last(parent)


def _is_last(statement: s.Node) -> bool:
    """Whether its function ends with ``statement``."""
    child = statement
    for parent in s.ancestors(statement):
        if isinstance(parent, s.If):
            body = parent.body if any(each is child for each in parent.body) else parent.orelse
        elif isinstance(parent, (s.Function, s.With)):
            body = parent.body
        else:
            return False
        if not body or body[-1] is not child:
            return False
        if isinstance(parent, s.Function):
            return True
        child = parent
    return False

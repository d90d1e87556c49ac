"""What becomes of the results of asynchronous calls: who reads them, and the exceptions that they carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, LocalFunction
from .flow import Flow
from .handlers import Handlers
from .life_paths import LifePaths, home_of, is_overwritten
from .values import Use, ValueFlow

_NO_RESULT = frozenset({"done", "running", "cancelled", "cancel", "ready", "set_running_or_notify_cancel"})
_READS = frozenset({"result", "exception", "get", "successful", "traceback"})


class LostResult(NamedTuple):
    """A call whose result carries an exception that nobody looks at."""

    call: s.Call
    method: str
    """Its last name: ``submit``, ``apply_async`` ..."""
    task: s.Expr | None
    """What it runs."""
    how: str
    """``dropped`` (thrown away at once), ``unread`` (kept, but never asked) or ``overwritten`` (by the next one)."""


class Lives:
    """Answers for every asynchronous result of a module."""

    def __init__(self, flow: Flow, handlers: Handlers, values: ValueFlow) -> None:
        self._handlers = handlers
        self._names = flow.names
        self._values = values
        self._paths = LifePaths(flow)

    def lost_results(self) -> Iterator[LostResult]:
        """The asynchronous calls whose exception nobody will see."""
        for call in self._names.module.all(s.Call):
            method = self.result_method(call)
            if method is not None:
                lost = self._lost(call, method)
                if lost is not None:
                    yield lost

    def result_method(self, call: s.Call) -> str | None:
        """The last name of the asynchronous API that ``call`` calls, ``None`` for other calls."""
        func = call.func
        known = False
        for kind in self._names.kinds(func):
            known = True
            if isinstance(kind, ApiMethod) and kind.qualified in self._names.catalog.calls["results"]:
                return kind.name
            if isinstance(kind, External):
                if kind.name in self._names.catalog.calls["results"]:
                    return kind.name.rpartition(".")[2]
        if not known and isinstance(func, s.Attribute) and func.attr == "run_in_executor":
            return func.attr  # no other object has a method of this name
        return None

    def _lost(self, call: s.Call, method: str) -> LostResult | None:
        if not s.is_nothing(call.keyword("error_callback")):
            return None
        if call.has_star and method.endswith("_async"):
            return None
        task = self.task(call, method)
        if task is not None and self.task_handles_errors(task):
            return None
        uses = self._values.uses(call)
        home = home_of(call)
        looks = [use for use in uses if self.looks_at_result(use)]
        if looks:
            if isinstance(home, s.Name) and not any(use.kind == "keep" for use in uses):
                reached = self._paths.follow(call, home, looks, runs_at_once=True)
                if reached is not None and is_overwritten(reached, call):
                    return LostResult(call, method, task, "overwritten")
            return None
        if isinstance(home, s.Attribute) and self._names.is_of_shared_class(call):
            return None
        dropped = home is None and all(use.kind == "dropped" for use in uses)
        return LostResult(call, method, task, "dropped" if dropped else "unread")

    def task_of(self, made: s.Node | None) -> s.Expr | None:
        """What runs, where ``made`` is a call of an asynchronous API."""
        method = self.result_method(made) if isinstance(made, s.Call) else None
        return self.task(made, method) if isinstance(made, s.Call) and method is not None else None

    @staticmethod
    def task(call: s.Call, method: str) -> s.Expr | None:
        """What the call of an asynchronous API is told to run."""
        if method == "run_in_executor":
            return call.positional(1)
        return call.argument(0, "func")

    def task_handles_errors(self, task: s.Expr) -> bool:
        """Whether the task is a function of this file that lets no exception out, or one that has none to let out."""
        if self._names.qualified(task) in self._names.catalog.harmless_functions:
            return True
        if isinstance(task, s.Name):
            task = self._names.sole_value(task) or task
        if isinstance(task, s.Call):  # a coroutine, or a partial
            if self._names.qualified(task.func) in self._names.catalog.calls["never_fail"]:
                return True
            functions = self._names.functions(task) or self._names.functions(task.func)
        else:
            functions = self._names.functions(task)
        if functions:
            return all(self._handlers.tells_its_errors(function) for function in functions)
        return self._tidies_up(task)

    def _tidies_up(self, task: s.Expr) -> bool:
        """Whether closing something is put off by a function that itself is there to close."""
        catalog = self._names.catalog
        function = s.enclosing_function(task)
        return (
            isinstance(task, s.Attribute)
            and catalog.says_cleanup(task.attr)
            and (
                function is not None
                and (catalog.says_cleanup(function.name) or function.name in catalog.calls["leaving_methods"])
            )
        )

    def looks_at_result(self, use: Use) -> bool:
        """Whether a use asks for the outcome, or gives the object to somebody who could."""
        if use.kind == "method":
            if use.name == "add_done_callback" and isinstance(use.node, s.Call):
                callback = use.node.positional(0)
                return callback is None or self._callback_looks(callback)
            return use.name not in _NO_RESULT
        if use.kind == "attribute":
            return use.name not in _NO_RESULT
        return use.kind not in ("set", "test", "keep", "dropped")

    def _callback_looks(self, callback: s.Expr) -> bool:
        """Whether a done-callback asks for the exception, or may: one from elsewhere is trusted."""
        method = self._names.bound_method(callback)
        if method is not None and method.attr in ("discard", "remove") and not self._names.functions(callback):
            return False
        functions = self._names.functions(callback)
        if not functions:
            return True
        for kind in self._names.kinds(callback):
            if isinstance(kind, LocalFunction):
                functions += self._names.overrides(kind.function, kind.receiver)
        return any(self._function_looks(function) for function in functions)

    def _function_looks(self, function: s.Function) -> bool:
        index = 1 if self._names.self_class(function) is not None else 0
        if len(function.params) <= index:
            return True
        name = function.params[index].name
        for load in self._values.loads(self._names.scopes.info(function), name):
            parent = load.parent
            if isinstance(parent, s.Attribute):
                if parent.attr in _READS:
                    return True
            elif isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
                func = parent.parent.func
                if not (isinstance(func, s.Attribute) and func.attr in ("discard", "remove", "pop")):
                    return True
            elif not isinstance(parent, s.Delete):
                return True
        return False

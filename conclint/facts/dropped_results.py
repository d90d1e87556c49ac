"""Exceptions of tasks that come out of ``result()``, and die in a handler there."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, Union

from .. import syntax as s
from ..kinds import ApiMethod, Place
from .flow import Flow
from .handlers import Handlers
from .lives import Lives
from .swallowing import has_defaults, in_cleanup, records_success


class Asked(NamedTuple):
    """A call that asks a future for its outcome."""

    call: s.Call
    receiver: s.Expr
    method: ApiMethod

    @property
    def raises(self) -> bool:
        """Whether it raises what the task raised; ``exception()`` returns it."""
        return self.method.name != "exception"


class DroppedResult(NamedTuple):
    """A handler (or ``with suppress(...)``) that drops whatever ``result()`` raises."""

    node: Union[s.Handler, s.With]
    asked: Asked
    task: s.Expr | None


class DroppedResults:
    """Finds them."""

    def __init__(self, flow: Flow, handlers: Handlers, lives: Lives) -> None:
        self._flow = flow
        self._names = flow.names
        self._handlers = handlers
        self._lives = lives

    @cached_property
    def asked(self) -> list[Asked]:
        """Every call of the file that asks a future for its outcome."""
        found = []
        outcomes = self._names.catalog.calls["outcomes"]
        for call in self._names.module.all(s.Call):
            method = self._names.bound_method(call.func)
            for kind in self._names.kinds(call.func) if method is not None else ():
                if isinstance(kind, ApiMethod) and kind.qualified in outcomes and method is not None:
                    found.append(Asked(call, method.value, kind))
                    break
        return found

    @cached_property
    def dropped(self) -> list[DroppedResult]:
        """Every broad handler round ``result()`` that tells nobody, where nobody else asks that future."""
        found: dict[s.Node, DroppedResult] = {}
        for asked in self.asked:
            node = self._dropping(asked) if asked.raises else None
            if node is None or node in found:
                continue
            task = self._lives.task_of(asked.method.receiver.made_at)
            if task is None or not self._lives.task_handles_errors(task):
                if not self._is_wanted_no_more(asked) and not self._is_asked_elsewhere(asked, node):
                    found[node] = DroppedResult(node, asked, task)
        return list(found.values())

    def _dropping(self, asked: Asked) -> s.Handler | s.With | None:
        """What drops the exception: the nearest that catches every Exception, if it does nothing else."""
        child: s.Node = asked.call
        for parent in s.ancestors(asked.call):
            if isinstance(parent, s.Function):
                break
            if isinstance(parent, s.Try) and any(child is statement for statement in parent.body):
                handler = next((h for h in parent.handlers if self._handlers.is_broad(h)), None)
                if handler is not None:
                    drops = self._handlers.drops(handler, result_counts=True, exit_counts=True)
                    return handler if drops and not parent.orelse and not self._is_harmless(parent) else None
            elif isinstance(parent, s.With) and any(child is statement for statement in parent.body):
                if any(self._catches_all(item.context) for item in parent.items):
                    return None if self._is_harmless(parent) else parent
            child = parent
        return None

    def _catches_all(self, context: s.Expr) -> bool:
        return self._names.is_call_of(context, {"contextlib.suppress"}) and any(
            name in ("Exception", "BaseException") for name in self._flow.classes.swallowed(context)
        )

    def _is_harmless(self, node: s.Try | s.With) -> bool:
        """Whether nothing is lost: in code that tidies up, or where what follows can tell that it failed."""
        function = s.enclosing_function(node)
        if in_cleanup(node) or (function is not None and self._tidies_up(function)):
            return True
        if all(isinstance(statement, s.Assign) and has_defaults(self._names, statement) for statement in node.body):
            return True
        return records_success(node.body[-1])

    def _tidies_up(self, function: s.Function) -> bool:
        catalog = self._names.catalog
        return catalog.says_cleanup(function.name) or function.name in catalog.calls["leaving_methods"]

    def _is_wanted_no_more(self, asked: Asked) -> bool:
        """Whether the same function cancels the future, so that it only waits for the end."""
        place = self._names.place(asked.receiver)
        scope: s.Scope = s.enclosing_scope(asked.call)
        return place is not None and any(
            isinstance(node, s.Attribute) and node.attr == "cancel" and self._names.place(node.value) == place
            for node in s.own_nodes(scope)
        )

    def _is_asked_elsewhere(self, asked: Asked, dropping: s.Node) -> bool:
        """Whether another call asks the same future, where its answer is not dropped."""
        place = self._names.place(asked.receiver)
        return place is not None and any(
            other.call is not asked.call and self._dropping(other) is not dropping for other in self._by_place[place]
        )

    @cached_property
    def _by_place(self) -> dict[Place, list[Asked]]:
        found: dict[Place, list[Asked]] = {}
        for asked in self.asked:
            place = self._names.place(asked.receiver)
            if place is not None:
                found.setdefault(place, []).append(asked)
        return found

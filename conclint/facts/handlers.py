"""What exception handlers do with what they catch."""

from __future__ import annotations

from collections.abc import Iterable

from .. import syntax as s
from ..cfg import Label, Level, Step, StepKind
from ..dataflow import explore
from .decorating import Decorating
from .flow import Flow, TrustedHandlers


class _Told(TrustedHandlers):
    """What was told before it is raised again is not counted, nor what a function raises that tells its errors."""

    def __init__(self, handlers: Handlers, channels: frozenset[str]) -> None:
        super().__init__(channels)
        self._handlers = handlers

    def raised(self, step: Step, state: None) -> Iterable[None]:
        if self._handlers.has_told(step) or self._handlers.leaves_to_others(step):
            return ()
        return super().raised(step, state)


class Handlers:
    """Judges handlers and the functions that rely on them."""

    def __init__(self, flow: Flow, decorating: Decorating) -> None:
        self._decorating = decorating
        self._flow = flow
        self._names = flow.names
        self._sound: dict[s.Function, bool] = {}
        self._telling: dict[s.Function, bool] = {}

    def is_broad(self, handler: s.Handler) -> bool:
        """Whether it catches every Exception."""
        return self._flow.classes.is_broad(handler.type)

    def drops(self, handler: s.Handler, *, result_counts: bool = False, exit_counts: bool = False) -> bool:
        """Whether nothing in the handler tells anybody: only pass, continue, return, sleeping and tidying up.

        With ``result_counts`` a returned value other than ``None`` is a way of telling, with ``exit_counts`` the exit
        status that ``sys.exit()`` sets.
        """
        exits = self._names.catalog.calls["exits"]
        for statement in handler.body:
            for node in s.walk(statement):
                if isinstance(node, (s.Raise, s.Assign, s.AugAssign, s.NamedExpr, s.Yield, s.Function)):
                    return False
                if isinstance(node, s.Name) and node.id == handler.name:
                    return False
                if isinstance(node, s.Return) and result_counts and not s.is_nothing(node.value):
                    return False
                if isinstance(node, s.Call):
                    is_exit = self._names.qualified(node.func) in exits
                    if exit_counts if is_exit else not self.tells_nothing(node):
                        return False
        return True

    def tells_nothing(self, call: s.Call) -> bool:
        """Whether a call only sleeps or tidies up."""
        if self._names.qualified(call.func) in self._names.catalog.calls["sleeps"]:
            return True
        func = call.func
        return isinstance(func, s.Attribute) and self._names.catalog.says_cleanup(func.attr)

    def answers_for_itself(self, function: s.Function) -> bool:
        """Whether nobody needs to look after ``function``: its errors stay inside, in a handler that deals with them.

        A function in which nothing can be raised at all is one too; one in which nothing is likely to be is not.
        """
        known = self._sound.get(function)
        if known is None:
            known = self._sound[function] = self._is_looked_after(function) or (
                self._flow.is_total(function)
                and (self._flow.function_level(function) is Level.NEVER or self.deals_with_errors(function))
            )
        return known

    def _is_looked_after(self, function: s.Function) -> bool:
        """Whether a decorator deals with what the function raises, or may: one from another file is trusted."""
        if not self._decorating.is_called(function):
            return True
        return any(self.deals_with_errors(wrapper.function) for wrapper in self._decorating.wrappers(function))

    def tells_its_errors(self, function: s.Function) -> bool:
        """Whether ``function`` answers for itself, or raises its errors only after it has told them."""
        if self.answers_for_itself(function):
            return True
        known = self._telling.get(function)
        if known is None:
            self._telling[function] = False  # for recursion
            told = any(
                (isinstance(node, s.Handler) and self.is_broad(node) and self._tells(node))
                or (isinstance(node, s.Try) and self._asks_what_flies(node.final))
                or (isinstance(node, s.Call) and bool(self._flow.callees(node)))
                for node in s.own_nodes(function)
            )
            transfer = _Told(self, self._names.catalog.channel_methods)
            graph = self._flow.graph(function)
            known = told and not explore(graph, None, transfer, skip=(Label.UNCAUGHT_BASE,)).at(graph.raise_exit)
            self._telling[function] = known
        return known

    def leaves_to_others(self, step: Step) -> bool:
        """Whether what ``step`` does is done by functions of this file that tell their errors, one by one."""
        node = step.node
        if isinstance(node, s.For):
            return isinstance(node.iter, (s.Name, s.Attribute))
        call = node.value if isinstance(node, s.Await) else node
        callees = self._flow.callees(call) if isinstance(call, s.Call) else []
        return bool(callees) and all(map(self.tells_its_errors, callees))

    def has_told(self, step: Step) -> bool:
        """Whether what ``step`` raises has been told before, or is told by the ``finally`` on its way out."""
        child: s.Node | None = step.node
        for parent in () if child is None else s.ancestors(child):
            if isinstance(parent, s.Function):
                return False
            if isinstance(parent, s.Handler) and step.kind is StepKind.RAISE and self._tells(parent):
                return True
            if isinstance(parent, s.Try) and not any(child is each for each in parent.final):
                if self._asks_what_flies(parent.final):
                    return True
            child = parent
        return False

    def _tells(self, handler: s.Handler) -> bool:
        """Whether the handler calls something that may tell, or keeps the exception where others find it."""
        return any(
            (isinstance(node, s.Call) and not self.tells_nothing(node)) or self._keeps(node, handler)
            for statement in handler.body
            if not isinstance(statement, s.Raise)
            for node in s.walk(statement)
        )

    @staticmethod
    def _keeps(node: s.Node, handler: s.Handler) -> bool:
        """Whether ``node`` stores what the handler catches in an object that outlives it: ``self.error = error``."""
        return (
            isinstance(node, s.Assign)
            and isinstance(node.value, s.Name)
            and node.value.id == handler.name
            and any(isinstance(target, (s.Attribute, s.Subscript)) for target in node.targets)
        )

    def _asks_what_flies(self, body: list[s.Stmt]) -> bool:
        names = self._names.catalog.calls["what_flies"]
        return any(
            isinstance(node, s.Call) and self._names.qualified(node.func) in names
            for statement in body
            for node in s.walk(statement)
        )

    def deals_with_errors(self, function: s.Function) -> bool:
        """Whether some broad handler of the function does something with what it catches."""
        return any(
            isinstance(node, s.Handler) and self.is_broad(node) and not self.drops(node, result_counts=True)
            for node in s.own_nodes(function)
        )

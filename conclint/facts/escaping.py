"""Whether an exception leaves the function in which it is thrown, by what stands around the place."""

from __future__ import annotations

from .. import syntax as s
from ..exceptions import Caught
from ..kinds import LocalInstance
from .flow import Flow


class Escaping:
    """Answers for the functions of a module. What may catch an exception is taken to do so."""

    def __init__(self, flow: Flow) -> None:
        self._names = flow.names
        self._classes = flow.classes

    def leaves(self, node: s.Node, thrown: str) -> bool:
        """Whether an exception of the builtin class ``thrown``, raised at ``node``, leaves the function around it."""
        child = node
        for parent in s.ancestors(node):
            if isinstance(parent, s.Function):
                return True
            if isinstance(parent, s.Try):
                tried = any(child is statement for statement in parent.body)
                if tried and any(self._catches(handler, thrown) for handler in parent.handlers):
                    return False
                if not any(child is statement for statement in parent.final) and _ends_early(parent.final):
                    return False
            elif isinstance(parent, s.With) and not isinstance(child, s.WithItem):
                if any(self._swallows(item.context, thrown) for item in parent.items):
                    return False
            child = parent
        return True

    def _catches(self, handler: s.Handler, thrown: str) -> bool:
        """Whether the handler may catch it and not throw it on."""
        if self._classes.catches(thrown, self._classes.handled(handler.type)) is Caught.NO:
            return False
        last = handler.body[-1]
        if not isinstance(last, s.Raise):
            return True
        again = last.exc is None or (isinstance(last.exc, s.Name) and last.exc.id == handler.name)
        return not again

    def _swallows(self, context: s.Expr, thrown: str) -> bool:
        if self._classes.catches(thrown, self._classes.swallowed(context)) is not Caught.NO:
            return True
        for kind in self._names.kinds(context):
            leave = self._names.method(kind.node, "__exit__") if isinstance(kind, LocalInstance) else None
            if leave is not None and any(_may_be_true(n.value) for n in s.own_nodes(leave) if isinstance(n, s.Return)):
                return True
        return False


def _may_be_true(value: s.Expr | None) -> bool:
    return value is not None and not (isinstance(value, s.Constant) and not value.value)


def _ends_early(final: list[s.Stmt]) -> bool:
    """Whether a ``finally`` may drop what flies by returning."""
    return any(isinstance(node, s.Return) for statement in final for node in s.walk(statement, into_functions=False))

"""Where a lock, or what releases it, is given to somebody else."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from collections.abc import Set as AbstractSet

from .. import syntax as s
from ..kinds import LocalFunction, Place
from .flow import Flow

_LOOKS_ONLY = frozenset(
    f"builtins.{name}" for name in ("id", "isinstance", "len", "print", "repr", "str", "type", "bool")
)


class Handovers:
    """Which steps give locks away. Calls that are ``operations`` on locks themselves do not."""

    def __init__(
        self, flow: Flow, operations: Container[s.Call], releasers: Callable[[Place], AbstractSet[s.Node]]
    ) -> None:
        self._flow = flow
        self._names = flow.names
        self._ops = operations
        self._releasers = releasers
        self._known: dict[tuple[s.Node, Place], bool] = {}

    def at(self, node: s.Node, place: Place) -> bool:
        """Whether evaluating ``node`` gives the lock at ``place``, or what releases it, to somebody else."""
        key = (node, place)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._hands_over(node, place)
        return known

    def forget(self, node: s.Node, place: Place) -> None:
        """Drop what was said before ``node`` was known to be an operation on the lock at ``place``."""
        self._known.pop((node, place), None)

    def _hands_over(self, node: s.Node, place: Place) -> bool:
        parts: list[s.Expr]
        if isinstance(node, s.Call):
            if node in self._ops or self._names.qualified(node.func) in _LOOKS_ONLY:
                return False
            parts = [argument.value for argument in node.args]
            callees = self._flow.callees(node)
            if callees and not any(self._keeps(callee) for callee in callees):
                parts = [part for part in parts if self._names.place(part) != place]
        elif isinstance(node, (s.Return, s.Yield)):
            parts = [] if node.value is None else [node.value]
        else:
            return False
        return any(self._carries(part, place) for part in parts)

    @staticmethod
    def _keeps(function: s.Function) -> bool:
        """Whether a function of this file may keep or release what it is passed: anything but plain use."""
        return any(
            isinstance(node, (s.Attribute, s.Return, s.Yield, s.Assign, s.Call)) and _mentions_param(node, function)
            for statement in function.body
            for node in s.walk(statement)
        )

    def _carries(self, expr: s.Expr, place: Place) -> bool:
        """Whether the value of ``expr`` is the lock, its ``release``, or a function that releases it."""
        for node in _values(expr):
            if isinstance(node, (s.Name, s.Attribute, s.Subscript)):
                if self._names.place(node) == place:
                    return True
                method = self._names.bound_method(node)
                if method is not None and method.attr in self._names.catalog.release_methods:
                    if self._names.place(method.value) == place:
                        return True
            if isinstance(node, (s.Name, s.Attribute, s.Lambda)):
                for kind in self._names.kinds(node):
                    if isinstance(kind, LocalFunction) and self._releases(kind.function, place):
                        return True
        return False

    def _releases(self, function: s.Function, place: Place) -> bool:
        return any(scope is function or _inside(scope, function) for scope in self._releasers(place))


def _values(expr: s.Expr) -> Iterator[s.Expr]:
    """The expressions whose values ``expr`` may hold: itself, items of displays, arguments of a constructor."""
    stack: list[s.Expr] = [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, s.Display):
            stack.extend(node.elements)
        elif isinstance(node, s.DictDisplay):
            stack.extend(node.values)
        elif isinstance(node, s.Starred):
            stack.append(node.value)
        elif isinstance(node, s.IfExp):
            stack.extend((node.body, node.orelse))
        elif isinstance(node, s.Call):
            stack.extend(argument.value for argument in node.args)


def _mentions_param(node: s.Node, function: s.Function) -> bool:
    names = {param.name for param in function.params}
    return any(isinstance(child, s.Name) and child.id in names for child in s.children(node))


def _inside(inner: s.Node, outer: s.Function) -> bool:
    return any(parent is outer for parent in s.ancestors(inner))

"""What parameters are: the arguments that the calls of this file pass for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import chain, islice

from . import syntax as s
from .kinds import LocalClass
from .places import Places
from .scopes import BindingKind

_MOST_CALLS = 64
"""Calls of one name whose arguments are looked at; what is passed beyond them repeats in practice."""


class Parameters(Places):
    """The part of :class:`conclint.names.Names` that knows which argument fills which parameter."""

    def __init__(self, module: s.Module) -> None:
        super().__init__(module)
        self._named: dict[tuple[object, str], list[s.Call]] | None = None

    @abstractmethod
    def functions(self, expr: s.Expr) -> list[s.Function]:
        """The functions of this file that calling ``expr`` runs: defs, methods, lambdas, partials, constructors."""

    def receiver(self, call: s.Call) -> s.Expr | None:
        """The ``x`` of ``x.method(...)``, also where the method was given another name."""
        method = self.bound_method(call.func)
        return None if method is None else method.value

    def argument(self, call: s.Call, callee: s.Function, name: str) -> s.Expr | None:
        """What ``call`` passes for the parameter ``name``; nothing is said of calls through a ``partial``."""
        if isinstance(call.func, s.Name) and isinstance(self.sole_value(call.func), s.Call):
            return None
        offset = 0 if self.self_class(callee) is None or self._passes_self(call, callee) else 1
        for index, param in enumerate(callee.params):
            if param.name == name:
                if param.kind == "kwonly" or index < offset:
                    return call.keyword(name)
                return call.argument(index - offset, name)
        return None

    def passed(self, param: s.Param) -> Iterator[s.Expr]:
        """The arguments that the calls of this file pass for ``param``."""
        function = param.parent
        if not isinstance(function, s.Function) or function.is_lambda or param.kind in ("*", "**"):
            return
        for call in self._calls_of(function):
            value = self.argument(call, function, param.name)
            if value is not None:
                yield value

    def is_handed_in(self, expr: s.Expr | None) -> bool:
        """Whether the object may be one that the caller of the function around ``expr`` passed to it."""
        if isinstance(expr, s.BoolOp):
            return self.is_handed_in(expr.left) or self.is_handed_in(expr.right)
        if isinstance(expr, s.IfExp):
            return self.is_handed_in(expr.body) or self.is_handed_in(expr.orelse)
        found = self.scopes.lookup(expr.id, expr) if isinstance(expr, s.Name) else None
        return found is not None and any(binding.kind is BindingKind.PARAMETER for binding in found[1])

    def _passes_self(self, call: s.Call, callee: s.Function) -> bool:
        """Whether ``call`` hands over the object itself: ``Base.method(self, ...)``."""
        if any(isinstance(kind, LocalClass) for kind in self.kinds(call.func)):
            return False
        receiver = self.receiver(call)
        if receiver is None or not any(isinstance(kind, LocalClass) for kind in self.kinds(receiver)):
            return False
        return not self.decorated(callee, ("builtins.classmethod",))

    def _calls_of(self, function: s.Function) -> Iterator[s.Call]:
        """The calls that run ``function``, as far as the name that is called says so.

        For use while it is being found out what is called; ``Names.calls_of`` has them all, by what they call.
        """
        owner = self.owner(function)
        if owner is None:
            candidates = [self._calls_named(s.Name, function.name)]
        elif function.name == "__init__":
            family = [owner, *self.subclasses(owner)]
            candidates = [self._calls_named(kind, node.name) for node in family for kind in (s.Name, s.Attribute)]
            candidates += [self._calls_named(node, name) for node in family for name in ("__init__", "cls")]
        else:
            candidates = [self._calls_named(s.Attribute, function.name)]
        for call in islice(chain.from_iterable(candidates), _MOST_CALLS):
            if function in self.functions(call.func):
                yield call

    def _calls_named(self, where: object, name: str) -> list[s.Call]:
        """The calls with arguments of what is called ``name``: by a name, by an attribute, or in a class."""
        if self._named is None:
            self._named = {}
            for call in self.module.all(s.Call):
                name_called = s.last_name(call.func) if call.args else ""
                if name_called in ("__init__", "cls"):
                    self._named.setdefault((s.enclosing_class(call), name_called), []).append(call)
                elif name_called:
                    self._named.setdefault((type(call.func), name_called), []).append(call)
        return self._named.get((where, name), [])

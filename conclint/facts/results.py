"""What calls give back, where it is certain that it cannot be called in turn."""

from __future__ import annotations

from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, Foreign, Kind, LocalClass, LocalFunction, LocalInstance
from ..scopes import BindingKind
from .flow import Flow

_DEFINED = frozenset({BindingKind.FUNCTION, BindingKind.CLASS, BindingKind.IMPORT})
_DEEPEST = 6
"""How far calls of calls are followed."""


class Result(NamedTuple):
    """What a call gives back."""

    what: str
    """In words: ``None``, ``a coroutine``, ``an object of `Job```, or ``nothing`` where it does not return."""
    is_plain: bool
    """Whether the call runs a function, with all that is in it, and makes no object to be used later."""

    @property
    def is_lazy(self) -> bool:
        """Whether the call runs nothing of the function's body."""
        return self.what in (COROUTINE.what, GENERATOR.what)


NOTHING = Result("nothing", is_plain=True)
NONE = Result("None", is_plain=True)
VALUE = Result("a value", is_plain=True)
COROUTINE = Result("a coroutine", is_plain=False)
GENERATOR = Result("a generator", is_plain=False)


class Results:
    """Judges the calls of one module."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._names = flow.names
        self._functions: dict[s.Function, Result | None] = {}
        self._depth = 0

    def of_call(self, call: s.Call) -> Result | None:
        """What ``call`` gives back, ``None`` where that may be something to call."""
        runners = self._names.catalog.calls["runners"]
        if self._names.is_call_of(call, runners):
            first = call.positional(0)
            return self._of_run(first) if isinstance(first, s.Call) else None
        found: set[Result | None] = {self._of_kind(kind) for kind in self._callees(call.func)}
        if len(found) > 1 and None not in found:
            return VALUE
        return found.pop() if found else None

    def known_functions(self, expr: s.Expr) -> list[s.Function]:
        """The functions of this file that ``expr`` is, with their overrides; none where it may be something else."""
        names = self._names
        value = names.sole_value(expr) if isinstance(expr, s.Name) else expr
        if isinstance(value, s.Call) and names.is_call_of(value, names.catalog.calls["partials"]):
            wrapped = value.positional(0)
            return [] if wrapped is None else self.known_functions(wrapped)
        out: list[s.Function] = []
        for kind in self._callees(expr):
            if not isinstance(kind, LocalFunction):
                return []
            out += [kind.function, *names.overrides(kind.function, kind.receiver)]
        return out

    def _callees(self, func: s.Expr) -> tuple[Kind, ...]:
        """What ``func`` is, where all that it may be is known."""
        names = self._names
        if isinstance(func, s.Name):
            found = names.scopes.lookup(func.id, func)
            if found is not None and not all(binding.kind in _DEFINED for binding in found[1]):
                value = names.sole_value(func)
                if not isinstance(value, (s.Name, s.Attribute, s.Lambda)):
                    return ()
        kinds = names.kinds(func)
        if not kinds and isinstance(func, s.Attribute):
            return tuple(External(name) for name in self._library_methods(func))
        for kind in kinds:
            if isinstance(kind, LocalFunction) and kind.receiver is not None and isinstance(func, s.Attribute):
                bindings = names.attribute_bindings(kind.receiver, func.attr)
                if any(binding.kind is not BindingKind.FUNCTION for binding in bindings):
                    return ()
        return kinds

    def _library_methods(self, func: s.Attribute) -> list[str]:
        """The names of the methods that ``func`` is of objects whose class the file only imports."""
        out = []
        for kind in self._names.kinds(func.value):
            if isinstance(kind, Foreign):
                out.append(f"{kind.maker}.{func.attr}")
            elif isinstance(kind, LocalInstance):
                for info in self._names.mro(kind.node):
                    out += [f"{base}.{func.attr}" for base in info.external_bases]
            else:
                return []
        uncallable = self._names.catalog.uncallable
        return [name for name in out if name in uncallable]

    def _of_kind(self, kind: Kind) -> Result | None:
        catalog = self._names.catalog
        if isinstance(kind, LocalFunction):
            found = {self._of_function(kind.function, is_method=kind.receiver is not None)}
            found |= {self._of_function(f, is_method=True) for f in self._names.overrides(kind.function, kind.receiver)}
            return found.pop() if len(found) == 1 else None if None in found else VALUE
        if isinstance(kind, LocalClass):
            return self._of_class(kind.node)
        if isinstance(kind, External):
            if kind.name in catalog.uncallable:
                return NONE if kind.name in catalog.uncallable_none else VALUE
            made = catalog.made_by.get(kind.name)
            return None if made is None else Result(f"a `{made.name}`", is_plain=False)
        if isinstance(kind, ApiMethod):
            if kind.name in catalog.uncallable_of.get(kind.receiver.type.kind, ()):
                return NONE
        return None

    def _of_class(self, node: s.ClassDef) -> Result | None:
        """An object of a class, where that class is known in full and has no ``__call__``."""
        names = self._names
        if names.is_open(node) or names.method(node, "__call__") or names.method(node, "__new__") or node.decorators:
            return None
        for info in names.mro(node):
            known = {"builtins.object", "abc.ABC", *names.catalog.made_by}
            if info.node.decorators or not known.issuperset(info.external_bases):
                return None
            if any(argument.keyword is not None or argument.star for argument in info.node.bases):
                return None
            if "__call__" in info.attributes or "__getattr__" in info.attributes:
                return None
        return Result(f"an object of `{node.name}` without a `__call__`", is_plain=False)

    def _of_run(self, coroutine: s.Call) -> Result | None:
        """What running ``coroutine`` to its end gives back."""
        found = [
            self._returned(kind.function) if isinstance(kind, LocalFunction) and kind.function.is_async else None
            for kind in self._callees(coroutine.func)
        ]
        return found[0] if len(found) == 1 else None

    def _of_function(self, function: s.Function, *, is_method: bool) -> Result | None:
        known = ("builtins.staticmethod", "builtins.classmethod")
        if any(self._names.qualified(decorator) not in known for decorator in function.decorators):
            return None
        if is_method and _is_stub(function):
            return None
        if function.is_generator:
            return GENERATOR
        return COROUTINE if function.is_async else self._returned(function)

    def _returned(self, function: s.Function) -> Result | None:
        """What the body of ``function`` returns."""
        if function in self._functions:
            return self._functions[function]
        self._functions[function] = None  # for recursion
        if self._depth < _DEEPEST:
            self._depth += 1
            self._functions[function] = self._find_returned(function)
            self._depth -= 1
        return self._functions[function]

    def _find_returned(self, function: s.Function) -> Result | None:
        returns = [node for node in s.own_nodes(function) if isinstance(node, s.Return)]
        values = [node.value for node in returns if node.value is not None]
        if all(isinstance(value, s.Constant) and value.value is None for value in values):
            if not self._flow.function_returns(function):
                return None if _raises(function) else NOTHING
            return NONE
        return VALUE if all(self._is_uncallable(value) for value in values) else None

    def _is_uncallable(self, expr: s.Expr) -> bool:
        if isinstance(expr, (s.Constant, s.Display, s.DictDisplay, s.Comprehension, s.Compare, s.Not)):
            return True
        if isinstance(expr, s.Operation):
            return expr.op == "f"
        if isinstance(expr, s.Call):
            return self.of_call(expr) is not None
        if isinstance(expr, s.IfExp):
            return self._is_uncallable(expr.body) and self._is_uncallable(expr.orelse)
        value = self._names.sole_value(expr) if isinstance(expr, s.Name) else None
        if isinstance(value, (s.Name, s.Attribute)) or value is None:
            return False
        return self._is_uncallable(value)


def _raises(function: s.Function) -> bool:
    """Whether a function that does not return may be one that only raises."""
    return any(isinstance(node, s.Raise) for node in s.own_nodes(function))


def _is_stub(function: s.Function) -> bool:
    """Whether the body says no more than that a subclass may provide one."""
    return all(
        isinstance(node, (s.Pass, s.Raise)) or (isinstance(node, s.ExprStmt) and isinstance(node.value, s.Constant))
        for node in function.body
    )

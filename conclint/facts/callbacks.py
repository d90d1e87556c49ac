"""Calls of code that others have handed in: callbacks, listeners and hooks, which may call back.

Such a call is known by two things: its name says so, and whoever handed in what is called had the object already, or
the callback is told of it. A signal's ``send(sender=self)`` calls its receivers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, LocalClass
from ..scopes import BindingKind
from .calls import Calls

_DEEPEST = 4
"""How many calls deep callbacks are followed, and how many variables one is kept in on the way to its call."""
_CONSTRUCTORS = ("__init__", "__new__")
_MOST = 8
"""Callbacks that are told apart for one function."""


class Back(NamedTuple):
    """A call of a callback that a piece of code comes to."""

    call: s.Call
    sites: tuple[s.Call, ...]
    """The calls on the way there, outermost first."""


class Callbacks:
    """The callbacks that the functions of a module call."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._names = calls.names

    def at(self, event: s.Node) -> Iterator[Back]:
        """The callbacks that evaluating ``event`` comes to."""
        if isinstance(event, s.Call):
            if event in self._direct:
                yield Back(event, ())
            for callee in self._calls.run_by(event):
                for back in self.of(callee):
                    yield Back(back.call, (event, *back.sites))

    def of(self, function: s.Function) -> list[Back]:
        """The callbacks that ``function`` comes to, those with the fewest calls on the way first."""
        return list(self._of.get(function, {}).values())

    @cached_property
    def _direct(self) -> set[s.Call]:
        """The calls that run what others have handed in."""
        calls = self._names.module.all(s.Call)
        return {call for call in calls if self._is_dispatch(call) or self._is_handed_in(call)}

    @cached_property
    def _of(self) -> dict[s.Function, dict[s.Call, Back]]:
        """The functions that come to one of those calls."""
        found: dict[s.Function, dict[s.Call, Back]] = {}
        calls = (call for call in self._names.module.all(s.Call) if call in self._direct)
        fresh = [(s.enclosing_function(call), Back(call, ())) for call in calls]
        for _ in range(_DEEPEST):
            changed: list[tuple[s.Function | None, Back]] = []
            for function, back in fresh:
                known = found.setdefault(function, {}) if function is not None else {}
                if function is None or back.call in known or len(known) >= _MOST:
                    continue
                known[back.call] = back
                sites = (site for site in self._calls.to(function) if isinstance(site, s.Call))
                changed += ((s.enclosing_function(site), Back(back.call, (site, *back.sites))) for site in sites)
            fresh = changed
        return found

    def _is_dispatch(self, call: s.Call) -> bool:
        func = call.func
        methods = self._names.catalog.callbacks["dispatches"]
        sender = call.keyword("sender")
        return isinstance(func, s.Attribute) and func.attr in methods and sender is not None and self._is_own(sender)

    def _is_own(self, sender: s.Expr) -> bool:
        """Whether ``sender`` is the object that calls, or its class: ``self``, ``type(self)``, ``self.__class__``."""
        if isinstance(sender, s.Call) and self._names.qualified(sender.func) == "builtins.type":
            return (inner := sender.positional(0)) is not None and self._is_own(inner)
        if isinstance(sender, s.Attribute) and sender.attr == "__class__":
            return self._is_own(sender.value)
        if not isinstance(sender, s.Name):
            return False
        owner = s.enclosing_class(sender)
        classes = (kind.node for kind in self._names.kinds(sender) if isinstance(kind, LocalClass))
        return self._names.self_of(sender) is not None or (owner is not None and owner in classes)

    def _is_handed_in(self, call: s.Call) -> bool:
        func = call.func
        picked = isinstance(func, s.Subscript)
        if not self._says_callback(s.last_name(func.value if isinstance(func, s.Subscript) else func)):
            return False
        if self._names.functions(func) or any(isinstance(kind, ApiMethod) for kind in self._names.kinds(func)):
            return False
        if isinstance(func, s.Attribute) and (
            not isinstance(func.value, s.Name) or not self._names.self_of(func.value)
        ):
            return False  # `loop.add_callback(...)` only takes one
        if self._is_reference(call):
            return False
        is_told = any(isinstance(a.value, s.Name) and self._names.self_of(a.value) for a in call.args)
        return self._is_outside(func, picked or is_told, _DEEPEST)

    def _is_reference(self, call: s.Call) -> bool:
        """Whether what is called is a weak reference that is asked for its object: ``listener() is not None``."""
        if call.args or isinstance(call.parent, (s.ExprStmt, s.Await)):
            return False
        return isinstance(call.parent, s.Compare) or self._keeps_references

    @cached_property
    def _keeps_references(self) -> bool:
        makers = self._names.catalog.callbacks["references"]
        return any(self._names.qualified(call.func) in makers for call in self._names.module.all(s.Call))

    def _says_callback(self, name: str) -> bool:
        return self._names.catalog.says_callback(name)

    def _is_outside(self, expr: s.Expr, open_: bool, depth: int) -> bool:
        """Whether ``expr`` is, or is in, an attribute of ``self`` that others give its contents.

        ``open_`` is set where it makes no difference when they do.
        """
        if isinstance(expr, s.Attribute):
            owner = self._names.self_of(expr.value) if isinstance(expr.value, s.Name) else None
            return owner is not None and self._is_given(owner, expr.attr, open_)
        if isinstance(expr, s.Subscript):
            return self._is_outside(expr.value, True, depth)
        if isinstance(expr, s.Call):  # `list(self._callbacks)`, `self._callbacks.get(name)`
            inner = expr.func.value if isinstance(expr.func, s.Attribute) else expr.positional(0)
            return inner is not None and self._is_outside(inner, True, depth)
        found = self._names.scopes.lookup(expr.id, expr) if isinstance(expr, s.Name) and depth else None
        for binding in () if found is None else found[1]:
            if binding.kind in (BindingKind.ASSIGN, BindingKind.ELEMENT) and binding.value is not None:
                picked = open_ or binding.kind is BindingKind.ELEMENT
                if self._is_outside(binding.value, picked, depth - 1):
                    return True
        return False

    def _is_given(self, owner: s.ClassDef, attr: str, open_: bool) -> bool:
        """Whether others who have the object give the attribute its contents.

        They hand a method what it binds or puts there, or assign a public attribute; private methods are for the class
        itself. Who makes the object does not have it yet: what the constructor is handed counts only where it is
        ``open_``, a container for example.
        """
        bindings = self._names.attribute_bindings(owner, attr)
        for binding in bindings:
            function = s.enclosing_function(binding.node)
            if self._names.is_handed_in(binding.value) and not self._is_of_class(binding.value):
                name = "" if function is None else function.name
                if (open_ or name not in _CONSTRUCTORS) and not _is_private(name):
                    return True
        if not attr.startswith("_") and bindings and all(s.is_nothing(binding.value) for binding in bindings):
            return True
        return open_ and self._says_callback(attr) and self._has_registering_method(owner)

    def _has_registering_method(self, owner: s.ClassDef) -> bool:
        family = {info.node for info in self._names.mro(owner)}
        return any(
            self._says_callback(param.name)
            for function in self._names.module.functions
            if function.name not in _CONSTRUCTORS and not _is_private(function.name)
            if self._names.owner(function) in family
            for param in function.params
        )

    def _is_of_class(self, value: s.Expr | None) -> bool:
        """Whether the name of what is handed in says that it makes something: ``handler_class``."""
        return value is not None and self._names.catalog.says_maker(s.last_name(value))


def _is_private(method: str) -> bool:
    return method.startswith("_") and not method.endswith("__")

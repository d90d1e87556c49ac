"""The calls between the functions of a file: who calls whom, and what the one's objects are to the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Union

from .. import syntax as s
from ..kinds import LocalClass, LocalInstance, Place
from .conditions import NOTHING, Known
from .flow import Flow

Site = Union[s.Call, s.Attribute]
"""What runs a function: a call, or the reading of a property."""

_PROPERTIES = ("builtins.property", "functools.cached_property")


class Calls:
    """The call graph of a module."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._names = flow.names
        self._to: dict[s.Function, list[Site]] | None = None
        self._run_by: dict[Site, list[s.Function]] = {}
        self.module = flow.names.module
        self.properties = {
            function.name for function in self._names.module.functions if self._names.decorated(function, _PROPERTIES)
        }

    def run_by(self, site: s.Node) -> list[s.Function]:
        """The functions of this file whose bodies run, now and here, when ``site`` is evaluated.

        A coroutine function runs where its call is awaited; a generator function does not run when it is called.
        """
        if not isinstance(site, (s.Call, s.Attribute)):
            return []
        known = self._run_by.get(site)
        if known is None:
            known = self._run_by[site] = list(self._find(site))
        return known

    def overriding(self, site: s.Node) -> Iterator[s.Function]:
        """The methods that ``self.method()`` runs instead where ``self`` is of a subclass in this file.

        Only of subclasses that have the method around ``site`` as it is here.
        """
        caller = s.enclosing_function(site)
        if caller is None or not isinstance(site, s.Call) or not isinstance(site.func, s.Attribute):
            return
        base = self._names.place(site.func.value)
        owner = None if base is None or base.path or base.root[0] != "self" else base.root[1]
        if not isinstance(owner, s.ClassDef) or self._names.owner(caller) is not owner:
            return
        for subclass in self._names.subclasses(owner):
            if self._names.method(subclass, caller.name) is caller:
                found = self._names.method(subclass, site.func.attr)
                if found is not None and found not in self.run_by(site):
                    yield found

    def to(self, function: s.Function) -> list[Site]:
        """The places of this file that run ``function``, in source order."""
        if self._to is None:
            self._to = {}
            sites: list[Site] = list(self._names.module.all(s.Call))
            if self.properties:
                sites += [node for node in self._names.module.all(s.Attribute) if node.attr in self.properties]
            for site in sites:
                for callee in self.run_by(site):
                    self._to.setdefault(callee, []).append(site)
        return self._to.get(function, [])

    def is_private(self, function: s.Function) -> bool:
        """Whether only the calls in this file run ``function``: so its name says, and nothing takes it as a value."""
        if function.is_lambda or not function.name.startswith("_") or function.name.endswith("__"):
            if self._names.owner(function) is not None or not _around(function):
                return False
        return function not in self._values

    @cached_property
    def _values(self) -> set[s.Function]:
        """The functions that are passed on, stored or returned."""
        taken: set[s.Function] = set()
        defined = {function.name for function in self.module.functions}
        nodes: list[s.Name | s.Attribute] = [*self.module.all(s.Attribute), *self.module.all(s.Name)]
        for node in nodes:
            called = isinstance(node.parent, s.Call) and node.parent.func is node
            if not called and s.last_name(node) in defined:
                taken.update(self._names.functions(node))
        return taken

    def _find(self, site: Site) -> Iterator[s.Function]:
        if isinstance(site, s.Attribute):
            if site.attr in self.properties and not _is_target(site):
                for owner in self._names.kinds(site.value):
                    if isinstance(owner, LocalInstance):
                        method = self._names.method(owner.node, site.attr, beyond=owner.beyond)
                        if method is not None and self._names.decorated(method, _PROPERTIES):
                            yield method
            return
        awaited = isinstance(self._flow.outcome(site), s.Await)
        for function in self._names.functions(site.func):
            if not function.is_generator and (awaited or not function.is_async):
                yield function

    # ---- what the one's objects are to the other

    def translate(self, place: Place, site: Site, callee: s.Function) -> Place | None:
        """The caller's name, at ``site``, for a place of ``callee``; ``None`` where the caller cannot see it."""
        kind = place.root[0]
        if kind == "self":
            return self._from_self(place, site, callee)
        if kind == "local" and len(place.root) == 3:
            scope = getattr(place.root[1], "node", None)
            if scope is not callee:  # a variable of a function around both
                return place if scope is not None and _inside(site, scope) else None
            base = self._argument(str(place.root[2]), site, callee)
            found = None if base is None else self._names.place(base)
            return None if found is None else found.join(*place.path)
        return place

    def given(self, site: s.Node, callee: s.Function) -> Known:
        """The facts about its parameters that ``callee`` starts with: constants passed at ``site``, defaults left."""
        if not isinstance(site, s.Call) or site.has_star:
            return NOTHING
        scope = self._names.scopes.info(callee)
        known: set[tuple[tuple[object, ...], bool]] = set()
        for param in callee.params:
            value = self._argument(param.name, site, callee) or param.default
            if param.kind not in ("*", "**") and isinstance(value, s.Constant):
                place = Place(("local", scope, param.name), ())
                known.add((("truth", place), bool(value.value)))
                known.add((("none", place), value.value is None))
        return frozenset(known)

    def _from_self(self, place: Place, site: Site, callee: s.Function) -> Place | None:
        names = self._names
        if names.self_class(callee) is None:  # a function inside a method, or a lambda: `self` is the method's
            provider = next((f for f in _around(callee) if names.self_class(f) is not None), None)
            return place if provider is not None and _inside(site, provider) else None
        receiver = self._receiver(site)
        if receiver is None:
            return None
        if isinstance(receiver, s.Call) and names.qualified(receiver.func) == "builtins.super":
            return place
        if any(isinstance(kind, LocalClass) for kind in names.kinds(receiver)):
            if not names.decorated(callee, ("builtins.classmethod",)):
                first = site.positional(0) if isinstance(site, s.Call) else None  # `Base.method(self)`
                base = None if first is None else names.place(first)
                return place if base is not None and base.root[0] == "self" and not base.path else None
            return place
        base = names.place(receiver)
        if base is None:
            return None
        return place if base.root[0] == "self" and not base.path else base.join(*place.path)

    def _receiver(self, site: Site) -> s.Expr | None:
        """The object whose method ``site`` runs."""
        if isinstance(site, s.Attribute):
            return site.value
        method = self._names.bound_method(site.func)
        return None if method is None else method.value

    def _argument(self, name: str, site: Site, callee: s.Function) -> s.Expr | None:
        return self._names.argument(site, callee, name) if isinstance(site, s.Call) else None


def _is_target(node: s.Attribute) -> bool:
    parent = node.parent
    return isinstance(parent, (s.Assign, s.Delete)) and any(target is node for target in parent.targets)


def _around(function: s.Function) -> list[s.Function]:
    """The functions that ``function`` is defined in, the innermost first."""
    return [parent for parent in s.ancestors(function) if isinstance(parent, s.Function)]


def _inside(node: s.Node, outer: s.Node) -> bool:
    return isinstance(outer, s.Module) or any(parent is outer for parent in s.ancestors(node))

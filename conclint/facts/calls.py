"""The calls between the functions of a file: who calls whom, and what the one's objects are to the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Union

from .. import syntax as s
from ..kinds import Instance, LocalClass, LocalInstance, Place
from .conditions import NOTHING, Key, Known
from .consuming import takes_some
from .decorating import Decorating, Wrapper
from .flow import Flow

Site = Union[s.Call, s.Attribute, s.Subscript, s.Compare, s.For, s.Clause]
"""What runs a function: a call, the use of a property, or an operator that an object of the file gives a meaning."""

_PROPERTIES = ("builtins.property", "functools.cached_property")
_SITES = (s.Call, s.Attribute, s.Subscript, s.Compare, s.For, s.Clause)
_SETTERS = {s.Assign: ("setter",), s.Delete: ("deleter",), s.AugAssign: ("getter", "setter")}
_CONTAINER_METHODS = {s.Subscript: "__getitem__", s.Compare: "__contains__", s.For: "__iter__", s.Clause: "__iter__"}


class Calls:
    """The call graph of a module."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._names = self.names = flow.names
        self._to: dict[s.Function, list[Site]] | None = None
        self._run_by: dict[Site, list[s.Function]] = {}
        self._of_class: dict[Place, bool] = {}
        self.module = flow.names.module
        self.decorating = Decorating(flow.names)
        self.properties = {
            function.name for function in self._names.module.functions if self._names.decorated(function, _PROPERTIES)
        }
        self._operators = {
            function.name for function in self._names.module.functions if self._names.owner(function) is not None
        }

    def run_by(self, site: s.Node) -> list[s.Function]:
        """The functions of this file whose bodies run, now and here, when ``site`` is evaluated.

        A coroutine function runs where its call is awaited; a generator function does not run when it is called.
        """
        if not isinstance(site, _SITES):
            return []
        known = self._run_by.get(site)
        if known is None:
            known = self._run_by[site] = list(dict.fromkeys(self._find(site)))
        return known

    def may_run(self, node: s.Node) -> bool:
        """Whether ``node`` is of a sort that runs functions of this file without calling them by name."""
        if isinstance(node, s.Attribute):
            return node.attr in self.properties
        return _CONTAINER_METHODS.get(type(node)) in self._operators

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
                if found is not None and found not in self._names.functions(site.func):
                    if self._runs_body(found, site):
                        yield found

    def to(self, function: s.Function) -> list[Site]:
        """The places of this file that run ``function``, in source order."""
        if self._to is None:
            self._to = {}
            sites: list[Site] = list(self._names.module.all(s.Call))
            others: list[Site] = [*self.module.all(s.Attribute), *self.module.all(s.Subscript)]
            others += [*self.module.all(s.Compare), *self.module.all(s.For), *self.module.all(s.Clause)]
            sites += filter(self.may_run, others)
            for site in sites:
                for callee in self.run_by(site):
                    self._to.setdefault(callee, []).append(site)
        return self._to.get(function, [])

    def is_private(self, function: s.Function) -> bool:
        """Whether only the calls in this file run ``function``: so its name says, and nothing takes it as a value."""
        if function.is_lambda or not function.name.startswith("_") or function.name.endswith("__"):
            if self._names.owner(function) is not None or not _around(function):
                return False
        return function not in self.values

    @cached_property
    def values(self) -> set[s.Function]:
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
            if site.attr in self.properties:
                yield from self._accessors(site)
        elif not isinstance(site, s.Call):
            if self.may_run(site):
                yield from self._operator(site, _CONTAINER_METHODS[type(site)])
        else:
            yield from self._called(site)

    def _called(self, site: s.Call) -> Iterator[s.Function]:
        functions = self._names.functions(site.func)
        if functions and self._is_picked(site.func):
            functions = []  # one of them, and which is not known
        if isinstance(site.func, s.Name) and self._names.sole_value(site.func) is not None:
            # what a function saved before it put itself in its place, and calls now, is not itself
            caller = s.enclosing_function(site)
            functions = [function for function in functions if function is not caller]
        for function in functions:
            if self._runs_body(function, site) and self.decorating.is_called(function):
                yield function
        for kind in self._names.kinds(site.func):
            if isinstance(kind, LocalClass):
                maker = self._names.method(kind.node, "__new__")
                if maker is not None:
                    yield maker
        method = self._names.catalog.operators.get(self._names.qualified(site.func) or "")
        if method in self._operators:
            yield from self._operator(site, method)

    def _is_picked(self, func: s.Expr) -> bool:
        """Whether ``func`` is an item of a container."""
        value = self._names.sole_value(func) if isinstance(func, s.Name) else func
        if isinstance(value, s.Call) and isinstance(value.func, s.Attribute):
            value = value.func.value
            return self._names.is_container(value)
        return isinstance(value, s.Subscript)

    def _runs_body(self, function: s.Function, site: s.Call) -> bool:
        if function.is_generator:
            return takes_some(self._names, site) or (
                isinstance(site.parent, s.WithItem)
                and self._names.decorated(function, self._names.catalog.calls["contextmanagers"])
            )
        return not function.is_async or self._is_awaited(site)

    def is_waited_for(self, acquire: s.Call) -> bool:
        """Whether control stays at ``acquire()`` until the lock is had: that of asyncio only makes a coroutine."""
        method = self._names.bound_method(acquire.func)
        lock = None if method is None else self._names.instance(method.value)
        if lock is None or lock.type.api != "asyncio":
            return not isinstance(self._flow.outcome(acquire), s.Await) or isinstance(acquire.parent, s.Await)
        return self._is_awaited(acquire)

    def _is_awaited(self, site: s.Call) -> bool:
        """Whether what the coroutine does is done here before the code goes on, and not as a task of its own."""
        if isinstance(self._flow.outcome(site), s.Await):
            return True
        outer = site.parent.parent if isinstance(site.parent, s.Argument) else None
        if not isinstance(outer, s.Call):
            return False
        name = self._names.qualified(outer.func)
        calls = self._names.catalog.calls
        return name in calls["runners"]

    def _accessors(self, site: s.Attribute) -> Iterator[s.Function]:
        """The getter, setter or deleter of a property that ``site`` runs."""
        names = self._names
        parent = site.parent
        targets = parent.targets if isinstance(parent, (s.Assign, s.Delete)) else ()
        bound = any(t is site for t in targets) or (isinstance(parent, s.AugAssign) and parent.target is site)
        wanted = _SETTERS[type(parent)] if bound and parent is not None else ("getter",)
        for owner in names.kinds(site.value):
            bindings = (
                names.attribute_bindings(owner.node, site.attr, beyond=owner.beyond)
                if isinstance(owner, LocalInstance)
                else ()
            )
            for binding in bindings:
                if isinstance(binding.node, s.Function):
                    accessor = "getter" if names.decorated(binding.node, _PROPERTIES) else _accessor(binding.node)
                    if accessor in wanted:
                        yield binding.node

    def _operator(self, site: Site, method: str) -> Iterator[s.Function]:
        receiver = self._receiver(site)
        for kind in () if receiver is None or not _is_read(site) else self._names.kinds(receiver):
            found = self._names.method(kind.node, method) if isinstance(kind, LocalInstance) else None
            if found is not None and not found.is_generator and not found.is_async:
                yield found

    # ---- what the one's objects are to the other

    def translate(self, place: Place, site: Site, callee: s.Function) -> Place | None:
        """The caller's name, at ``site``, for a place of ``callee``; ``None`` where the caller cannot see it."""
        kind = place.root[0]
        if kind == "self":
            return place if self.is_of_class(place) else self._from_self(place, site, callee)
        if kind == "local" and len(place.root) == 3:
            scope = getattr(place.root[1], "node", None)
            if scope is not callee:  # a variable of a function around both
                return place if scope is not None and _inside(site, scope) else None
            base = self._argument(str(place.root[2]), site, callee)
            found = None if base is None else self._names.place(base)
            return None if found is None else self.join(found, place.path)
        return place

    def join(self, base: Place, path: tuple[str, ...]) -> Place:
        """The place that ``path`` leads to from ``base``; an attribute of ``self`` is its class's."""
        owner = base.root[1] if base.root[0] == "self" and not base.path else None
        if path and isinstance(owner, s.ClassDef):
            return self._names.attribute_place(owner, path[0]).join(*path[1:])
        return base.join(*path)

    def into_wrapped(self, place: Place, wrapper: Wrapper, function: s.Function) -> Place | None:
        """What a place of a wrapper is to the function it calls, where that can see it."""
        name = self._parameter_of(place, wrapper.function)
        if name is None:
            return self._from_factory(place, wrapper)
        found: set[Place | None] = set()
        for call in wrapper.calls:
            index = next((i for i, a in enumerate(call.args) if isinstance(a.value, s.Name) and a.value.id == name), -1)
            if index < 0 or any(a.star or a.keyword for a in call.args[: index + 1]) or index >= len(function.params):
                return None
            base = Place(("local", self._names.scopes.info(function), function.params[index].name), ())
            owner = self._names.self_class(function)
            if index == 0 and owner is not None:
                base = Place(("self", owner), ())
            found.add(self.join(base, place.path))
        return found.pop() if len(found) == 1 else None

    def out_of_wrapper(self, place: Place, site: Site, wrapper: Wrapper, function: s.Function) -> Place | None:
        """The name at ``site``, where ``function`` is called, for a place of a wrapper around it."""
        name = self._parameter_of(place, wrapper.function)
        if name is None:
            return self._from_factory(place, wrapper)
        index = next((i for i, param in enumerate(wrapper.function.params) if param.name == name), 0)
        if wrapper.function.params[index].kind not in ("normal", "posonly"):
            return None
        receiver = self._receiver(site) if self._names.self_class(function) is not None else None
        if receiver is not None and any(isinstance(kind, LocalClass) for kind in self._names.kinds(receiver)):
            receiver = None
        passed = receiver
        if receiver is None or index:
            position = index - (receiver is not None)
            passed = site.argument(position, name) if isinstance(site, s.Call) else None
        if isinstance(passed, s.Call) and self._names.qualified(passed.func) == "builtins.super":
            owner = next((k.node for k in self._names.kinds(passed) if isinstance(k, LocalInstance)), None)
            return None if owner is None else self.join(Place(("self", owner), ()), place.path)
        base = None if passed is None else self._names.place(passed)
        return None if base is None else self.join(base, place.path)

    @staticmethod
    def _parameter_of(place: Place, function: s.Function) -> str | None:
        scope = place.root[1] if place.root[0] == "local" else None
        return str(place.root[2]) if getattr(scope, "node", None) is function else None

    def _from_factory(self, place: Place, wrapper: Wrapper) -> Place | None:
        if place.root[0] == "self":
            return place if self.is_of_class(place) else None
        if place.root[0] != "local":
            return place
        if wrapper.factory is None or not isinstance(wrapper.decorator, s.Call):
            return None
        name = self._parameter_of(place, wrapper.factory)
        passed = None if name is None else self._argument(name, wrapper.decorator, wrapper.factory)
        base = None if passed is None else self._names.place(passed)
        return None if base is None else self.join(base, place.path)

    def is_of_class(self, place: Place) -> bool:
        """Whether an attribute is one for all objects: a class body makes what it holds, and nothing else binds it."""
        known = self._of_class.get(place)
        if known is None:
            known = self._of_class[place] = self._find_of_class(place)
        return known

    def _find_of_class(self, place: Place) -> bool:
        names = self._names
        node = place.root[1]
        if not isinstance(node, s.ClassDef) or not place.path:
            return False
        family = [*names.mro(node), *map(names.class_info, names.subclasses(node))]
        bindings = [binding for info in family for binding in info.attributes.get(place.path[0], ())]
        if len(bindings) != 1 or not isinstance(bindings[0].node.parent, s.ClassDef) or bindings[0].value is None:
            return False
        made = bindings[0].value
        return any(isinstance(kind, Instance) and kind.made_at is made for kind in names.kinds(made))

    def given(self, site: s.Node, callee: s.Function, known: Known = NOTHING) -> tuple[Known, list[Key]]:
        """What ``callee`` starts with: facts about its parameters, and flags among them that are not known.

        Facts are constants passed at ``site`` and defaults left, also by way of parameters of the caller, of which
        ``known`` tells.
        """
        if not isinstance(site, s.Call) or site.has_star:
            return NOTHING, []
        scope = self._names.scopes.info(callee)
        facts: set[tuple[Key, bool]] = set()
        unknown: list[Key] = []
        for param in callee.params:
            if param.kind in ("*", "**"):
                continue
            passed = self._argument(param.name, site, callee)
            value = passed or param.default
            place = Place(("local", scope, param.name), ())
            if isinstance(value, s.Constant):
                facts.add((("truth", place), bool(value.value)))
                facts.add((("none", place), value.value is None))
            elif passed is not None:
                source = self._names.place(passed)
                passed_on = {(key[0], truth) for key, truth in known if len(key) == 2 and key[1] == source}
                facts.update(((kind, place), truth) for kind, truth in passed_on)
                if not passed_on and isinstance(param.default, s.Constant) and isinstance(param.default.value, bool):
                    unknown.append(("truth", place))
        return frozenset(facts), unknown

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
            by_name = isinstance(receiver, s.Name) and names.self_of(receiver) is None
            return None if by_name else place  # another class may have another
        base = names.place(receiver)
        if base is None:
            return None
        return place if base.root[0] == "self" and not base.path else base.join(*place.path)

    def _receiver(self, site: Site) -> s.Expr | None:
        """The object whose method ``site`` runs."""
        if isinstance(site, (s.Attribute, s.Subscript)):
            return site.value
        if isinstance(site, s.Compare):
            return site.rights[0] if site.ops[0] in ("in", "not in") else None
        if isinstance(site, (s.For, s.Clause)):
            return site.iter
        if self._names.qualified(site.func) in self._names.catalog.operators:
            return site.positional(0)
        if any(isinstance(kind, LocalInstance) for kind in self._names.kinds(site.func)):
            return site.func
        method = self._names.bound_method(site.func)
        return None if method is None else method.value

    def _argument(self, name: str, site: Site, callee: s.Function) -> s.Expr | None:
        return self._names.argument(site, callee, name) if isinstance(site, s.Call) else None


def _accessor(function: s.Function) -> str:
    """What of a property a method is, by a decorator ``@name.setter``."""
    return next((d.attr for d in function.decorators if isinstance(d, s.Attribute)), "")


def _is_read(site: Site) -> bool:
    parent = site.parent
    return not (isinstance(parent, (s.Assign, s.Delete)) and any(target is site for target in parent.targets))


def _around(function: s.Function) -> list[s.Function]:
    """The functions that ``function`` is defined in, the innermost first."""
    return [parent for parent in s.ancestors(function) if isinstance(parent, s.Function)]


def _inside(node: s.Node, outer: s.Node) -> bool:
    return isinstance(outer, s.Module) or any(parent is outer for parent in s.ancestors(node))

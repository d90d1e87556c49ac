"""The classes of a file: bases, methods, and what is assigned to attributes of their instances."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from . import catalog
from . import syntax as s
from .kinds import External, Instance, Kinds, LocalClass
from .scopes import Binding, BindingKind, ScopeInfo, Scopes, unpacked

_CLOSED_MODULES = frozenset(sys.stdlib_module_names) | {"six", "typing_extensions"}
"""Top-level modules whose classes are known not to know the attributes of this file's."""


_OVERLOADS = frozenset({"typing.overload", "typing_extensions.overload"})
"""What decorates a signature that never runs: the method that does follows it."""


class ClassInfo:
    """A class of the file: its bases, its methods, and what is assigned to attributes of its instances."""

    __slots__ = ("attributes", "external_bases", "is_open", "local_bases", "node")

    def __init__(self, node: s.ClassDef) -> None:
        self.node = node
        self.local_bases: list[s.ClassDef] = []
        self.external_bases: list[str] = []
        self.is_open = False
        """Whether a base stands in another file, outside the standard library: it may do anything."""
        self.attributes: dict[str, list[Binding]] = {}


class Classes(ABC):
    """The part of :class:`conclint.names.Names` that knows classes; what expressions are, it has to ask."""

    def __init__(self, module: s.Module) -> None:
        self.module = module
        self.catalog = catalog.load()
        self.scopes = Scopes(module)
        self.exports: dict[str, tuple[s.Module, str]] = {} if module.links is None else module.links.exports
        self._classes: dict[s.ClassDef, ClassInfo] = {}
        self._derived: dict[s.ClassDef, list[s.ClassDef]] | None = None
        self._collecting: bool | None = None
        """Whether the attributes of the classes are being collected; ``None`` before that."""

    @abstractmethod
    def kinds(self, expr: s.Expr) -> Kinds:
        """What ``expr`` may evaluate to; empty where nothing is known."""

    def exported(self, name: str) -> tuple[ScopeInfo, str] | None:
        """The namespace of the linked module that defines what has the dotted ``name``, and the name it has there."""
        found = self.exports.get(name)
        return None if found is None else (self.scopes.info(found[0]), found[1])

    def owner(self, function: s.Function) -> s.ClassDef | None:
        """The class whose body defines ``function``, ``None`` for plain functions."""
        statement = function.parent
        if isinstance(statement, s.FunctionDef):
            parent = statement.parent
            if isinstance(parent, s.ClassDef):
                return parent
            if isinstance(parent, (s.If, s.Try)):  # conditionally defined methods
                outer = next((a for a in s.ancestors(parent) if not isinstance(a, (s.If, s.Try))), None)
                return outer if isinstance(outer, s.ClassDef) else None
        return None

    def decorated(self, function: s.Function, names: Iterable[str]) -> bool:
        """Whether ``function`` is decorated by one of the external ``names``, called or not."""
        wanted = frozenset(names)
        for decorator in function.decorators:
            expr = decorator.func if isinstance(decorator, s.Call) else decorator
            if any(isinstance(kind, External) and kind.name in wanted for kind in self.kinds(expr)):
                return True
        return False

    def self_class(self, function: s.Function) -> s.ClassDef | None:
        """The class whose instance or class the first parameter of ``function`` is."""
        owner = self.owner(function)
        if owner is None or self.decorated(function, ("builtins.staticmethod",)):
            return None
        return owner

    def class_info(self, node: s.ClassDef) -> ClassInfo:
        """What is known of a class."""
        self._collect_attributes()
        return self._classes[node]

    def mro(self, node: s.ClassDef) -> list[ClassInfo]:
        """The class and its bases in the file, nearest first, each once (loops are cut)."""
        out: list[ClassInfo] = []
        seen: set[s.ClassDef] = set()
        queue = [node]
        while queue:
            current = queue.pop(0)
            if current not in seen:
                seen.add(current)
                info = self.class_info(current)
                out.append(info)
                queue.extend(info.local_bases)
        return out

    def subclasses(self, node: s.ClassDef) -> Iterator[s.ClassDef]:
        """The classes of the file derived from ``node``."""
        self._collect_attributes()
        derived = self._derived
        if derived is None:
            derived = {}
            for other in self.module.classes:
                for info in self.mro(other)[1:]:
                    derived.setdefault(info.node, []).append(other)
            if not self._collecting:
                self._derived = derived
        yield from derived.get(node, ())

    def api_base(self, node: s.ClassDef) -> Instance | None:
        """The catalogued type that ``node`` derives from, if any."""
        for info in self.mro(node):
            for base in info.external_bases:
                api_type = self.catalog.made_by.get(base)
                if api_type is not None:
                    return Instance(api_type, api_type.start_method)
        return None

    def is_open(self, node: s.ClassDef) -> bool:
        """Whether some base of ``node`` cannot be seen from this file."""
        return any(info.is_open for info in self.mro(node))

    def is_shared_attribute(self, target: s.Attribute) -> bool:
        """Whether code in another file may know ``target``: anything but ``self.x`` of a class that is all here."""
        owner = self.self_of(target.value) if isinstance(target.value, s.Name) else None
        return owner is None or self.is_open(owner)

    def is_of_shared_class(self, node: s.Node) -> bool:
        """Whether ``node`` stands in no class, or in one with a base that cannot be seen from this file."""
        owner = s.enclosing_class(node)
        return owner is None or self.is_open(owner)

    def attribute_bindings(self, node: s.ClassDef, name: str, *, beyond: bool = False) -> list[Binding]:
        """What the class, its bases and its methods bind ``name`` to; the nearest class that does decides."""
        for info in self.mro(node)[1 if beyond else 0 :]:
            found = info.attributes.get(name)
            if found:
                return found
        return []

    def method(self, node: s.ClassDef, name: str, *, beyond: bool = False) -> s.Function | None:
        """The method called ``name`` that instances of ``node`` have."""
        for binding in self.attribute_bindings(node, name, beyond=beyond):
            if binding.kind is BindingKind.FUNCTION and isinstance(binding.node, s.Function):
                if not self.decorated(binding.node, _OVERLOADS):
                    return binding.node
        return None

    def overrides(self, function: s.Function, receiver: s.ClassDef | None) -> Iterator[s.Function]:
        """The methods of the file that an instance of ``receiver`` may run in place of ``function``."""
        if receiver is None:
            return
        for subclass in self.subclasses(receiver):
            found = self.method(subclass, function.name)
            if found is not None and found is not function:
                yield found

    def _collect_attributes(self) -> None:
        if self._collecting is not None:
            return
        self._collecting = True
        for node in self.module.classes:
            info = self._classes[node] = ClassInfo(node)
            for name, bindings in self.scopes.info(node).bindings.items():
                info.attributes.setdefault(name, []).extend(bindings)
        for node in self.module.classes:
            info = self._classes[node]
            for argument in node.bases:
                if argument.keyword is not None or argument.star:
                    continue
                self._add_base(info, argument.value)
        for target, binding in _attribute_targets(self.module):
            if isinstance(target.value, s.Name):
                owner = self.self_of(target.value)
                if owner is not None:
                    self._classes[owner].attributes.setdefault(target.attr, []).append(binding)
        self._collecting = False

    def _add_base(self, info: ClassInfo, base: s.Expr) -> None:
        if isinstance(base, s.Subscript):  # Generic[T], list[int]
            base = base.value
        kinds = self.kinds(base)
        for kind in kinds:
            if isinstance(kind, LocalClass):
                info.local_bases.append(kind.node)
            elif isinstance(kind, External):
                info.external_bases.append(kind.name)
                top = kind.name.partition(".")[0]
                if kind.name not in self.catalog.made_by and top not in _CLOSED_MODULES:
                    info.is_open = True
            else:
                info.is_open = True
        if not kinds:
            info.is_open = True

    def self_of(self, name: s.Name) -> s.ClassDef | None:
        """The class whose instance ``name`` is, where it is the first parameter of a method."""
        found = self.scopes.lookup(name.id, name)
        if found is None:
            return None
        scope, bindings = found
        function = scope.node
        if not isinstance(function, s.Function) or len(bindings) != 1:
            return None
        binding = bindings[0]
        if binding.kind is not BindingKind.PARAMETER or binding.position != 0:
            return None
        return self.self_class(function)


def _attribute_targets(module: s.Module) -> Iterator[tuple[s.Attribute, Binding]]:
    """Every ``x.attr`` that is assigned, with what it is bound to."""
    for assign in module.all(s.Assign):
        kind = BindingKind.ANNOTATION if assign.value is None else BindingKind.ASSIGN
        binding = Binding(kind, assign, assign.value, assign.annotation)
        for target in assign.targets:
            yield from _attribute_target(target, binding)
    loops: list[s.For | s.Clause] = [*module.all(s.For), *module.all(s.Clause)]
    for loop in loops:
        yield from _attribute_target(loop.target, Binding(BindingKind.ELEMENT, loop, loop.iter))
    for item in module.all(s.WithItem):
        if item.target is not None:
            yield from _attribute_target(item.target, Binding(BindingKind.CONTEXT, item, item.context))
    for augmented in module.all(s.AugAssign):
        yield from _attribute_target(augmented.target, Binding(BindingKind.OPAQUE, augmented))


def _attribute_target(target: s.Expr, binding: Binding) -> Iterator[tuple[s.Attribute, Binding]]:
    if isinstance(target, s.Attribute):
        yield target, binding
    elif isinstance(target, s.Display):
        for index, element in enumerate(target.elements):
            yield from _attribute_target(element, unpacked(binding, target, index))

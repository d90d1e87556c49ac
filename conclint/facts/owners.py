"""Which objects of a file keep which: one name for an object that is known by several.

Where ``Worker`` is made by ``self.worker = Worker(self)`` alone, and keeps that argument as ``self.pool``, its
``self.pool._lock`` is the pool's ``self._lock``, and the pool's ``self.worker._lock`` the worker's ``self._lock``. Both
are said of a pool and *its* worker; of other objects of the two classes nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from .. import syntax as s
from ..kinds import LocalClass, Place
from ..names import Names
from ..scopes import Binding, BindingKind

_DEEPEST = 4
"""How many calls an object is followed through that is passed on and on."""


class Owners:
    """Objects that know each other."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._own: dict[Place, Place | None] = {}
        self._owners: dict[tuple[s.ClassDef, str], s.ClassDef | None] = {}

    def own(self, place: Place) -> Place | None:
        """``place`` as the object names it that has it, by the least attributes.

        ``None`` where it means now one object and now another: an attribute of a variable, or of an attribute that is
        assigned more than once.
        """
        if place not in self._own:
            self._own[place] = self._find_own(place)
        return self._own[place]

    def are_one(self, place: Place, other: Place) -> bool:
        """Whether both are names for one object."""
        if place == other:
            return True
        own = self.own(place) if place.path and other.path and place.path[-1] == other.path[-1] else None
        return own is not None and own == self.own(other)

    def is_kept_apart(self, place: Place, others: list[Place]) -> bool:
        """Whether what has the object at ``place`` was made without being given one of ``others``, or their owner."""
        node = place.root[1]
        if len(place.path) != 2 or not isinstance(node, s.ClassDef):
            return place.root[0] == "self" or not place.path
        for binding in self._bindings(node, place.path[0]):
            for part in s.walk(binding.value) if isinstance(binding.value, s.Call) else ():
                given = self._names.place(part) if isinstance(part, (s.Name, s.Attribute)) else None
                is_self = isinstance(part, s.Name) and given is not None and given.root[0] == "self"
                if given is not None and isinstance(part.parent, s.Argument) and (is_self or self.own(given) in others):
                    return False
        return True

    def have_one_self(self, functions: Iterable[s.Node], place: Place) -> bool:
        """Whether one object may run all those of ``functions`` that are methods of what has ``place``.

        Not where they stand in two classes that only have a base in common.
        """
        owner = place.root[1]
        families = {node: {info.node for info in self._names.mro(node)} for node in self._names.module.classes}
        standing = {s.enclosing_class(function) for function in functions}
        classes = {node for node in standing if node is not None and owner in families[node]}
        return any(classes <= family for family in families.values()) or not classes

    def is_written_from_outside(self, attr: str) -> bool:
        """Whether some object has its ``attr`` assigned by code other than its methods."""
        return attr in self._written_from_outside

    def _find_own(self, place: Place) -> Place | None:
        if place.root[0] == "global":
            return place if is_one_object(place) else None
        if any(part.startswith("[") for part in place.path):
            return None
        for _ in range(_DEEPEST):
            node = place.root[1] if place.root[0] == "self" and place.path else None
            if not isinstance(node, s.ClassDef):
                return None
            if len(place.path) == 1:
                return place
            other = self._owner(node, place.path[0]) or self._owned(node, place.path[0])
            if other is None:
                return place if len(place.path) == 2 and self._is_fixed(node, place.path[0]) else None
            place = self._names.attribute_place(other, place.path[1]).join(*place.path[2:])
        return None

    # ---- attributes

    def _owner(self, node: s.ClassDef, attr: str) -> s.ClassDef | None:
        """The class whose object makes those of ``node``, and is in their ``attr``."""
        key = (node, attr)
        if key not in self._owners:
            self._owners[key] = None  # for recursion
            bindings = self._bindings(node, attr)
            classes: set[s.ClassDef] = set()
            if len(bindings) == 1 and bindings[0].kind is BindingKind.ASSIGN and bindings[0].value is not None:
                classes = self._stands_for(bindings[0].value, 0) or classes
            self._owners[key] = next(iter(classes)) if len(classes) == 1 and node not in classes else None
        return self._owners[key]

    def _owned(self, node: s.ClassDef, attr: str) -> s.ClassDef | None:
        """The class whose objects alone are in ``attr`` of those of ``node``, which make them and are known to them."""
        found: set[s.ClassDef] = set()
        for binding in self._bindings(node, attr):
            made = binding.value
            if binding.kind is not BindingKind.ASSIGN or not isinstance(made, s.Call):
                return None
            if not any(self._stands_for(argument.value, _DEEPEST) for argument in made.args):
                return None
            kinds = self._names.kinds(made.func)
            if len(kinds) != 1 or not isinstance(kinds[0], LocalClass):
                return None
            found.add(kinds[0].node)
        if len(found) != 1:
            return None
        owned = found.pop()
        family = {info.node for info in self._names.mro(node)} | set(self._names.subclasses(node))
        attributes = [(info.node, name) for info in self._names.mro(owned) for name in info.attributes]
        return owned if any(self._owner(*attribute) in family for attribute in attributes) else None

    def _is_fixed(self, node: s.ClassDef, attr: str) -> bool:
        """Whether the attribute is assigned once, while its object is made."""
        bindings = self._bindings(node, attr)
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.ASSIGN:
            return False
        function = s.enclosing_function(bindings[0].node)
        return function is not None and function.name == "__init__"

    def _bindings(self, node: s.ClassDef, attr: str) -> list[Binding]:
        """All that the class, its bases and subclasses bind ``attr`` to, but for ``None``; nothing if others do."""
        if attr in self._written_from_outside:
            return []
        family = [*(info.node for info in self._names.mro(node)), *self._names.subclasses(node)]
        bindings = [b for other in family for b in self._names.class_info(other).attributes.get(attr, ())]
        return [b for b in bindings if not (isinstance(b.value, s.Constant) and b.value.value is None)]

    @cached_property
    def _written_from_outside(self) -> frozenset[str]:
        return frozenset(
            target.attr
            for assign in self._names.module.all(s.Assign)
            for target in assign.targets
            if isinstance(target, s.Attribute)
            if not (isinstance(target.value, s.Name) and self._names.self_of(target.value))
        )

    # ---- values

    def _stands_for(self, expr: s.Expr, depth: int) -> set[s.ClassDef] | None:
        """The classes, if it is always ``self`` of a method that the value is; ``None`` where it may be another."""
        if isinstance(expr, s.Call) and self._names.qualified(expr.func) in self._names.catalog.calls["stand_ins"]:
            first = expr.positional(0)
            return None if first is None else self._stands_for(first, depth)
        if not isinstance(expr, s.Name):
            return None
        owner = self._names.self_of(expr)
        if owner is not None:
            return {owner}
        found = self._names.scopes.lookup(expr.id, expr)
        if found is None or len(found[1]) != 1 or depth >= _DEEPEST:
            return None
        binding = found[1][0]
        if binding.kind is BindingKind.ASSIGN and binding.value is not None:
            return self._stands_for(binding.value, depth + 1)
        if not isinstance(binding.node, s.Param):
            return None
        classes: set[s.ClassDef] = set()
        for value in self._names.passed(binding.node):
            passed = self._stands_for(value, depth + 1)
            if passed is None:
                return None
            classes |= passed
        return classes or None


def is_one_object(place: Place) -> bool:
    """Whether the place means the same object wherever it is named: no item of a container that a variable picks."""
    return not any(part.startswith("[") and not (part[1].isdigit() or part[1] in "'\"b-") for part in place.path)

"""Which objects of a file are locks beyond doubt, and the calls that make them.

:meth:`Names.instance` says what an expression may be; a finding that calls a line certainly wrong needs more: that
everything which is ever bound to the name is a lock of the standard library.
"""

from __future__ import annotations

from functools import cached_property

from .. import syntax as s
from ..kinds import Instance, LocalClass, LocalInstance
from ..names import Names
from ..scopes import Binding, BindingKind


class LockObjects:
    """The locks that a module makes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._busy: set[s.Expr] = set()
        self._known: dict[tuple[object, bool], bool] = {}

    @cached_property
    def makers(self) -> dict[s.Call, Instance]:
        """Every call that makes a lock, with what it makes."""
        found: dict[s.Call, Instance] = {}
        for call in self._names.module.all(s.Call):
            kinds = self._names.kinds(call)
            if len(kinds) == 1 and isinstance(kinds[0], Instance) and kinds[0].made_at is call:
                # Of a type that a project declares it is not known how its locks are made and what tells two apart.
                if kinds[0].type.kind in self._names.catalog.lock_kinds and kinds[0].type.api:
                    found[call] = kinds[0]
        return found

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """The names and attributes that a new lock is assigned to somewhere: no others are worth a closer look."""
        return frozenset(
            s.last_name(target)
            for call in self.makers
            if isinstance(call.parent, s.Assign)
            for target in call.parent.targets
        )

    def surely(self, expr: s.Expr) -> Instance | None:
        """The lock that ``expr`` is if it is anything callable at all: it may still be ``None``."""
        return self._certain(expr, True)

    def always(self, expr: s.Expr) -> Instance | None:
        """The lock that ``expr`` is whenever it is evaluated: nothing else, not even ``None``, is ever bound to it."""
        return self._certain(expr, False) if s.last_name(expr) in self.identifiers else None

    def module_of(self, lock: Instance) -> str:
        """The module that ``lock`` comes from, managers apart from the rest of multiprocessing; ``""`` if untold."""
        made = lock.made_at
        if isinstance(made, s.Call):
            module = (self._names.qualified(made.func) or "").rpartition(".")[0]
            if module in self._names.catalog.lock_parameters:
                return module
            return lock.type.api
        return "" if lock.type.api == "multiprocessing" else lock.type.api

    def _certain(self, expr: s.Expr, or_none: bool) -> Instance | None:
        if isinstance(expr, s.Call):
            return self.makers.get(expr)
        if isinstance(expr, s.IfExp):
            return self._certain(expr.orelse, or_none) and self._certain(expr.body, or_none)
        if expr in self._busy or not isinstance(expr, (s.Name, s.Attribute)):
            return None
        key = (self._names.place(expr) or expr, or_none)
        known = self._known.get(key)
        if known is None:
            self._busy.add(expr)
            bindings = self._bindings(expr)
            known = bool(bindings) and all(self._binds_lock(binding, or_none) for binding in bindings)
            self._known[key] = known
            self._busy.discard(expr)
        if not known:
            return None
        lock = self._names.instance(expr)
        return lock if lock is not None and lock.type.kind in self._names.catalog.lock_kinds else None

    def _bindings(self, expr: s.Name | s.Attribute) -> list[Binding]:
        """Everything that gives ``expr`` a value, through other objects of the class and in subclasses too."""
        names = self._names
        if isinstance(expr, s.Name):
            found = names.scopes.lookup(expr.id, expr)
            return [] if found is None else found[1]
        owners = [kind.node for kind in names.kinds(expr.value) if isinstance(kind, (LocalInstance, LocalClass))]
        if len(owners) != 1:
            return []
        family = [*(info.node for info in names.mro(owners[0])), *names.subclasses(owners[0])]
        bindings = [b for node in family for b in names.class_info(node).attributes.get(expr.attr, ())]
        return bindings + self._written_elsewhere.get(expr.attr, [])

    @cached_property
    def _written_elsewhere(self) -> dict[str, list[Binding]]:
        """By attribute, what is assigned to it through something other than ``self``."""
        found: dict[str, list[Binding]] = {}
        for assign in self._names.module.all(s.Assign):
            for target in assign.targets:
                if isinstance(target, s.Attribute) and target.attr in self.identifiers:
                    if not (isinstance(target.value, s.Name) and self._names.self_of(target.value)):
                        binding = Binding(BindingKind.ASSIGN, assign, assign.value)
                        found.setdefault(target.attr, []).append(binding)
        return found

    def _binds_lock(self, binding: Binding, or_none: bool) -> bool:
        value = binding.value
        if not or_none and isinstance(binding.annotation, (s.Subscript, s.Operation)):
            return False  # Optional[Lock], Lock | None
        if binding.kind is BindingKind.ANNOTATION:
            return True
        if binding.kind is BindingKind.ASSIGN and value is not None:
            if isinstance(value, s.Constant) and value.value is None:
                return or_none
            return self._certain(value, or_none) is not None
        if binding.kind is BindingKind.PARAMETER and or_none and binding.annotation is not None:
            if value is None or (isinstance(value, s.Constant) and value.value is None):
                kinds = list(self._names.annotated(binding.annotation))
                return bool(kinds) and all(
                    isinstance(kind, Instance) and kind.type.kind in self._names.catalog.lock_kinds for kind in kinds
                )
        return False

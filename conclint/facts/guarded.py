"""Attributes that a class guards with one of its locks, and touches under another one at a single place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .calls import Calls
from .locks import LockUses
from .sections import Sections

_LEAST = 3
"""How often an attribute is touched under a lock before that is taken to be its guard ..."""
_LEAST_FUNCTIONS = 2
"""... and in how many functions."""
_CONSTRUCTORS = ("__init__", "__new__")


class WrongLock(NamedTuple):
    """A change of an attribute under a lock that is not its guard."""

    node: s.Attribute
    held: s.Expr
    """The lock that is held."""
    guard: s.Expr
    """The one that is held elsewhere, wherever any is, at its first place."""


class _Access(NamedTuple):
    node: s.Attribute
    function: s.Function
    held: dict[Place, s.Expr]
    """The locks of the object, with what names them."""
    changes: bool


def wrong_locks(names: Names, uses: LockUses, sections: Sections, calls: Calls) -> Iterator[WrongLock]:
    """Every attribute that one function changes under one lock of the object, and all others touch under another."""
    for accesses in _by_attribute(names, uses, calls).values():
        for function in dict.fromkeys(access.function for access in accesses):
            odd = [access for access in accesses if access.function is function]
            rest = [access for access in accesses if access.function is not function]
            changed = next((access for access in odd if access.changes), None)
            guard = _guard(rest)
            if changed is None or guard is None or any(guard in access.held for access in odd):
                continue
            if _is_held_by_callers(guard, function, sections, calls):
                continue
            held = next(iter(changed.held))
            if _is_used_beside(held, function, uses) and all(
                _stands_alone(lock, names) for lock in (*changed.held, guard)
            ):
                yield WrongLock(changed.node, changed.held[held], rest[0].held[guard])


def _is_held_by_callers(lock: Place, function: s.Function, sections: Sections, calls: Calls) -> bool:
    """Whether some call of ``function`` stands under ``lock``, as then all of them may."""
    return any(
        any(section.place == lock for section in sections.around(site))
        or lock in sections.held_on_entry(s.enclosing_scope(site))
        for site in calls.to(function)
    )


def _guard(accesses: list[_Access]) -> Place | None:
    """The lock that all of ``accesses`` hold, if they are enough to tell, and some of them change the attribute."""
    if len(accesses) < _LEAST or len({access.function for access in accesses}) < _LEAST_FUNCTIONS:
        return None
    if not any(access.changes for access in accesses):
        return None
    common = set(accesses[0].held).intersection(*(access.held for access in accesses))
    return common.pop() if len(common) == 1 else None


def _stands_alone(lock: Place, names: Names) -> bool:
    """Whether what is made at ``lock`` is given nothing that it may share: ``Condition(lock)`` is that lock."""
    owner = lock.root[1]
    bindings = names.attribute_bindings(owner, lock.path[0]) if isinstance(owner, s.ClassDef) else []
    return bool(bindings) and all(isinstance(binding.value, s.Call) and not binding.value.args for binding in bindings)


def _is_used_beside(lock: Place, function: s.Function, uses: LockUses) -> bool:
    """Whether other functions take the lock too, so that it is there for something else."""
    return any(lock in uses.taken_by(item) and s.enclosing_function(item) is not function for item in uses.with_items())


def _by_attribute(names: Names, uses: LockUses, calls: Calls) -> dict[Place, list[_Access]]:
    """The accesses under some lock of the same object, by attribute; not those before others have the object."""
    found: dict[Place, list[_Access]] = {}
    passed_over = {scope for scope in uses.scopes() if uses.of(scope)}  # they acquire by hand
    passed_over |= _only_constructing(names, calls)
    classes = {s.enclosing_class(item) for item in uses.with_items()}
    for node in names.module.all(s.Attribute):
        if s.enclosing_class(node) not in classes or not isinstance(node.value, s.Name):
            continue
        function = s.enclosing_function(node)
        if function is None or function in passed_over or names.self_of(node.value) is None:
            continue
        held = _held_at(node, uses)
        place = names.handle(node) if held else None
        if place is not None and place not in held and not _is_method_call(node, names):
            found.setdefault(place, []).append(_Access(node, function, held, _changes(node, names)))
    return found


def _only_constructing(names: Names, calls: Calls) -> set[s.Scope]:
    """The constructors, and the private methods that only they, or one of these, call."""
    found: set[s.Scope] = set()
    fresh: set[s.Scope] = {function for function in names.module.functions if function.name in _CONSTRUCTORS}
    while fresh:
        found |= fresh
        called = {callee for function in fresh for node in s.own_nodes(function) for callee in calls.run_by(node)}
        fresh = {
            callee
            for callee in called - found
            if callee.name.startswith("_") and all(s.enclosing_scope(site) in found for site in calls.to(callee))
        }
    return found


def _held_at(node: s.Node, uses: LockUses) -> dict[Place, s.Expr]:
    """The locks of ``self`` whose ``with`` the node stands in, in its own function."""
    held: dict[Place, s.Expr] = {}
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            break
        if isinstance(parent, s.With) and not isinstance(child, s.WithItem):
            for item in parent.items:
                for place in uses.taken_by(item):
                    if place.root[0] == "self" and len(place.path) == 1:
                        held.setdefault(place, item.context)
        child = parent
    return held


def _is_method_call(node: s.Attribute, names: Names) -> bool:
    return isinstance(node.parent, s.Call) and node.parent.func is node and bool(names.functions(node))


def _changes(node: s.Attribute, names: Names) -> bool:
    """Whether the attribute, or the container that it is, becomes another one.

    Of what is known to be no container, ``clear()`` and the like are no changes: an event sees to itself.
    """
    top: s.Expr = node
    while isinstance(top.parent, s.Subscript) and top.parent.value is top:
        top = top.parent
    parent = top.parent
    if isinstance(parent, (s.Assign, s.Delete)):
        return any(target is top for target in parent.targets)
    if isinstance(parent, s.AugAssign):
        return parent.target is top
    return (
        isinstance(parent, s.Attribute)
        and parent.attr in names.catalog.changing_methods
        and isinstance(parent.parent, s.Call)
        and parent.parent.func is parent
        and (top is not node or not names.kinds(node) or names.is_container(node))
    )

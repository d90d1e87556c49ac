"""Where a value goes: every use of the object that an expression makes, through names, attributes and containers.

Flow plays no part: all loads of a variable count as uses of everything bound to it, and an attribute is followed by
its name through any object of the file. That errs on the side of seeing a use that is not one, so that what has no use
of a kind really has none in this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import LocalClass, LocalInstance, Place
from ..names import Names
from ..scopes import BindingKind, ScopeInfo

_VIEWS = frozenset({"values", "items", "copy", "keys"})
_TAKERS = frozenset({"pop", "popleft", "popitem", "get", "get_nowait", "setdefault"})
_STORERS = frozenset({"append", "appendleft", "add", "insert", "extend", "put", "put_nowait", "setdefault"})
_KEEPERS = frozenset({"remove", "discard", "clear", "index", "count", "sort", "reverse"})
_MEASURES = frozenset({"builtins.len", "builtins.bool", "builtins.isinstance", "builtins.id", "builtins.repr"})


class Use(NamedTuple):
    """One thing done with the object.

    ``kind`` is one of ``method`` (called; ``name`` says which), ``attribute`` (read), ``set`` (assigned to),
    ``argument``, ``return``, ``await``, ``iterate``, ``with``, ``test``, ``wait`` (waited for with others), ``keep``
    (put into a container, whose own uses follow), ``dropped``, ``escape``.
    """

    kind: str
    name: str
    node: s.Node
    origin: s.Expr
    """The expression, nearest to the use, that stands for the object."""


class ValueFlow:
    """Follows values through one module."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._of_variable: dict[tuple[ScopeInfo, str], tuple[Use, ...]] = {}
        self._by_attribute: dict[str, list[s.Attribute]] = {}
        for access in names.module.all(s.Attribute):
            self._by_attribute.setdefault(access.attr, []).append(access)

    def uses(self, expr: s.Expr) -> tuple[Use, ...]:
        """All uses of the object that ``expr`` makes; the same tuple for all that one variable holds."""
        home = self._variable_of(expr)
        if home is None:
            return tuple(dict.fromkeys(self._object(expr, set())))
        known = self._of_variable.get(home)
        if known is None:
            known = self._of_variable[home] = tuple(dict.fromkeys(self._object(expr, set())))
        return known

    def _variable_of(self, expr: s.Expr) -> tuple[ScopeInfo, str] | None:
        """The variable that a plain assignment puts ``expr`` in, and nothing else does anything with it."""
        parent = expr.parent
        if not isinstance(parent, s.Assign) or parent.value is not expr or len(parent.targets) != 1:
            return None
        target = parent.targets[0]
        found = self._names.scopes.lookup(target.id, target) if isinstance(target, s.Name) else None
        return None if found is None or not isinstance(target, s.Name) else (found[0], target.id)

    def item_uses(self, expr: s.Expr) -> list[Use]:
        """All uses of the items of the container that ``expr`` makes."""
        return list(dict.fromkeys(self._container(expr, set())))

    # ---- an object

    def _object(self, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        parent = expr.parent
        if isinstance(parent, s.Attribute):
            yield from self._attribute(parent, expr)
        elif isinstance(parent, s.Argument):
            yield from self._argument(parent, expr, seen)
        elif isinstance(parent, s.Assign) and parent.value is expr:
            for target in parent.targets:
                yield from self._stored(target, expr, seen)
        elif isinstance(parent, s.NamedExpr) and parent.value is expr:
            yield from self._stored(parent.target, expr, seen)
            yield from self._object(parent, seen)
        elif isinstance(parent, (s.IfExp, s.BoolOp)):
            if isinstance(parent, s.IfExp) and parent.test is expr:
                yield Use("test", "", parent, expr)
            else:
                yield from self._object(parent, seen)
        elif isinstance(parent, s.Display) and isinstance(parent.parent, s.Assign) and parent.parent.value is parent:
            yield from self._unpacked(parent, expr, seen)
        elif isinstance(parent, (s.Display, s.DictDisplay, s.Comprehension)):
            yield Use("keep", "", parent, expr)
            yield from self._container(parent, seen)
        elif isinstance(parent, s.Subscript) and parent.index is expr and _is_target(parent):  # a dict's key
            yield Use("keep", "", parent, expr)
            yield from self._container(parent.value, seen, follow_name=True)
        elif isinstance(parent, (s.Return, s.Yield)):
            yield Use("return", "", parent, expr)
        elif isinstance(parent, s.Await):
            yield Use("await", "", parent, expr)
        elif isinstance(parent, s.ExprStmt):
            yield Use("dropped", "", parent, expr)
        elif isinstance(parent, (s.For, s.Clause)) and parent.iter is expr:
            yield Use("iterate", "", parent, expr)
        elif isinstance(parent, s.WithItem) and parent.context is expr:
            yield Use("with", "", parent, expr)
            if parent.target is not None:
                yield from self._stored(parent.target, expr, seen)
        elif isinstance(parent, (s.Not, s.Compare, s.If, s.While, s.Assert, s.Operation, s.Delete, s.Subscript)):
            yield Use("test", "", parent, expr)
        elif isinstance(parent, (s.For, s.Clause, s.WithItem, s.AugAssign, s.Assign, s.NamedExpr)):
            return  # a target
        else:
            yield Use("escape", "", parent or expr, expr)

    def _attribute(self, access: s.Attribute, expr: s.Expr) -> Iterator[Use]:
        parent = access.parent
        if isinstance(parent, s.Call) and parent.func is access:
            yield Use("method", access.attr, parent, expr)
        elif isinstance(parent, s.Assign) and any(target is access for target in parent.targets):
            yield Use("set", access.attr, parent, expr)
        else:
            yield Use("attribute", access.attr, access, expr)

    def _argument(self, argument: s.Argument, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        call = argument.parent
        if not isinstance(call, s.Call):
            yield Use("escape", "", argument, expr)
            return
        func = call.func
        name = self._names.qualified(func)
        if isinstance(func, s.Attribute) and func.attr in _STORERS:
            if not self._stores_elsewhere(func.value):
                yield Use("keep", "", call, expr)
                yield from self._container(func.value, seen, follow_name=True)
                return
        if isinstance(func, s.Attribute) and func.attr in _KEEPERS:
            return
        if name in _MEASURES:
            yield Use("test", "", call, expr)
        elif name in self._names.catalog.calls["waits"]:
            yield Use("wait", name or "", call, expr)
        elif name in self._names.catalog.calls["passes_through"]:
            yield from self._container(call, seen)
        else:
            yield Use("argument", name or "", call, expr)

    def _stores_elsewhere(self, container: s.Expr) -> bool:
        """Whether what is stored goes to other threads, to a caller's container, or to no container at all."""
        if not isinstance(container, (s.Name, s.Attribute, s.Subscript, s.Call)) or self._is_callers(container):
            return True
        instance = self._names.instance(container)
        return instance is not None and instance.type.kind != "collection"

    def _is_callers(self, container: s.Expr) -> bool:
        """Whether a container was passed in, alone or as an attribute of an object that was."""
        while isinstance(container, (s.Attribute, s.Subscript)):
            container = container.value
        if not isinstance(container, s.Name):
            return False
        found = self._names.scopes.lookup(container.id, container)
        return (
            found is not None
            and any(binding.kind is BindingKind.PARAMETER for binding in found[1])
            and not any(isinstance(kind, (LocalInstance, LocalClass)) for kind in self._names.kinds(container))
        )

    def _stored(self, target: s.Expr, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        if isinstance(target, s.Name):
            yield from self._variable(target, seen, container=False)
        elif isinstance(target, s.Attribute):
            yield from self._by_attr(target, seen, container=False)
        elif isinstance(target, s.Subscript) and not self._is_callers(target.value):
            yield Use("keep", "", target, expr)
            yield from self._container(target.value, seen, follow_name=True)
        else:
            yield Use("escape", "", target, expr)

    def _unpacked(self, display: s.Display, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        assign = display.parent
        assert isinstance(assign, s.Assign)
        index = display.elements.index(expr)
        for target in assign.targets:
            if isinstance(target, s.Display) and len(target.elements) == len(display.elements):
                yield from self._stored(target.elements[index], expr, seen)
            else:
                yield Use("keep", "", display, expr)
                yield from self._container(display, seen)

    # ---- a container that holds it

    def _container(self, expr: s.Expr, seen: set[object], *, follow_name: bool = False) -> Iterator[Use]:
        if follow_name:
            if isinstance(expr, s.Name):
                yield from self._variable(expr, seen, container=True)
                return
            if isinstance(expr, s.Attribute):
                yield from self._by_attr(expr, seen, container=True)
                return
            if isinstance(expr, s.Subscript):  # a container in a container
                yield from self._container(expr.value, seen, follow_name=True)
                return
            if isinstance(expr, s.Call) and isinstance(expr.func, s.Attribute) and expr.func.attr in _TAKERS:
                yield from self._container(expr.func.value, seen, follow_name=True)
                return
            yield Use("escape", "", expr, expr)
            return
        parent = expr.parent
        if isinstance(parent, (s.For, s.Clause)) and parent.iter is expr:
            yield from self._loop_targets(parent.target, seen)
        elif isinstance(parent, s.Subscript) and parent.value is expr:
            if not _is_target(parent):
                yield from () if self._is_pair(expr) else self._object(parent, seen)
                yield from self._container(parent, seen)
        elif isinstance(parent, s.Attribute) and self._is_pair(expr):
            yield from self._container(parent, seen)
        elif isinstance(parent, s.Attribute):
            yield from self._container_method(parent, expr, seen)
        elif isinstance(parent, s.Argument):
            yield from self._container_argument(parent, expr, seen)
        elif isinstance(parent, s.Assign) and parent.value is expr:
            for target in parent.targets:
                if isinstance(target, s.Display):
                    for element in target.elements:
                        if self._is_pair(expr):
                            yield from self._container(element, seen, follow_name=True)
                        else:
                            yield from self._stored(element, expr, seen)
                else:
                    yield from self._container(target, seen, follow_name=True)
        elif isinstance(parent, s.AugAssign):
            yield from self._container(parent.target, seen, follow_name=True)
        elif isinstance(parent, (s.Operation, s.IfExp, s.BoolOp, s.Display, s.DictDisplay, s.Comprehension)):
            yield from self._container(parent, seen)
        elif isinstance(parent, (s.NamedExpr,)):
            yield from self._container(parent.target, seen, follow_name=True)
            yield from self._container(parent, seen)
        elif isinstance(parent, (s.Return, s.Yield)):
            yield Use("return", "", parent, expr)
        elif isinstance(parent, s.Await):
            yield Use("await", "", parent, expr)
        elif isinstance(parent, s.ExprStmt):
            yield Use("dropped", "", parent, expr)
        elif isinstance(parent, (s.Not, s.Compare, s.If, s.While, s.Assert, s.Delete)):
            yield Use("test", "", parent, expr)
        elif isinstance(parent, (s.Assign, s.For, s.Clause)):
            return  # a target
        else:
            yield Use("escape", "", parent or expr, expr)

    def _is_pair(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is not a container of objects but two of them: what is done, and what is not."""
        value = self._names.sole_value(expr) if isinstance(expr, s.Name) else expr
        return value is not None and self._names.is_call_of(value, self._names.catalog.calls["waits_for_pairs"])

    def _container_method(self, access: s.Attribute, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        parent = access.parent
        if not (isinstance(parent, s.Call) and parent.func is access):
            yield Use("escape", access.attr, access, expr)
        elif access.attr in _VIEWS:
            yield from self._container(parent, seen)
        elif access.attr in _TAKERS:
            yield from self._object(parent, seen)
            yield from self._container(parent, seen)
        elif access.attr not in _STORERS and access.attr not in _KEEPERS:
            yield Use("escape", access.attr, parent, expr)

    def _container_argument(self, argument: s.Argument, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        call = argument.parent
        name = self._names.qualified(call.func) if isinstance(call, s.Call) else None
        calls = self._names.catalog.calls
        if not isinstance(call, s.Call):
            yield Use("escape", "", argument, expr)
        elif isinstance(call.func, s.Attribute) and call.func.attr in ("extend", "update", "append", "add"):
            yield from self._container(call.func.value, seen, follow_name=True)
        elif name in _MEASURES:
            yield Use("test", "", call, expr)
        elif name in calls["waits"]:
            yield Use("wait", name or "", call, expr)
            yield from self._container(call, seen)
        elif name in calls["passes_through"] or name in ("builtins.enumerate", "builtins.zip"):
            yield from self._container(call, seen)
        else:
            yield Use("argument", name or "", call, expr)

    def _loop_targets(self, target: s.Expr, seen: set[object]) -> Iterator[Use]:
        if isinstance(target, s.Name):
            yield from self._variable(target, seen, container=False)
        elif isinstance(target, s.Display):
            for element in target.elements:
                yield from self._loop_targets(element, seen)
        elif isinstance(target, (s.Attribute, s.Subscript)):
            yield from self._stored(target, target, seen)

    # ---- loads of what it is bound to

    def _variable(self, target: s.Name, seen: set[object], *, container: bool) -> Iterator[Use]:
        found = self._names.scopes.lookup(target.id, target)
        if found is None:
            return
        scope = found[0]
        key = (scope, target.id, container)
        if key in seen:
            return
        seen.add(key)
        for load in self.loads(scope, target.id):
            if container:
                yield from self._container(load, seen)
            yield from self._object(load, seen) if not container else ()

    def _by_attr(self, target: s.Attribute, seen: set[object], *, container: bool) -> Iterator[Use]:
        home = self._names.place(target)
        key = (home or target.attr, container)
        if key in seen:
            return
        seen.add(key)
        for access in self._by_attribute.get(target.attr, ()):
            if not _is_target(access) and not self._is_unrelated(home, self._names.place(access)):
                yield from self._container(access, seen) if container else self._object(access, seen)

    def loads(self, scope: ScopeInfo, name: str) -> Iterator[s.Name]:
        """The places that read variable ``name`` of ``scope``."""
        for node in self._names.scopes.named(name):
            if _is_target(node):
                continue
            found = self._names.scopes.lookup(name, node)
            if found is not None and found[0] is scope:
                yield node

    def _is_unrelated(self, one: Place | None, other: Place | None) -> bool:
        """Whether two places are attributes of ``self`` in classes that have nothing to do with each other."""
        if one is None or other is None or one.root[0] != "self" or other.root[0] != "self":
            return False
        first, second = one.root[1], other.root[1]
        if first is second or not isinstance(first, s.ClassDef) or not isinstance(second, s.ClassDef):
            return False
        if len(one.path) != 1 or len(other.path) != 1 or self._names.is_open(first) or self._names.is_open(second):
            return False
        related = {info.node for info in self._names.mro(first)} & {info.node for info in self._names.mro(second)}
        return not related and not any(
            {first, second} <= {info.node for info in self._names.mro(node)} for node in self._names.module.classes
        )

    def attribute_writes(self, attr: str) -> list[s.Attribute]:
        """Every ``x.attr`` of the file that is assigned to."""
        return [access for access in self._by_attribute.get(attr, ()) if _is_target(access)]

    def attribute_reads(self, attr: str) -> list[s.Attribute]:
        """Every ``x.attr`` of the file that is not assigned to."""
        return [access for access in self._by_attribute.get(attr, ()) if not _is_target(access)]


def _is_target(node: s.Expr) -> bool:
    """Whether ``node`` is bound or deleted rather than read."""
    child: s.Node = node
    parent = node.parent
    while isinstance(parent, (s.Display, s.Starred)):
        child, parent = parent, parent.parent
    if isinstance(parent, s.Assign):
        return any(target is child for target in parent.targets)
    if isinstance(parent, (s.For, s.Clause, s.NamedExpr, s.WithItem)):
        return parent.target is child
    return isinstance(parent, s.Delete)

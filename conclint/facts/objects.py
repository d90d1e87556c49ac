"""Where an object made in this file goes, through variables, attributes and calls, and what is done with it.

Other than :mod:`conclint.facts.values` it follows the object into the functions that it is passed to, directly or by
``Thread(target=f, args=(q,))``, and back out of those that return it. Flow plays no part: whatever a variable may
hold, it holds at all its uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import External, Instance, LocalClass, LocalInstance, Place
from ..names import Names
from ..scopes import ScopeInfo
from .values import ValueFlow

_MOST_USES = 2_000
"""Expressions that are followed for one object; what is used more often counts as known to others."""
_MOST_OBJECTS = 200

_LOOKS_ONLY = frozenset(
    f"builtins.{name}" for name in ("bool", "hasattr", "id", "isinstance", "len", "print", "repr", "str", "type")
)
_NEUTRAL = (s.Not, s.Compare, s.If, s.While, s.Assert, s.ExprStmt, s.Operation, s.Delete)


class Operation(NamedTuple):
    """A method of the object that is called, or an attribute of it that is read."""

    name: str
    node: s.Expr
    """The ``q.get``, or the name that stands for it."""
    call: s.Call | None
    """The call, ``None`` where the method is only mentioned."""
    receiver: s.Expr
    """The expression that stands for the object."""

    @property
    def where(self) -> s.Node:
        return self.node if self.call is None else self.call


class Tracked:
    """One object (all that one expression makes), and what is done with it."""

    __slots__ = ("escapes", "instance", "made", "operations", "receivers")

    def __init__(self, made: s.Expr | None, instance: Instance | None) -> None:
        self.made = made
        """The expression that makes it, ``None`` where that stands in another file."""
        self.instance = instance
        self.operations: dict[s.Expr, Operation] = {}
        self.receivers: set[s.Expr] = set()
        """Every expression that stands for it."""
        self.escapes = made is None
        """Whether code that is not in this file gets to know it."""

    def named(self, *names: str) -> list[Operation]:
        """The operations of these names."""
        return [operation for operation in self.operations.values() if operation.name in names]


class Objects:
    """Follows objects through one module."""

    def __init__(self, names: Names, values: ValueFlow) -> None:
        self._names = names
        self._values = values
        self._made: dict[str, list[Tracked]] = {}

    def made(self, kind: str) -> list[Tracked]:
        """The objects of a catalogued kind that this file makes."""
        known = self._made.get(kind)
        if known is None:
            known = self._made[kind] = list(self._make(kind))
        return known

    def _make(self, kind: str) -> Iterator[Tracked]:
        found = 0
        for call in self._names.module.all(s.Call):
            instance = self._makes(call)
            if instance is not None and instance.type.kind == kind:
                tracked = Tracked(call, instance)
                self._follow(tracked, [call])
                yield tracked
                found += 1
                if found >= _MOST_OBJECTS:
                    return

    def at(self, receiver: s.Expr) -> Tracked | None:
        """The object that ``receiver`` stands for, where it is made in another file; ``None`` if it has no place."""
        place = self._names.place(receiver)
        if place is None:
            return None
        tracked = Tracked(None, self._names.instance(receiver))
        self._follow(tracked, [receiver, *self._loads(place)])
        return tracked

    def _makes(self, call: s.Call) -> Instance | None:
        for kind in self._names.kinds(call.func):
            if isinstance(kind, External):
                api_type = self._names.catalog.made_by.get(kind.name)
                if api_type is not None:
                    return Instance(api_type, kind.start_method or api_type.start_method, call)
            elif isinstance(kind, LocalClass):
                base = self._names.api_base(kind.node)
                if base is not None:
                    return base
        return None

    # ---- following

    def _follow(self, tracked: Tracked, start: list[s.Expr]) -> None:
        work = start
        while work:
            expr = work.pop()
            if expr in tracked.receivers:
                continue
            if len(tracked.receivers) >= _MOST_USES:
                tracked.escapes = True
                return
            tracked.receivers.add(expr)
            onward = self._onward(expr, tracked)
            if onward is None:
                tracked.escapes = True
            else:
                work += onward

    def _onward(self, expr: s.Expr, tracked: Tracked) -> list[s.Expr] | None:
        """The expressions that get the object from ``expr``; ``None`` where it goes out of sight."""
        parent = expr.parent
        if isinstance(parent, s.Attribute):
            self._operate(parent, parent.attr, tracked)
            return []
        if isinstance(parent, s.Assign) and parent.value is expr:
            return self._stored(parent.targets)
        if isinstance(parent, s.NamedExpr) and parent.value is expr:
            stored = self._stored([parent.target])
            return None if stored is None else [parent, *stored]
        if isinstance(parent, s.BoolOp) or (isinstance(parent, s.IfExp) and parent.test is not expr):
            return [parent]
        if isinstance(parent, s.Argument):
            return self._passed(parent, expr)
        if isinstance(parent, s.Display):
            return self._packed(parent, expr)
        if isinstance(parent, s.DictDisplay) and isinstance(parent.parent, s.Argument):
            return self._packed_by_name(parent, expr)
        if isinstance(parent, s.Param):
            function = parent.parent
            return self._loads_of_param(function, parent) if isinstance(function, s.Function) else None
        if isinstance(parent, s.Return):
            return self._returned(parent)
        if isinstance(parent, s.WithItem):
            return [] if parent.target is None else self._stored([parent.target])
        if isinstance(parent, _NEUTRAL) or (isinstance(parent, s.IfExp) and parent.test is expr):
            return []
        return None

    def _operate(self, access: s.Attribute, name: str, tracked: Tracked) -> None:
        parent = access.parent
        if isinstance(parent, s.Call) and parent.func is access:
            tracked.operations[access] = Operation(name, access, parent, access.value)
            return
        tracked.operations[access] = Operation(name, access, None, access.value)
        if isinstance(parent, s.Assign) and parent.value is access:
            targets = self._stored(parent.targets)
            if targets:
                del tracked.operations[access]
            for load in targets or ():
                call = load.parent if isinstance(load.parent, s.Call) and load.parent.func is load else None
                tracked.operations[load] = Operation(name, load, call, access.value)

    def _stored(self, targets: list[s.Expr]) -> list[s.Expr] | None:
        loads: list[s.Expr] = []
        for target in targets:
            home = self._home(target) if isinstance(target, (s.Name, s.Attribute)) else None
            if home is None:
                return None
            loads += self._loads(home)
        return loads

    def _home(self, expr: s.Expr) -> Place | None:
        """The place that a name or attribute leads to; names are not looked through."""
        if isinstance(expr, s.Name):
            found = self._names.scopes.lookup(expr.id, expr)
            if found is None:
                return None
            scope = found[0]
            if isinstance(scope.node, s.ClassDef):
                return self._names.attribute_place(scope.node, expr.id)
            return Place(("global" if scope.is_global else "local", scope, expr.id), ())
        if isinstance(expr, s.Attribute):
            for kind in self._names.kinds(expr.value):
                if isinstance(kind, (LocalInstance, LocalClass)):
                    return self._names.attribute_place(kind.node, expr.attr)
            return self._names.place(expr)
        return None

    def _loads(self, place: Place) -> Iterator[s.Expr]:
        """The expressions that read what lives at ``place``."""
        if place.path:
            attr = place.path[-1]
            yield from (access for access in self._values.attribute_reads(attr) if self._home(access) == place)
            owner = place.root[1] if place.root[0] == "self" and len(place.path) == 1 else None
            if isinstance(owner, s.ClassDef):  # used in the class's own body
                yield from self._values.loads(self._names.scopes.info(owner), attr)
        elif place.root[0] in ("local", "global"):
            scope = place.root[1]
            if isinstance(scope, ScopeInfo):
                yield from self._values.loads(scope, str(place.root[2]))

    # ---- calls

    def _passed(self, argument: s.Argument, expr: s.Expr) -> list[s.Expr] | None:
        call = argument.parent
        if not isinstance(call, s.Call) or argument.star:
            return None
        if self._names.qualified(call.func) in _LOOKS_ONLY:
            return []
        position = next(index for index, other in enumerate(call.args) if other is argument)
        functions = self._names.functions(call.func)
        if functions:
            return self._into(functions, position, argument.keyword)
        for index, other in enumerate(call.args[:position]):  # submit(f, q), partial(f, q), to_thread(f, q)
            runs = self._names.functions(other.value)
            if runs and not other.star:
                return self._into(runs, position - index - 1, argument.keyword)
        return None

    def _packed(self, display: s.Display, expr: s.Expr) -> list[s.Expr] | None:
        """``args=(q,)`` beside the function that will get them; ``a, b = q, r``."""
        index = next(i for i, element in enumerate(display.elements) if element is expr)
        parent = display.parent
        if isinstance(parent, s.Assign):
            targets: list[s.Expr] = []
            for target in parent.targets:
                if not isinstance(target, s.Display) or len(target.elements) != len(display.elements):
                    return None
                targets.append(target.elements[index])
            return self._stored(targets)
        functions = self._run_beside(display)
        return self._into(functions, index, None) if functions else None

    def _packed_by_name(self, display: s.DictDisplay, expr: s.Expr) -> list[s.Expr] | None:
        index = next((i for i, value in enumerate(display.values) if value is expr), None)
        key = None if index is None else display.keys[index]
        functions = self._run_beside(display)
        if not functions or not isinstance(key, s.Constant) or not isinstance(key.value, str):
            return None
        return self._into(functions, 0, key.value)

    def _run_beside(self, display: s.Expr) -> list[s.Function]:
        """The functions that are arguments of the call that ``display`` is an argument of too."""
        argument = display.parent
        call = None if argument is None else argument.parent
        if not isinstance(argument, s.Argument) or not isinstance(call, s.Call):
            return []
        for other in call.args:
            if other is not argument:
                functions = self._names.functions(other.value)
                if functions:
                    return functions
        return []

    def _into(self, functions: list[s.Function], position: int, keyword: str | None) -> list[s.Expr] | None:
        loads: list[s.Expr] = []
        for function in functions:
            shift = 1 if self._names.self_class(function) is not None else 0
            param = _param(function, position + shift, keyword)
            if param is None:
                return None
            loads += self._loads_of_param(function, param)
        return loads

    def _loads_of_param(self, function: s.Function, param: s.Param) -> list[s.Expr]:
        return list(self._values.loads(self._names.scopes.info(function), param.name))

    def _returned(self, statement: s.Return) -> list[s.Expr] | None:
        """The calls of the function that returns the object."""
        function = s.enclosing_function(statement)
        if function is None or function.decorators or function.is_generator:
            return None
        calls = self._names.calls_of(function)
        awaited = [call.parent if isinstance(call.parent, s.Await) else call for call in calls]
        return list(awaited) or None


def _param(function: s.Function, position: int, keyword: str | None) -> s.Param | None:
    """The parameter that an argument fills; ``None`` for ``*args`` and ``**kwargs``."""
    if keyword is not None:
        return next((p for p in function.params if p.name == keyword and p.kind in ("normal", "kwonly")), None)
    positional = [p for p in function.params if p.kind in ("posonly", "normal")]
    return positional[position] if position < len(positional) else None

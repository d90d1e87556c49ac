"""What a wait waits for: the tests that lead to it, and whether a later step asks again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeGuard

from .. import syntax as s
from ..cfg import Step, StepKind
from ..kinds import ApiMethod, External, LocalFunction, Place
from ..names import Names
from ..places import is_slice
from ..scopes import BindingKind
from .conditions import bound_place

_JUMPS = (s.Return, s.Raise, s.Break, s.Continue)


class Predicate(NamedTuple):
    """What the tests around a wait ask about."""

    places: frozenset[Place]
    is_opaque: bool
    """Whether they also ask what no place stands for: a method of this file, a local computed before."""
    computed: frozenset[Place] = frozenset()
    """The locals they ask about, which are computed again where the state is looked at again."""
    flags: frozenset[Place] = frozenset()
    """The places whose plain truth they ask about."""

    def __bool__(self) -> bool:
        return self.is_opaque or bool(self.places)

    def __or__(self, other: Predicate) -> Predicate:
        return Predicate(
            self.places | other.places,
            self.is_opaque or other.is_opaque,
            self.computed | other.computed,
            self.flags | other.flags,
        )

    def meets(self, places: frozenset[Place]) -> bool:
        """Whether one of ``places`` is, holds or belongs to something the predicate asks about."""
        return any(a.starts_with(b) or b.starts_with(a) for a in places for b in self.places)


NO_PREDICATE = Predicate(frozenset(), False)


class Reading(NamedTuple):
    """What evaluating an expression looks at."""

    places: frozenset[Place]
    """Objects that other threads can see."""
    computed: frozenset[Place]
    """Locals that were computed, so that anything may be behind them."""
    is_opaque: bool
    """Whether it calls what may look at anything."""


class Predicates:
    """Reads tests for what they ask about."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._readings: dict[s.Expr, Reading] = {}
        self._takers = names.catalog.takers
        self._taking_methods = names.catalog.taking_methods

    def reading(self, expr: s.Expr) -> Reading:
        """What evaluating ``expr`` looks at; parameters and constants alone tell nothing and are left out."""
        known = self._readings.get(expr)
        if known is None:
            known = self._readings[expr] = self._read(expr)
        return known

    def around(self, node: s.Node, within: s.Node) -> Predicate:
        """What has been tested when ``node`` is reached, by the statements between ``within`` and it."""
        found = NO_PREDICATE
        for test in _tests_before(node, within):
            if test is None:
                found |= Predicate(frozenset(), True)
                continue
            read = self.reading(test)
            opaque = read.is_opaque or bool(read.computed)
            found |= Predicate(read.places, opaque, read.computed, self._flags(test))
        return found

    def asks_again(self, step: Step, predicate: Predicate) -> bool | None:
        """Whether a branch or loop head tests ``predicate``; ``None`` if it tests shared state, but something else."""
        test = _tested(step.node)
        if test is None:
            return False
        read = self.reading(test)
        if step.kind is StepKind.ITERATE:  # over nothing, nothing is done
            return bool(read.places or read.computed)
        if read.computed or read.is_opaque or predicate.meets(read.places):
            return True
        if not read.places:
            return False
        return True if predicate.is_opaque or not predicate.places else None

    def takes(self, node: s.Node, predicate: Predicate) -> bool:
        """Whether ``node`` takes out of a container that ``predicate`` asks about, and fails where that is empty."""
        taken: s.Expr | None = None
        if isinstance(node, s.Subscript):
            taken = None if is_slice(node.index) or s.is_assigned(node) else node.value
        elif isinstance(node, s.Call):
            func = node.func
            if isinstance(func, s.Attribute) and func.attr in self._taking_methods and len(node.args) < 2:
                taken = func.value
            elif self._names.qualified(func) in self._takers:
                taken = node.positional(0)
        if taken is None or self._names.functions(node.func if isinstance(node, s.Call) else taken):
            return False
        place = self._names.place(taken)
        return place is not None and place in predicate.places

    def settles(self, step: Step, predicate: Predicate) -> bool:
        """Whether ``step`` looks at the state once more, so that what follows has it before it.

        It computes a local again that was tested, returns the flag that was tested, or takes all there is.
        """
        value = step.value
        if step.kind is StepKind.BIND and isinstance(step.target, s.Name):
            if bound_place(self._names, step.target) in predicate.computed:
                return True
            source = None if value is None else self._copied(value)
            if source is not None and self._names.is_container(source):
                return self._names.place(source) in predicate.places
        if step.kind is StepKind.RETURN and isinstance(value, (s.Name, s.Attribute)):
            return self._names.place(value) in predicate.flags
        return False

    def _copied(self, value: s.Expr) -> s.Expr | None:
        """The container that ``value`` is, or is a copy of."""
        if isinstance(value, s.Subscript) and is_slice(value.index):
            return value.value
        if isinstance(value, s.Call):
            if self._names.qualified(value.func) in self._names.catalog.calls["passes_through"]:
                return value.positional(0)
            return value.func.value if isinstance(value.func, s.Attribute) and value.func.attr == "copy" else None
        return value if isinstance(value, (s.Name, s.Attribute)) else None

    def concerns(self, call: s.Node, predicate: Predicate) -> bool:
        """Whether ``call`` is of a method of something that ``predicate`` asks about."""
        if not isinstance(call, s.Call) or not isinstance(call.func, s.Attribute):
            return False
        return self._names.place(call.func.value) in predicate.places

    def _flags(self, test: s.Expr) -> frozenset[Place]:
        found: set[Place] = set()
        stack = [test]
        while stack:
            node = stack.pop()
            if isinstance(node, s.Not):
                stack.append(node.operand)
            elif isinstance(node, s.BoolOp):
                stack += (node.left, node.right)
            elif isinstance(node, (s.Name, s.Attribute)):
                place = self._names.place(node)
                if place is not None:
                    found.add(place)
        return frozenset(found)

    # ---- reading

    def _read(self, expr: s.Expr) -> Reading:
        places: set[Place] = set()
        computed: set[Place] = set()
        opaque = False
        stack: list[s.Node] = [expr]
        while stack:
            node = stack.pop()
            if isinstance(node, (s.Name, s.Attribute, s.Subscript)):
                place = self._names.place(node)
                if place is None:
                    opaque = True
                elif not _is_own_local(place, node):
                    if not _is_builtin(self._names, node):
                        places.add(place)
                elif not self._is_parameter(place):
                    computed.add(place)
                if isinstance(node, s.Subscript):
                    stack += (node.index,) if place is not None else (node.value, node.index)
            elif isinstance(node, s.Call):
                stack.extend(argument.value for argument in node.args)
                if isinstance(node.func, s.Attribute):
                    stack.append(node.func.value)
                opaque = opaque or not self._is_transparent(node)
            elif isinstance(node, s.Lambda):
                opaque = True
            else:
                stack.extend(s.children(node))
        return Reading(frozenset(places), frozenset(computed), opaque)

    def _is_transparent(self, call: s.Call) -> bool:
        """Whether what ``call`` says is about its receiver and arguments only."""
        kinds = self._names.kinds(call.func)
        if any(isinstance(kind, LocalFunction) for kind in kinds):
            return False
        if isinstance(call.func, s.Attribute):
            if any(isinstance(kind, ApiMethod) for kind in kinds):
                return True
            container = self._names.is_container(call.func.value)
            return container or call.func.attr in self._names.catalog.harmless_methods
        return any(isinstance(kind, External) and kind.name.startswith("builtins.") for kind in kinds)

    def _is_parameter(self, place: Place) -> bool:
        scope = place.root[1]
        bindings = getattr(scope, "bindings", {}).get(place.root[2], ())
        return bool(bindings) and all(binding.kind is BindingKind.PARAMETER for binding in bindings)


def _is_own_local(place: Place, node: s.Expr) -> bool:
    """Whether ``place`` is a local variable of the function that ``node`` stands in, rather than of one around it."""
    if place.root[0] != "local" or place.path:
        return False
    home = getattr(place.root[1], "node", None)
    return not isinstance(home, s.Function) or home is s.enclosing_function(node)


def _is_builtin(names: Names, node: s.Expr) -> bool:
    return isinstance(node, s.Name) and names.scopes.lookup(node.id, node) is None


def _tested(node: s.Node) -> s.Expr | None:
    if isinstance(node, s.Case):
        return node.parent.subject if isinstance(node.parent, s.Match) else None
    if isinstance(node, (s.For, s.Clause)):
        return node.iter
    return node if isinstance(node, s.Expr) else None


def _tests_before(node: s.Node, within: s.Node) -> Iterator[s.Expr | None]:
    """The tests that decided that ``node`` is reached; ``None`` for an exception that did."""
    child = node
    for parent in s.ancestors(node):
        if isinstance(child, s.Stmt):
            for earlier in _before(child, parent):
                if isinstance(earlier, s.Assert) or _leaves(earlier):
                    yield earlier.test
                elif isinstance(earlier, s.Try) and earlier.handlers and _jumps(earlier):
                    yield None
        if parent is within:
            return
        if isinstance(parent, (s.If, s.While, s.IfExp)) and child is not parent.test:
            yield parent.test
        elif isinstance(parent, s.BoolOp) and child is parent.right:
            yield parent.left
        elif isinstance(parent, s.Case) and isinstance(parent.parent, s.Match):
            yield parent.parent.subject
        elif isinstance(parent, s.Handler):
            yield None
        child = parent


def _jumps(node: s.Node) -> bool:
    return any(isinstance(found, _JUMPS) for found in s.walk(node, into_functions=False))


def _leaves(node: s.Stmt) -> TypeGuard[s.If]:
    """Whether ``node`` is an ``if`` one of whose arms does not come to what follows it."""
    return isinstance(node, s.If) and any(arm and isinstance(arm[-1], _JUMPS) for arm in (node.body, node.orelse))


def _before(child: s.Stmt, parent: s.Node) -> list[s.Stmt]:
    """The statements of the block of ``child`` that come before it."""
    for block in ("body", "orelse", "final"):
        statements = getattr(parent, block, None)
        if isinstance(statements, list) and any(statement is child for statement in statements):
            return statements[: next(i for i, statement in enumerate(statements) if statement is child)]
    return []

"""Where objects live: the places that names, attributes and subscripts lead to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from . import syntax as s
from .classes import Classes
from .kinds import External, Kinds, LocalClass, LocalFunction, Place
from .questions import Questions
from .scopes import Binding, BindingKind

_APPENDERS = frozenset({"append", "appendleft", "add", "insert", "extend", "put", "put_nowait", "setdefault"})
_SAME_ITEMS = frozenset({"builtins.reversed", "builtins.list", "builtins.sorted", "builtins.tuple", "builtins.set"})


class Places(Classes):
    """The part of :class:`conclint.names.Names` that finds places."""

    def __init__(self, module: s.Module) -> None:
        super().__init__(module)
        self._places: dict[s.Expr, Place | None] = {}
        self._shared: dict[Place, Place] | None = None
        self._items: dict[Place, list[s.Expr]] | None = None
        self._questions: Questions[Kinds] = Questions()

    @abstractmethod
    def qualified(self, expr: s.Expr) -> str | None:
        """The qualified name of what ``expr`` names: external (``threading.Lock``) or ``type.method``."""

    def place(self, expr: s.Expr) -> Place | None:
        """Where the object that ``expr`` names lives, ``None`` for what no name leads to.

        A name bound once, to another name, is that other name's place, and ``Condition(lock)`` is where the lock is:
        the two exclude each other.
        """
        found = self.handle(expr)
        if found is None:
            return None
        if self._shared is None:
            self._shared = {}
            self._shared = self._locks_of_conditions()
        return self._shared.get(found, found)

    def _locks_of_conditions(self) -> dict[Place, Place]:
        """The places of conditions that are made with a lock, and the lock's."""
        shared: dict[Place, Place] = {}
        for assign in self.module.all(s.Assign):
            made = assign.value
            if not isinstance(made, s.Call) or not made.args:
                continue
            api_type = self.catalog.made_by.get(self.qualified(made.func) or "")
            lock = made.argument(0, "lock") if api_type is not None and api_type.kind == "condition" else None
            home = None if lock is None else self._home(lock)
            for target in assign.targets:
                condition = None if home is None else self.handle(target)
                if home is not None and condition is not None and condition != home:
                    shared[condition] = shared.get(home, home)
        return shared

    def _home(self, expr: s.Expr) -> Place | None:
        """Where ``expr`` is kept: the attribute that a local name is also assigned to, else its own place."""
        found = self.handle(expr)
        if found is None or found.root[0] != "local" or found.path:
            return found
        for assign in self.module.all(s.Assign):
            parts = [*assign.targets, *([] if assign.value is None else [assign.value])]
            if any(isinstance(part, s.Name) and self.handle(part) == found for part in parts):
                for target in assign.targets:
                    kept = self.handle(target) if isinstance(target, s.Attribute) else None
                    if kept is not None:
                        return kept
        return found

    def handle(self, expr: s.Expr) -> Place | None:
        """The place that binding ``expr`` changes: as :meth:`place`, without what two objects share."""
        if expr in self._places:
            return self._places[expr]
        question = ("place", expr)
        if not self._questions.begin(question):
            return None
        found, holds = None, False
        try:
            found = self._find_place(expr)
        finally:
            holds = self._questions.end(question)
        if holds:
            self._places[expr] = found
        return found

    def attribute_place(self, node: s.ClassDef, attr: str) -> Place:
        """Where ``self.attr`` of a class lives: with the topmost class of the file that binds it."""
        owner = node
        for info in self.mro(node):
            if attr in info.attributes:
                owner = info.node
        return Place(("self", owner), (attr,))

    def bound_method(self, expr: s.Expr) -> s.Attribute | None:
        """The ``x.method`` that ``expr`` is, directly or as an alias (``release = lock.release``)."""
        for _ in range(8):
            if isinstance(expr, s.Attribute):
                return expr
            value = self.sole_value(expr) if isinstance(expr, s.Name) else self._partial(expr)
            if value is None:
                return None
            expr = value
        return None

    def _partial(self, expr: s.Expr) -> s.Expr | None:
        """The function that ``functools.partial(function, ...)`` calls."""
        if isinstance(expr, s.Call) and self.qualified(expr.func) in self.catalog.calls["partials"]:
            return expr.positional(0)
        return None

    def sole_value(self, name: s.Name) -> s.Expr | None:
        """What ``name`` is bound to, where one assignment is all that binds it."""
        found = self.scopes.lookup(name.id, name)
        if found is None:
            return None
        bindings = [b for b in found[1] if b.kind is not BindingKind.ANNOTATION]
        if len(bindings) == 1 and bindings[0].kind is BindingKind.ASSIGN:
            return bindings[0].value
        return None

    def _find_place(self, expr: s.Expr) -> Place | None:
        if isinstance(expr, s.NamedExpr):
            return self.handle(expr.target)
        if isinstance(expr, s.Name):
            return self._name_place(expr)
        if isinstance(expr, s.Attribute):
            return self._attribute_place(expr)
        if isinstance(expr, s.Subscript):
            base = self.handle(expr.value)
            if base is None:
                return None
            index = expr.index
            if isinstance(index, s.Constant):
                return base.join(f"[{index.value!r}]")
            text = s.dotted(index)
            return base.join(f"[{text}]") if text else None
        if isinstance(expr, s.Call):
            returned = self._returned_place(expr)
            if returned is None and isinstance(expr.func, s.Attribute) and expr.func.attr == "get_lock":
                return self.handle(expr.func.value)
            return returned
        return None

    def _returned_place(self, call: s.Call) -> Place | None:
        """The attribute or global that the function of this file that is called always hands back."""
        kinds = [kind for kind in self.kinds(call.func) if isinstance(kind, LocalFunction)] if not call.args else []
        if len(kinds) != 1 or kinds[0].function.is_async or kinds[0].function.is_generator:
            return None
        function = kinds[0].function
        values = [node.value for node in s.own_nodes(function) if isinstance(node, s.Return)]
        if not values or not self._adds_nothing(function):
            return None
        places = {self.handle(value) if isinstance(value, (s.Attribute, s.Name)) else None for value in values}
        place = places.pop() if len(places) == 1 else None
        if place is None or place.root[0] == "global":
            return place
        if place.root[0] != "self" or len(place.path) != 1 or not isinstance(call.func, s.Attribute):
            return None
        return self._attribute_of(call.func.value, place.path[0])

    def _adds_nothing(self, function: s.Function) -> bool:
        """Whether no decorator but those of methods stands between a call and what ``function`` returns."""
        known = ("builtins.classmethod", "builtins.staticmethod")
        return all(self.qualified(decorator) in known for decorator in function.decorators)

    def _name_place(self, expr: s.Name) -> Place | None:
        owner = self.self_of(expr)
        if owner is not None:
            return Place(("self", owner), ())
        found = self.scopes.lookup(expr.id, expr)
        if found is None:
            return Place(("global", self.scopes.top, expr.id), ())
        scope, bindings = found
        if len(bindings) == 1 and bindings[0].kind is BindingKind.IMPORT:
            exported = self._exported_place(bindings[0].imported)
            if exported is not None:
                return exported
        if all(binding.kind is BindingKind.ELEMENT for binding in bindings):
            iterated = _iterated(expr, bindings)
            container = None if iterated is None else self._container_place(iterated)
            if container is not None:
                return container.join("[*]")
        value = self.sole_value(expr)
        if isinstance(value, (s.Name, s.Attribute, s.Subscript)):
            aliased = self.handle(value)
            if aliased is not None:
                return aliased
        if len(bindings) == 1 and bindings[0].kind is BindingKind.CLASS:
            node = bindings[0].node
            if isinstance(node, s.ClassDef):
                return Place(("self", node), ())
        if isinstance(scope.node, s.ClassDef):
            return self.attribute_place(
                scope.node, expr.id
            )  # in the body of the class, what others see as an attribute
        return Place(("global" if scope.is_global else "local", scope, expr.id), ())

    def _exported_place(self, name: str) -> Place | None:
        """Where what has the dotted ``name`` lives in the linked module that defines it, however it got from there."""
        for _ in range(8):
            found = self.exported(name)
            if found is None:
                return None
            scope, local = found
            bindings = scope.bindings.get(local, [])
            if len(bindings) == 1 and bindings[0].kind is BindingKind.IMPORT:
                name = bindings[0].imported
            elif len(bindings) == 1 and isinstance(bindings[0].node, s.ClassDef):
                return Place(("self", bindings[0].node), ())
            else:
                return Place(("global", scope, local), ())
        return None

    def _container_place(self, expr: s.Expr) -> Place | None:
        """The place of the container that ``expr`` iterates over, through slices, ``reversed()``, ``list()`` ..."""
        while True:
            if isinstance(expr, s.Subscript) and is_slice(expr.index):
                expr = expr.value
            elif isinstance(expr, s.Call) and expr.args and self.qualified(expr.func) in _SAME_ITEMS:
                expr = expr.args[0].value
            elif isinstance(expr, s.Call) and isinstance(expr.func, s.Attribute) and expr.func.attr == "values":
                expr = expr.func.value
            else:
                return self.handle(expr) if isinstance(expr, (s.Name, s.Attribute)) else None

    def _attribute_place(self, expr: s.Attribute) -> Place | None:
        return self._attribute_of(expr.value, expr.attr)

    def _attribute_of(self, owner: s.Expr, attr: str) -> Place | None:
        for kind in self.kinds(owner) if isinstance(owner, (s.Name, s.Call, s.Attribute)) else ():
            if isinstance(kind, LocalClass):
                return self.attribute_place(kind.node, attr)
            if isinstance(kind, External) and not kind.name.startswith("builtins."):
                name = f"{kind.name}.{attr}"
                return self._exported_place(name) or Place(("external", name), ())
        base = self.handle(owner)
        if base is None:
            return None
        if base.root[0] == "self" and not base.path:
            node = base.root[1]
            if isinstance(node, s.ClassDef):
                return self.attribute_place(node, attr)
        return base.join(attr)

    def items(self, place: Place) -> list[s.Expr]:
        """The expressions that are appended, added or stored under a key to the container at ``place``."""
        if self._items is None:
            self._items = {}
            for container, item in _item_stores(self.module):
                home = self.handle(container)
                if home is not None:
                    self._items.setdefault(home, []).append(item)
        return self._items.get(place, [])


def is_slice(index: s.Expr) -> bool:
    """Whether a subscript takes part of a container rather than an item."""
    return isinstance(index, s.Operation) and index.op == ":"


def _iterated(name: s.Name, bindings: list[Binding]) -> s.Expr | None:
    """What the loop iterates over that gives ``name`` its value: the only one, or the one around it."""
    if len(bindings) == 1:
        return bindings[0].value
    loops = {binding.node: binding.value for binding in bindings}
    return next((loops[node] for node in s.ancestors(name) if node in loops), None)


def _item_stores(module: s.Module) -> Iterator[tuple[s.Expr, s.Expr]]:
    """Every store of an item into a container: the container and the item."""
    for call in module.all(s.Call):
        if isinstance(call.func, s.Attribute) and call.func.attr in _APPENDERS:
            for argument in call.args:
                yield call.func.value, argument.value
    for assign in module.all(s.Assign):
        if assign.value is not None:
            for target in assign.targets:
                if isinstance(target, s.Subscript):
                    yield target.value, assign.value
    for augmented in module.all(s.AugAssign):
        if isinstance(augmented.value, s.Display):
            for element in augmented.value.elements:
                yield augmented.target, element

"""What names mean: qualified names, kinds of objects, and the places they live in.

Inference is by bindings, not by flow: a name may be whatever any of its bindings in scope gives it, and
what cannot be told is left out rather than guessed. ``self.x`` has the bindings of every method of the class
and its bases in the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator

from . import catalog
from . import syntax as s
from .kinds import (
    ApiMethod,
    Container,
    External,
    Foreign,
    Instance,
    Kind,
    Kinds,
    LocalClass,
    LocalFunction,
    LocalInstance,
    Place,
)
from .scopes import Binding, BindingKind, ScopeInfo, Scopes, unpacked

_APPENDERS = frozenset({"append", "appendleft", "add", "insert", "extend", "put", "put_nowait", "setdefault"})
_ITEM_METHODS = frozenset({"pop", "popleft", "popitem", "get", "get_nowait", "setdefault"})
_VIEW_METHODS = frozenset({"values", "items", "keys", "copy"})
_DOTTED = re.compile(r"[A-Za-z_][\w.]*")


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


class Names:
    """Inference for one module. All answers are memoised."""

    def __init__(self, module: s.Module) -> None:
        self.module = module
        self.catalog = catalog.load()
        self.scopes = Scopes(module)
        self._kinds: dict[s.Expr, Kinds] = {}
        self._places: dict[s.Expr, Place | None] = {}
        self._busy: set[object] = set()
        self._classes: dict[s.ClassDef, ClassInfo] = {}
        self._items: dict[Place, list[s.Expr]] | None = None
        self._attributes_collected = False

    # ------------------------------------------------------------------------------------------- functions

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

    # --------------------------------------------------------------------------------------------- classes

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
        for other in self.module.classes:
            if other is not node and any(info.node is node for info in self.mro(other)):
                yield other

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
        if self._attributes_collected:
            return
        self._attributes_collected = True
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
                owner = self._self_of(target.value)
                if owner is not None:
                    self._classes[owner].attributes.setdefault(target.attr, []).append(binding)

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

    def _self_of(self, name: s.Name) -> s.ClassDef | None:
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
        if function.name == "__new__":
            return None
        return self.self_class(function)

    # ----------------------------------------------------------------------------------------------- kinds

    def kinds(self, expr: s.Expr) -> Kinds:
        """What ``expr`` may evaluate to; empty where nothing is known."""
        known = self._kinds.get(expr)
        if known is not None:
            return known
        if expr in self._busy:
            return ()
        self._busy.add(expr)
        try:
            found = _unique(self._infer(expr))
        finally:
            self._busy.discard(expr)
        self._kinds[expr] = found
        return found

    def instance(self, expr: s.Expr) -> Instance | None:
        """The catalogued object that ``expr`` is, subclasses in this file included; the first that is known."""
        for kind in self.kinds(expr):
            found = self.as_instance(kind)
            if found is not None:
                return found
        return None

    def as_instance(self, kind: Kind) -> Instance | None:
        """``kind`` as a catalogued object, if it is one or derives from one."""
        if isinstance(kind, Instance):
            return kind
        if isinstance(kind, LocalInstance):
            return self.api_base(kind.node)
        return None

    def qualified(self, expr: s.Expr) -> str | None:
        """The qualified name of what ``expr`` names: external (``threading.Lock``) or ``type.method``."""
        for kind in self.kinds(expr):
            if isinstance(kind, External):
                return kind.name
            if isinstance(kind, ApiMethod):
                return kind.qualified
        return None

    def is_call_of(self, expr: s.Expr, names: Collection[str | None]) -> bool:
        """Whether ``expr`` calls one of the external ``names``."""
        return isinstance(expr, s.Call) and self.qualified(expr.func) in names

    def functions(self, expr: s.Expr) -> list[s.Function]:
        """The functions of this file that calling ``expr`` runs: defs, methods, lambdas, partials, constructors."""
        out: list[s.Function] = []
        if isinstance(expr, s.Call) and self.qualified(expr.func) in self.catalog.calls["partials"]:
            first = expr.positional(0)
            return [] if first is None else self.functions(first)
        for kind in self.kinds(expr):
            if isinstance(kind, LocalFunction):
                out.append(kind.function)
            elif isinstance(kind, LocalClass):
                constructor = self.method(kind.node, "__init__")
                if constructor is not None:
                    out.append(constructor)
            elif isinstance(kind, LocalInstance):
                called = self.method(kind.node, "__call__")
                if called is not None:
                    out.append(called)
        return out

    def _infer(self, expr: s.Expr) -> Iterator[Kind]:
        if isinstance(expr, s.Name):
            yield from self._infer_name(expr)
        elif isinstance(expr, s.Attribute):
            for kind in self.kinds(expr.value):
                yield from self._attribute(kind, expr.attr)
        elif isinstance(expr, s.Call):
            yield from self._infer_call(expr)
        elif isinstance(expr, s.Lambda):
            yield LocalFunction(expr.function)
        elif isinstance(expr, s.IfExp):
            yield from self.kinds(expr.body)
            yield from self.kinds(expr.orelse)
        elif isinstance(expr, s.BoolOp):
            yield from self.kinds(expr.left)
            yield from self.kinds(expr.right)
        elif isinstance(expr, (s.NamedExpr, s.Await, s.Starred)):
            yield from self.kinds(expr.value)
        elif isinstance(expr, s.Display):
            yield Container(_unique(kind for element in expr.elements for kind in self.kinds(element)))
        elif isinstance(expr, s.DictDisplay):
            parts = [*(key for key in expr.keys if key is not None), *expr.values]
            yield Container(_unique(kind for part in parts for kind in self.kinds(part)))
        elif isinstance(expr, s.Comprehension):
            parts = [expr.element] if expr.key is None else [expr.key, expr.element]
            yield Container(_unique(kind for part in parts for kind in self.kinds(part)))
        elif isinstance(expr, s.Subscript):
            for kind in self.kinds(expr.value):
                if isinstance(kind, Container):
                    yield from (kind,) if _is_slice(expr.index) else kind.elements
        elif isinstance(expr, s.Operation) and expr.op in ("+", "|"):
            for operand in expr.operands:
                yield from (kind for kind in self.kinds(operand) if isinstance(kind, Container))

    def _infer_name(self, expr: s.Name) -> Iterator[Kind]:
        owner = self._self_of(expr)
        if owner is not None:
            function = s.enclosing_function(expr)
            found = self.scopes.lookup(expr.id, expr)
            if found is not None and isinstance(found[0].node, s.Function):
                function = found[0].node
            if function is not None and self.decorated(function, ("builtins.classmethod",)):
                yield LocalClass(owner)
            else:
                yield LocalInstance(owner)
            return
        found = self.scopes.lookup(expr.id, expr)
        if found is None:
            for module in self._stars(expr):
                star = f"{module}.{expr.id}"
                if star in self.catalog.made_by or star in self.catalog.runs:
                    yield External(star)
                    return
            yield External(f"builtins.{expr.id}")
            return
        _scope, bindings = found
        for binding in bindings:
            yield from self._binding_kinds(binding)
        place = self.place(expr)
        if place is not None:
            yield from self._items_of(place)

    def _stars(self, expr: s.Name) -> Iterator[str]:
        scope: ScopeInfo | None = self.scopes.scope_of(expr)
        while scope is not None:
            yield from scope.stars
            scope = scope.parent

    def _binding_kinds(self, binding: Binding) -> Iterator[Kind]:
        if binding.annotation is not None:
            yield from self.annotated(binding.annotation)
        kind, value = binding.kind, binding.value
        if kind is BindingKind.IMPORT:
            yield External(binding.imported)
        elif kind is BindingKind.FUNCTION and isinstance(binding.node, s.Function):
            yield LocalFunction(binding.node)
        elif kind is BindingKind.CLASS and isinstance(binding.node, s.ClassDef):
            yield LocalClass(binding.node)
        elif value is None:
            return
        elif kind in (BindingKind.ASSIGN, BindingKind.PARAMETER):
            yield from self.kinds(value)
        elif kind is BindingKind.ELEMENT:
            for found in self.kinds(value):
                if isinstance(found, Container):
                    yield from found.elements
        elif kind is BindingKind.CONTEXT:
            yield from self._entered(value)

    def _entered(self, context: s.Expr) -> Iterator[Kind]:
        """What ``with context as name`` binds."""
        if isinstance(context, s.Call) and self.qualified(context.func) in _CLOSING:
            first = context.positional(0)
            if first is not None:
                yield from self.kinds(first)
            return
        for kind in self.kinds(context):
            if isinstance(kind, Instance):
                yield kind
            elif isinstance(kind, LocalInstance):
                enter = self.method(kind.node, "__enter__") or self.method(kind.node, "__aenter__")
                if enter is None:
                    yield kind
                else:
                    yield from self._returned(enter)

    def annotated(self, annotation: s.Expr) -> Iterator[Kind]:
        """The objects an annotation speaks of: ``T``, ``Optional[T]``, ``T | None``, ``list[T]``, ``"T"``."""
        key = ("annotation", annotation)
        if key in self._busy:  # `client: "client"` names itself
            return
        self._busy.add(key)
        try:
            yield from self._annotated(annotation)
        finally:
            self._busy.discard(key)

    def _annotated(self, annotation: s.Expr) -> Iterator[Kind]:
        if isinstance(annotation, s.Constant):
            text = annotation.value
            if isinstance(text, str) and (match := _DOTTED.fullmatch(text)):
                yield from self._annotated_name(match[0], annotation)
        elif isinstance(annotation, s.Operation) and annotation.op == "+":  # `|` is lowered as an operator
            for operand in annotation.operands:
                yield from self.annotated(operand)
        elif isinstance(annotation, s.Subscript):
            name = s.dotted(annotation.value) or ""
            inner = annotation.index.elements if isinstance(annotation.index, s.Display) else [annotation.index]
            last = name.rpartition(".")[2]
            if last in ("Optional", "Union", "Annotated", "Final", "ClassVar"):
                for part in inner:
                    yield from self.annotated(part)
            elif last[:1].islower() or last in _GENERIC_CONTAINERS:
                yield Container(_unique(kind for part in inner for kind in self.annotated(part)))
                yield from self._made_by_annotation(annotation.value)
            else:
                yield from self._made_by_annotation(annotation.value)
        else:
            yield from self._made_by_annotation(annotation)

    def _made_by_annotation(self, expr: s.Expr) -> Iterator[Kind]:
        for kind in self.kinds(expr):
            if isinstance(kind, External):
                api_type = self.catalog.made_by.get(kind.name)
                if api_type is not None:
                    yield Instance(api_type, api_type.start_method)
                elif not kind.name.startswith("builtins."):
                    yield Foreign(kind.name)
            elif isinstance(kind, LocalClass):
                yield LocalInstance(kind.node)

    def _annotated_name(self, text: str, at: s.Node) -> Iterator[Kind]:
        head, *rest = text.split(".")
        found = self.scopes.lookup(head, at)
        for binding in found[1] if found else ():
            for kind in self._binding_kinds(binding):
                if isinstance(kind, External):
                    api_type = self.catalog.made_by.get(".".join([kind.name, *rest]))
                    if api_type is not None:
                        yield Instance(api_type, api_type.start_method)
                elif isinstance(kind, LocalClass) and not rest:
                    yield LocalInstance(kind.node)

    def _attribute(self, kind: Kind, attr: str) -> Iterator[Kind]:
        if isinstance(kind, External):
            yield External(f"{kind.name}.{attr}", kind.start_method)
        elif isinstance(kind, Instance):
            if kind.type.namespace is not None:
                yield External(f"{kind.type.namespace}.{attr}", kind.start_method)
            else:
                yield ApiMethod(kind, attr)
        elif isinstance(kind, (LocalInstance, LocalClass)):
            yield from self._class_attribute(kind, attr)

    def _class_attribute(self, kind: LocalInstance | LocalClass, attr: str) -> Iterator[Kind]:
        if attr == "__class__" and isinstance(kind, LocalInstance):
            yield LocalClass(kind.node)
            return
        beyond = isinstance(kind, LocalInstance) and kind.beyond
        bindings = self.attribute_bindings(kind.node, attr, beyond=beyond)
        for binding in bindings:
            for found in self._binding_kinds(binding):
                if not isinstance(found, LocalFunction) or binding.kind is not BindingKind.FUNCTION:
                    yield found
                elif self.decorated(found.function, ("builtins.property", "functools.cached_property")):
                    yield from self._returned(found.function)
                else:
                    yield LocalFunction(found.function, kind.node)
        if not bindings:
            base = self.api_base(kind.node)
            if base is not None and isinstance(kind, LocalInstance):
                yield ApiMethod(base, attr)
        if isinstance(kind, LocalInstance):
            yield from self._items_of(self.attribute_place(kind.node, attr))

    def _returned(self, function: s.Function) -> Iterator[Kind]:
        """What a call of ``function`` gives back."""
        if function in self._busy:
            return
        if function.returns is not None:
            yield from self.annotated(function.returns)
        if function.is_generator:
            return
        self._busy.add(function)
        try:
            for node in _own_nodes(function):
                if isinstance(node, s.Return) and node.value is not None:
                    yield from self.kinds(node.value)
        finally:
            self._busy.discard(function)

    def _infer_call(self, call: s.Call) -> Iterator[Kind]:
        for kind in self.kinds(call.func):
            if isinstance(kind, External):
                yield from self._call_external(kind, call)
            elif isinstance(kind, ApiMethod):
                result = self.catalog.returns.get(kind.qualified)
                if result is not None:
                    yield from self._result(result, call)
            elif isinstance(kind, LocalClass):
                yield LocalInstance(kind.node)
            elif isinstance(kind, LocalFunction):
                yield from self._returned(kind.function)
        if isinstance(call.func, s.Attribute) and (call.func.attr in _ITEM_METHODS or call.func.attr in _VIEW_METHODS):
            for kind in self.kinds(call.func.value):
                if isinstance(kind, Container):
                    yield from (kind,) if call.func.attr in _VIEW_METHODS else kind.elements

    def _call_external(self, kind: External, call: s.Call) -> Iterator[Kind]:
        name = kind.name
        api_type = self.catalog.made_by.get(name)
        first = call.positional(0)
        if api_type is not None:
            start_method = kind.start_method or api_type.start_method
            if api_type.kind == "context" and isinstance(first, s.Constant) and isinstance(first.value, str):
                start_method = first.value
            yield Instance(api_type, start_method, call)
            if api_type.kind == "collection":
                yield from self._collection(call)
        elif name in self.catalog.returns:
            yield from self._result(self.catalog.returns[name], call)
        elif name == "builtins.super":
            function = s.enclosing_function(call)
            owner = None if function is None else self.owner(function)
            if owner is not None:
                yield LocalInstance(owner, beyond=True)
        elif name == "builtins.type" and first is not None and len(call.args) == 1:
            for found in self.kinds(first):
                if isinstance(found, LocalInstance):
                    yield LocalClass(found.node)
        elif name in self.catalog.calls["passes_through"] or name in self.catalog.calls["awaiters"]:
            for argument in call.args:
                yield from self.kinds(argument.value)
        elif name in ("builtins.enumerate", "builtins.zip"):
            parts = [kind for argument in call.args for kind in self.kinds(argument.value)]
            yield Container(_unique(k for part in parts if isinstance(part, Container) for k in part.elements))
        elif name == "typing.cast" and first is not None:
            yield from self.annotated(first)
        elif name in ("dataclasses.field", "attr.ib", "attrs.field", "attr.Factory"):
            factory = call.keyword("default_factory") or call.keyword("factory")
            if factory is not None:
                yield from self._made_by_annotation(factory)
        elif not name.startswith("builtins."):
            yield Foreign(name)

    def _collection(self, call: s.Call) -> Iterator[Kind]:
        """``list(x)`` holds what ``x`` holds, ``defaultdict(Lock)`` locks."""
        elements: list[Kind] = []
        for argument in call.args:
            for kind in self.kinds(argument.value):
                if isinstance(kind, Container):
                    elements.extend(kind.elements)
        if call.args and self.qualified(call.func) == "collections.defaultdict":
            elements.extend(self._made_by_annotation(call.args[0].value))
        yield Container(_unique(elements))

    def _result(self, result: str, call: s.Call) -> Iterator[Kind]:
        if result.startswith("["):
            yield Container((Instance(self.catalog.types[result[1:-1]]),))
        else:
            yield Instance(self.catalog.types[result], "", call)

    # ---------------------------------------------------------------------------------------- container items

    def _items_of(self, place: Place) -> Iterator[Kind]:
        """A container's later items: ``threads.append(t)``, ``d[k] = t``."""
        for expr in self.items(place):
            if ("item", expr) in self._busy:
                continue
            self._busy.add(("item", expr))
            try:
                yield Container(self.kinds(expr))
            finally:
                self._busy.discard(("item", expr))

    def items(self, place: Place) -> list[s.Expr]:
        """The expressions that are appended, added or stored under a key to the container at ``place``."""
        if self._items is None:
            self._items = {}
            for container, item in _item_stores(self.module):
                home = self.place(container)
                if home is not None:
                    self._items.setdefault(home, []).append(item)
        return self._items.get(place, [])

    # ---------------------------------------------------------------------------------------------- places

    def place(self, expr: s.Expr) -> Place | None:
        """Where the object that ``expr`` names lives, ``None`` for what no name leads to.

        A name bound once, to another name, is that other name's place.
        """
        if expr in self._places:
            return self._places[expr]
        if ("place", expr) in self._busy:
            return None
        self._busy.add(("place", expr))
        try:
            found = self._find_place(expr)
        finally:
            self._busy.discard(("place", expr))
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
            if not isinstance(expr, s.Name):
                return None
            value = self.sole_value(expr)
            if value is None:
                return None
            expr = value
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
            return self.place(expr.target)
        if isinstance(expr, s.Name):
            return self._name_place(expr)
        if isinstance(expr, s.Attribute):
            return self._attribute_place(expr)
        if isinstance(expr, s.Subscript):
            base = self.place(expr.value)
            if base is None:
                return None
            index = expr.index
            if isinstance(index, s.Constant):
                return base.join(f"[{index.value!r}]")
            text = s.dotted(index)
            return base.join(f"[{text}]") if text else None
        if isinstance(expr, s.Call) and isinstance(expr.func, s.Attribute) and expr.func.attr == "get_lock":
            return self.place(expr.func.value)
        return None

    def _name_place(self, expr: s.Name) -> Place | None:
        owner = self._self_of(expr)
        if owner is not None:
            return Place(("self", owner), ())
        found = self.scopes.lookup(expr.id, expr)
        if found is None:
            return Place(("global", self.scopes.top, expr.id), ())
        scope, bindings = found
        if all(binding.kind is BindingKind.ELEMENT for binding in bindings):
            iterated = _iterated(expr, bindings)
            container = None if iterated is None else self._container_place(iterated)
            if container is not None:
                return container.join("[*]")
        value = self.sole_value(expr)
        if isinstance(value, (s.Name, s.Attribute, s.Subscript)):
            aliased = self.place(value)
            if aliased is not None:
                return aliased
        if len(bindings) == 1 and bindings[0].kind is BindingKind.CLASS:
            node = bindings[0].node
            if isinstance(node, s.ClassDef):
                return Place(("self", node), ())
        return Place(("global" if scope is self.scopes.top else "local", scope, expr.id), ())

    def _container_place(self, expr: s.Expr) -> Place | None:
        """The place of the container that ``expr`` iterates over, through slices, ``reversed()``, ``list()`` ..."""
        while True:
            if isinstance(expr, s.Subscript) and _is_slice(expr.index):
                expr = expr.value
            elif isinstance(expr, s.Call) and expr.args and self.qualified(expr.func) in _SAME_ITEMS:
                expr = expr.args[0].value
            elif isinstance(expr, s.Call) and isinstance(expr.func, s.Attribute) and expr.func.attr == "values":
                expr = expr.func.value
            else:
                return self.place(expr) if isinstance(expr, (s.Name, s.Attribute)) else None

    def _attribute_place(self, expr: s.Attribute) -> Place | None:
        for kind in self.kinds(expr.value) if isinstance(expr.value, (s.Name, s.Call, s.Attribute)) else ():
            if isinstance(kind, LocalClass):
                return self.attribute_place(kind.node, expr.attr)
            if isinstance(kind, External) and not kind.name.startswith("builtins."):
                return Place(("external", f"{kind.name}.{expr.attr}"), ())
        base = self.place(expr.value)
        if base is None:
            return None
        if base.root[0] == "self" and not base.path:
            node = base.root[1]
            if isinstance(node, s.ClassDef):
                return self.attribute_place(node, expr.attr)
        return base.join(expr.attr)


_SAME_ITEMS = frozenset({"builtins.reversed", "builtins.list", "builtins.sorted", "builtins.tuple", "builtins.set"})
_CLOSING = frozenset({"contextlib.closing", "contextlib.aclosing"})
_GENERIC_CONTAINERS = frozenset(
    {"List", "Set", "Dict", "Tuple", "Deque", "Sequence", "Iterable", "Iterator", "Mapping", "MutableMapping"}
    | {"Collection", "FrozenSet", "DefaultDict", "OrderedDict", "MutableSequence", "AsyncIterator"}
)
_CLOSED_MODULES = frozenset(sys.stdlib_module_names) | {"six", "typing_extensions"}


def _unique(kinds: Iterable[Kind]) -> Kinds:
    return tuple(dict.fromkeys(kinds))


def _is_slice(index: s.Expr) -> bool:
    return isinstance(index, s.Operation) and index.op == ":"


def _iterated(name: s.Name, bindings: list[Binding]) -> s.Expr | None:
    """What the loop iterates over that gives ``name`` its value: the only one, or the one around it."""
    if len(bindings) == 1:
        return bindings[0].value
    loops = {binding.node: binding.value for binding in bindings}
    return next((loops[node] for node in s.ancestors(name) if node in loops), None)


def _own_nodes(function: s.Function) -> Iterator[s.Node]:
    """What runs when ``function`` is called, nested functions left out."""
    for statement in function.body:
        yield from s.walk(statement, into_functions=False)


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

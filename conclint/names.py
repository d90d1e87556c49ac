"""What names mean: qualified names and the kinds of objects that expressions evaluate to.

Inference is by bindings, not by flow: a name may be whatever any of its bindings in scope gives it, and
what cannot be told is left out rather than guessed. ``self.x`` has the bindings of every method of the class
and its bases in the file. :class:`Names` is all the model knows of names; its parts are :mod:`conclint.classes`,
:mod:`conclint.places`, :mod:`conclint.parameters`, :mod:`conclint.annotations` and :mod:`conclint.results`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from . import syntax as s
from .catalog import Catalog
from .kinds import (
    ApiMethod,
    Container,
    External,
    Instance,
    Kind,
    Kinds,
    LocalClass,
    LocalFunction,
    LocalInstance,
    Place,
    container_of,
    unique_kinds,
)
from .places import is_slice
from .results import Results
from .scopes import Binding, BindingKind, ScopeInfo

_MOST_PARAMETERS = 4
"""How often an argument may be a parameter of the function around it in turn."""

N = TypeVar("N", bound=s.Node)


class Names(Results):
    """Inference for one module and what is linked to it. All answers are memoised."""

    def __init__(self, module: s.Module, catalog: Catalog | None = None) -> None:
        super().__init__(module)
        if catalog is not None:
            self.catalog = catalog
        self._kinds: dict[s.Node, Kinds] = {}
        self._parameters_deep = 0
        self._callers: dict[s.Function, list[s.Call]] | None = None

    def kinds(self, expr: s.Expr) -> Kinds:
        """What ``expr`` may evaluate to; empty where nothing is known."""
        known = self._kinds.get(expr)
        if known is None:
            if not isinstance(expr, s.Name):
                return self._ask(expr, self._infer)
            alike = self.scopes.alike(expr)
            known = self._kinds.get(alike)
            if known is None:
                return self._ask(alike, self._infer)
            self._kinds[expr] = known
        return known

    def _ask(self, node: N, infer: Callable[[N], Iterator[Kind]]) -> Kinds:
        questions = self._questions
        found = questions.kept(node)
        if found is not None:
            return found
        if not questions.begin(node):
            return ()
        holds = False
        try:
            found = unique_kinds(infer(node))
        finally:
            holds = questions.end(node)
        if holds:
            self._kinds[node] = found
        else:
            questions.keep(node, found)
        return found

    def instance(self, expr: s.Expr) -> Instance | None:
        """The catalogued object that ``expr`` is, subclasses in this file included; the first that is known."""
        for kind in self.kinds(expr):
            found = self.as_instance(kind)
            if found is not None:
                return found
        return None

    def is_container(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is known to be a list, dict or other plain container."""
        if isinstance(expr, s.Attribute) and expr.attr == "__dict__":
            return True
        kinds = self.kinds(expr)
        return bool(kinds) and all(
            isinstance(kind, Container) or (isinstance(kind, Instance) and kind.type.kind == "collection")
            for kind in kinds
        )

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

    def run_elsewhere(self, call: s.Call) -> s.Expr | None:
        """What ``call`` has an executor run, to be awaited: ``f`` of ``to_thread(f)``, ``run_in_executor(None, f)``."""
        name = self.qualified(call.func)
        if name is None and isinstance(call.func, s.Attribute):
            name = self.catalog.runs_by_method.get(call.func.attr)
        if name not in self.catalog.calls["awaited_runs"] or call.has_star:
            return None
        runs = self.catalog.runs.get(name or "", ())
        return next((call.argument(each.position, each.keyword) for each in runs), None)

    def functions(self, expr: s.Expr) -> list[s.Function]:
        """The functions of this file that calling ``expr`` runs: defs, methods, lambdas, partials, constructors."""
        out: list[s.Function] = []
        value = self.sole_value(expr) if isinstance(expr, s.Name) else expr
        if isinstance(value, s.Call) and (wrapped := self._partial(value)) is not None:
            return self.functions(wrapped)
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

    def calls_of(self, function: s.Function) -> list[s.Call]:
        """The calls of this file that call ``function``, whether or not its body runs there and then."""
        if self._callers is None:
            self._callers = {}
            for call in self.module.all(s.Call):
                for callee in self.functions(call.func):
                    self._callers.setdefault(callee, []).append(call)
        return self._callers.get(function, [])

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
            yield container_of(kind for element in expr.elements for kind in self.kinds(element))
        elif isinstance(expr, s.DictDisplay):
            parts = [*(key for key in expr.keys if key is not None), *expr.values]
            yield container_of(kind for part in parts for kind in self.kinds(part))
        elif isinstance(expr, s.Comprehension):
            parts = [expr.element] if expr.key is None else [expr.key, expr.element]
            yield container_of(kind for part in parts for kind in self.kinds(part))
        elif isinstance(expr, s.Subscript):
            for kind in self.kinds(expr.value):
                if isinstance(kind, Container):
                    yield from (kind,) if is_slice(expr.index) else kind.elements
        elif isinstance(expr, s.Operation) and expr.op in ("+", "|"):
            for operand in expr.operands:
                yield from (kind for kind in self.kinds(operand) if isinstance(kind, Container))

    def _infer_name(self, expr: s.Name) -> Iterator[Kind]:
        owner = self.self_of(expr)
        if owner is not None:
            function = s.enclosing_function(expr)
            found = self.scopes.lookup(expr.id, expr)
            if found is not None and isinstance(found[0].node, s.Function):
                function = found[0].node
            if function is not None and (
                function.name == "__new__" or self.decorated(function, ("builtins.classmethod",))
            ):
                yield LocalClass(owner)
            else:
                yield LocalInstance(owner)
            return
        found = self.scopes.lookup(expr.id, expr)
        if found is None:
            for module in self._stars(expr):
                star = f"{module}.{expr.id}"
                if star in self.exports:
                    yield from self._external(star)
                    return
                if star in self.catalog.made_by or star in self.catalog.runs:
                    yield External(star)
                    return
            yield External(f"builtins.{expr.id}")
            return
        _scope, bindings = found
        for binding in bindings:
            yield from self._binding_kinds(binding)
        place = self.handle(expr)
        if place is not None:
            yield from self._items_of(place)

    def _stars(self, expr: s.Name) -> Iterator[str]:
        scope: ScopeInfo | None = self.scopes.scope_of(expr)
        while scope is not None:
            yield from scope.stars
            scope = scope.parent

    def _binding_kinds(self, binding: Binding) -> Iterator[Kind]:
        kind, value = binding.kind, binding.value
        if binding.annotation is not None:
            yield from self.annotated(binding.annotation)
        elif kind is BindingKind.PARAMETER and isinstance(binding.node, s.Param):
            yield from self._parameter(binding.node)
        if kind is BindingKind.IMPORT:
            yield from self._external(binding.imported)
        elif kind is BindingKind.FUNCTION and isinstance(binding.node, s.Function):
            yield LocalFunction(binding.node)
        elif kind is BindingKind.CLASS and isinstance(binding.node, s.ClassDef):
            yield LocalClass(binding.node)
        elif value is None:
            return
        elif kind is BindingKind.ASSIGN:
            yield from self.kinds(value)
        elif kind is BindingKind.PARAMETER:
            yield from self._objects(value)
        elif kind is BindingKind.ELEMENT:
            for found in self.kinds(value):
                if isinstance(found, Container):
                    yield from found.elements
        elif kind is BindingKind.CONTEXT:
            yield from self._entered(value)

    def _external(self, name: str, start_method: str = "") -> Iterator[Kind]:
        """What has the dotted ``name`` in another file: what is bound to it there, if that file is linked."""
        found = self.exported(name)
        if found is None:
            yield External(name, start_method)
            return
        scope, local = found
        question = ("export", scope, local)
        if not self._questions.begin(question):
            return
        try:
            for binding in scope.bindings.get(local, ()):
                yield from self._binding_kinds(binding)
            yield from self._items_of(Place(("global", scope, local), ()))
        finally:
            self._questions.end(question)

    def _parameter(self, param: s.Param) -> Kinds:
        """What the calls of this file pass for ``param``."""
        known = self._kinds.get(param)
        if known is not None:
            return known
        if self._collecting or self._parameters_deep >= _MOST_PARAMETERS:
            self._questions.cut()
            return ()
        self._parameters_deep += 1
        try:
            return self._ask(param, self._passed_objects)
        finally:
            self._parameters_deep -= 1

    def _passed_objects(self, param: s.Param) -> Iterator[Kind]:
        for value in self.passed(param):
            yield from self._objects(value)

    def _objects(self, value: s.Expr) -> Iterator[Kind]:
        """What a parameter may be because of ``value``: a callable is for each caller to choose."""
        return (found for found in self.kinds(value) if isinstance(found, (Instance, LocalInstance, Container)))

    def _attribute(self, kind: Kind, attr: str) -> Iterator[Kind]:
        if isinstance(kind, External):
            yield from self._external(f"{kind.name}.{attr}", kind.start_method)
        elif isinstance(kind, Instance):
            if kind.type.namespace is not None:
                yield from self._external(f"{kind.type.namespace}.{attr}", kind.start_method)
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

    def _items_of(self, place: Place) -> Iterator[Kind]:
        """A container's later items: ``threads.append(t)``, ``d[k] = t``."""
        for expr in self.items(place):
            question = ("item", expr)
            if self._questions.begin(question):
                try:
                    yield container_of(self.kinds(expr))
                finally:
                    self._questions.end(question)

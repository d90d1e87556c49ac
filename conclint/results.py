"""What calls give back: objects of the libraries, and what the functions of this file return."""

from __future__ import annotations

from collections.abc import Iterator

from . import syntax as s
from .annotations import Annotations
from .kinds import (
    ApiMethod,
    Container,
    External,
    Foreign,
    Instance,
    Kind,
    LocalClass,
    LocalFunction,
    LocalInstance,
    container_of,
)

_ITEM_METHODS = frozenset({"pop", "popleft", "popitem", "get", "get_nowait", "setdefault"})
_VIEW_METHODS = frozenset({"values", "items", "keys", "copy"})
_CLOSING = frozenset({"contextlib.closing", "contextlib.aclosing"})


class Results(Annotations):
    """The part of :class:`conclint.names.Names` that knows what calls and ``with`` statements make."""

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

    def _returned(self, function: s.Function) -> Iterator[Kind]:
        """What a call of ``function`` gives back."""
        if function.returns is not None:
            yield from self.annotated(function.returns)
        if function.is_generator or not self._questions.begin(function):
            return
        try:
            for node in s.own_nodes(function):
                if isinstance(node, s.Return) and node.value is not None:
                    yield from self.kinds(node.value)
        finally:
            self._questions.end(function)

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
            yield container_of(k for part in parts if isinstance(part, Container) for k in part.elements)
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
        yield container_of(elements)

    def _result(self, result: str, call: s.Call) -> Iterator[Kind]:
        if result.startswith("["):
            yield container_of([Instance(self.catalog.types[result[1:-1]])])
        else:
            yield Instance(self.catalog.types[result], "", call)

"""What annotations say: the objects that a variable, parameter or result is declared to be."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator

from . import syntax as s
from .kinds import External, Foreign, Instance, Kind, LocalClass, LocalInstance, container_of
from .parameters import Parameters
from .scopes import Binding

_DOTTED = re.compile(r"[A-Za-z_][\w.]*")
_GENERIC_CONTAINERS = frozenset(
    {"List", "Set", "Dict", "Tuple", "Deque", "Sequence", "Iterable", "Iterator", "Mapping", "MutableMapping"}
    | {"Collection", "FrozenSet", "DefaultDict", "OrderedDict", "MutableSequence", "AsyncIterator"}
)


class Annotations(Parameters):
    """The part of :class:`conclint.names.Names` that reads annotations."""

    @abstractmethod
    def _binding_kinds(self, binding: Binding) -> Iterator[Kind]:
        """What ``binding`` may bind its name to."""

    def annotated(self, annotation: s.Expr) -> Iterator[Kind]:
        """The objects an annotation speaks of: ``T``, ``Optional[T]``, ``T | None``, ``list[T]``, ``"T"``."""
        question = ("annotation", annotation)
        if self._questions.begin(question):  # `client: "client"` names itself
            try:
                yield from self._annotated(annotation)
            finally:
                self._questions.end(question)

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
                yield container_of(kind for part in inner for kind in self.annotated(part))
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

"""What an expression may evaluate to, as far as conclint cares: the vocabulary of :mod:`conclint.names`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Union

from . import syntax as s
from .catalog import ApiType


class External(NamedTuple):
    """A name from outside the file: module, class or function, fully qualified."""

    name: str
    start_method: str = ""
    """For what hangs on a multiprocessing context with a fixed start method, that method."""


class Instance(NamedTuple):
    """An object of a catalogued type."""

    type: ApiType
    start_method: str = ""
    made_at: s.Node | None = None
    """The expression that made it, where one did."""


class Foreign(NamedTuple):
    """What a call of an uncatalogued external name gave back."""

    maker: str


class ApiMethod(NamedTuple):
    """A method of a catalogued object, bound but not called."""

    receiver: Instance
    name: str

    @property
    def qualified(self) -> str:
        return f"{self.receiver.type.name}.{self.name}"


class LocalClass(NamedTuple):
    """A class of this file."""

    node: s.ClassDef


class LocalInstance(NamedTuple):
    """An object of a class of this file; ``beyond`` is set for ``super()``."""

    node: s.ClassDef
    beyond: bool = False


class LocalFunction(NamedTuple):
    """A function of this file; ``receiver`` is the class it is bound to, if it is a method."""

    function: s.Function
    receiver: s.ClassDef | None = None


class Container(NamedTuple):
    """Something to iterate over or index; keys and values of a dict are not told apart. See :func:`container_of`."""

    elements: tuple[Kind, ...]
    depth: int
    """How many containers deep it is; 1 where its elements are none."""


Kind = Union[External, Instance, Foreign, ApiMethod, LocalClass, LocalInstance, LocalFunction, "Container"]
Kinds = tuple[Kind, ...]


class Place(NamedTuple):
    """Where an object lives. Two expressions with one place mean one object, unless it is rebound between them.

    ``root`` is a scope and a name, a class (for ``self``), or an external name; ``path`` the attributes and
    subscripts from there.
    """

    root: tuple[object, ...]
    path: tuple[str, ...]

    @property
    def title(self) -> str:
        """The place in words that tell objects of different classes apart: ``Pool._lock``."""
        last = self.root[-1]
        head = last.name if isinstance(last, s.ClassDef) else str(last)
        return ".".join((head, *self.path))

    def starts_with(self, other: Place) -> bool:
        """Whether this place lies in (or is) ``other``, so that rebinding ``other`` changes it."""
        return self.root == other.root and self.path[: len(other.path)] == other.path

    def join(self, *parts: str) -> Place:
        return Place(self.root, self.path + parts)


_DEEPEST_CONTAINER = 3
"""Containers in containers that are told apart: tuples of tuples hash in the time of all that is in them."""

_MOST_KINDS = 24
"""Kinds that are told apart for one expression; what is beyond them repeats them in practice."""


def unique_kinds(kinds: Iterable[Kind]) -> Kinds:
    """The ``kinds``, each once."""
    found: dict[Kind, None] = {}
    for kind in kinds:
        found[kind] = None
        if len(found) >= _MOST_KINDS:
            break  # a variable bound hundreds of times
    return tuple(found)


def container_of(kinds: Iterable[Kind]) -> Container:
    """A container of ``kinds``; of what lies too deep in it nothing is known."""
    depth = 0
    elements: list[Kind] = []
    for kind in kinds:
        if isinstance(kind, Container):
            if kind.depth >= _DEEPEST_CONTAINER:
                continue
            depth = max(depth, kind.depth)
        elements.append(kind)
    return Container(unique_kinds(elements), depth + 1)

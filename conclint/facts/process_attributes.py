"""Primitives of threads that the classes of processes keep: parent and child each have their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import External, Instance
from ..names import Names
from .start_methods import StartMethods
from .values import ValueFlow


class Kept(NamedTuple):
    """An attribute of a Process subclass that holds a primitive of threads."""

    target: s.Expr
    """The ``self.x`` that ``__init__`` assigns to."""
    instance: Instance
    both_sides: bool
    """Whether the child uses it, and so does a method that the child never comes to."""
    may_fail: bool
    """Whether it may have to be pickled when the process starts, which raises."""


class ProcessAttributes:
    """What the objects of Process subclasses carry into the child."""

    def __init__(self, names: Names, values: ValueFlow, methods: StartMethods) -> None:
        self._names = names
        self._values = values
        self._methods = methods

    def kept(self) -> Iterator[Kept]:
        """The primitives that are of no use there, or keep the process from starting."""
        protocol = self._names.catalog.pickling["protocol"]
        for node in self._names.module.classes:
            base = self._names.api_base(node)
            run = self._names.method(node, "run")
            constructor = self._names.method(node, "__init__")
            if base is None or base.type.kind != "process" or run is None or self._names.owner(run) is None:
                continue
            if self._names.is_open(node) or any(self._names.method(node, name) is not None for name in protocol):
                continue
            inside = self._in_child(run)
            method = base.start_method or self._start_method(node)
            afresh = self._methods.starts_afresh(method) and not self._methods.is_chosen_at_run_time
            for name, bindings in self._names.class_info(node).attributes.items():
                assign = bindings[0].node
                if len(bindings) != 1 or not isinstance(assign, s.Assign) or assign.parent is not constructor:
                    continue
                instance = self._primitive(assign.value)
                if instance is None or len(assign.targets) != 1:
                    continue
                place = self._names.attribute_place(node, name)
                reads = (read for read in self._values.attribute_reads(name) if self._names.place(read) == place)
                users = {s.enclosing_function(read) for read in reads}
                both = bool(users & inside) and bool(users - inside - {constructor, None})
                if both or afresh:
                    yield Kept(assign.targets[0], instance, both, afresh)

    def _start_method(self, node: s.ClassDef) -> str:
        """The start method of the context that the class of processes is from."""
        bases = (argument.value for info in self._names.mro(node) for argument in info.node.bases)
        kinds = (kind for base in bases for kind in self._names.kinds(base))
        return next((kind.start_method for kind in kinds if isinstance(kind, External) and kind.start_method), "")

    def _primitive(self, made: s.Expr | None) -> Instance | None:
        kinds = self._names.kinds(made) if isinstance(made, s.Call) else ()
        found = kinds[0] if len(kinds) == 1 else None
        of_threads = self._names.catalog.pickling["of_threads"]
        if isinstance(found, Instance) and found.type.api == "threading" and found.type.kind in of_threads:
            return found
        return None

    def _in_child(self, run: s.Function) -> set[s.Function | None]:
        """The functions that ``run`` calls or mentions, or that those do: handlers of signals, targets of threads."""
        found: set[s.Function | None] = set()
        work = [run]
        while work:
            function = work.pop()
            if function in found:
                continue
            found.add(function)
            for node in s.walk(function):
                if isinstance(node, s.Function):
                    work.append(node)
                elif isinstance(node, (s.Name, s.Attribute)):
                    work += self._names.functions(node)
        return found

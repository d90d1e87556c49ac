"""What goes to other processes: tasks, their arguments, and the items that they are mapped over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..catalog import Sends
from ..kinds import ApiMethod, External, Instance, Kind, LocalClass
from ..names import Names
from .expected import is_expected_to_raise

_DEEPEST = 4
"""Containers in containers that are looked into."""


class Sent(NamedTuple):
    """An expression whose value a call sends to another process."""

    call: s.Call
    expr: s.Expr
    is_task: bool
    """Whether it is what runs there, and no argument of that."""
    name: str
    """The last name of what is called: ``Process``, ``submit`` ..."""
    fails: str
    """What the call does where it cannot be pickled; empty where a new process inherits it."""
    start_method: str
    """The one that the code names, if it does."""

    @property
    def is_inherited(self) -> bool:
        """Whether it goes to a process that is only starting, by which a fork needs no pickling."""
        return not self.fails


class Sending:
    """The calls of a module that send something to another process."""

    def __init__(self, names: Names) -> None:
        self._names = names

    @cached_property
    def sent(self) -> list[Sent]:
        """All that is sent and that nobody expects to fail, in source order."""
        return [sent for call in self._names.module.all(s.Call) for sent in self._of_call(call)]

    def _of_call(self, call: s.Call) -> Iterator[Sent]:
        found = {self._sender(kind, call) for kind in self._names.kinds(call.func)}
        if len(found) != 1 or call.has_star:
            return
        sender = found.pop()
        if sender is None or is_expected_to_raise(self._names, call):
            return
        name, start_method = sender
        sends = self._names.catalog.sends[name]
        if sends.executor is not None and not self._goes_to_processes(call.positional(sends.executor)):
            return
        last = name.rpartition(".")[2]
        task = call.argument(*sends.task)
        if task is not None:
            wrapped = self._wrapped(task)
            yield Sent(call, task if wrapped is None else wrapped.args[0].value, True, last, sends.fails, start_method)
            for argument in () if wrapped is None else wrapped.args[1:]:
                if not argument.star:
                    yield Sent(call, argument.value, False, last, sends.fails, start_method)
        for expr in self._arguments(call, sends):
            yield Sent(call, expr, False, last, sends.fails, start_method)

    def _sender(self, kind: Kind, call: s.Call) -> tuple[str, str] | None:
        """The name in the catalogue, and the start method, of what ``call`` calls if its func is of ``kind``."""
        catalog = self._names.catalog
        found: tuple[str, str] | None = None
        if isinstance(kind, External):
            api_type = catalog.made_by.get(kind.name)
            found = None if api_type is None else (api_type.name, kind.start_method or api_type.start_method)
        elif isinstance(kind, LocalClass) and self._names.method(kind.node, "__init__") is None:
            base = self._names.api_base(kind.node)
            found = None if base is None else (base.type.name, base.start_method)
        elif isinstance(kind, ApiMethod) and self._is_certain(kind.receiver, call):
            found = kind.qualified, kind.receiver.start_method
        return found if found is not None and found[0] in catalog.sends else None

    def _is_certain(self, receiver: Instance, call: s.Call) -> bool:
        """Whether what has the method is this for certain, and not what one caller among others passes."""
        func = call.func
        if not isinstance(func, s.Attribute) or not self._names.is_handed_in(func.value):
            return True
        return receiver.made_at is None

    def _goes_to_processes(self, executor: s.Expr | None) -> bool:
        kinds = () if executor is None else self._names.kinds(executor)
        instances = [self._names.as_instance(kind) for kind in kinds]
        return bool(kinds) and all(found is not None and found.type.kind == "process_executor" for found in instances)

    def _wrapped(self, task: s.Expr) -> s.Call | None:
        """The ``partial(...)`` that a task is."""
        value = self._names.sole_value(task) if isinstance(task, s.Name) else task
        if isinstance(value, s.Call) and value.args and not value.args[0].star:
            return value if self._names.is_call_of(value, self._names.catalog.calls["partials"]) else None
        return None

    # ---- arguments

    def _arguments(self, call: s.Call, sends: Sends) -> Iterator[s.Expr]:
        if sends.packed is not None and (packed := call.argument(*sends.packed)) is not None:
            yield from self._elements(packed, _DEEPEST - 1)
        if sends.named is not None and (named := call.argument(*sends.named)) is not None:
            yield from self._values(named)
        if sends.items is not None and (items := call.argument(*sends.items)) is not None:
            yield from self._elements(items, 0)
        if sends.rest is not None:
            for argument in call.args[sends.rest :]:
                if argument.keyword != sends.task[1]:
                    yield argument.value
        if sends.rest_items is not None:
            for argument in call.args[sends.rest_items :]:
                if argument.keyword is None:
                    yield from self._elements(argument.value, 0)

    def _values(self, named: s.Expr) -> Iterator[s.Expr]:
        value = self._names.sole_value(named) if isinstance(named, s.Name) else named
        if isinstance(value, s.DictDisplay):
            yield from value.values
        elif isinstance(value, s.Call) and self._names.qualified(value.func) == "builtins.dict":
            yield from (argument.value for argument in value.args if argument.keyword is not None)

    def _elements(self, container: s.Expr, depth: int) -> Iterator[s.Expr]:
        """What is in a container that is written down here, also in the tuples in it."""
        value = self._names.sole_value(container) if isinstance(container, s.Name) else container
        if depth >= _DEEPEST or value is None:
            return
        if isinstance(value, s.Display):
            for element in value.elements:
                if isinstance(element, s.Display):
                    yield from self._elements(element, depth + 1)
                elif not isinstance(element, s.Starred):
                    yield element
        elif isinstance(value, s.Comprehension) and value.key is None:
            if isinstance(value.element, s.Display):
                yield from self._elements(value.element, depth + 1)
            else:
                yield value.element
        elif isinstance(value, s.Operation) and value.op in ("+", "*"):
            for operand in value.operands:
                yield from self._elements(operand, depth + 1)
        elif isinstance(value, s.Call):
            name = self._names.qualified(value.func)
            if name == "itertools.repeat" and value.args:
                yield value.args[0].value
            elif name == "builtins.zip":
                for argument in value.args:
                    yield from self._elements(argument.value, depth + 1)

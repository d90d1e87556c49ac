"""What is sent to another process and cannot be pickled, or means nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Container, Instance, Kind, LocalClass, LocalFunction, LocalInstance
from ..names import Names
from ..scopes import Binding, BindingKind
from .running import WORKERS
from .sending import Sending, Sent
from .start_methods import StartMethods
from .startup import asks_for_main
from .values import ValueFlow


class Unpicklable(NamedTuple):
    """Something sent that cannot be pickled."""

    sent: Sent
    why: str
    """``lambda``, ``nested`` (function or class), ``generator``, ``object``, or ``held`` (by an attribute)."""
    what: str
    """The function around it, or the type of the object."""
    where: s.Node | None
    """Where it is defined or made, ``None`` if it is so here."""
    attribute: str = ""
    """For ``held``, the attribute."""


class Unshared(NamedTuple):
    """A primitive of threads that goes to another process."""

    call: s.Call
    expr: s.Expr
    instance: Instance
    may_be_copied: bool
    """Whether the process may be forked, and gets a copy."""
    may_fail: bool
    """Whether it may have to be pickled, which raises."""
    fails: str


class Pickling:
    """Judges what a module sends to other processes."""

    def __init__(self, names: Names, values: ValueFlow, sending: Sending, methods: StartMethods) -> None:
        self._names = names
        self._values = values
        self._sending = sending
        self._methods = methods

    # ---- CNC410

    def unshared(self) -> Iterator[Unshared]:
        """Every primitive of threads that is an argument of what runs in another process."""
        for sent in self._sending.sent:
            instance = None if sent.is_task else self._primitive(sent.expr)
            if instance is not None:
                afresh = self._methods.starts_afresh(sent.start_method)
                copied = sent.is_inherited and sent.start_method in ("", "fork")
                yield Unshared(sent.call, sent.expr, instance, copied, not sent.is_inherited or afresh, sent.fails)

    def _primitive(self, expr: s.Expr) -> Instance | None:
        """The primitive of threads that ``expr`` is for certain."""
        kinds = self._objects(expr)
        of_threads = self._names.catalog.pickling["of_threads"]
        found = [kind for kind in kinds if isinstance(kind, Instance) and kind.type.kind in of_threads]
        is_one = len(found) == len(kinds) and all(instance.type.api == "threading" for instance in found)
        return found[0] if found and is_one and not self._names.is_handed_in(expr) else None

    def _objects(self, expr: s.Expr) -> list[Kind]:
        """What ``expr`` may be; a queue is no container of what is put into it."""
        return [kind for kind in self._names.kinds(expr) if not isinstance(kind, Container)]

    # ---- CNC405

    def unpicklable(self) -> Iterator[Unpicklable]:
        """Everything sent by pickle that pickle refuses."""
        if self._learns:
            return
        for sent in self._sending.sent:
            if sent.is_inherited and not self._is_pickled(sent):
                continue
            found = self._function(sent) or self._object(sent) if sent.is_task else self._object(sent)
            if found is not None:
                yield found

    def _is_pickled(self, sent: Sent) -> bool:
        """Whether what a new process inherits is pickled on the way."""
        if not sent.start_method and self._methods.is_chosen_at_run_time:
            return False
        return self._methods.starts_afresh(sent.start_method)

    @cached_property
    def _learns(self) -> bool:
        """Whether the module teaches pickle what it cannot do by itself, or gives functions the names of others."""
        teachers = self._names.catalog.pickling["teachers"]
        infos = [self._names.scopes.top, *(self._names.scopes.info(f) for f in self._names.module.functions)]
        imported = (b.imported for info in infos for bindings in info.bindings.values() for b in bindings if b.imported)
        if any(name == teacher or name.startswith(f"{teacher}.") for name in imported for teacher in teachers):
            return True
        return bool(self._values.attribute_writes("__qualname__"))

    # ---- functions

    def _function(self, sent: Sent) -> Unpicklable | None:
        kinds = self._names.kinds(sent.expr)
        found = [self._nested(kind) for kind in kinds]
        if not found or None in found:
            return self._bound(sent)
        node = found[0]
        assert node is not None
        if isinstance(node, s.Function) and node.is_lambda:
            where = node.parent if node.parent is not sent.expr else None
            return Unpicklable(sent, "lambda", "", where)
        outer = s.enclosing_function(node if isinstance(node, s.ClassDef) else node.parent or node)
        return Unpicklable(sent, "nested", outer.name if outer is not None else "", node)

    def _nested(self, kind: Kind) -> s.Function | s.ClassDef | None:
        """The lambda, or the function or class inside a function, that ``kind`` is."""
        if isinstance(kind, LocalClass):
            return kind.node if self._is_inside(kind.node, kind.node.name) else None
        if not isinstance(kind, LocalFunction) or kind.function.decorators:
            return None
        function = kind.function
        if function.is_lambda:
            return function
        owner = self._names.owner(function)
        if owner is not None:
            return owner if self._is_inside(owner, owner.name) else None
        return function if self._is_inside(function.parent, function.name) else None

    def _is_inside(self, definition: s.Node | None, name: str) -> bool:
        """Whether a definition stands in a function, and its name is not made global.

        A function that asks whether it is the main module has its body taken out and run as one.
        """
        outer = None if definition is None else s.enclosing_function(definition)
        if outer is None or name in self._names.scopes.info(outer).globals:
            return False
        tests = (node.test for node in s.own_nodes(outer) if isinstance(node, s.If))
        return not any(isinstance(test, s.Compare) and asks_for_main(test) is not None for test in tests)

    # ---- objects

    def _bound(self, sent: Sent) -> Unpicklable | None:
        """A method of an object that holds what cannot be pickled."""
        if not isinstance(sent.expr, s.Attribute):
            return None
        for kind in self._names.kinds(sent.expr):
            if not isinstance(kind, LocalFunction) or self._names.self_class(kind.function) is None:
                return None
            if self._names.decorated(kind.function, ("builtins.classmethod",)):
                return None
        return self._held(sent, sent.expr.value)

    def _object(self, sent: Sent) -> Unpicklable | None:
        expr = sent.expr
        if isinstance(expr, s.Lambda):
            return Unpicklable(sent, "lambda", "", None)
        if isinstance(expr, s.Comprehension) and expr.kind == "generator":
            return Unpicklable(sent, "generator", "", None)
        if self._names.is_handed_in(expr):
            return None
        value = self._value(expr)
        where = value if value is not expr else None
        if isinstance(value, s.Call):
            if self._makes_generator(value):
                return Unpicklable(sent, "generator", "", where)
            name = self._names.qualified(value.func)
            if name in self._names.catalog.pickling["makers"]:
                return Unpicklable(sent, "object", f"{(name or '').removeprefix('builtins.')}()", where)
        instance = self._instance(expr, sent)
        if instance is not None:
            return Unpicklable(sent, "object", instance.type.name, instance.made_at)
        return self._held(sent, expr)

    def _value(self, expr: s.Expr) -> s.Expr:
        """What a variable is bound to by its only binding, which may be a ``with``."""
        if not isinstance(expr, s.Name):
            return expr
        found = self._names.scopes.lookup(expr.id, expr)
        bindings = () if found is None else found[1]
        if len(bindings) == 1 and bindings[0].kind in (BindingKind.ASSIGN, BindingKind.CONTEXT):
            return bindings[0].value or expr
        return expr

    def _makes_generator(self, call: s.Call) -> bool:
        functions = self._names.functions(call.func)
        return bool(functions) and all(
            function.is_generator and not function.is_async and not function.decorators for function in functions
        )

    def _instance(self, expr: s.Expr, sent: Sent) -> Instance | None:
        """The object that cannot be pickled, other than a primitive of threads, that ``expr`` is for certain."""
        kinds = self._objects(expr)
        if not kinds or not all(isinstance(kind, Instance) for kind in kinds):
            return None
        for kind in kinds:
            if isinstance(kind, Instance) and not self._is_refused(kind, sent):
                return None
        found = kinds[0]
        is_primitive = isinstance(found, Instance) and found.type.api == "threading"
        of_threads = self._names.catalog.pickling["of_threads"]
        if not isinstance(found, Instance) or (is_primitive and found.type.kind in of_threads):
            return None
        return found

    def _is_refused(self, instance: Instance, sent: Sent) -> bool:
        """Whether pickle refuses an object: always, or since a task cannot inherit it."""
        pickling = self._names.catalog.pickling
        name = f"{instance.type.api}.{instance.type.kind}"
        if name in pickling["never"]:
            return True
        if name not in pickling["inherited"] or sent.is_inherited or not isinstance(instance.made_at, s.Call):
            return False
        made = self._names.qualified(instance.made_at.func) or ""
        return made in self._names.catalog.made_by and not made.startswith("multiprocessing.manager.")

    # ---- what objects hold

    def _held(self, sent: Sent, owner: s.Expr) -> Unpicklable | None:
        """An attribute that the object ``owner``, of a class of this file, certainly has, and that is refused."""
        kinds = self._names.kinds(owner)
        if len(kinds) != 1 or not isinstance(kinds[0], LocalInstance):
            return None
        node = kinds[0].node
        base = self._names.api_base(node)
        if self._names.is_open(node) or (base is not None and base.type.kind in WORKERS) or self._has_protocol(node):
            return None
        attributes = {name: info.attributes[name] for info in self._names.mro(node)[::-1] for name in info.attributes}
        for name, bindings in attributes.items():
            for binding in bindings:
                what = self._refused_value(binding, sent)
                if what and self._is_set(node, binding, bindings, sent, owner):
                    return Unpicklable(sent, "held", what, binding.node, name)
        return None

    def _has_protocol(self, node: s.ClassDef) -> bool:
        family = [node, *self._names.subclasses(node)]
        protocol = self._names.catalog.pickling["protocol"]
        return any(self._names.method(member, name) is not None for member in family for name in protocol)

    def _refused_value(self, binding: Binding, sent: Sent) -> str:
        """The type of what an attribute is bound to, if it is refused."""
        value = binding.value
        if binding.kind is not BindingKind.ASSIGN or value is None or s.enclosing_function(binding.node) is None:
            return ""
        if isinstance(value, s.Lambda):
            return "lambda"
        if not isinstance(value, s.Call):
            return ""
        name = self._names.qualified(value.func) or ""
        if name in self._names.catalog.pickling["makers"]:
            return f"{name.removeprefix('builtins.')}()"
        kinds = self._names.kinds(value)
        refused = [kind for kind in kinds if isinstance(kind, Instance) and self._is_refused(kind, sent)]
        return refused[0].type.name if refused and len(refused) == len(kinds) else ""

    def _is_set(self, node: s.ClassDef, binding: Binding, bindings: list[Binding], sent: Sent, owner: s.Expr) -> bool:
        """Whether the attribute surely has this value when ``sent`` happens: set here before it, or once for all."""
        function = s.enclosing_function(binding.node)
        if function is s.enclosing_function(sent.call) and isinstance(owner, s.Name):
            later = [b for b in bindings if b is not binding and s.enclosing_function(b.node) is function]
            return not later and self._is_before(binding, sent) and _is_on_the_way(binding.node, sent.call)
        if function is None or function.name != "__init__" or self._names.owner(function) is None:
            return False
        block = next(parent for parent in s.ancestors(binding.node) if not isinstance(parent, (s.With, s.Try)))
        constructor = self._names.method(node, "__init__")
        if block is not function or (constructor is not function and not _calls_constructor(constructor)):
            return False
        others = [b for b in bindings if b is not binding and s.enclosing_function(b.node) is not function]
        return all(self._refused_value(other, sent) for other in others)

    @staticmethod
    def _is_before(binding: Binding, sent: Sent) -> bool:
        """Whether the binding stands before the call in the function around both."""
        function = s.enclosing_function(sent.call)
        nodes = () if function is None else s.own_nodes(function)
        return next((node is binding.node for node in nodes if node in (binding.node, sent.call)), False)


def _is_on_the_way(statement: s.Node, call: s.Node) -> bool:
    """Whether ``statement``, which comes before ``call``, is in no branch or loop that does not hold both."""
    around = {parent: child for child, parent in _upwards(call)}
    for child, parent in _upwards(statement):
        if isinstance(parent, s.If):
            other = around.get(parent)
            if other is None or (child in parent.body) is not (other in parent.body):
                return False
        elif isinstance(parent, (s.For, s.While, s.Handler, s.Match, s.Case)) and parent not in around:
            return False
    return True


def _upwards(node: s.Node) -> Iterator[tuple[s.Node, s.Node]]:
    """Each node from ``node`` up to the function around it, with its parent."""
    while node.parent is not None and not isinstance(node.parent, s.Function):
        yield node, node.parent
        node = node.parent


def _calls_constructor(constructor: s.Function | None) -> bool:
    """Whether a constructor calls that of a base."""
    return constructor is not None and any(
        isinstance(node, s.Call) and isinstance(node.func, s.Attribute) and node.func.attr == "__init__"
        for node in s.own_nodes(constructor)
    )

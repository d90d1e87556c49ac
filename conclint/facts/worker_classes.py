"""Classes that derive from Thread, Timer and Process, and what they do to the class they derive from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..catalog import PrivateName
from ..cfg import Edge, StepKind
from ..cfg import Step as GraphStep
from ..dataflow import explore
from ..kinds import External, Instance, LocalClass, LocalInstance
from ..names import Names
from ..scopes import BindingKind
from ..target import Target
from .flow import Flow
from .running import WORKERS
from .values import ValueFlow

_SETTERS = frozenset({"daemon", "name"})
_STARTERS = frozenset({"start", "setDaemon", "setName"})
_DATACLASSES = ("dataclasses.dataclass", "attr.s", "attr.attrs", "attr.define", "attrs.define", "attr.dataclass")
_AFTER_INIT = ("__post_init__", "__attrs_post_init__", "__attrs_pre_init__")


class Uninitialised(NamedTuple):
    """A worker class whose base is not initialised, or not yet."""

    node: s.Node
    """The ``__init__``, the class where it has a generated one, or what is done too early."""
    kind: str
    base: str
    """The name of the class that is to be initialised."""
    early: str
    """The attribute or method that is used too early, ``""`` where the base is never initialised."""
    symbol: str
    """The name of the class."""


class Clash(NamedTuple):
    """A private name of the base class that a subclass takes for itself."""

    node: s.Node
    name: str
    kind: str
    private: PrivateName
    is_definition: bool


class WorkerClasses:
    """The worker classes of a module."""

    def __init__(self, flow: Flow, values: ValueFlow, target: Target) -> None:
        self._flow = flow
        self._names: Names = flow.names
        self._values = values
        self._target_versions = target.versions

    @cached_property
    def _classes(self) -> list[tuple[s.ClassDef, Instance]]:
        found = []
        for node in self._names.module.classes:
            base = self._names.api_base(node)
            if base is not None and base.type.kind in WORKERS:
                found.append((node, base))
        return found

    # ---- initialisation

    def uninitialised(self) -> Iterator[Uninitialised]:
        """Every ``__init__`` that does not reach the one of the worker's class, or does so too late."""
        for node, base in self._classes:
            own = self._names.class_info(node).attributes
            if "start" in own or "__new__" in own:
                continue
            init = self._names.method(node, "__init__") if "__init__" in own else None
            title = base.type.name.rpartition(".")[2]
            if init is not None and init.parent is not None and init.parent.parent is node:
                if not self._reaches(init, node, set()):
                    if self._is_needed(node, init):
                        yield Uninitialised(init, base.type.kind, title, "", node.name)
                elif base.type.api == "threading":
                    yield from self._too_early(init, node, base, title)
            elif init is None and self._generates_init(node):
                yield Uninitialised(node, base.type.kind, title, "", node.name)

    def _is_needed(self, node: s.ClassDef, init: s.Function) -> bool:
        """Whether it is for ``init`` to initialise the base: it calls no other that should, nor does a subclass."""
        if not self._flow.function_returns(init) or any(isinstance(node, s.Raise) for node in init.body):
            return False
        calls = [call for call in s.own_nodes(init) if isinstance(call, s.Call)]
        if any(
            f.name == "__init__" and f is not init
            for call in calls
            if isinstance(call.func, s.Attribute) and call.func.attr == "__init__"
            for f in self._names.functions(call.func)
        ):
            return False
        for subclass in self._names.subclasses(node):
            own = self._names.class_info(subclass).attributes
            other = self._names.method(subclass, "__init__") if "__init__" in own else None
            if other is not None and self._reaches(other, subclass, {init}):
                return False
        return True

    def _reaches(self, function: s.Function, node: s.ClassDef, seen: set[s.Function]) -> bool:
        """Whether ``function`` may run the ``__init__`` of a class that is not of this file."""
        seen.add(function)
        for call in s.own_nodes(function):
            if not isinstance(call, s.Call):
                continue
            func = self._constructor(call.func, node)
            if isinstance(func, s.Attribute) and func.attr in ("__init__", "__setstate__"):
                if self._leads_on(func, seen):
                    return True
            elif self._is_worker(call):
                return True  # the object keeps a worker, and need not be one itself
            elif isinstance(func, s.Attribute) and func.attr == "update":
                return True  # of `self.__dict__`
            else:
                for callee in self._names.functions(func):
                    if self._names.self_class(callee) is not None and callee not in seen:
                        if callee.name != "__init__" and self._reaches(callee, node, seen):
                            return True
        return any(self._reaches_nested(inner, node, seen) for inner in s.own_nodes(function) if inner is not function)

    def _constructor(self, func: s.Expr, node: s.ClassDef) -> s.Expr:
        """The ``Base.__init__`` that ``func`` is another name for, else ``func`` itself."""
        method = self._names.bound_method(func)
        if isinstance(func, s.Attribute) and isinstance(func.value, s.Name) and self._names.self_of(func.value):
            for binding in self._names.attribute_bindings(node, func.attr):
                if isinstance(binding.value, s.Attribute):
                    return binding.value
        return func if method is None else method

    def _is_worker(self, call: s.Call) -> bool:
        """Whether ``call`` makes a worker."""
        if self._names.is_call_of(call, ("builtins.super",)):
            return False
        instance = self._names.instance(call)
        return instance is not None and instance.type.kind in WORKERS

    def _reaches_nested(self, inner: s.Node, node: s.ClassDef, seen: set[s.Function]) -> bool:
        return isinstance(inner, s.Function) and inner not in seen and self._reaches(inner, node, seen)

    def _leads_on(self, func: s.Attribute, seen: set[s.Function]) -> bool:
        """Whether the ``__init__`` that ``func`` is may be, or run, that of a class not of this file."""
        kinds = self._names.kinds(func.value)
        if not kinds:
            return True
        for kind in kinds:
            if isinstance(kind, External):
                if kind.name not in ("builtins.object", "abc.ABC"):
                    return True
            elif isinstance(kind, LocalInstance) and kind.beyond:
                inits = [f for f in self._names.functions(func) if f.name == "__init__"]
                owner = kind.node
                if not inits or any(f not in seen and self._reaches(f, owner, seen) for f in inits):
                    return True
                if (
                    len(self._names.class_info(owner).local_bases) + len(self._names.class_info(owner).external_bases)
                    > 1
                ):
                    return True
            elif isinstance(kind, LocalClass):
                init = self._names.method(kind.node, "__init__")
                is_worker = any(kind.node is node for node, _ in self._classes)
                if (init is None and is_worker) or self._names.is_open(kind.node):
                    return True
                if init is not None and init not in seen and self._reaches(init, kind.node, seen):
                    return True
            else:
                return True
        return False

    def _generates_init(self, node: s.ClassDef) -> bool:
        """Whether a decorator writes an ``__init__`` that knows nothing of the base."""
        names = self._names
        if not self._is_dataclass(node):
            return False
        return not any(
            method is not None and self._reaches(method, node, set())
            for method in (names.method(node, name) for name in _AFTER_INIT)
        )

    def _is_dataclass(self, node: s.ClassDef) -> bool:
        for decorator in node.decorators:
            call = decorator if isinstance(decorator, s.Call) else None
            maker = self._names.qualified(decorator.func if isinstance(decorator, s.Call) else decorator)
            if maker in _DATACLASSES:
                made = None if call is None else call.keyword("init")
                return not (isinstance(made, s.Constant) and made.value is False)
        return False

    def _too_early(self, init: s.Function, node: s.ClassDef, base: Instance, title: str) -> Iterator[Uninitialised]:
        """What needs the base initialised, on paths on which it cannot have been."""
        uses = [use for use in s.own_nodes(init) if self._needs_base(use, node)]
        if not uses:
            return
        reached = explore(self._flow.graph(init), None, _Calls(self._names))
        before: dict[s.Node, set[s.Node | None]] = {}
        for step, state in reached.pairs():
            before.setdefault(step.node, set()).add(state)
            if step.kind is StepKind.BIND:
                before.setdefault(s.statement_of(step.node), set()).add(state)
        for use in uses:
            site = use if isinstance(use, s.Call) else s.statement_of(use)
            if before.get(site) == {None} and isinstance(use, (s.Attribute, s.Call)):
                attr = use.attr if isinstance(use, s.Attribute) else s.last_name(use.func)
                yield Uninitialised(use, base.type.kind, title, attr, node.name)

    def _needs_base(self, node: s.Node, owner: s.ClassDef) -> bool:
        """Whether ``node`` is ``self.daemon = ...``, ``self.name = ...`` or ``self.start()``."""
        names = self._names
        if isinstance(node, s.Attribute) and node.attr in _SETTERS and isinstance(node.parent, s.Assign):
            is_target = any(target is node for target in node.parent.targets)
            attr, receiver = node.attr, node.value
        elif isinstance(node, s.Call) and isinstance(node.func, s.Attribute) and node.func.attr in _STARTERS:
            is_target, attr, receiver = True, node.func.attr, node.func.value
        else:
            return False
        if not is_target or not isinstance(receiver, s.Name) or names.self_of(receiver) is not owner:
            return False
        bound = [
            binding
            for info in names.mro(owner)
            for binding in info.attributes.get(attr, ())
            if binding.kind is not BindingKind.ASSIGN or isinstance(binding.node.parent, s.ClassDef)
        ]
        return not bound and not names.is_open(owner)

    # ---- private names

    def clashes(self) -> Iterator[Clash]:
        """Every private name of Thread or Process that a subclass defines or assigns, and that breaks it."""
        for node, base in self._classes:
            private = self._names.catalog.private_names.get(base.type.kind, {})
            for name, bindings in self._names.class_info(node).attributes.items():
                known = private.get(name)
                if known is None or not any(map(known.breaks_in, self._target_versions)):
                    continue
                if self._cooperates(node, name):
                    continue
                for binding in bindings:
                    is_definition = binding.kind is BindingKind.FUNCTION
                    if binding.kind is BindingKind.ANNOTATION:
                        continue
                    if is_definition and not known.is_called and not self._is_called(node, name):
                        continue
                    if not is_definition and not known.is_called and not self._lasts(binding.node, base):
                        continue
                    if is_definition or self._breaks(known, binding.value):
                        shown = binding.node if is_definition else self._target(binding.node, name)
                        if shown is not None:
                            yield Clash(shown, name, base.type.kind, known, is_definition)
                            break

    def _lasts(self, statement: s.Node, base: Instance) -> bool:
        """Whether what an object is given there stays: the base hides a class's attribute, a child changes its copy."""
        function = s.enclosing_function(statement)
        return function is not None and (base.type.kind != "process" or function.name == "__init__")

    def _target(self, statement: s.Node, name: str) -> s.Node | None:
        for node in s.walk(statement, into_functions=False):
            if (isinstance(node, s.Attribute) and node.attr == name) or (isinstance(node, s.Name) and node.id == name):
                return node
        return None

    def _knows_contexts(self) -> bool:
        """Whether the file deals with the contexts of contextvars."""
        module = self._names.module
        names = {name for node in module.all(s.Import) for name, _ in node.names}
        return "contextvars" in names | {node.module for node in module.all(s.ImportFrom)}

    def _is_called(self, node: s.ClassDef, name: str) -> bool:
        """Whether the class calls its own method, which the base hides behind an attribute of its own."""
        return any(
            isinstance(read.parent, s.Call) and read.parent.func is read and s.enclosing_class(read) is node
            for read in self._values.attribute_reads(name)
        )

    def _cooperates(self, node: s.ClassDef, name: str) -> bool:
        """Whether the class knows that the base has the name: it calls on, keeps or wraps what is there."""
        for read in self._values.attribute_reads(name):
            kinds = self._names.kinds(read.value)
            if any(isinstance(kind, External) or (isinstance(kind, LocalInstance) and kind.beyond) for kind in kinds):
                return True
            kept = isinstance(read.parent, s.Assign) and read.parent.value is read
            if kept and s.enclosing_class(read) is node:
                return True
        return any(constant.value == name for constant in self._names.module.all(s.Constant))

    def _breaks(self, private: PrivateName, value: s.Expr | None) -> bool:
        """Whether ``value``, assigned to the name, certainly breaks what the base does with it."""
        fine = private.fine
        if fine == "":
            return True
        if fine == "contextvars":
            is_none = isinstance(value, s.Constant) and value.value is None
            return not is_none and not self._knows_contexts()
        if isinstance(value, s.Constant):
            return (
                not (fine == "true" and value.value)
                and not (fine == "false" and not value.value)
                and not (fine == "none" and value.value is None)
            )
        if value is None or fine in ("true", "false", "none"):
            return fine == "none" and isinstance(value, (s.Call, s.Display, s.DictDisplay))
        kinds = self._names.kinds(value)
        found = [self._names.as_instance(kind) for kind in kinds]
        return bool(found) and all(instance is not None and instance.type.kind != fine for instance in found)


class _Calls:
    """The state is the first call that may have initialised the base."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def leave(self, step: GraphStep, edge: Edge, state: s.Node | None) -> tuple[s.Node | None]:
        if state is None and step.kind is StepKind.CALL and isinstance(step.node, s.Call):
            func = self._names.bound_method(step.node.func) or step.node.func
            if isinstance(func, s.Attribute) and (func.attr == "__init__" or self._is_own(func)):
                return (step.node,)
        return (state,)

    def raised(self, step: GraphStep, state: s.Node | None) -> tuple[s.Node | None]:
        return (state,)

    def _is_own(self, func: s.Attribute) -> bool:
        """Whether another method of the object is called, which may do so."""
        is_self = isinstance(func.value, s.Name) and self._names.self_of(func.value) is not None
        return is_self and func.attr not in _STARTERS

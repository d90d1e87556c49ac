"""What Thread, Timer, Process and pools are given besides the code to run, and cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, StepKind
from ..cfg import Step as GraphStep
from ..dataflow import LIKELY, explore
from ..kinds import ApiMethod, External, Instance, Kind, LocalClass, LocalFunction, LocalInstance, Place
from ..names import Names
from ..scopes import BindingKind
from .expected import is_expected
from .flow import Flow
from .handed import Handed, HandedOver
from .running import WORKERS, Running, Worker
from .start_methods import StartMethods
from .values import ValueFlow

_SINGLE = ("builtins.int", "builtins.float", "builtins.bool", "builtins.len", "builtins.id", "builtins.hash")
_TEXTS = ("builtins.str", "builtins.repr")
_OTHERWISE_USED = frozenset({"argument", "return", "escape", "attribute", "await", "iterate", "with"})


class Wrong(Enum):
    """What is wrong with an argument, or the lack of one."""

    TEXT = "text"  # a string, which is passed one character at a time
    SINGLE = "single"  # an object that is not iterable
    ALONE = "alone"  # written like a tuple of one, without the comma
    GROUP = "group"  # code, passed as the group
    IDLE = "idle"  # nothing to run
    DAEMON = "daemon"  # a change of `daemon` once started


class BadArgument(NamedTuple):
    """A mistake in what a worker is given."""

    node: s.Expr
    wrong: Wrong
    kind: str
    """``thread``, ``timer``, ``process`` or ``pool task``."""
    started: s.Call | None = None


class WorkerArguments:
    """The arguments of the workers of a module."""

    def __init__(
        self, flow: Flow, running: Running, values: ValueFlow, handed: HandedOver, methods: StartMethods
    ) -> None:
        self._methods = methods
        self._flow = flow
        self._names: Names = flow.names
        self._running = running
        self._values = values
        self._handed = handed

    def bad(self) -> Iterator[BadArgument]:
        """Every bad argument; of one that is only ``Wrong.ALONE`` if it stands in parentheses, the text must tell."""
        for handed in self._handed.all:
            yield from self._not_a_tuple(handed)
        for worker in self._running.workers:
            if self._handed.has_base_signature(worker):
                yield from self._group(worker)
                if worker.subclass is None:
                    yield from self._idle(worker)
        yield from self._late_daemons()

    # ---- args

    def _not_a_tuple(self, handed: Handed) -> Iterator[BadArgument]:
        where = self._names.catalog.argument_tuples.get(handed.name)
        given = None if where is None else handed.call.argument(*where)
        if given is not None:
            wrong = self._wrong_tuple(handed, given)
            if wrong is not None:
                yield BadArgument(given, wrong, handed.place)

    def _wrong_tuple(self, handed: Handed, given: s.Expr) -> Wrong | None:
        names = self._names
        if isinstance(given, s.Name):
            value = names.sole_value(given)
            if isinstance(value, (s.Constant, s.Operation)) and not self._is_empty(value):
                given = value
            elif (name := self._builtin_type(given)) in _TEXTS:
                return Wrong.TEXT if self._takes(handed.code) in (None, 1) else None
            elif name in _SINGLE:
                return Wrong.SINGLE
        if self._is_text(given):
            text = given.value if isinstance(given, s.Constant) else None
            takes = self._takes(handed.code)
            fits = isinstance(text, (str, bytes)) and (len(text) < 2 or (takes is not None and takes != 1))
            return None if fits else Wrong.TEXT
        if isinstance(given, s.Constant):
            return None if given.value is None and handed.place == "timer" else Wrong.SINGLE
        if isinstance(given, s.Lambda) or names.is_call_of(given, _SINGLE):
            return Wrong.SINGLE
        kinds = names.kinds(given)
        if kinds:
            return Wrong.SINGLE if all(self._is_single(kind) for kind in kinds) else None
        if isinstance(given, (s.Name, s.Attribute)) and self._takes(handed.code) == 1 and self._is_opaque(given):
            return Wrong.ALONE
        return None

    @staticmethod
    def _is_empty(value: s.Expr) -> bool:
        return isinstance(value, s.Constant) and value.value is None

    def _builtin_type(self, name: s.Name) -> str:
        """The builtin type that all of a name's bindings say it is of: by annotation, or as an item of a ``range``."""
        found = self._names.scopes.lookup(name.id, name)
        types: set[str | None] = set()
        for binding in found[1] if found is not None else ():
            if binding.kind is BindingKind.PARAMETER and isinstance(binding.annotation, s.Name):
                types.add(self._names.qualified(binding.annotation))
            elif binding.kind is BindingKind.ELEMENT and isinstance(binding.node, (s.For, s.Clause)):
                is_range = binding.value is not None and self._names.is_call_of(binding.value, ("builtins.range",))
                types.add("builtins.int" if is_range and isinstance(binding.node.target, s.Name) else None)
            else:
                types.add(None)
        return (types.pop() or "") if len(types) == 1 else ""

    def _is_text(self, expr: s.Expr) -> bool:
        if isinstance(expr, s.Constant):
            return isinstance(expr.value, (str, bytes))
        return (isinstance(expr, s.Operation) and expr.op == "f") or self._names.is_call_of(expr, _TEXTS)

    def _is_single(self, kind: Kind) -> bool:
        """Whether an object of that kind is certainly not iterable."""
        if isinstance(kind, Instance):
            return kind.type.kind in self._names.catalog.not_iterable
        if isinstance(kind, LocalInstance):
            known = {name for info in self._names.mro(kind.node) for name in info.attributes}
            is_iterable = bool(known & {"__iter__", "__getitem__"})
            bases = {base for info in self._names.mro(kind.node) for base in info.external_bases}
            is_plain = bases <= {"builtins.object", "abc.ABC", *self._names.catalog.made_by}
            return not is_iterable and is_plain and not self._names.is_open(kind.node)
        return isinstance(kind, (LocalFunction, ApiMethod))

    def _takes(self, code: s.Expr) -> int | None:
        """How many arguments the function that is run takes, where that is one number."""
        counts = set()
        for function in self._names.functions(code):
            if any(param.kind in ("*", "**") or param.default is not None for param in function.params):
                return None
            offset = 0 if self._names.self_class(function) is None else 1
            counts.add(len(function.params) - offset)
        return counts.pop() if len(counts) == 1 else None

    def _is_opaque(self, expr: s.Expr) -> bool:
        """Whether nothing in this file says that ``expr`` is a tuple or another container."""
        value = self._names.sole_value(expr) if isinstance(expr, s.Name) else None
        return value is None and not self._names.is_container(expr)

    # ---- group, and nothing to run

    def _group(self, worker: Worker) -> Iterator[BadArgument]:
        first = worker.call.positional(0)
        if first is None or worker.kind == "timer" or is_expected(self._flow, worker.call, any_handler=True):
            return
        kinds = self._names.kinds(first)
        code = (LocalFunction, LocalClass, ApiMethod)
        is_code = bool(kinds) and all(isinstance(kind, code) or self._is_function(kind) for kind in kinds)
        value = isinstance(first, s.Constant) and first.value is not None
        if is_code or value or isinstance(first, s.Lambda) or self._is_partial(first):
            yield BadArgument(first, Wrong.GROUP, worker.kind)

    def _is_partial(self, expr: s.Expr) -> bool:
        return self._names.is_call_of(expr, self._names.catalog.calls["partials"])

    def _is_function(self, kind: Kind) -> bool:
        """Whether it is a function that the catalogue speaks of."""
        catalog = self._names.catalog
        return isinstance(kind, External) and (
            kind.name in catalog.uncallable or kind.name in catalog.harmless_functions
        )

    def _idle(self, worker: Worker) -> Iterator[BadArgument]:
        call = worker.call
        if worker.kind == "timer" or call.has_star or self._running.target_of(call, worker.instance) is not None:
            return
        if call.positional(0) is not None or is_expected(self._flow, call, any_handler=True):
            return
        if worker.kind == "process" and self._methods.has_server:
            return  # it is there to start the server early
        uses = self._values.uses(call)
        if any(
            use.kind in _OTHERWISE_USED or (use.kind == "set" and use.name not in ("daemon", "name")) for use in uses
        ):
            return
        if any(use.kind == "method" and use.name == "start" for use in uses):
            yield BadArgument(call, Wrong.IDLE, worker.kind)

    # ---- daemon, once started

    def _late_daemons(self) -> Iterator[BadArgument]:
        names = self._names
        changes: list[tuple[s.Expr, s.Expr, s.Node]] = [
            (target.value, target, s.statement_of(target)) for target in self._values.attribute_writes("daemon")
        ]
        calls = [call for call in names.module.all(s.Call) if s.last_name(call.func) == "setDaemon"]
        changes += [(call.func.value, call, call) for call in calls if isinstance(call.func, s.Attribute)]
        for receiver, node, site in changes:
            worker = names.instance(receiver)
            place = names.place(receiver)
            scope = s.enclosing_scope(node)
            if (
                worker is None
                or worker.type.kind not in WORKERS
                or place is None
                or is_expected(self._flow, node, any_handler=True)
            ):
                continue
            started = self._started_before(scope, site, place)
            if started is not None:
                yield BadArgument(node, Wrong.DAEMON, worker.type.kind, started)

    def _started_before(self, scope: s.Scope, site: s.Node, place: Place) -> s.Call | None:
        """The call of ``start`` for the object at ``place`` that comes before ``site`` on every path."""
        if not any(
            isinstance(node, s.Attribute) and node.attr == "start" and self._names.place(node.value) == place
            for node in s.own_nodes(scope)
        ):
            return None
        reached = explore(self._flow.graph(scope), None, _Starts(self._names, place), LIKELY)
        found: set[s.Call | None] = set()
        for step, state in reached.pairs():
            if step.node is site or (step.kind is StepKind.BIND and s.statement_of(step.node) is site):
                found.add(state)
        return found.pop() if len(found) == 1 else None


class _Starts:
    """The state is the call that started the object; binding its place makes another one of it."""

    def __init__(self, names: Names, place: Place) -> None:
        self._names = names
        self._place = place

    def leave(self, step: GraphStep, edge: Edge, state: s.Call | None) -> tuple[s.Call | None]:
        node = step.node
        if step.kind is StepKind.CALL and isinstance(node, s.Call):
            func = node.func
            if isinstance(func, s.Attribute) and func.attr == "start" and self._names.place(func.value) == self._place:
                return (node,)
        elif step.target is not None:
            for part in s.walk(step.target):
                home = self._names.handle(part) if isinstance(part, (s.Name, s.Attribute)) else None
                if home is not None and self._place.starts_with(home):
                    return (None,)
        return (state,)

    def raised(self, step: GraphStep, state: s.Call | None) -> tuple[s.Call | None]:
        return (state,)

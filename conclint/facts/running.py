"""Who runs where: the functions that a file hands to threads, processes, pools, callbacks, servers and the exit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..catalog import ApiType
from ..kinds import ApiMethod, External, Instance, LocalClass
from ..names import Names
from ..scopes import BindingKind

WORKERS = frozenset({"thread", "timer", "process"})

_CHILDREN = frozenset({"process", "process_executor", "process_pool"})
_HERE = frozenset({"done callback", "pool callback"})
_MOST_HANDED_ON = 3
"""How many functions of the file may hand a function on before one of them hands it to an API."""


class Handed(NamedTuple):
    """A call, or decorator, that hands something to an API which calls it elsewhere or later."""

    expr: s.Expr | None
    """What is handed over; ``None`` for a decorator."""
    place: str
    """``thread``, ``process``, ``pool task``, ``done callback``, ``pool callback`` (``callback=``), ``initializer``,
    ``request handler``, ``signal handler``, ``exit handler``, ``shutdown handler`` (before the threads are joined)
    or ``finalizer``."""
    site: s.Node
    api: str
    """The qualified name of what it is handed to: ``threading.Thread``, ``multiprocessing.Pool.apply_async`` ..."""
    runner: str
    """The kind of object that calls it: ``thread``, ``process_pool``, ``thread_executor`` ...; ``""`` for none."""


class Entry(NamedTuple):
    """A function that runs elsewhere."""

    function: s.Function
    place: str
    """Where, in the words of :class:`Handed`."""
    site: s.Node
    """The call that hands it over, or the class whose ``run`` it is."""
    api: str
    """The qualified name of what it is handed to, or of the class that its own derives from."""
    runner: str
    """The kind of object that runs it."""

    @property
    def in_process(self) -> bool:
        """Whether it runs in another process; everything else runs in a thread of this one."""
        return self.runner in _CHILDREN and self.place not in _HERE


class Worker(NamedTuple):
    """A call that makes a Thread, Timer or Process, or an instance of a subclass of one."""

    call: s.Call
    instance: Instance
    subclass: s.ClassDef | None

    @property
    def kind(self) -> str:
        return self.instance.type.kind


class Running:
    """The workers that a module makes, and the code that runs in them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.workers: list[Worker] = []
        self.handed: list[Handed] = []
        """Everything that is handed over, also what is not of this file (``Timer(5, sys.exit)``)."""
        self.entries: list[Entry] = []
        self.signal_handlers: list[Entry] = []
        """What interrupts the main thread between two bytecodes, wherever that is."""
        self.exit_handlers: list[Entry] = []
        """What runs in the main thread when the interpreter ends."""
        for call in names.module.all(s.Call):
            self._look(call)
        for function in names.module.functions:
            for decorator in function.decorators:
                self._look_decorator(function, decorator)
        for node in names.module.classes:
            base = names.api_base(node)
            run = names.method(node, "run")
            if base is not None and base.type.kind in WORKERS and run is not None:
                self.entries.append(Entry(run, _where(base), node, base.type.name, base.type.kind))

    def targets(self, worker: Worker) -> list[s.Function]:
        """The functions of this file that the worker runs: its target, or its class's ``run``."""
        if worker.subclass is not None:
            run = self.names.method(worker.subclass, "run")
            if run is not None:
                return [run]
        target = self.target_of(worker.call, worker.instance)
        return [] if target is None else self._functions(target)

    def target_of(self, call: s.Call, instance: Instance) -> s.Expr | None:
        """The argument that the worker made by ``call`` will run."""
        target = instance.type.target
        return None if target is None else self.argument(call, *target)

    def argument(self, call: s.Call, position: int, keyword: str) -> s.Expr | None:
        """The argument that fills a parameter, also where it comes out of a dict: ``Thread(**options)``."""
        found = call.argument(position, keyword)
        if found is None and keyword and call.has_star:
            for argument in call.args:
                if argument.star == "**":
                    found = found or self._item(argument.value, keyword)
        return found

    def _item(self, options: s.Expr, key: str) -> s.Expr | None:
        """``options[key]``, as it is where the dict is made or set afterwards."""
        names = self.names
        made = names.sole_value(options) if isinstance(options, s.Name) else options
        if isinstance(made, s.DictDisplay):
            for known, value in zip(made.keys, made.values, strict=True):
                if isinstance(known, s.Constant) and known.value == key:
                    return value
        if isinstance(made, s.Call) and names.qualified(made.func) == "builtins.dict" and made.keyword(key) is not None:
            return made.keyword(key)
        home = names.handle(options)
        for container, value in self._set_items.get(key, ()) if home is not None else ():
            if names.handle(container) == home:
                return value
        return None

    @cached_property
    def _set_items(self) -> dict[str, list[tuple[s.Expr, s.Expr]]]:
        """By key every ``container["key"] = value`` of the file."""
        found: dict[str, list[tuple[s.Expr, s.Expr]]] = {}
        for assign in self.names.module.all(s.Assign):
            for target in assign.targets:
                index = target.index if isinstance(target, s.Subscript) else None
                if isinstance(target, s.Subscript) and isinstance(index, s.Constant) and isinstance(index.value, str):
                    if assign.value is not None:
                        found.setdefault(index.value, []).append((target.value, assign.value))
        return found

    # ---- what is handed over

    def _look(self, call: s.Call) -> None:
        names = self.names
        kinds = names.kinds(call.func)
        for kind in kinds:
            if isinstance(kind, LocalClass):
                base = names.api_base(kind.node)
                if base is not None:
                    self._look_made(call, base._replace(made_at=call), kind.node)
            elif isinstance(kind, External):
                api_type = names.catalog.made_by.get(kind.name)
                if api_type is not None:
                    instance = Instance(api_type, kind.start_method or api_type.start_method, call)
                    if self._look_made(call, instance, None):
                        return
                maker, _, method = kind.name.rpartition(".")
                if method == "__init__" and maker in names.catalog.made_by:
                    self._look_constructed(call, names.catalog.made_by[maker], 1, s.enclosing_class(call))
                self._look_runs(kind.name, call, "")
            elif isinstance(kind, ApiMethod):
                if kind.name == "__init__":
                    self._look_constructed(call, kind.receiver.type, 0, s.enclosing_class(call))
                self._look_runs(kind.qualified, call, kind.receiver.type.kind)
        if not kinds and isinstance(call.func, s.Attribute):
            self._look_runs(names.catalog.runs_by_method.get(call.func.attr, ""), call, "")

    def _look_made(self, call: s.Call, instance: Instance, subclass: s.ClassDef | None) -> bool:
        """What an object that is made here will run; whether it is a worker."""
        api_type = instance.type
        is_worker = api_type.kind in WORKERS
        if is_worker:
            self.workers.append(Worker(call, instance, subclass))
        if subclass is None or self.names.method(subclass, "__init__") is None:
            self._look_constructed(call, api_type, 0, subclass)
        return is_worker

    def _look_constructed(self, call: s.Call, api_type: ApiType, offset: int, subclass: s.ClassDef | None) -> None:
        """The arguments of a constructor that the object will call; ``offset`` is 1 where ``self`` is passed too."""
        kind = api_type.kind
        if api_type.target is not None and (subclass is None or self.names.method(subclass, "run") is None):
            position, keyword = api_type.target
            place = "process" if kind == "process" else "thread"
            self._hand(self.argument(call, position + offset, keyword), place, call, api_type.name, kind)
        if api_type.initializer is not None:
            position, keyword = api_type.initializer
            self._hand(self.argument(call, position + offset, keyword), "initializer", call, api_type.name, kind)
        if api_type.handler is not None:
            position, keyword = api_type.handler
            handler = self.argument(call, position + offset, keyword)
            for method in () if handler is None else self._request_methods(handler):
                self.entries.append(Entry(method, "request handler", call, api_type.name, kind))

    def _look_runs(self, name: str, call: s.Call, runner: str) -> None:
        for runs in self.names.catalog.runs.get(name, ()):
            found = runs.runner or runner
            if runs.in_executor is not None:
                executor = call.positional(runs.in_executor)
                instance = None if executor is None else self.names.instance(executor)
                found = "thread_executor" if instance is None else instance.type.kind
            self._hand(self.argument(call, runs.position, runs.keyword), runs.place, call, name, found)

    def _look_decorator(self, function: s.Function, decorator: s.Expr) -> None:
        for kind in self.names.kinds(decorator):
            name = kind.name if isinstance(kind, External) else kind.qualified if isinstance(kind, ApiMethod) else ""
            for runs in self.names.catalog.runs.get(name, ()):
                if runs.position == 0:
                    self.handed.append(Handed(None, runs.place, decorator, name, runs.runner))
                    self._enter(Entry(function, runs.place, decorator, name, runs.runner))

    def _hand(self, expr: s.Expr | None, place: str, site: s.Call, api: str, runner: str) -> None:
        if expr is not None:
            self.handed.append(Handed(expr, place, site, api, runner))
            for function in self._functions(expr):
                self._enter(Entry(function, place, site, api, runner))

    def _enter(self, entry: Entry) -> None:
        if entry.place == "signal handler":
            self.signal_handlers.append(entry)
        elif entry.place == "exit handler":
            self.exit_handlers.append(entry)
        elif entry.place not in ("shutdown handler", "finalizer"):
            self.entries.append(entry)

    # ---- which functions that is

    def _functions(self, expr: s.Expr, deep: int = 0) -> list[s.Function]:
        """The functions that ``expr`` may be, also where it is a parameter that the file's own calls fill."""
        found = self.names.functions(expr)
        param = None if found or deep >= _MOST_HANDED_ON else self._parameter(expr)
        if param is not None:
            passed = [*self.names.passed(param)]
            found = [function for value in passed for function in self._functions(value, deep + 1)]
            owner = param.parent
            if isinstance(owner, s.Function) and owner.params[0] is param:
                found += self._decorated.get(owner, ())
        return list(dict.fromkeys(found))

    def _parameter(self, expr: s.Expr) -> s.Param | None:
        found = self.names.scopes.lookup(expr.id, expr) if isinstance(expr, s.Name) else None
        if found is None or len(found[1]) != 1 or found[1][0].kind is not BindingKind.PARAMETER:
            return None
        node = found[1][0].node
        return node if isinstance(node, s.Param) else None

    @cached_property
    def _decorated(self) -> dict[s.Function, list[s.Function]]:
        """By function of the file what it decorates; what ``@factory(...)`` returns is some function inside."""
        inner: dict[s.Function | None, list[s.Function]] = {}
        for function in self.names.module.functions:
            if not function.is_lambda and function.params:
                inner.setdefault(s.enclosing_function(function), []).append(function)
        found: dict[s.Function, list[s.Function]] = {}
        for function in self.names.module.functions:
            for decorator in function.decorators:
                called = isinstance(decorator, s.Call)
                for maker in self.names.functions(decorator.func if isinstance(decorator, s.Call) else decorator):
                    for decorating in inner.get(maker, ()) if called else (maker,):
                        found.setdefault(decorating, []).append(function)
        return found

    def _request_methods(self, handler: s.Expr) -> Iterator[s.Function]:
        """What a threading server calls of the class that it makes an object of for each request."""
        names = self.names
        value = (names.sole_value(handler) or handler) if isinstance(handler, s.Name) else handler
        if isinstance(value, s.Call) and names.qualified(value.func) in names.catalog.calls["partials"]:
            handler = value.positional(0) or handler
        for kind in names.kinds(handler):
            infos = names.mro(kind.node) if isinstance(kind, LocalClass) else []
            for name in dict.fromkeys(name for info in infos for name in info.attributes):
                found = names.method(infos[0].node, name) if names.catalog.answers_request(name) else None
                if found is not None:
                    yield found


def _where(instance: Instance) -> str:
    return "process" if instance.type.kind == "process" else "thread"

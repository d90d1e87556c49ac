"""Who runs where: the functions that a file hands to threads, processes, pools and callbacks."""

from __future__ import annotations

from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, Instance, LocalClass
from ..names import Names

WORKERS = frozenset({"thread", "timer", "process"})


class Entry(NamedTuple):
    """A function that runs elsewhere."""

    function: s.Function
    place: str
    """``thread``, ``process``, ``pool task``, ``done callback`` or ``signal handler``."""
    site: s.Node
    """The call that hands it over, or the class whose ``run`` it is."""


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
        self.entries: list[Entry] = []
        self.signal_handlers: list[Entry] = []
        """What interrupts the main thread between two bytecodes, wherever that is."""
        for call in names.module.all(s.Call):
            self._look(call)
        for node in names.module.classes:
            base = names.api_base(node)
            run = names.method(node, "run")
            if base is not None and base.type.kind in WORKERS and run is not None:
                self.entries.append(Entry(run, _where(base), node))

    def targets(self, worker: Worker) -> list[s.Function]:
        """The functions of this file that the worker runs: its target, or its class's ``run``."""
        if worker.subclass is not None:
            run = self.names.method(worker.subclass, "run")
            if run is not None:
                return [run]
        target = self.target_of(worker.call, worker.instance)
        return [] if target is None else self.names.functions(target)

    @staticmethod
    def target_of(call: s.Call, instance: Instance) -> s.Expr | None:
        """The argument that the worker made by ``call`` will run."""
        target = instance.type.target
        return None if target is None else call.argument(target[0], target[1])

    def _look(self, call: s.Call) -> None:
        names = self.names
        for kind in names.kinds(call.func):
            if isinstance(kind, LocalClass):
                base = names.api_base(kind.node)
                if base is not None and base.type.kind in WORKERS:
                    self.workers.append(Worker(call, base._replace(made_at=call), kind.node))
            elif isinstance(kind, External):
                api_type = names.catalog.made_by.get(kind.name)
                if api_type is not None and api_type.kind in WORKERS:
                    instance = Instance(api_type, kind.start_method or api_type.start_method, call)
                    worker = Worker(call, instance, None)
                    self.workers.append(worker)
                    for function in self.targets(worker):
                        self.entries.append(Entry(function, _where(instance), call))
                    return
                self._look_runs(kind.name, call)
            elif isinstance(kind, ApiMethod):
                self._look_runs(kind.qualified, call)

    def _look_runs(self, name: str, call: s.Call) -> None:
        runs = self.names.catalog.runs.get(name)
        if runs is None:
            return
        argument = call.argument(runs.position, runs.keyword)
        if argument is not None:
            for function in self.names.functions(argument):
                entries = self.signal_handlers if runs.place == "signal handler" else self.entries
                entries.append(Entry(function, runs.place, call))


def _where(instance: Instance) -> str:
    return "process" if instance.type.kind == "process" else "thread"

"""What is handed to workers and pools to be run there, and whether that can be run at all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External
from ..names import Names
from .flow import Flow
from .results import Result, Results
from .running import WORKERS, Running, Worker
from .values import ValueFlow


class Handed(NamedTuple):
    """A call that has code run elsewhere, and the argument that is to be run."""

    call: s.Call
    code: s.Expr
    name: str
    """The qualified name of what is called; for a worker that of its type."""
    place: str
    """``thread``, ``timer``, ``process``, or a place as in :class:`conclint.catalog.Runs`."""
    worker: Worker | None

    @property
    def is_optional(self) -> bool:
        """Whether nothing may be given to run, and is run then."""
        return self.worker is not None and self.place != "timer"


class Called(NamedTuple):
    """Code that was called instead of handed over."""

    handed: Handed
    call: s.Call
    result: Result
    passing: str
    """How what is called may be given its arguments there instead, ``""`` where it cannot be."""


class Idle(NamedTuple):
    """Code whose body does not run where it is called."""

    node: s.Node
    """What hands it over, or the ``run`` of a worker's class."""
    function: s.Function
    place: str
    subclass: s.ClassDef | None


class HandedOver:
    """All that a module hands over to be run elsewhere."""

    def __init__(self, flow: Flow, running: Running, values: ValueFlow) -> None:
        self._names: Names = flow.names
        self._running = running
        self._values = values
        self._results = Results(flow)

    @cached_property
    def all(self) -> tuple[Handed, ...]:
        return (*self._to_workers(), *self._to_others())

    def called(self) -> Iterator[Called]:
        """What is called on the spot, where the result is certainly nothing that can be called."""
        for handed in self.all:
            code = handed.code
            if isinstance(code, s.Call):
                result = self._results.of_call(code)
                if result is not None:
                    yield Called(handed, code, result, self._passing(handed, code, result))

    def idle(self) -> Iterator[Idle]:
        """Coroutine and generator functions that are run as if they were plain ones."""
        for handed in self.all:
            function = self._idle_function(handed.code)
            if function is not None and not self._is_used_lazily(handed, function):
                yield Idle(handed.code, function, handed.place, None)
        for node in self._names.module.classes:
            base = self._names.api_base(node)
            own = self._names.class_info(node).attributes
            if base is not None and base.type.kind in WORKERS and "run" in own and "start" not in own:
                run = self._names.method(node, "run")
                if run is not None and not run.decorators and (run.is_async or run.is_generator):
                    yield Idle(run, run, base.type.kind, node)

    # ---- who is handed what

    def _to_workers(self) -> Iterator[Handed]:
        for worker in self._running.workers:
            if not self.has_base_signature(worker):
                continue
            code = self._running.target_of(worker.call, worker.instance)
            if code is not None:
                yield Handed(worker.call, code, worker.instance.type.name, worker.kind, worker)

    def has_base_signature(self, worker: Worker) -> bool:
        """Whether the worker is made with the arguments that the standard library's class takes."""
        names = self._names
        if worker.subclass is None:
            return True
        return names.method(worker.subclass, "__init__") is None and not names.is_open(worker.subclass)

    def _to_others(self) -> Iterator[Handed]:
        names = self._names
        for call in names.module.all(s.Call):
            for kind in names.kinds(call.func):
                name = kind.name if isinstance(kind, External) else ""
                name = kind.qualified if isinstance(kind, ApiMethod) else name
                for runs in names.catalog.runs.get(name, ()):
                    code = call.argument(runs.position, runs.keyword)
                    if code is not None:
                        yield Handed(call, code, name, runs.place, None)
                if name in names.catalog.runs:
                    break

    # ---- called at once

    def _passing(self, handed: Handed, call: s.Call, result: Result) -> str:
        """How the arguments of ``call`` may be handed over with what it calls, if nothing speaks against it."""
        if not result.is_plain or call.has_star or s.dotted(call.func) is None:
            return ""
        passing = self._names.catalog.passing.get(handed.name, "")
        others = [argument for argument in handed.call.args if argument.value is not call]
        if passing == "args":
            own = next(argument for argument in handed.call.args if argument.value is call)
            after = handed.call.args[handed.call.args.index(own) + 1 :]
            is_free = not any(argument.keyword in ("args", "kwargs") or argument.star for argument in others)
            is_last = all(argument.keyword is not None for argument in after)
            return passing if is_free and (is_last or own.keyword is not None) else ""
        if passing and handed.call.args[-1].value is call and handed.call.args[-1].keyword is None:
            has_keywords = any(argument.keyword is not None for argument in call.args)
            return passing if passing == "spread" or not has_keywords else ""
        return ""

    # ---- never run

    def _idle_function(self, code: s.Expr) -> s.Function | None:
        """The coroutine or generator function that ``code`` is, where it is nothing else."""
        functions = self._results.known_functions(code)
        for function in functions:
            if function.decorators:
                return None
            if function.is_lambda:
                body = function.body[0]
                inner = body.value if isinstance(body, s.Return) else None
                result = self._results.of_call(inner) if isinstance(inner, s.Call) else None
                if result is None or not result.is_lazy:
                    return None
            elif not function.is_async and not function.is_generator:
                return None
        return functions[0] if functions else None

    def _is_used_lazily(self, handed: Handed, function: s.Function) -> bool:
        """Whether somebody may take what the call makes, and run it: the result of a task is for its caller."""
        if handed.place != "pool task":
            return False
        if handed.name in self._names.catalog.calls["maps"]:
            return True
        return any(use.kind not in ("dropped", "test", "wait") for use in self._values.uses(handed.call))

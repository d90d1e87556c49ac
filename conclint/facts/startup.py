"""What importing a module sets off: child processes started outside the main guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import explore
from ..kinds import ApiMethod, External
from ..names import Names
from .flow import Flow


class ProcessStart(NamedTuple):
    """A call that starts a child process (or a thread), and the calls that lead to it."""

    chain: tuple[s.Call, ...]
    """From the call made at module level to the one that starts the process; often they are the same."""
    what: str
    """What starts it: ``Process.start()``, ``Pool()`` ..."""

    @property
    def start(self) -> s.Call:
        return self.chain[-1]


class _Imported:
    """Follows only what runs where ``__name__`` is not ``"__main__"``, in a process that is not the first."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def _asks_for_main(self, test: s.Expr) -> bool | None:
        if isinstance(test, s.Name):
            value = self._names.sole_value(test)
            return asks_for_main(value) if isinstance(value, s.Compare) else None
        return asks_for_main(test) if isinstance(test, s.Compare) else None

    def leave(self, step: Step, edge: Edge, state: None) -> Iterable[None]:
        if step.kind is StepKind.BRANCH and isinstance(step.node, s.Expr):
            main = self._asks_for_main(step.node)
            if main is not None and (edge.label is Label.TRUE) == main:
                return ()
        return (None,)

    def raised(self, step: Step, state: None) -> Iterable[None]:
        return (None,)


def asks_for_main(test: s.Compare) -> bool | None:
    """Which outcome of ``test`` means that this is the main process's own script, ``None`` where it asks another thing.

    ``__name__ == "__main__"`` is; so are ``current_process().name == "MainProcess"`` and ``parent_process() is None``.
    """
    if len(test.ops) != 1:
        return None
    sides = (test.left, test.rights[0])
    outcome = {"==": True, "in": True, "is": True, "!=": False, "not in": False, "is not": False}.get(test.ops[0])
    constants = [node.value for side in sides for node in s.walk(side) if isinstance(node, s.Constant)]
    if any(isinstance(side, s.Name) and side.id == "__name__" for side in sides):
        return outcome if "__main__" in constants else None
    if any(isinstance(side, s.Attribute) and side.attr == "name" for side in sides):
        return outcome if "MainProcess" in constants else None
    if any(isinstance(side, s.Call) and (s.dotted(side.func) or "").endswith("parent_process") for side in sides):
        return outcome if constants == [None] else None
    return None


class Startup:
    """The processes that importing the module starts."""

    def __init__(self, flow: Flow, file_name: str) -> None:
        self._flow = flow
        self._file_name = file_name
        self._names = flow.names
        self._memo: dict[s.Function, ProcessStart | None] = {}

    def starts(self) -> list[ProcessStart]:
        """One for each call at module level that starts a process under import, in source order."""
        return [] if self._is_exempt() else self._in_scope(self._names.module)

    def _is_exempt(self) -> bool:
        """Whether children do not import the module: see multiprocessing.spawn._fixup_main_from_name for the first."""
        return self._file_name == "__main__.py" or self._forks_always()

    def _in_scope(self, scope: s.Scope) -> list[ProcessStart]:
        graph = self._flow.graph(scope)
        reached = explore(graph, None, _Imported(self._names))
        calls: dict[s.Call, None] = {}
        for number in sorted(reached.states):
            step = graph.steps[number]
            if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
                calls[step.node] = None
        found = [self._of_call(call) for call in calls]
        return [start for start in found if start is not None]

    def _of_call(self, call: s.Call) -> ProcessStart | None:
        what = self._starts_directly(call)
        if what is not None:
            return ProcessStart((call,), what)
        for callee in self._flow.callees(call):
            inner = self._of_function(callee)
            if inner is not None:
                return ProcessStart((call, *inner.chain), inner.what)
        return None

    def _of_function(self, function: s.Function) -> ProcessStart | None:
        if function in self._memo:
            return self._memo[function]
        self._memo[function] = None  # for recursion
        if not function.is_generator:
            starts = self._in_scope(function)
            self._memo[function] = starts[0] if starts else None
        return self._memo[function]

    def _starts_directly(self, call: s.Call) -> str | None:
        catalog = self._names.catalog
        for kind in self._names.kinds(call.func):
            if isinstance(kind, External):
                api_type = catalog.made_by.get(kind.name)
                if api_type is not None and api_type.kind in catalog.process_constructors:
                    if "fork" not in (kind.start_method, api_type.start_method):
                        return f"{api_type.name}()"
            elif isinstance(kind, ApiMethod) and kind.name == "run_in_executor":
                executor = call.positional(0)
                instance = None if executor is None else self._names.instance(executor)
                if instance is not None and instance.type.kind == "process_executor":
                    return f"{kind.qualified}()"
            elif isinstance(kind, ApiMethod):
                methods = catalog.process_methods.get(kind.receiver.type.kind, ())
                if kind.name in methods and kind.receiver.start_method != "fork":
                    return f"{kind.receiver.type.name}.{kind.name}()"
        return None

    def _forks_always(self) -> bool:
        """Whether the module chooses the fork start method, under which children do not import it again."""
        for node in self._names.module.all(s.Call):
            if self._names.qualified(node.func) in self._names.catalog.calls["start_methods"]:
                first = node.argument(0, "method")
                if isinstance(first, s.Constant) and first.value == "fork":
                    return True
        return False

"""What importing a module sets off: child processes started outside the main guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import explore
from ..kinds import ApiMethod, External, Instance
from ..names import Names
from .calls import Calls
from .flow import Flow
from .start_methods import StartMethods


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


_DEFINITIONS = (s.FunctionDef, s.ClassDef, s.Import, s.ImportFrom)


class Startup:
    """The processes that importing the module starts."""

    def __init__(self, calls: Calls, flow: Flow, methods: StartMethods, file_name: str) -> None:
        self._calls = calls
        self._flow = flow
        self._methods = methods
        self._file_name = file_name
        self._names = flow.names
        self._memo: dict[s.Function, ProcessStart | None] = {}

    def starts(self) -> list[ProcessStart]:
        """One for each call at module level that starts a process under import, in source order."""
        return [] if self._is_exempt() else self._in_scope(self._names.module)

    def _is_exempt(self) -> bool:
        """Whether children do not import the module: see multiprocessing.spawn._fixup_main_from_name for the first."""
        return self._file_name == "__main__.py" or self._methods.forks_always

    def calls_at_import(self) -> list[s.Call]:
        """What the module itself calls when a child imports it, in source order."""
        return [] if self._file_name == "__main__.py" else self._reached(self._names.module)

    def unguarded(self) -> list[s.Stmt]:
        """The statements of the module that a guard can be put round, from the first that starts a process on.

        None where what they bind is read by the rest of the file, or a definition would have to go under the guard.
        """
        body = self._names.module.body
        at = sorted({self._position(start.chain[0]) for start in self.starts()})
        if not at or isinstance(body[at[0]], _DEFINITIONS) or self._asks_for_name(body[at[0]]):
            return []
        end = next((i for i in range(at[0], len(body)) if isinstance(body[i], _DEFINITIONS)), len(body))
        end = next((i for i in range(at[0], end) if self._asks_for_name(body[i])), end)
        inside = {node for statement in body[at[0] : end] for node in s.walk(statement)}
        return body[at[0] : end] if at[-1] < end and not self._is_read_outside(inside) else []

    def _position(self, node: s.Node) -> int:
        """Which statement of the module ``node`` stands in."""
        while not isinstance(node.parent, s.Module) and node.parent is not None:
            node = node.parent
        return next(index for index, statement in enumerate(self._names.module.body) if statement is node)

    @staticmethod
    def _asks_for_name(statement: s.Stmt) -> bool:
        test = statement.test if isinstance(statement, s.If) else None
        return test is not None and any(isinstance(n, s.Name) and n.id == "__name__" for n in s.walk(test))

    def _is_read_outside(self, inside: set[s.Node]) -> bool:
        """Whether a variable of the module that is bound in ``inside`` is used elsewhere."""
        scopes = self._names.scopes
        for name, bindings in scopes.top.bindings.items():
            if any(binding.node in inside for binding in bindings):
                for use in scopes.named(name):
                    found = scopes.lookup(name, use)
                    if use not in inside and found is not None and found[0] is scopes.top:
                        return True
        return False

    def _in_scope(self, scope: s.Scope) -> list[ProcessStart]:
        found = [self._of_call(call) for call in self._reached(scope)]
        return [start for start in found if start is not None]

    def _reached(self, scope: s.Scope) -> list[s.Call]:
        graph = self._flow.graph(scope)
        reached = explore(graph, None, _Imported(self._names))
        calls: dict[s.Call, None] = {}
        for number in sorted(reached.states):
            step = graph.steps[number]
            if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
                calls[step.node] = None
        return list(calls)

    def _of_call(self, call: s.Call) -> ProcessStart | None:
        what = self._starts_directly(call)
        if what is not None:
            return ProcessStart((call,), what)
        for callee in self._calls.run_by(call):
            inner = self._of_function(callee)
            if inner is not None:
                return ProcessStart((call, *inner.chain), inner.what)
        return None

    def _of_function(self, function: s.Function) -> ProcessStart | None:
        if function in self._memo:
            return self._memo[function]
        self._memo[function] = None  # for recursion
        starts = self._in_scope(function)
        self._memo[function] = starts[0] if starts else None
        return self._memo[function]

    def _starts_directly(self, call: s.Call) -> str | None:
        catalog = self._names.catalog
        for kind in self._names.kinds(call.func):
            if isinstance(kind, External):
                api_type = catalog.made_by.get(kind.name)
                if api_type is not None and api_type.kind in catalog.process_constructors:
                    if self._methods.starts_afresh(kind.start_method or api_type.start_method):
                        return f"{api_type.name}()"
            elif isinstance(kind, ApiMethod) and kind.name == "run_in_executor":
                executor = call.positional(0)
                instance = None if executor is None else self._names.instance(executor)
                if instance is not None and instance.type.kind == "process_executor":
                    if self._methods.starts_afresh(self._start_method(instance)):
                        return f"{kind.qualified}()"
            elif isinstance(kind, ApiMethod):
                methods = catalog.process_methods.get(kind.receiver.type.kind, ())
                if kind.name in methods and self._methods.starts_afresh(self._start_method(kind.receiver)):
                    return f"{kind.receiver.type.name}.{kind.name}()"
        return None

    def _start_method(self, instance: Instance) -> str:
        """The start method that the code names for an object: its own, or that of the context it is made with."""
        made = instance.made_at
        context = made.keyword("mp_context") or made.keyword("ctx") if isinstance(made, s.Call) else None
        given = None if context is None else self._names.instance(context)
        return instance.start_method if given is None else given.start_method

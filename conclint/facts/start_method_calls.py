"""Where the start method of multiprocessing is set: once, in the main program, before anything needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import explore
from .expected import is_caught
from .flow import Flow
from .startup import Startup

_SETTLED_ERRORS = frozenset({"RuntimeError", "Exception", "BaseException"})


class Misplaced(NamedTuple):
    """A call that sets the start method at a wrong time."""

    call: s.Call
    earlier: s.Call | None
    """The call that settled it before, ``None`` where the import of the module is what is wrong."""


class _Transfer:
    """Follows which call has settled the start method."""

    def __init__(self, methods: StartMethodCalls) -> None:
        self._methods = methods

    def leave(self, step: Step, edge: Edge, state: s.Call | None) -> Iterable[s.Call | None]:
        if step.kind is StepKind.CALL and isinstance(step.node, s.Call) and state is None:
            if self._methods.settles(step.node):
                return (step.node,)
        return (state,)

    def raised(self, step: Step, state: s.Call | None) -> Iterable[s.Call | None]:
        return ()


class StartMethodCalls:
    """The calls of a module that set the start method."""

    def __init__(self, flow: Flow, startup: Startup) -> None:
        self._flow = flow
        self._names = flow.names
        self._startup = startup

    def misplaced(self) -> Iterator[Misplaced]:
        """Every call that fails, or makes children fail, because of where it stands."""
        setters = [call for call in self._names.module.all(s.Call) if self._sets(call) and not self._may_fail(call)]
        if not setters:
            return
        found: dict[s.Call, Misplaced] = {}
        first = self._settled_by_module()
        for scope in dict.fromkeys(s.enclosing_scope(call) for call in setters):
            start = first if isinstance(scope, s.Function) else None
            reached = explore(self._flow.graph(scope), start, _Transfer(self), ())
            for step, state in reached.pairs():
                if step.kind is StepKind.CALL and step.node in setters and isinstance(step.node, s.Call):
                    if state is not None and state is not step.node:
                        found.setdefault(step.node, Misplaced(step.node, state))
        at_import = set(self._startup.calls_at_import())
        for call in setters:
            if call in found:
                yield found[call]
            elif call in at_import and not self._forks(call):
                yield Misplaced(call, None)

    def settles(self, call: s.Call) -> bool:
        """Whether ``call`` sets the start method, or has the default one taken for good."""
        if self._sets(call):
            return not is_caught(self._flow, call, _SETTLED_ERRORS)
        name = self._names.qualified(call.func)
        if name not in self._names.catalog.calls["settles_start_method"]:
            return False
        receiver = call.func.value if isinstance(call.func, s.Attribute) else None
        owner = None if receiver is None else self._names.instance(receiver)
        if owner is not None and (owner.start_method or owner.type.kind == "context"):
            return False
        if name.endswith("get_context"):
            return not call.args
        if name.endswith("get_start_method"):
            return call.argument(0, "allow_none") is None
        return True

    def _settled_by_module(self) -> s.Call | None:
        """What the module does at its top level, always, that settles the start method."""
        for statement in self._names.module.body:
            if isinstance(statement, (s.Assign, s.ExprStmt)):
                for node in s.walk(statement, into_functions=False):
                    if isinstance(node, s.Call) and self.settles(node):
                        return node
        return None

    def _sets(self, call: s.Call) -> bool:
        return self._names.qualified(call.func) in self._names.catalog.calls["start_methods"]

    @staticmethod
    def _forks(call: s.Call) -> bool:
        """Whether children will be copies, which do not import the module again."""
        method = call.argument(0, "method")
        return isinstance(method, s.Constant) and method.value == "fork"

    def _may_fail(self, call: s.Call) -> bool:
        """Whether the code is prepared for a start method that is settled already."""
        force = call.argument(1, "force")
        forced = force is not None and not (isinstance(force, s.Constant) and not force.value)
        return forced or call.has_star or is_caught(self._flow, call, _SETTLED_ERRORS)

"""Which code runs in workers: the functions handed to them, what these call, and what the main thread runs too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..rule import Step
from ..scopes import BindingKind
from .calls import Calls
from .running import Entry, Running
from .values import ValueFlow

_METHODS = frozenset({"builtins.staticmethod", "builtins.classmethod"})
_HOOKS = frozenset({"excepthook", "threading.excepthook"})
_TEST_FILE = re.compile(r"test_.*\.py|.*_tests?\.py|conftest\.py")


class Reach(NamedTuple):
    """How a function comes to run in a worker."""

    function: s.Function
    entry: Entry
    site: s.Node | None
    """What runs it, in the function of ``caller``; ``None`` for the function that is handed over itself."""
    caller: Reach | None

    def chain(self) -> list[Reach]:
        """From the function handed over to this one."""
        steps: list[Reach] = []
        step: Reach | None = self
        while step is not None:
            steps.append(step)
            step = step.caller
        return steps[::-1]

    def tell(self) -> list[Step]:
        """The calls of the chain, as a finding shows them."""
        return [Step(step.site, f"calls `{step.function.name}`") for step in self.chain() if step.site is not None]


class WorkerCode:
    """The worker code of a module."""

    def __init__(self, calls: Calls, running: Running, values: ValueFlow, file_name: str) -> None:
        self._is_test_file = bool(_TEST_FILE.fullmatch(file_name))
        self._calls = calls
        self._names = running.names
        self.running = running
        self._values = values

    @cached_property
    def alone(self) -> dict[s.Function, Entry]:
        """The functions handed to workers, and the private helpers that only they call."""
        code: dict[s.Function, Entry] = {}
        for entry in self.running.entries:
            code.setdefault(entry.function, entry)
        pending = list(code)
        while pending:
            caller = pending.pop()
            for node in s.own_nodes(caller):
                if isinstance(node, s.Call):
                    for callee in self._names.functions(node.func):
                        if callee not in code and (caller.is_lambda or self._only_called_from(callee, code)):
                            code[callee] = code[caller]
                            pending.append(callee)
        return code

    def _only_called_from(self, function: s.Function, code: dict[s.Function, Entry]) -> bool:
        if not function.name.startswith("_") or function.name.endswith("__"):
            return False
        if function.is_async or function.is_generator:
            return False
        references: list[s.Expr] = [*self._values.attribute_reads(function.name)]
        statement = function.parent
        if statement is not None:
            scope = self._names.scopes.scope_of(statement)
            references.extend(self._values.loads(scope, function.name))
        return all(
            isinstance(node.parent, s.Call) and node.parent.func is node and s.enclosing_function(node) in code
            for node in references
        )

    def reached(
        self, entries: Iterable[Entry], through: Callable[[s.Node], bool] | None = None
    ) -> dict[s.Function, Reach]:
        """What runs because of ``entries``, each function once, by the shortest way.

        ``through`` says of a call whether to follow it.
        """
        found: dict[s.Function, Reach] = {}
        for entry in entries:
            found.setdefault(entry.function, Reach(entry.function, entry, None, None))
        pending = list(found.values())
        for reach in pending:  # it grows
            for site in s.own_nodes(reach.function):
                for callee in self._run_by(site):
                    if callee not in found and (through is None or through(site)):
                        found[callee] = Reach(callee, reach.entry, site, reach)
                        pending.append(found[callee])
        return found

    def exposed(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those of ``entries`` with no decorator around them that may catch what they raise."""
        return [entry for entry in entries if all(self._adds_nothing(d, entry) for d in entry.function.decorators)]

    def _adds_nothing(self, decorator: s.Expr, entry: Entry) -> bool:
        if self._names.qualified(decorator) in _METHODS:
            return True
        makers = self._names.functions(decorator.func if isinstance(decorator, s.Call) else decorator)
        return any(maker in s.ancestors(entry.site) for maker in makers)  # it is what hands the function over

    def _run_by(self, site: s.Node) -> Iterator[s.Function]:
        """What ``site`` runs; nothing where that is one of several, of objects of classes that are not related."""
        found = self._calls.run_by(site)
        if len(found) < 2 or not isinstance(site, s.Call) or len({function.name for function in found}) > 1:
            yield from found
        yield from self._calls.overriding(site)

    @cached_property
    def has_excepthook(self) -> bool:
        """Whether the file sets ``threading.excepthook``, which is told of every exception that ends a thread.

        Or has a context manager do so.
        """
        if any(
            self._names.qualified(target) == "threading.excepthook"
            for target in self._values.attribute_writes("excepthook")
        ):
            return True  # or by name: `monkeypatch.setattr(threading, "excepthook", hook)`
        catchers = self._names.catalog.calls["thread_exception_catchers"]
        if any(self._names.qualified(call.func) in catchers for call in self._names.module.all(s.Call)):
            return True
        return any(node.value in _HOOKS for node in self._names.module.all(s.Constant) if isinstance(node.value, str))

    def is_shared(self, function: s.Function) -> bool:
        """Whether the calls of this file run ``function`` in the main thread too."""
        return function in self.in_main_thread and function not in self.alone and bool(self._calls.to(function))

    def depends_on_caller(self, site: s.Node) -> bool:
        """Whether ``site`` runs only if a parameter of its function, itself and not what hangs on it, is as tested."""
        return any(self._is_parameter(node) for test in _tests_around(site) for node in s.walk(test))

    def is_conditional(self, site: s.Node) -> bool:
        """Whether ``site`` runs only if what its function is called with, or on, is as tested."""
        return any(
            isinstance(node, s.Attribute) or self._is_parameter(node)
            for test in _tests_around(site)
            for node in s.walk(test)
        )

    def _is_parameter(self, node: s.Node) -> bool:
        if not isinstance(node, s.Name) or isinstance(node.parent, s.Attribute):
            return False
        found = self._names.scopes.lookup(node.id, node)
        return found is not None and any(binding.kind is BindingKind.PARAMETER for binding in found[1])

    def is_test(self, node: s.Node) -> bool:
        """Whether ``node`` stands in a test: a test file, a function named so, a method of a TestCase."""
        if self._is_test_file:
            return True
        for parent in s.ancestors(node):
            if isinstance(parent, s.Function) and parent.name.startswith("test"):
                return True
            if isinstance(parent, s.ClassDef):
                bases = [base for info in self._names.mro(parent) for base in info.external_bases]
                if any(base.rpartition(".")[2].endswith("TestCase") for base in bases):
                    return True
        return False

    @cached_property
    def in_main_thread(self) -> frozenset[s.Function]:
        """The functions that may also run in the main thread, as far as this file knows."""
        return main_code(self._calls, frozenset(entry.function for entry in self.running.entries))


def _tests_around(site: s.Node) -> Iterator[s.Expr]:
    """The tests that decide whether ``site`` runs, of the ``if`` around it in its function."""
    child = site
    for parent in s.ancestors(site):
        if isinstance(parent, s.Function):
            return
        if isinstance(parent, (s.If, s.IfExp, s.BoolOp, s.While)):
            test = parent.left if isinstance(parent, s.BoolOp) else parent.test
            if child is not test:
                yield test
        child = parent


def main_code(calls: Calls, apart: frozenset[s.Function]) -> frozenset[s.Function]:
    """The functions that may run in the main thread: those that nothing in this file runs, and all that they call.

    A function of ``apart`` is handed to something else, and starts nothing there.
    """
    work: list[s.Function] = []
    for function in calls.module.functions:
        sites = calls.to(function)
        starts = function not in apart and (not sites or function in calls.values)
        if starts or any(s.enclosing_function(site) is None for site in sites):
            work.append(function)
    reached: set[s.Function] = set()
    while work:
        current = work.pop()
        if current not in reached:
            reached.add(current)
            for node in s.own_nodes(current):
                work += calls.run_by(node)
    return frozenset(reached)

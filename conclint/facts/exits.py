"""Exits that end no program: ``sys.exit()`` where only a thread, or the work of a pool, hears it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..exceptions import ANY
from .escaping import Escaping
from .flow import Flow
from .running import Entry, Handed
from .worker_code import Reach, WorkerCode

EXIT = "SystemExit"
_POOLS = frozenset({"process_pool", "thread_pool"})
_THREAD_PLACES = frozenset({"thread", "request handler", "done callback"})


class LostExit(NamedTuple):
    """An exit in worker code, or a call there that leads to one."""

    node: s.Node
    exit: s.Node
    """The exit itself; often the same."""
    at: Entry | Handed
    """What handed the code over."""
    reach: Reach | None
    """How the function around the exit comes to run; ``None`` where the exit itself is handed over."""


class Exits:
    """The exits of a module that go astray."""

    def __init__(self, flow: Flow, code: WorkerCode, escaping: Escaping) -> None:
        self._flow = flow
        self._names = flow.names
        self._code = code
        self._escaping = escaping

    def in_threads(self) -> Iterator[LostExit]:
        """Every exit that ends a thread and nothing else."""
        if self._code.has_excepthook:
            return
        running = self._code.running
        entries = [e for e in running.entries if not e.in_process and e.place in _THREAD_PLACES]
        yield from self._found(self._code.exposed(e for e in entries if e.runner not in _POOLS))
        yield from self._handed(handed for handed in running.handed if handed.place == "thread")

    def in_pools(self) -> Iterator[LostExit]:
        """What ends a worker of a ``multiprocessing.Pool`` before it answers, or the thread that hands out answers."""
        running = self._code.running
        entries = self._code.exposed(entry for entry in running.entries if entry.runner in _POOLS)
        yield from self._found(entries)
        yield from self._ended([entry for entry in entries if entry.in_process])
        callbacks = [entry for entry in entries if entry.place == "pool callback"]
        reached = self._code.reached(callbacks, lambda site: self._escaping.leaves(site, ANY))
        for function, reach in reached.items():
            for node in s.own_nodes(function):
                if isinstance(node, s.Raise) and not self._exits(node) and self._throws_out(node):
                    yield LostExit(node, node, reach.entry, reach)
        yield from self._handed(handed for handed in running.handed if handed.runner in _POOLS)

    def _handed(self, handed: Iterable[Handed]) -> Iterator[LostExit]:
        """The exits that are handed over themselves: ``Timer(5, sys.exit)``."""
        by_expr = {each.expr: each for each in handed}
        for expr, each in by_expr.items():
            if expr is not None and self._is_exit(expr):
                yield LostExit(expr, expr, each, None)

    def _found(self, entries: list[Entry]) -> Iterator[LostExit]:
        seen: set[s.Node] = set()
        handed = {entry.function for entry in entries}
        reached = self._code.reached(entries, lambda site: self._leads_on(site, handed))
        for function, reach in reached.items():
            exits = [node for node in s.own_nodes(function) if self._exits(node)]
            chain = reach.chain() if exits else []
            for node in exits:
                if self._leads_on(node, handed) and not self._only_ends_the_thread(node, reach.entry):
                    shared = next((step for step in chain if self._code.is_shared(step.function)), None)
                    shown = node if shared is None or shared.site is None else shared.site
                    if shown not in seen:
                        seen.add(shown)
                        yield LostExit(shown, node, reach.entry, reach)

    def _ended(self, entries: list[Entry]) -> Iterator[LostExit]:
        """What ends the process of a worker at once, other than in a child of its own."""
        for function, reach in self._code.reached(entries, lambda site: not self._code.depends_on_caller(site)).items():
            calls = [node for node in s.own_nodes(function) if isinstance(node, s.Call)]
            names = [self._names.qualified(call.func) for call in calls]
            if "os.fork" not in names and "os.forkpty" not in names:
                for call, name in zip(calls, names, strict=True):
                    if name in self._names.catalog.calls["ends"] and function in self._code.alone:
                        yield LostExit(call, call, reach.entry, reach)

    def _throws_out(self, node: s.Raise) -> bool:
        """Whether a ``raise`` leaves its function; one that throws something on is part of the handler around it."""
        if node.exc is None and any(isinstance(parent, s.Handler) for parent in s.ancestors(node)):
            return False
        return self._escaping.leaves(node, self._flow.classes.raised(node.exc, ANY))

    def _leads_on(self, site: s.Node, handed: set[s.Function]) -> bool:
        """Whether an exit at ``site`` leaves its function, and does so for any caller of it."""
        function = s.enclosing_function(site)
        own = function is None or function in handed or function in self._code.alone
        depends = not own and self._code.depends_on_caller(site)
        return not depends and self._escaping.leaves(site, EXIT)

    def _only_ends_the_thread(self, node: s.Node, entry: Entry) -> bool:
        """Whether an exit without a status may well stand for a ``return``: after an error, or in a test of threads."""
        if entry.place != "thread" or entry.runner == "timer" or not _has_no_status(node):
            return False
        for parent in s.ancestors(node):
            if isinstance(parent, s.Function):
                return self._code.is_test(node)
            if isinstance(parent, s.Handler):
                return True
        return False

    def _exits(self, node: s.Node) -> bool:
        if isinstance(node, s.Raise):
            return node.exc is not None and self._flow.classes.raised(node.exc, "") == EXIT
        return isinstance(node, s.Call) and self._is_exit(node.func)

    def _is_exit(self, func: s.Expr | None) -> bool:
        return func is not None and self._names.qualified(func) in self._names.catalog.calls["exits"]


def _has_no_status(node: s.Node) -> bool:
    made = node.exc if isinstance(node, s.Raise) else node
    return not (isinstance(made, s.Call) and made.args)

"""The lives of workers: who waits for a thread, a timer, a process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from .flow import Flow
from .life_paths import Life, LifePaths, is_overwritten
from .running import Worker
from .values import Use
from .witness import Witness
from .worker_ends import WorkerEnds
from .worker_uses import WorkerUse, WorkerUses

_ASKED = ("is_alive", "exitcode")


class Unjoined(NamedTuple):
    """A worker that is started and, on some normal path, not waited for."""

    worker: Worker
    how: str
    """``dropped`` (no name leads to it), ``never`` (nobody joins), ``path`` (some path does not), ``overwritten``,
    ``yield`` (a context manager joins it, but not where the body of the ``with`` raises)."""
    path: Witness | None
    home: s.Expr | None
    """The name or attribute it is stored in."""
    ending: Use | None
    """The ``terminate()`` or ``kill()`` after which nobody waits for a process."""
    body: s.Yield | None = None
    """For ``yield``, where the body runs."""


class WorkerLives:
    """Answers for every worker of a module."""

    def __init__(self, flow: Flow, uses: WorkerUses, ends: WorkerEnds) -> None:
        self._names = flow.names
        self._uses = uses
        self._ends = ends
        self._paths = LifePaths(flow)

    def unjoined(self, kinds: Iterable[str]) -> Iterator[Unjoined]:
        """The started, non-daemon workers of these kinds that some normal path does not wait for."""
        for use in self._uses.all(*kinds):
            found: Unjoined | None = None
            if not use.is_daemon and use.is_started and not self._uses.handles_its_errors(use.worker):
                found = self._unjoined(use)
            found = found or self._left_by_body(use)
            if found is not None:
                yield found

    def _unjoined(self, use: WorkerUse) -> Unjoined | None:
        worker, home = use.worker, use.home
        all_seen_to = self._uses.reaps_all_processes if worker.kind == "process" else self._uses.joins_all_threads
        if all_seen_to or self._ends.is_noticed(worker):
            return None
        ending = next(iter(use.calls("terminate", "kill")), None)
        if not use.seen_to:
            if isinstance(home, s.Attribute) and self._names.is_of_shared_class(worker.call):
                return None
            return Unjoined(worker, "dropped" if home is None else "never", None, home, ending)
        if isinstance(home, s.Name) and not use.is_kept:
            return self._follow(use, home)
        return None

    def _left_by_body(self, use: WorkerUse) -> Unjoined | None:
        """Whether a context manager joins the worker after its ``yield`` only, which raises where the body does.

        A daemon that it joins is one that is not to outlast the ``with`` either, but for one that it joins for some
        time only, and does not ask then.
        """
        home, manager = use.home, s.enclosing_function(use.worker.call)
        if not isinstance(home, s.Name) or not use.calls("join") or manager is None or not manager.is_generator:
            return None
        if not self._names.decorated(manager, self._names.catalog.calls["contextmanagers"]):
            return None
        if use.is_daemon and not _insists(use, manager, home.id):
            return None
        yields = [node for node in s.own_nodes(manager) if isinstance(node, s.Yield) and not _is_guarded(node, manager)]
        reached = self._paths.follow(use.worker.call, home, use.seen_to, runs_at_once=False) if yields else None
        for step, state in () if reached is None else reached.pairs():
            if isinstance(step.node, s.Yield) and step.node in yields and state.life is Life.STARTED:
                return Unjoined(use.worker, "yield", None, home, None, step.node)
        return None

    def _follow(self, use: WorkerUse, home: s.Name) -> Unjoined | None:
        """Whether some normal path of the function goes past every use that sees to the worker."""
        reached = self._paths.follow(use.worker.call, home, use.seen_to, runs_at_once=False)
        if reached is None:
            return None
        if is_overwritten(reached, use.worker.call):
            return Unjoined(use.worker, "overwritten", None, home, None)
        leave = reached.graph.exit
        for state in reached.at(leave):
            if state.life is Life.STARTED:
                return Unjoined(use.worker, "path", Witness(reached.path(leave, state)), home, None)
        return None


def _insists(use: WorkerUse, manager: s.Function, name: str) -> bool:
    """Whether ``manager`` joins the worker for as long as it takes, or looks afterwards whether it has ended."""
    joins: set[s.Node] = set()
    for join in use.calls("join"):
        call = join.node.parent if isinstance(join.node, s.Attribute) else join.node
        timeout = call.argument(0, "timeout") if isinstance(call, s.Call) else None
        if call is None or timeout is None or s.is_nothing(timeout):
            return True
        joins.add(call)
    joined = False
    for node in s.own_nodes(manager):
        joined |= node in joins
        if joined and isinstance(node, s.Attribute) and node.attr in _ASKED and s.last_name(node.value) == name:
            return True
    return False


def _is_guarded(node: s.Yield, manager: s.Function) -> bool:
    """Whether more of ``manager`` runs when ``node`` raises: a handler, a ``finally``, the end of a ``with``."""
    for parent in s.ancestors(node):
        if parent is manager:
            return False
        if isinstance(parent, (s.Try, s.With)):
            return True
    return False

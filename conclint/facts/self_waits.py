"""Tasks that wait for another task of the executor they run in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Container, Instance, Kind
from .flow import Flow
from .objects import Objects, Tracked
from .waiting import Come, Wait, Waiting

_EXECUTORS = ("thread_executor", "process_executor", "thread_pool", "process_pool")
_ENDS = frozenset({"join", "shutdown", "__exit__"})


class SelfWait(NamedTuple):
    """A wait in a task for what only a free worker of its own executor could do."""

    wait: Wait
    executor: s.Expr
    """Its name, where the second task is submitted."""
    task: s.Function
    submitted: s.Call
    """What makes the task run in the executor."""
    sites: tuple[s.Node, ...]
    """The calls from the task to the function that waits."""
    inner: s.Call
    """What makes the second task."""
    single: bool
    """Whether the executor has one worker only, so that the first such task waits for ever."""


class SelfWaits:
    """Finds them."""

    def __init__(self, flow: Flow, objects: Objects, waiting: Waiting) -> None:
        self._flow = flow
        self._names = flow.names
        self._objects = objects
        self._waiting = waiting

    def found(self) -> Iterator[SelfWait]:
        """The first such wait of each task, each wait once."""
        seen: set[s.Node] = set()
        for kind in _EXECUTORS:
            for tracked in self._objects.made(kind):
                for found in self._of(tracked):
                    if not {found.wait.node, found.task} & seen:
                        seen |= {found.wait.node, found.task}
                        yield found

    def _of(self, tracked: Tracked) -> Iterator[SelfWait]:
        tasks = list(self._tasks(tracked))
        for submitted, function in tasks:
            for node in s.own_nodes(function):
                for come in self._waiting.at(node):
                    inner = self._inner(come.wait, tracked) if self._may_block(come) else None
                    if inner is None or self._knows_who_runs(come, function):
                        continue
                    sites = [site for site, task in tasks if task is function and site is not inner]
                    if not sites:
                        continue
                    single = _workers(tracked) == 1
                    if single or not self._is_one_task(tracked, sites, inner, function):
                        receiver = self._receiver(inner)
                        if receiver is not None:
                            yield SelfWait(come.wait, receiver, function, submitted, come.sites, inner, single)

    def _tasks(self, tracked: Tracked) -> Iterator[tuple[s.Call, s.Function]]:
        """The functions of this file that run in the executor, with the calls that see to it."""
        calls = [operation.call for operation in tracked.operations.values() if operation.call is not None]
        for receiver in tracked.receivers:
            argument = receiver.parent
            if isinstance(argument, s.Argument) and isinstance(argument.parent, s.Call):
                if argument.parent.positional(0) is receiver and s.last_name(argument.parent.func) == "run_in_executor":
                    calls.append(argument.parent)
        for call in calls:
            for runs in self._names.catalog.runs.get(self._names.qualified(call.func) or "", ()):
                task = call.argument(runs.position, runs.keyword)
                for function in () if task is None or runs.place != "pool task" else self._names.functions(task):
                    if not function.is_async and not function.is_generator:
                        yield call, function

    @staticmethod
    def _may_block(come: Come) -> bool:
        return come.wait.forever and not come.wait.in_loop and come.wait.method not in _ENDS

    def _inner(self, wait: Wait, tracked: Tracked) -> s.Call | None:
        """The call by which what is waited for got into the executor ``tracked``."""
        if isinstance(wait.node, s.Call) and wait.of and wait.of[0] in tracked.receivers:
            return wait.node  # pool.apply(), list(executor.map())
        for expr in wait.of:
            for made in _made(self._names.kinds(expr)):
                receiver = self._receiver(made)
                if receiver is not None and receiver in tracked.receivers:
                    return made
        return None

    def _receiver(self, call: s.Call) -> s.Expr | None:
        method = self._names.bound_method(call.func)
        return None if method is None else method.value

    def _knows_who_runs(self, come: Come, task: s.Function) -> bool:
        """Whether the code on the way asks in which thread it runs, and so may have another way for this one."""
        identities = self._names.catalog.calls["identities"]
        return any(
            isinstance(node, s.Call) and self._names.qualified(node.func) in identities
            for function in (task, *come.functions)
            for node in s.own_nodes(function)
        )

    def _is_one_task(self, tracked: Tracked, sites: list[s.Call], inner: s.Call, task: s.Function) -> bool:
        """Whether no more such tasks run at a time than there are workers to spare.

        So it is where the function that makes the executor submits them, one by one, and they submit something else.
        """
        workers = _workers(tracked)
        if tracked.made is None or len(sites) >= (5 if workers is None else workers):
            return False
        if any(task in self._names.functions(argument.value) for argument in inner.args):
            return False
        home = s.enclosing_function(tracked.made)
        return all(
            s.enclosing_function(site) is home
            and s.last_name(site.func) not in ("map", "imap", "imap_unordered", "map_async", "starmap_async", "starmap")
            and not any(
                isinstance(parent, (s.For, s.While, s.Comprehension)) and not _is_above(parent, tracked.made)
                for parent in _up_to(site, home)
            )
            for site in sites
        )


def _made(kinds: tuple[Kind, ...]) -> Iterator[s.Call]:
    """The calls that made the futures which ``kinds`` stand for, those in containers included."""
    for kind in kinds:
        if isinstance(kind, Container):
            yield from _made(kind.elements)
        elif isinstance(kind, Instance) and isinstance(kind.made_at, s.Call):
            yield kind.made_at


def _workers(tracked: Tracked) -> int | None:
    """How many workers the executor has, where a number in the source says it."""
    made = tracked.made
    given = None
    if isinstance(made, s.Call):
        given = made.keyword("max_workers") or made.keyword("processes") or made.positional(0)
    return given.value if isinstance(given, s.Constant) and isinstance(given.value, int) else None


def _up_to(node: s.Node, scope: s.Node | None) -> Iterator[s.Node]:
    for parent in s.ancestors(node):
        if parent is scope:
            return
        yield parent


def _is_above(parent: s.Node, node: s.Node) -> bool:
    return any(other is parent for other in s.ancestors(node))

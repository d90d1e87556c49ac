"""The lives of workers and futures: who waits for a thread, who reads a result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Step, StepKind
from ..dataflow import Reached, explore
from ..kinds import ApiMethod, External, Place
from .conditions import Conditions, Known, bound_place
from .flow import Flow
from .handlers import Handlers
from .running import Running, Worker
from .values import Use, ValueFlow
from .witness import Witness

_NEUTRAL_METHODS = frozenset({"start", "setDaemon", "setName", "getName", "isDaemon", "__init__"})
_NEUTRAL_ATTRIBUTES = frozenset({"daemon", "name", "ident", "native_id", "pid", "__class__"})
_NO_RESULT = frozenset({"done", "running", "cancelled", "cancel", "ready", "set_running_or_notify_cancel"})
_READS = frozenset({"result", "exception", "get", "successful", "traceback"})


class Unjoined(NamedTuple):
    """A thread or timer that is started and, on some normal path, not waited for."""

    worker: Worker
    how: str
    """``dropped`` (no name leads to it), ``never`` (nobody joins), ``path`` (some path does not), ``overwritten``."""
    path: Witness | None
    home: s.Expr | None
    """The name or attribute it is stored in."""


class LostResult(NamedTuple):
    """A call whose result carries an exception that nobody looks at."""

    call: s.Call
    method: str
    """Its last name: ``submit``, ``apply_async`` ..."""
    task: s.Expr | None
    """What it runs."""
    how: str
    """``dropped`` (thrown away at once), ``unread`` (kept, but never asked) or ``overwritten`` (by the next one)."""


class _Life(IntEnum):
    NONE = 0
    MADE = 1
    STARTED = 2
    SEEN_TO = 3


class _State(NamedTuple):
    life: _Life
    known: Known


class _LifeTransfer:
    """One local variable that holds a worker, or (``runs_at_once``) the result of a call already under way."""

    def __init__(
        self,
        flow: Flow,
        made: s.Call,
        place: Place,
        seen_to: set[s.Node],
        conditions: Conditions,
        *,
        runs_at_once: bool,
    ) -> None:
        self._made_life = _Life.STARTED if runs_at_once else _Life.MADE
        self._names = flow.names
        self._made = made
        self._place = place
        self._seen_to = seen_to
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: _State) -> Iterable[_State]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None:
                return ()
            state = state._replace(known=known)
        if state.life in (_Life.MADE, _Life.STARTED) and s.statement_of(step.node) in self._seen_to:
            return (state._replace(life=_Life.SEEN_TO),)
        if step.kind is StepKind.CALL and isinstance(step.node, s.Call) and state.life is _Life.MADE:
            func = step.node.func
            if isinstance(func, s.Attribute) and func.attr == "start" and self._names.place(func.value) == self._place:
                return (state._replace(life=_Life.STARTED),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
            if step.target is not None and bound_place(self._names, step.target) == self._place:
                return (state._replace(life=self._made_life if step.value is self._made else _Life.NONE),)
        return (state,)

    def raised(self, step: Step, state: _State) -> Iterable[_State]:
        return ()


class Lives:
    """Answers for every worker and every asynchronous result of a module."""

    def __init__(self, flow: Flow, handlers: Handlers, running: Running, values: ValueFlow) -> None:
        self._flow = flow
        self._handlers = handlers
        self._names = flow.names
        self._running = running
        self._values = values
        self._summaries: dict[int, tuple[tuple[Use, ...], tuple[bool, bool, bool, list[Use]]]] = {}

    # ---------------------------------------------------------------------------------------------- workers

    def unjoined(self, kinds: Iterable[str]) -> Iterator[Unjoined]:
        """The started, non-daemon workers of these kinds that some normal path does not wait for."""
        wanted = frozenset(kinds)
        for worker in self._running.workers:
            if worker.kind in wanted:
                found = self._unjoined(worker)
                if found is not None:
                    yield found

    def _unjoined(self, worker: Worker) -> Unjoined | None:
        if self._may_be_daemon(worker) or self._handles_its_errors(worker):
            return None
        uses = self._values.uses(worker.call)
        is_daemon, started, kept, seen_to = self._summary(uses)
        if is_daemon or (worker.kind != "process" and self._joins_all_threads):
            return None
        if not started and not self._starts_itself(worker):
            return None
        home = self._home(worker.call)
        if not seen_to:
            if isinstance(home, s.Attribute) and self._may_be_joined_elsewhere(worker.call):
                return None
            return Unjoined(worker, "dropped" if home is None else "never", None, home)
        if isinstance(home, s.Name) and not kept:
            return self._follow(worker, home, seen_to)
        return None

    def _summary(self, uses: tuple[Use, ...]) -> tuple[bool, bool, bool, list[Use]]:
        """Whether uses make a worker a daemon, start it, keep it in a container; and those that see to it."""
        _uses, known = self._summaries.get(id(uses), (uses, None))
        if known is None:
            known = (
                any(self._makes_daemon(use) for use in uses),
                any(use.kind == "method" and use.name == "start" for use in uses),
                any(use.kind == "keep" for use in uses),
                [use for use in uses if self._sees_to(use)],
            )
            self._summaries[id(uses)] = uses, known  # kept, so that no other tuple gets its id
        return known

    @cached_property
    def _joins_all_threads(self) -> bool:
        """Whether the file joins what ``threading.enumerate()`` lists."""
        return any(
            use.kind == "method" and use.name == "join"
            for call in self._names.module.all(s.Call)
            if self._names.qualified(call.func) == "threading.enumerate"
            for use in self._values.item_uses(call)
        )

    def _home(self, call: s.Call) -> s.Expr | None:
        """The name or attribute that the worker is first stored in."""
        parent = call.parent
        if isinstance(parent, s.Assign) and parent.value is call:
            return parent.targets[0]
        if isinstance(parent, s.NamedExpr):
            return parent.target
        return None

    def _may_be_joined_elsewhere(self, call: s.Call) -> bool:
        """Whether a base class in another file, or code there, may know the attribute it is stored in."""
        node = s.enclosing_class(call)
        return node is None or self._names.is_open(node)

    @staticmethod
    def _sees_to(use: Use) -> bool:
        """Whether a use waits for the worker, cancels it, or gives it to somebody who could."""
        if use.kind == "method":
            return use.name not in _NEUTRAL_METHODS
        if use.kind == "attribute":
            return use.name not in _NEUTRAL_ATTRIBUTES
        return use.kind not in ("set", "test", "keep", "dropped")

    @staticmethod
    def _makes_daemon(use: Use) -> bool:
        if use.kind == "set" and use.name == "daemon" and isinstance(use.node, s.Assign):
            return not _is_false(use.node.value)
        if use.kind == "method" and use.name == "setDaemon" and isinstance(use.node, s.Call):
            return not _is_false(use.node.positional(0))
        return False

    def _may_be_daemon(self, worker: Worker) -> bool:
        daemon = worker.call.keyword("daemon")
        if daemon is not None and not _is_false(daemon):
            return True
        if worker.subclass is None:
            return worker.call.has_star or self._created_by_daemon(worker.call)
        for info in self._names.mro(worker.subclass):
            for binding in info.attributes.get("daemon", ()):
                if not _is_false(binding.value):
                    return True
            for node in s.walk(info.node):
                if isinstance(node, s.Call):
                    given = node.keyword("daemon")
                    if given is not None and not _is_false(given):
                        return True
                    if isinstance(node.func, s.Attribute) and node.func.attr == "setDaemon":
                        return True
        return self._created_by_daemon(worker.call)

    def may_be_daemon(self, worker: Worker) -> bool:
        """Whether the worker is a daemon, or may be made one."""
        return self._may_be_daemon(worker) or self._summary(self._values.uses(worker.call))[0]

    def is_unwaited_daemon(self, worker: Worker) -> bool:
        """Whether the worker is a daemon, for certain, that nothing in this file joins or hands to anybody."""
        uses = self._values.uses(worker.call)
        daemon = worker.call.keyword("daemon")
        is_daemon = isinstance(daemon, s.Constant) and not _is_false(daemon)
        return (is_daemon or self._summary(uses)[0]) and not self._summary(uses)[3]

    def _created_by_daemon(self, call: s.Call) -> bool:
        """Whether the code that makes it runs only in daemon threads, whose threads are daemons too."""
        function = s.enclosing_function(call)
        if function is None:
            return False
        makers = [w for w in self._running.workers if w.call is not call and function in self._running.targets(w)]
        return bool(makers) and all(
            (given := maker.call.keyword("daemon")) is not None and not _is_false(given) for maker in makers
        )

    def _starts_itself(self, worker: Worker) -> bool:
        if worker.subclass is None:
            return False
        constructor = self._names.method(worker.subclass, "__init__")
        if constructor is None:
            return False
        return any(
            isinstance(node, s.Call)
            and isinstance(node.func, s.Attribute)
            and node.func.attr == "start"
            and self._names.place(node.func.value) == Place(("self", worker.subclass), ())
            for node in s.own_nodes(constructor)
        )

    def _handles_its_errors(self, worker: Worker) -> bool:
        """Whether everything the worker runs is in this file and lets no exception out."""
        target = self._running.target_of(worker.call, worker.instance)
        if worker.kind == "timer" and isinstance(target, s.Attribute) and target.attr == "set":
            return True  # a timer that sets an event: nothing can go wrong in it
        targets = self._running.targets(worker)
        return bool(targets) and all(self._handlers.answers_for_itself(function) for function in targets)

    def _follow(self, worker: Worker, home: s.Name, seen_to: list[Use]) -> Unjoined | None:
        """Whether some normal path of the function goes past every use that sees to the worker."""
        reached = self._explore(worker.call, home, seen_to, runs_at_once=False)
        if reached is None:
            return None
        if _is_overwritten(reached, worker.call):
            return Unjoined(worker, "overwritten", None, home)
        leave = reached.graph.exit
        for state in reached.at(leave):
            if state.life is _Life.STARTED:
                return Unjoined(worker, "path", Witness(reached.path(leave, state)), home)
        return None

    def _explore(self, made: s.Call, home: s.Name, seen_to: list[Use], *, runs_at_once: bool) -> Reached[_State] | None:
        """The life of what ``made`` makes along the normal paths of its function.

        ``None`` where the variable ``home`` is not all there is to follow: other functions or names see to it too.
        """
        found = self._names.scopes.lookup(home.id, home)
        scope = s.enclosing_function(made) or self._names.module
        place = bound_place(self._names, home)
        if found is None or found[0].node is not scope or place is None or not self._flow.affords(scope):
            return None
        for use in seen_to:
            if not (isinstance(use.origin, s.Name) and use.origin.id == home.id):
                return None
            if (s.enclosing_function(use.origin) or self._names.module) is not scope:
                return None
        graph = self._flow.graph(scope)
        statements: set[s.Node] = {s.statement_of(use.origin) for use in seen_to}
        conditions = Conditions(self._names, graph, {*statements, made}, set())
        transfer = _LifeTransfer(self._flow, made, place, statements, conditions, runs_at_once=runs_at_once)
        reached = explore(graph, _State(_Life.NONE, conditions.at_entry), transfer, ())
        return reached if reached.complete else None

    # ---------------------------------------------------------------------------------------------- results

    def lost_results(self) -> Iterator[LostResult]:
        """The asynchronous calls whose exception nobody will see."""
        for call in self._names.module.all(s.Call):
            method = self._result_method(call)
            if method is not None:
                lost = self._lost(call, method)
                if lost is not None:
                    yield lost

    def _result_method(self, call: s.Call) -> str | None:
        """The last name of the asynchronous API that ``call`` calls, ``None`` for other calls."""
        func = call.func
        known = False
        for kind in self._names.kinds(func):
            known = True
            if isinstance(kind, ApiMethod) and kind.qualified in self._names.catalog.calls["results"]:
                return kind.name
            if isinstance(kind, External):
                if kind.name in self._names.catalog.calls["results"]:
                    return kind.name.rpartition(".")[2]
        if not known and isinstance(func, s.Attribute) and func.attr == "run_in_executor":
            return func.attr  # no other object has a method of this name
        return None

    def _lost(self, call: s.Call, method: str) -> LostResult | None:
        error_callback = call.keyword("error_callback")
        if error_callback is not None and not _is_none(error_callback):
            return None
        if call.has_star and method.endswith("_async"):
            return None
        task = self._task(call, method)
        if task is not None and self._task_handles_errors(task):
            return None
        uses = self._values.uses(call)
        home = self._home(call)
        looks = [use for use in uses if self._looks_at_result(use)]
        if looks:
            if isinstance(home, s.Name) and not any(use.kind == "keep" for use in uses):
                reached = self._explore(call, home, looks, runs_at_once=True)
                if reached is not None and _is_overwritten(reached, call):
                    return LostResult(call, method, task, "overwritten")
            return None
        if isinstance(home, s.Attribute) and self._may_be_joined_elsewhere(call):
            return None
        dropped = home is None and all(use.kind == "dropped" for use in uses)
        return LostResult(call, method, task, "dropped" if dropped else "unread")

    @staticmethod
    def _task(call: s.Call, method: str) -> s.Expr | None:
        if method == "run_in_executor":
            return call.positional(1)
        return call.argument(0, "func")

    def _task_handles_errors(self, task: s.Expr) -> bool:
        """Whether the task is a function of this file that lets no exception out, or one that has none to let out."""
        if self._names.qualified(task) in self._names.catalog.harmless_functions:
            return True
        if isinstance(task, s.Call):  # a coroutine, or a partial
            functions = self._names.functions(task) or self._names.functions(task.func)
        else:
            functions = self._names.functions(task)
        return bool(functions) and all(self._handlers.answers_for_itself(function) for function in functions)

    def _looks_at_result(self, use: Use) -> bool:
        if use.kind == "method":
            if use.name == "add_done_callback" and isinstance(use.node, s.Call):
                callback = use.node.positional(0)
                return callback is None or self._callback_looks(callback)
            return use.name not in _NO_RESULT
        if use.kind == "attribute":
            return use.name not in _NO_RESULT
        return use.kind not in ("set", "test", "keep", "dropped")

    def _callback_looks(self, callback: s.Expr) -> bool:
        """Whether a done-callback asks for the exception, or may: one from elsewhere is trusted."""
        method = self._names.bound_method(callback)
        if method is not None and method.attr in ("discard", "remove") and not self._names.functions(callback):
            return False
        functions = self._names.functions(callback)
        if not functions:
            return True
        return any(self._function_looks(function) for function in functions)

    def _function_looks(self, function: s.Function) -> bool:
        index = 1 if self._names.self_class(function) is not None else 0
        if len(function.params) <= index:
            return True
        name = function.params[index].name
        for load in self._values.loads(self._names.scopes.info(function), name):
            parent = load.parent
            if isinstance(parent, s.Attribute):
                if parent.attr in _READS:
                    return True
            elif isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
                func = parent.parent.func
                if not (isinstance(func, s.Attribute) and func.attr in ("discard", "remove", "pop")):
                    return True
            elif not isinstance(parent, s.Delete):
                return True
        return False


def _is_overwritten(reached: Reached[_State], made: s.Call) -> bool:
    """Whether the variable gets the next object while nobody has seen to the one before."""
    return any(
        step.kind is StepKind.BIND and step.value is made and state.life is _Life.STARTED
        for step, state in reached.pairs()
    )


def _is_false(expr: s.Expr | None) -> bool:
    return isinstance(expr, s.Constant) and (expr.value is False or expr.value is None or expr.value == 0)


def _is_none(expr: s.Expr) -> bool:
    return isinstance(expr, s.Constant) and expr.value is None

"""What a file does with the threads, timers and processes that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Place
from ..names import Names
from .handlers import Handlers
from .life_paths import home_of, is_false
from .running import Running, Worker
from .values import Use, ValueFlow

_NEUTRAL_METHODS = frozenset({"start", "setDaemon", "setName", "getName", "isDaemon", "__init__"})
_NEUTRAL_ATTRIBUTES = frozenset({"daemon", "name", "ident", "native_id", "pid", "__class__"})
_ENDINGS = frozenset({"terminate", "kill"})


class WorkerUse(NamedTuple):
    """All uses of one worker, and what they come to."""

    worker: Worker
    home: s.Expr | None
    """The name or attribute it is first stored in."""
    uses: tuple[Use, ...]
    is_daemon: bool
    is_started: bool
    is_kept: bool
    """Whether a container holds it."""
    seen_to: list[Use]
    """Those that wait for it, cancel it, ask how it is, or give it to somebody who could."""

    def calls(self, *methods: str) -> list[Use]:
        """The uses that call one of these methods."""
        return [use for use in self.uses if use.kind == "method" and use.name in methods]


class _Summary(NamedTuple):
    is_daemon: bool
    is_started: bool
    is_kept: bool
    seen_to: list[Use]


class WorkerUses:
    """Answers for every worker of a module."""

    def __init__(self, names: Names, handlers: Handlers, running: Running, values: ValueFlow) -> None:
        self.names = names
        self._handlers = handlers
        self._running = running
        self._values = values
        self._summaries: dict[tuple[int, bool], tuple[tuple[Use, ...], _Summary]] = {}
        self._known: dict[s.Call, WorkerUse] = {}

    def all(self, *kinds: str) -> Iterator[WorkerUse]:
        """The workers of these kinds, all of them where none is given."""
        for worker in self._running.workers:
            if not kinds or worker.kind in kinds:
                yield self.of(worker)

    def of(self, worker: Worker) -> WorkerUse:
        """What is done with ``worker``."""
        known = self._known.get(worker.call)
        if known is None:
            uses = self._values.uses(worker.call)
            summary = self._summary(uses, worker.kind == "process")
            started = summary.is_started or self.starts_itself(worker)
            daemon = summary.is_daemon or self._may_be_daemon(worker)
            home = home_of(worker.call)
            known = WorkerUse(worker, home, uses, daemon, started, summary.is_kept, summary.seen_to)
            self._known[worker.call] = known
        return known

    def _summary(self, uses: tuple[Use, ...], is_process: bool) -> _Summary:
        _uses, known = self._summaries.get((id(uses), is_process), (uses, None))
        if known is None:
            known = _Summary(
                any(self._makes_daemon(use) for use in uses),
                any(use.kind == "method" and use.name == "start" for use in uses),
                any(use.kind == "keep" for use in uses),
                [use for use in uses if sees_to(use) and not (is_process and self._is_no_wait(use))],
            )
            self._summaries[id(uses), is_process] = uses, known  # kept, so that no other tuple gets its id
        return known

    def is_unwaited_daemon(self, worker: Worker) -> bool:
        """Whether the worker is a daemon, for certain, that nothing in this file joins or hands to anybody."""
        use = self.of(worker)
        given = worker.call.keyword("daemon")
        is_daemon = isinstance(given, s.Constant) and not is_false(given)
        return (is_daemon or any(self._makes_daemon(each) for each in use.uses)) and not use.seen_to

    @cached_property
    def joins_all_threads(self) -> bool:
        """Whether the file joins what ``threading.enumerate()`` lists, or calls what is declared to join workers."""
        return self._calls_joiner or any(
            use.kind == "method" and use.name == "join"
            for call in self.names.module.all(s.Call)
            if self.names.qualified(call.func) == "threading.enumerate"
            for use in self._values.item_uses(call)
        )

    @cached_property
    def reaps_all_processes(self) -> bool:
        """Whether the file looks after all child processes at once: ``active_children()``, ``os.waitpid()``."""
        if self._calls_joiner:
            return True
        calls = self.names.catalog.calls
        reapers = calls["reapers"] | calls["process_reapers"]
        last_names = {name.rpartition(".")[2] for name in reapers}
        named: list[s.Name | s.Attribute] = [*self.names.module.all(s.Name), *self.names.module.all(s.Attribute)]
        return any(s.last_name(node) in last_names and self.names.qualified(node) in reapers for node in named)

    @cached_property
    def _calls_joiner(self) -> bool:
        joiners = self.names.catalog.calls["joiners"]
        return bool(joiners) and any(self.names.is_call_of(call, joiners) for call in self.names.module.all(s.Call))

    def _is_no_wait(self, use: Use) -> bool:
        """Whether a use of a process ends it without waiting until it has ended."""
        return use.kind == "method" and use.name in _ENDINGS

    @staticmethod
    def _makes_daemon(use: Use) -> bool:
        if use.kind == "set" and use.name == "daemon" and isinstance(use.node, s.Assign):
            return not is_false(use.node.value)
        if use.kind == "method" and use.name == "setDaemon" and isinstance(use.node, s.Call):
            return not is_false(use.node.positional(0))
        return False

    def _may_be_daemon(self, worker: Worker) -> bool:
        daemon = worker.call.keyword("daemon")
        if daemon is not None and not is_false(daemon):
            return True
        if worker.subclass is None:
            return worker.call.has_star or self._created_by_daemon(worker.call)
        for info in self.names.mro(worker.subclass):
            for binding in info.attributes.get("daemon", ()):
                if not is_false(binding.value):
                    return True
            for node in s.walk(info.node):
                if isinstance(node, s.Call):
                    given = node.keyword("daemon")
                    if given is not None and not is_false(given):
                        return True
                    if isinstance(node.func, s.Attribute) and node.func.attr == "setDaemon":
                        return True
        return self._created_by_daemon(worker.call)

    def _created_by_daemon(self, call: s.Call) -> bool:
        """Whether the code that makes it runs only in daemon threads, whose threads are daemons too."""
        function = s.enclosing_function(call)
        if function is None:
            return False
        makers = [w for w in self._running.workers if w.call is not call and function in self._running.targets(w)]
        return bool(makers) and all(
            (given := maker.call.keyword("daemon")) is not None and not is_false(given) for maker in makers
        )

    def starts_itself(self, worker: Worker) -> bool:
        """Whether the constructor of its class starts it."""
        if worker.subclass is None:
            return False
        own = Place(("self", worker.subclass), ())
        return any(
            isinstance(node, s.Call)
            and isinstance(node.func, s.Attribute)
            and node.func.attr == "start"
            and self.names.place(node.func.value) in (own, Place(("self", s.enclosing_class(node)), ()))
            for function in self._constructing(worker.subclass)
            for node in s.own_nodes(function)
        )

    def is_inert(self, subclass: s.ClassDef) -> bool:
        """Whether making an instance of a class tells nobody of it, and nothing in another file takes part."""
        if self.names.is_open(subclass) or any(info.node.decorators for info in self.names.mro(subclass)):
            return False
        if self.names.method(subclass, "__new__") is not None or self.names.method(subclass, "start") is not None:
            return False
        if any(argument.keyword is not None for info in self.names.mro(subclass) for argument in info.node.bases):
            return False
        return not any(
            isinstance(node, s.Name) and self.names.self_of(node) is not None and not _is_of_self(node)
            for function in self._constructing(subclass)
            for node in s.own_nodes(function)
        )

    def _constructing(self, subclass: s.ClassDef) -> list[s.Function]:
        """The constructors of a class and its bases in the file, and the methods that they call."""
        work = [info.attributes["__init__"] for info in self.names.mro(subclass) if "__init__" in info.attributes]
        functions = [b.node for bindings in work for b in bindings if isinstance(b.node, s.Function)]
        for function in functions:  # which grows
            for node in s.own_nodes(function):
                if isinstance(node, s.Call) and isinstance(node.func, s.Attribute):
                    if isinstance(node.func.value, s.Name) and self.names.self_of(node.func.value) is not None:
                        own = self.names.method(subclass, node.func.attr)
                        if own is not None and own not in functions:
                            functions.append(own)
        return functions

    def handles_its_errors(self, worker: Worker) -> bool:
        """Whether everything the worker runs is in this file, and sees to what goes wrong in it.

        What a thread does with errors in its main part counts for all of it; a process has its exit code to tell.
        """
        target = self._running.target_of(worker.call, worker.instance)
        if worker.kind == "timer" and isinstance(target, s.Attribute) and target.attr == "set":
            return True  # a timer that sets an event: nothing can go wrong in it
        targets = self._running.targets(worker)
        judge = self._handlers.answers_for_itself if worker.kind == "process" else self._sees_to_errors
        return bool(targets) and all(map(judge, targets))

    def _sees_to_errors(self, function: s.Function) -> bool:
        return self._handlers.answers_for_itself(function) or self._handlers.deals_with_errors(function)


def sees_to(use: Use) -> bool:
    """Whether a use waits for the worker, cancels it, or gives it to somebody who could."""
    if use.kind == "method":
        return use.name not in _NEUTRAL_METHODS
    if use.kind == "attribute":
        return use.name not in _NEUTRAL_ATTRIBUTES or _asks_whether_started(use)
    return use.kind not in ("set", "test", "keep", "dropped")


def _asks_whether_started(use: Use) -> bool:
    """Whether ``thread.ident is not None`` or the like is a test."""
    parent = use.node.parent
    return use.name in ("ident", "native_id", "pid") and isinstance(
        parent, (s.Compare, s.Not, s.BoolOp, s.If, s.While, s.IfExp)
    )


def _is_of_self(name: s.Name) -> bool:
    """Whether ``self`` only stands before a dot, or goes to a base's method: ``super(Base, self).__init__()``."""
    parent = name.parent
    if isinstance(parent, s.Attribute):
        return not (parent.attr == "run" and not isinstance(parent.parent, s.Call))
    call = parent.parent if isinstance(parent, s.Argument) else None
    if not isinstance(call, s.Call):
        return False
    func = call.func
    return (isinstance(func, s.Name) and func.id == "super") or (
        isinstance(func, s.Attribute) and func.attr.startswith("__") and call.positional(0) is name
    )

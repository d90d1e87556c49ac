"""The functions that must end before a wait does, and what the locks they take are called where it waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import Instance, LocalClass, LocalInstance, Place
from ..scopes import BindingKind
from .objects import Objects, Tracked
from .running import Running, Worker
from .waiting import Wait

_SUBMITS = ("submit", "map", "apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "create_task")


class Awaited(NamedTuple):
    """A function that runs elsewhere, and how it came to."""

    function: s.Function
    made: s.Node | None
    """The call that makes the thread, submits the task or calls the coroutine function; ``None`` for ``self``."""
    target: s.Expr | None
    """The expression by which that names the function; ``None`` for the ``run()`` of a worker class."""
    given: dict[str, s.Expr]
    """What it is called with, as far as that can be seen; for a worker class, what its ``__init__`` is."""
    stands_for: s.Expr | None
    """The expression that stands for the thread or task where it is waited for."""


class AwaitedCode:
    """Finds what the waits of a module wait for."""

    def __init__(self, objects: Objects, running: Running) -> None:
        self._objects = objects
        self._running = running
        self._names = self.names = running.names
        self._by_call: dict[str, dict[s.Node, list[Tracked]]] = {}
        self._workers = {worker.call: worker for worker in running.workers}
        self._submitted: dict[s.Expr, list[Awaited]] = {}

    def tracked(self, wait: Wait) -> list[Tracked]:
        """The objects that the wait may be for."""
        if wait.instance is None:
            return []
        kind = wait.instance.type.kind
        index = self._by_call.get(kind)
        if index is None:
            index = self._by_call[kind] = {}
            for tracked in self._objects.made(kind):
                nodes: set[s.Node] = {op.call for op in tracked.operations.values() if op.call is not None}
                for node in (*nodes, *tracked.receivers):
                    index.setdefault(node, []).append(tracked)
        return index.get(wait.node, [])

    def alternatives(self, wait: Wait) -> Iterator[list[Awaited]]:
        """The functions that must end; of each list, any one: nobody can tell which it is."""
        kind = "" if wait.instance is None else wait.instance.type.kind
        if kind in ("thread", "timer", "process"):
            yield from self._one_or_each(wait.of, list(self._of_workers(wait)))
        elif kind in ("future", "async_result", "task"):
            yield from self._one_or_each(wait.of, [a for e in wait.of for a in self._of_tasks(e)])
        elif kind in ("thread_executor", "thread_pool", "process_executor", "process_pool", "task_group"):
            if isinstance(wait.node, s.Call) and wait.method in ("map", "starmap", "apply"):
                yield from ([found] for found in self._submits(wait.node))
            else:
                for tracked in self.tracked(wait):
                    yield from ([found] for found in self._all_submitted(tracked))
        elif kind == "queue" and wait.method == "join":
            waiter = s.enclosing_function(wait.node)
            for tracked in self.tracked(wait):
                for operation in tracked.named("task_done"):
                    function = s.enclosing_function(operation.where)
                    if function is not None and function is not waiter:
                        yield [Awaited(function, None, None, {}, None)]
        elif not kind:
            for expr in wait.of:
                inner = expr.value if isinstance(expr, s.Starred) else expr
                yield from ([found] for found in self._of_tasks(inner))

    def _one_or_each(self, of: tuple[s.Expr, ...], found: list[Awaited]) -> Iterator[list[Awaited]]:
        """One list for a variable that is assigned several things, a list each for the items of a container."""
        if any(self._is_assigned_twice(expr) for expr in of):
            yield found
        else:
            yield from ([awaited] for awaited in found)

    def _is_assigned_twice(self, expr: s.Expr) -> bool:
        if isinstance(expr, s.Attribute):
            kinds = self._names.kinds(expr.value)
            bindings = [
                binding
                for kind in kinds
                if isinstance(kind, (LocalInstance, LocalClass))
                for binding in self._names.attribute_bindings(kind.node, expr.attr)
            ]
        else:
            looked = self._names.scopes.lookup(expr.id, expr) if isinstance(expr, s.Name) else None
            bindings = [] if looked is None else looked[1]
        made = [b for b in bindings if b.kind is BindingKind.ASSIGN and not isinstance(b.value, s.Constant)]
        return len(made) > 1

    # ---- workers

    def _of_workers(self, wait: Wait) -> Iterator[Awaited]:
        seen: set[s.Node] = set()
        for tracked in self.tracked(wait):
            if tracked.made is not None and tracked.made not in seen:
                seen.add(tracked.made)
                yield from self._of_worker(tracked.made, wait.of)
        for expr in wait.of:
            for kind in self._names.kinds(expr):
                if isinstance(kind, Instance) and kind.made_at is not None and kind.made_at not in seen:
                    seen.add(kind.made_at)
                    yield from self._of_worker(kind.made_at, wait.of)
                elif isinstance(kind, LocalInstance) and not seen:
                    run = self._names.method(kind.node, "run")
                    if run is not None:
                        seen.add(kind.node)
                        yield Awaited(run, None, None, {}, expr)

    def _of_worker(self, made: s.Node, of: tuple[s.Expr, ...]) -> Iterator[Awaited]:
        worker = self._workers.get(made) if isinstance(made, s.Call) else None
        stands_for = of[0] if of else None
        for function in () if worker is None else self._running.targets(worker):
            if worker is not None:
                target = self._running.target_of(worker.call, worker.instance)
                own = worker.subclass is not None and self._names.method(worker.subclass, "run") is function
                given = self._init_arguments(worker) if own else self._worker_arguments(worker, function)
                yield Awaited(function, made, None if own else target, given, stands_for)

    def _worker_arguments(self, worker: Worker, function: s.Function) -> dict[str, s.Expr]:
        """What ``Thread(target=f, args=..., kwargs=...)`` calls ``f`` with."""
        at = 2 if worker.kind == "timer" else 3
        args, kwargs = worker.call.argument(at, "args"), worker.call.argument(at + 1, "kwargs")
        values = args.elements if isinstance(args, s.Display) else []
        given = self._by_position(function, values)
        if isinstance(kwargs, s.DictDisplay):
            for key, value in zip(kwargs.keys, kwargs.values, strict=True):
                if isinstance(key, s.Constant) and isinstance(key.value, str):
                    given[key.value] = value
        return given

    def _init_arguments(self, worker: Worker) -> dict[str, s.Expr]:
        init = None if worker.subclass is None else self._names.method(worker.subclass, "__init__")
        return {} if init is None else self._call_arguments(init, worker.call, 0)

    def _call_arguments(self, function: s.Function, call: s.Call, first: int) -> dict[str, s.Expr]:
        """What the arguments of ``call`` from ``first`` on are to ``function``."""
        positional = [argument for argument in call.args if argument.keyword is None]
        if any(argument.star for argument in positional):
            return {}
        given = self._by_position(function, [argument.value for argument in positional[first:]])
        given.update((argument.keyword, argument.value) for argument in call.args if argument.keyword is not None)
        return given

    def _by_position(self, function: s.Function, values: list[s.Expr]) -> dict[str, s.Expr]:
        shift = 0 if function.is_lambda or self._names.self_class(function) is None else 1
        params = [p.name for p in function.params if p.kind in ("posonly", "normal")][shift:]
        given: dict[str, s.Expr] = {}
        for name, value in zip(params, values, strict=False):
            if isinstance(value, s.Starred):
                break
            given[name] = value
        return given

    # ---- tasks

    def _of_tasks(self, expr: s.Expr) -> Iterator[Awaited]:
        """The functions behind a future or task, a container of such, or a coroutine."""
        if isinstance(expr, s.Call):
            functions = self._names.functions(expr.func)
            for function in functions:
                if function.is_async and not function.is_generator:
                    yield Awaited(function, expr, expr.func, self._call_arguments(function, expr, 0), None)
            if any(function.is_async for function in functions):
                return  # what a coroutine returns, a task of itself perhaps, is not what awaiting it waits for
        if isinstance(expr, (s.Display, s.Comprehension)):
            for element in expr.elements if isinstance(expr, s.Display) else [expr.element]:
                yield from self._of_tasks(element)
            return
        for kind in self._names.kinds(expr):
            for inner in getattr(kind, "elements", (kind,)):
                made = inner.made_at if isinstance(inner, Instance) else None
                if isinstance(made, s.Call):
                    yield from self._submits(made)

    def _all_submitted(self, tracked: Tracked) -> list[Awaited]:
        key = tracked.made
        known = None if key is None else self._submitted.get(key)
        if known is None:
            calls = [operation.call for operation in tracked.named(*_SUBMITS)]
            known = [found for call in calls if call is not None for found in self._submits(call)]
            if key is not None:
                self._submitted[key] = known
        return known

    def _submits(self, call: s.Call) -> Iterator[Awaited]:
        """The functions that ``submit(f, ...)``, ``apply_async(f, (...))``, ``create_task(f(...))`` run."""
        task = call.positional(0)
        if task is None:
            return
        if isinstance(task, s.Call) and any(f.is_async for f in self._names.functions(task.func)):
            yield from self._of_tasks(task)
            return
        method = s.last_name(call.func)
        for function in self._names.functions(task):
            if function.is_async or function.is_generator:
                continue
            given: dict[str, s.Expr] = {}
            if method == "submit":
                given = self._call_arguments(function, call, 1)
            elif method in ("apply_async", "apply"):
                args = call.argument(1, "args")
                given = self._by_position(function, args.elements if isinstance(args, s.Display) else [])
            yield Awaited(function, call, task, given, None)

    # ---- the lock of the one, as the other sees it

    def seen(self, place: Place, awaited: Awaited, waiter: s.Node) -> Iterator[Place]:
        """What code around ``waiter`` calls the lock at ``place`` of an awaited function."""
        root = place.root
        if root[0] == "local":
            scope = getattr(root[1], "node", None)
            if scope is awaited.function:
                value = awaited.given.get(str(root[2]))
                home = None if value is None else self._names.place(value)
                if home is not None:
                    yield home.join(*place.path)
            elif _is_around(scope, waiter):
                yield place
        elif root[0] == "self":
            yield from self._from_self(place, awaited, waiter)
        else:
            yield place

    def _from_self(self, place: Place, awaited: Awaited, waiter: s.Node) -> Iterator[Place]:
        names = self._names
        owner = names.self_class(awaited.function)
        if owner is None:  # a function inside a method, which has the `self` of the one around it
            yield from self._same_object(place, awaited, waiter)
        elif awaited.target is not None:
            method = names.bound_method(awaited.target)
            base = None if method is None else names.place(method.value)
            if base is not None and base.root[0] == "self" and not base.path:
                yield from self._same_object(place, awaited, waiter)
            elif base is not None and _is_around(getattr(base.root[1], "node", names.module), waiter):
                yield base.join(*place.path)
        elif awaited.stands_for is not None:  # the thread is the object itself
            base = names.place(awaited.stands_for)
            if base is not None:
                yield place if base.root[0] == "self" and not base.path else base.join(*place.path)
            value = self._made_with(place, owner, awaited)
            home = None if value is None else names.place(value)
            if home is not None:
                yield home.join(*place.path[1:])
        else:
            yield place

    def _same_object(self, place: Place, awaited: Awaited, waiter: s.Node) -> Iterator[Place]:
        """The lock of the object whose method made the thread, for whoever waits for what that object keeps."""
        base = None if awaited.stands_for is None else self._names.place(awaited.stands_for)
        if base is None or (base.root[0] == "local" and not base.path) or base.root[0] == "global":
            if self._is_within(place, waiter):
                yield place
            return
        kept = [part for part in base.path if not part.startswith("[")]
        if len(kept) > 1 or base.root[0] == "local":
            yield Place(base.root, (*kept[:-1], *place.path))
        elif base.root[0] != "self" or self._is_within(place, waiter):
            yield place

    def _is_within(self, place: Place, waiter: s.Node) -> bool:
        """Whether ``waiter`` stands in a method of an object that has the lock of ``self`` at ``place``."""
        for parent in s.ancestors(waiter):
            owner = self._names.self_class(parent) if isinstance(parent, s.Function) else None
            if owner is not None:
                return any(info.node is place.root[1] for info in self._names.mro(owner))
        return False

    def _made_with(self, place: Place, owner: s.ClassDef, awaited: Awaited) -> s.Expr | None:
        """The argument of a worker class's constructor that becomes the attribute at ``place``."""
        bindings = self._names.attribute_bindings(owner, place.path[0]) if place.path else []
        value = bindings[0].value if len(bindings) == 1 else None
        function = s.enclosing_function(bindings[0].node) if len(bindings) == 1 else None
        if not isinstance(value, s.Name) or function is None or function.name != "__init__":
            return None
        return awaited.given.get(value.id) if any(param.name == value.id for param in function.params) else None


def _is_around(scope: object, node: s.Node) -> bool:
    return isinstance(scope, s.Module) or any(parent is scope for parent in s.ancestors(node))

"""What is done to workers when it cannot work: joined before they start, started twice, joined by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import Move, Reached, explore
from ..kinds import Place
from .conditions import Conditions, bound_place
from .expected import is_expected
from .flow import Flow
from .life_paths import Life, LifeState
from .running import Running, Worker
from .witness import Witness
from .worker_starts import has_several
from .worker_uses import WorkerUse, WorkerUses

_HANDED_OVER = frozenset({"argument", "return", "await", "iterate", "with", "wait", "keep", "escape"})
_DEEPEST_CALL = 3


class Misordered(NamedTuple):
    """A call that raises because of what was, or was not, called before it."""

    call: s.Call
    receiver: s.Expr
    how: str
    """``unstarted`` (joined before it is started), ``twice`` (started again) or ``itself`` (joins itself)."""
    kind: str
    """``thread``, ``timer`` or ``process``."""
    path: Witness | None


class _OrderTransfer:
    def __init__(self, flow: Flow, made: s.Call, place: Place, conditions: Conditions) -> None:
        self._names = flow.names
        self._made = made
        self._place = place
        self._conditions = conditions

    def leave(self, step: Step, edge: Edge, state: LifeState) -> Iterable[LifeState]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            return () if known is None else (state._replace(known=known),)
        if step.kind is StepKind.CALL and self.is_call(step, "start") and state.life is Life.MADE:
            return (state._replace(life=Life.STARTED),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
            if step.target is not None and bound_place(self._names, step.target) == self._place:
                return (state._replace(life=Life.MADE if step.value is self._made else Life.NONE),)
        return (state,)

    def raised(self, step: Step, state: LifeState) -> Iterable[LifeState]:
        return (state,)

    def is_call(self, step: Step, method: str) -> bool:
        func = step.node.func if isinstance(step.node, s.Call) else None
        return isinstance(func, s.Attribute) and func.attr == method and self._names.place(func.value) == self._place


class WorkerOrder:
    """Answers for every worker of a module."""

    def __init__(self, flow: Flow, running: Running, uses: WorkerUses) -> None:
        self._flow = flow
        self._names = flow.names
        self._running = running
        self._uses = uses

    def misordered(self) -> Iterator[Misordered]:
        """The calls that raise on every path that leads to them."""
        for use in self._uses.all():
            yield from self._on_paths(use)
        yield from self._joining_themselves()

    # ---- joined before started, started twice

    def _on_paths(self, use: WorkerUse) -> Iterator[Misordered]:
        made, home = use.worker.call, use.home
        scope = s.enclosing_scope(made)
        place = bound_place(self._names, home) if isinstance(home, (s.Name, s.Attribute)) else None
        if place is None or not self._is_followed(use, place, scope) or not self._flow.affords(scope):
            return
        graph = self._flow.graph(scope)
        calls = {u.node for u in use.calls("start", "join")}
        conditions = Conditions(self._names, graph, {*map(s.statement_of, calls), made}, set())
        transfer = _OrderTransfer(self._flow, made, place, conditions)
        reached = explore(graph, LifeState(Life.NONE, conditions.at_entry), transfer)
        if not reached.complete:
            return
        states: dict[s.Node, list[tuple[int, LifeState]]] = {}
        for step, state in reached.pairs():
            if step.kind is StepKind.CALL and step.node in calls:
                states.setdefault(step.node, []).append((step.id, state))
        for call, ways in states.items():
            assert isinstance(call, s.Call)
            found = None if is_expected(self._flow, call) or use.calls("run") else self._judged(reached, call, ways)
            if found is not None:
                how, path = found
                receiver = call.func.value if isinstance(call.func, s.Attribute) else call.func
                yield Misordered(call, receiver, how, use.worker.kind, Witness(path))

    def _judged(
        self, reached: Reached[LifeState], call: s.Call, ways: list[tuple[int, LifeState]]
    ) -> tuple[str, list[Move]] | None:
        """What is wrong with a call that is come to in all these ways, and by which path."""
        lives = {state.life for _, state in ways}
        number, state = ways[0]
        if s.last_name(call.func) == "join":
            return ("unstarted", reached.path(number, state)) if lives == {Life.MADE} else None
        if lives == {Life.STARTED}:
            return "twice", reached.path(number, state)
        if lives == {Life.MADE, Life.STARTED}:
            for number, state in ways:
                path = self._each_round(reached, number, state) if state.life is Life.STARTED else None
                if path:
                    return "twice", path
        return None

    def _each_round(self, reached: Reached[LifeState], number: int, state: LifeState) -> list[Move]:
        """The way from ``start()`` back to itself, where the next round of a loop always comes there."""
        moves = reached.path(number, state, since=number)
        if not moves or moves[0].step.id != number:
            return []
        for move in moves:
            node = move.step.node
            if move.label is Label.EXCEPTION or move.step.kind is StepKind.RAISE:
                return []
            if move.step.kind is StepKind.BRANCH and not self._is_forever(node):
                return []
            if isinstance(node, s.For) and not has_several(node.iter):
                return []
        return moves

    @staticmethod
    def _is_forever(test: s.Node) -> bool:
        return isinstance(test, s.Constant) and isinstance(s.statement_of(test), s.While)

    def _is_followed(self, use: WorkerUse, place: Place, scope: s.Scope) -> bool:
        """Whether all that could start it stands in ``scope``."""
        if use.worker.subclass is not None and not self._is_plain(use.worker):
            return False
        if self._uses.starts_itself(use.worker):
            return False
        if isinstance(use.home, s.Attribute) and self._names.is_of_shared_class(use.worker.call):
            return False
        for one in use.uses:
            here = s.enclosing_scope(one.origin) is scope
            if one.kind in _HANDED_OVER or (one.kind == "attribute" and one.name in ("start", "join")):
                return False
            if one.kind == "method":
                if not here and (one.name != "join" or isinstance(use.home, s.Name)):
                    return False
                if here and self._names.place(one.origin) != place:
                    return False
        return True

    def _is_plain(self, worker: Worker) -> bool:
        """Whether ``start`` and ``join`` of its class are those of the library."""
        node = worker.subclass
        if node is None:
            return True
        own = any(self._names.method(node, name) is not None for name in ("start", "join"))
        return not own and not self._names.is_open(node)

    # ---- joins itself

    def _joining_themselves(self) -> Iterator[Misordered]:
        found: dict[s.Call, Misordered] = {}
        for call in self._names.module.all(s.Call):
            func = call.func
            if isinstance(func, s.Attribute) and func.attr == "join" and self._is_current(func.value):
                instance = self._names.instance(func.value)
                kind = "thread" if instance is None else instance.type.kind
                found[call] = Misordered(call, func.value, "itself", kind, None)
        for node in self._names.module.classes:
            base = self._names.api_base(node)
            run = self._names.method(node, "run")
            if base is None or run is None or base.type.kind not in ("thread", "process", "timer"):
                continue
            if self._names.method(node, "join") is None:
                for call in self._joins(run, Place(("self", node), ())):
                    assert isinstance(call.func, s.Attribute)
                    found.setdefault(call, Misordered(call, call.func.value, "itself", base.type.kind, None))
        for place, (kind, function) in self._attributes_of_their_own().items():
            for call in self._joins(function, place):
                assert isinstance(call.func, s.Attribute)
                found.setdefault(call, Misordered(call, call.func.value, "itself", kind, None))
        yield from (misordered for call, misordered in found.items() if not is_expected(self._flow, call))

    def _is_current(self, expr: s.Expr) -> bool:
        value = self._names.sole_value(expr) if isinstance(expr, s.Name) else expr
        return value is not None and self._names.is_call_of(value, self._names.catalog.calls["current_workers"])

    def _attributes_of_their_own(self) -> dict[Place, tuple[str, s.Function]]:
        """The attributes that hold a worker whose target is one method of the same object, and that method."""
        found: dict[Place, set[tuple[str, s.Function | None]]] = {}
        for worker in self._running.workers:
            target = self._running.target_of(worker.call, worker.instance)
            assign = worker.call.parent
            for home in assign.targets if isinstance(assign, s.Assign) else ():
                place = self._names.handle(home) if isinstance(home, s.Attribute) else None
                if place is None or place.root[0] != "self" or len(place.path) != 1:
                    continue
                functions = [] if target is None else self._names.functions(target)
                receiver = target.value if isinstance(target, s.Attribute) else None
                own = receiver is not None and self._names.handle(receiver) == Place(place.root, ())
                function = functions[0] if own and len(functions) == 1 and worker.subclass is None else None
                found.setdefault(place, set()).add((worker.kind, function))
        out: dict[Place, tuple[str, s.Function]] = {}
        for place, runs in found.items():
            kind, sole = next(iter(runs))
            if len(runs) == 1 and sole is not None and self._holds_only_these(place):
                out[place] = kind, sole
        return out

    def _holds_only_these(self, place: Place) -> bool:
        owner = place.root[1]
        assert isinstance(owner, s.ClassDef)
        made = {worker.call for worker in self._running.workers}
        values = [binding.value for binding in self._names.attribute_bindings(owner, place.path[0])]
        return all(value in made or isinstance(value, s.Constant) for value in values if value is not None)

    def _joins(self, function: s.Function, place: Place, deep: int = 0) -> Iterator[s.Call]:
        """The calls of ``join`` on what is at ``place`` that ``function`` comes to, where nobody asks who runs."""
        calls = [node for node in s.own_nodes(function) if isinstance(node, s.Call)]
        if any(self._names.qualified(call.func) in self._names.catalog.calls["identities"] for call in calls):
            return
        for call in calls:
            func = call.func
            if not isinstance(func, s.Attribute) or is_expected(self._flow, call):
                continue
            if func.attr == "join" and self._names.place(func.value) == place:
                yield call
            elif deep < _DEEPEST_CALL and self._names.handle(func.value) == Place(place.root, ()):
                for callee in self._names.functions(func):
                    elsewhere = callee.is_async or callee.is_generator or callee.decorators
                    if callee is not function and not elsewhere:
                        yield from self._joins(callee, place, deep + 1)

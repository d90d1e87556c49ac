"""Typestate of locks: along which paths a lock is held, released twice, or left held.

One place at a time is followed through the flow graph of one function. The count is relative to the caller: 0 on
entry, +1 for each acquire, -1 for each release, so that an un-lock section (``release(); ...; acquire()``) is as
natural as a lock section.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Graph, Label, Level, Step, StepKind
from ..dataflow import EVERYWHERE, INTERRUPTED, LIKELY, Move, Reached, explore
from ..kinds import Instance, Place
from .conditions import RETURN, Conditions, Known, bound_place
from .flow import Flow
from .locks import Action, LockOp, LockUses
from .witness import Witness

_HANDED_OVER = 99
_NOT_HELD_ERRORS = frozenset({"RuntimeError", "ValueError", "AssertionError", "Exception", "BaseException"})
_NO_SITE = -1
_NEVER_RAISE = frozenset({StepKind.BRANCH, StepKind.YIELD, StepKind.CALL, StepKind.ENTER, StepKind.LEAVE})


class Last(Enum):
    """What last became of the lock on a path on which it is not held."""

    UNTOUCHED = "untouched"
    RAISED = "raised"
    """An exception came before any acquire."""
    NOT_ACQUIRED = "not acquired"
    """An acquire was tried and failed, or raised."""
    RELEASED = "released"


class LockState(NamedTuple):
    held: int
    """How often it is acquired, relative to the function's entry."""
    site: int
    """The step of the last acquire."""
    last: Last
    known: Known


class Exit(Enum):
    """How a path leaves the function, or keeps going, with the lock held."""

    RETURN = "return"
    EXCEPTION = "exception"
    AGAIN = "again"
    """Back to the same acquire, in a loop."""


class Leak(NamedTuple):
    """An acquire after which some path leaves with the lock held."""

    op: LockOp
    how: Exit
    path: Witness
    """From the acquire to the end of the function."""
    released_somewhere: bool
    """Whether this function releases the lock on another path."""


class Pair(NamedTuple):
    """An acquire and its release outside ``finally``, with nothing likely to raise between them."""

    op: LockOp
    release: s.Call


class BadRelease(NamedTuple):
    """A release on a path on which the lock is not held."""

    op: LockOp
    last: Last
    path: Witness


class Effect(NamedTuple):
    """What a call of a function does to a lock that its caller can see."""

    place: Place
    action: Action
    instance: Instance | None


class _LockTransfer:
    """The transfer function for one place."""

    def __init__(self, uses: LockUses, flow: Flow, graph: Graph, place: Place, conditions: Conditions) -> None:
        self._uses = uses
        self._flow = flow
        self._graph = graph
        self._place = place
        self._conditions = conditions
        self._ops: dict[int, LockOp] = {}
        for step in graph.steps:
            op = self._op(step)
            if op is not None:
                self._ops[step.id] = op

    def op(self, step: Step) -> LockOp | None:
        """The lock operation that ``step`` performs."""
        return self._ops.get(step.id)

    def _op(self, step: Step) -> LockOp | None:
        node: s.Node = step.node
        if step.kind is StepKind.AWAIT and isinstance(node, s.Await):
            node = node.value
            if isinstance(node, s.Call) and node not in self._uses.ops:  # await wait_for(lock.acquire(), 1)
                first = node.positional(0)
                node = first if isinstance(first, s.Call) else node
        elif step.kind is not StepKind.CALL:
            return None
        if not isinstance(node, s.Call):
            return None
        for op in self._uses.ops.get(node, ()):
            if op.place == self._place:
                awaited = self._uses.result_node(node)
                if step.node is awaited:
                    return op
        return None

    def leave(self, step: Step, edge: Edge, state: LockState) -> Iterable[LockState]:
        kind = step.kind
        if kind is StepKind.CALL or kind is StepKind.AWAIT:
            return self._called(step, state)
        if kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None or (edge.label is Label.FALSE and self._asks_locked(step.node) and 0 < state.held < 4):
                return ()
            return (state._replace(known=known),)
        if kind is StepKind.BIND:
            return (self._bound(step, state),)
        if kind is StepKind.ENTER and isinstance(step.node, s.WithItem):
            if self._uses.withs.get(step.node) == self._place:
                return (self._acquired(step, state),)
        elif kind is StepKind.LEAVE and isinstance(step.node, s.WithItem):
            if self._uses.withs.get(step.node) == self._place:
                return (self._released(state),)
        elif kind is StepKind.RETURN and isinstance(step.node, s.Return):
            return (self._returned(step.node, state),)
        elif kind is StepKind.YIELD and state.held > 0 and self._uses.hands_over(step.node, self._place):
            return (state._replace(held=_HANDED_OVER),)
        return (state,)

    def raised(self, step: Step, state: LockState) -> Iterable[LockState]:
        if step.level is Level.NEVER and step.kind in _NEVER_RAISE:
            return ()  # however pessimistic one is
        if step.kind is StepKind.EVAL and isinstance(step.node, s.Expr) and self._names_it(step.node):
            return ()  # `locks[key]` has been looked up before
        op = self._ops.get(step.id)
        if op is None:
            if step.kind is StepKind.LEAVE and isinstance(step.node, s.WithItem):
                if self._uses.withs.get(step.node) == self._place:
                    return (self._released(state),)
            if step.kind is StepKind.CALL and state.held > 0 and self._uses.hands_over(step.node, self._place):
                return (state._replace(held=_HANDED_OVER),)
            if state.held == 0 and state.last is Last.UNTOUCHED:
                return (state._replace(last=Last.RAISED),)
            return (state,)
        if op.action is Action.RELEASE:
            return (self._released(state),)
        if step.cleanup:
            return ()  # taking it again at the end of an un-lock section, which nothing can protect
        if state.held == 0:
            return (state._replace(last=Last.NOT_ACQUIRED),)
        return (state,)

    def _called(self, step: Step, state: LockState) -> Iterable[LockState]:
        op = self._ops.get(step.id)
        if op is None:
            if state.held > 0 and self._uses.hands_over(step.node, self._place):
                return (state._replace(held=_HANDED_OVER),)
            return (state,)
        if op.action is Action.RELEASE:
            return (self._released(state),)
        held = self._acquired(step, state)
        if not self._uses.result_used(op.call):
            return (held,)
        key = ("result", self._uses.result_node(op.call))
        if op.action is Action.ACQUIRE:
            return (held._replace(known=self._conditions.learn(held.known, key, True)),) if op.direct else (held,)
        missed = state._replace(known=self._conditions.learn(state.known, key, False))
        if state.held == 0:
            missed = missed._replace(last=Last.NOT_ACQUIRED)
        return held._replace(known=self._conditions.learn(held.known, key, True)), missed

    def _names_it(self, expr: s.Expr) -> bool:
        return self._flow.names.place(expr) == self._place

    def _asks_locked(self, test: s.Node) -> bool:
        """Whether ``test`` is ``lock.locked()``, which is true while this function holds the lock."""
        if not isinstance(test, s.Call) or not isinstance(test.func, s.Attribute) or test.func.attr != "locked":
            return False
        return self._names_it(test.func.value)

    def _acquired(self, step: Step, state: LockState) -> LockState:
        if state.held == _HANDED_OVER:
            return state
        return state._replace(held=min(state.held + 1, 3), site=step.id, last=Last.UNTOUCHED)

    @staticmethod
    def _released(state: LockState) -> LockState:
        if state.held == _HANDED_OVER:
            return state
        return state._replace(held=max(state.held - 1, -2), last=Last.RELEASED)

    def _bound(self, step: Step, state: LockState) -> LockState:
        state = state._replace(known=self._conditions.bind(step, state.known))
        if step.target is None:
            return state
        target = bound_place(self._flow.names, step.target)
        is_item = isinstance(step.node, (s.For, s.Clause)) and self._flow.names.place(step.target) == self._place
        if is_item or (target is not None and self._place.starts_with(target)):
            if state.held > 0:  # the handle moves on (a loop over locks): what it held is somebody else's to release
                return state._replace(held=_HANDED_OVER)
            return LockState(0, _NO_SITE, Last.UNTOUCHED, state.known)
        if state.held > 0 and isinstance(step.target, (s.Attribute, s.Subscript)) and step.value is not None:
            if self._flow.names.place(step.value) == self._place:
                return state._replace(held=_HANDED_OVER)
        return state

    def _returned(self, node: s.Return, state: LockState) -> LockState:
        if state.held > 0 and self._uses.hands_over(node, self._place):
            return state._replace(held=_HANDED_OVER)
        truth = False if node.value is None else self._conditions.truth(node.value, state.known)
        known = frozenset((k, v) for k, v in state.known if k[0] != "result")
        if truth is not None:
            known = self._conditions.learn(known, RETURN, truth)
        return state._replace(known=known)


class LockPaths:
    """What goes wrong with one lock in one function; each question is answered from explorations made once."""

    def __init__(self, facts: LockFacts, flow: Flow, scope: s.Scope, place: Place) -> None:
        uses = facts.uses
        self._facts = facts
        self._uses = uses
        self._flow = flow
        self._scope = scope
        self._place = place
        self.graph = flow.graph(scope)
        ops = [op for op in uses.of(scope) if op.place == place]
        self._ops_here = ops
        nodes: set[s.Node] = {op.call for op in ops}
        nodes.update(item for item, held in uses.withs.items() if held == place)
        results: set[s.Node] = {uses.result_node(op.call) for op in ops if op.action is not Action.RELEASE}
        releases: set[s.Node] = {op.call for op in ops if op.action is Action.RELEASE}
        self._conditions = Conditions(flow.names, self.graph, nodes, results, releases)
        self._transfer = _LockTransfer(uses, flow, self.graph, place, self._conditions)
        self._explored: dict[tuple[frozenset[Level], int], Reached[LockState]] = {}

    def _explore(self, raising: frozenset[Level], start: int = 0) -> Reached[LockState]:
        key = (raising, start)
        known = self._explored.get(key)
        if known is None:
            state = LockState(start, _NO_SITE, Last.UNTOUCHED, self._conditions.at_entry)
            known = self._explored[key] = explore(self.graph, state, self._transfer, raising)
        return known

    @property
    def complete(self) -> bool:
        """Whether every path was followed; where not, nothing is said."""
        return self._explore(LIKELY).complete

    # ---- acquires

    def leaks(self) -> Iterator[Leak]:
        """The acquires after which the lock stays held although it should not."""
        if self._uses.is_private(self._place):
            return
        reached = self._explore(LIKELY)
        exits = reached.at(self.graph.exit)
        raised = reached.at(self.graph.raise_exit)
        seen: set[s.Call] = set()
        for step in self._acquire_steps():
            op = self._transfer.op(step)
            if op is None or not op.direct or op.is_counter or op.call in seen or not reached.at(step.id):
                continue
            sites = {other.id for other in self._acquire_steps() if other.node is step.node}
            held = [state for state in exits if state.site in sites and 0 < state.held < _HANDED_OVER]
            let_go = [state for state in exits if state.site in sites and state.held <= 0]
            thrown = [state for state in raised if state.site in sites and 0 < state.held < _HANDED_OVER]
            releases = self._released_after(reached, sites)
            leak = self._judge(reached, op, held, let_go, thrown, releases, sites)
            if leak is not None:
                seen.add(op.call)
                yield leak

    def _judge(
        self,
        reached: Reached[LockState],
        op: LockOp,
        held: list[LockState],
        let_go: list[LockState],
        thrown: list[LockState],
        releases: bool,
        sites: set[int],
    ) -> Leak | None:
        graph = self.graph
        others = self._facts.gives_back(self._place, beside=self._scope)
        if not releases:
            if others or not self._is_ours(op) or not (held or thrown):
                return None
            if held:
                return self._leak(reached, op, Exit.RETURN, graph.exit, held[0], releases)
            return self._leak(reached, op, Exit.EXCEPTION, graph.raise_exit, thrown[0], releases)
        if held:
            if let_go and not (others and self._told_by_result(held, let_go)):
                return self._leak(reached, op, Exit.RETURN, graph.exit, held[0], releases)
            if not let_go and (self._released_normally(reached, sites) or (not others and self._is_ours(op))):
                return self._leak(reached, op, Exit.RETURN, graph.exit, held[0], releases)
            return None
        if thrown:
            return self._leak(reached, op, Exit.EXCEPTION, graph.raise_exit, thrown[0], releases)
        if op.instance is None or op.instance.type.kind == "lock":
            for site in sites:
                for state in reached.at(site):
                    if state.site in sites and 0 < state.held < _HANDED_OVER:
                        return self._leak(reached, op, Exit.AGAIN, site, state, releases)
        return None

    def _leak(
        self, reached: Reached[LockState], op: LockOp, how: Exit, step: int, state: LockState, releases: bool
    ) -> Leak:
        path = reached.path(step, state)
        start = max(i for i, move in enumerate(path) if move.step.id == state.site)
        return Leak(op, how, Witness(path[start:]), releases)

    def _acquire_steps(self) -> list[Step]:
        out: list[Step] = []
        for step in self.graph.steps:
            op = self._transfer.op(step)
            if op is not None and op.action is not Action.RELEASE:
                out.append(step)
        return out

    def _released_after(self, reached: Reached[LockState], sites: set[int]) -> bool:
        """Whether some path from these acquires reaches a release, or an un-lock by leaving a ``with``."""
        for step in self.graph.steps:
            op = self._transfer.op(step)
            if op is not None and op.action is Action.RELEASE:
                states = reached.at(step.id)
                if not states or any(state.site in sites and state.held > 0 for state in states):
                    return True  # one that no path reaches at all was meant for this acquire too
        return False

    def _released_normally(self, reached: Reached[LockState], sites: set[int]) -> bool:
        """Whether these acquires are followed by a release that is no clean-up after a failure."""
        for step in self.graph.steps:
            op = self._transfer.op(step)
            if op is not None and op.action is Action.RELEASE and not step.cleanup:
                if any(state.site in sites and state.held > 0 for state in reached.at(step.id)):
                    return True
        return False

    @staticmethod
    def _told_by_result(held: list[LockState], let_go: list[LockState]) -> bool:
        """Whether the function returns something true where it holds the lock, and false where it does not."""
        return all(dict(state.known).get(RETURN) is not False for state in held) and all(
            dict(state.known).get(RETURN) is False for state in let_go
        )

    def _is_ours(self, op: LockOp) -> bool:
        """Whether everything that could release the lock is in view, and ought to.

        A script may hold a lock until it ends.
        """
        if isinstance(self._scope, s.Module) or op.instance is None:
            return False
        root = self._place.root
        if root[0] == "self":
            node = root[1]
            return isinstance(node, s.ClassDef) and not self._flow.names.is_open(node) and len(self._place.path) == 1
        if root[0] == "global":
            return not self._place.path
        if root[0] == "local" and not self._place.path:
            return op.instance.made_at is not None and not self._escapes()
        return False

    def _escapes(self) -> bool:
        """Whether a local lock is passed on anywhere in the function, so that somebody else may release it."""
        for step in self.graph.steps:
            if self._uses.hands_over(step.node, self._place):
                return True
            if step.kind is StepKind.BIND and isinstance(step.target, (s.Attribute, s.Subscript)):
                if step.value is not None and self._flow.names.place(step.value) == self._place:
                    return True
        return False

    def pairs(self) -> Iterator[Pair]:
        """The acquires whose release no exception would reach, though none is likely. Asked after :meth:`leaks`."""
        if self._uses.is_private(self._place):
            return
        calm = self._explore(LIKELY)
        anxious = self._explore(EVERYWHERE)
        for step in self._acquire_steps():
            op = self._transfer.op(step)
            if op is None or not op.direct or not any(
                state.site == step.id and 0 < state.held < _HANDED_OVER
                for state in anxious.at(self.graph.raise_exit)
            ):
                continue
            plain: Step | None = None
            guarded = False
            for other in self.graph.steps:
                release = self._transfer.op(other)
                if release is None or release.action is not Action.RELEASE:
                    continue
                if any(state.site == step.id and state.held > 0 for state in anxious.at(other.id)):
                    guarded = guarded or other.cleanup
                    if not other.cleanup and any(state.site == step.id for state in calm.at(other.id)):
                        plain = plain or other
            if plain is not None and not guarded and isinstance(plain.node, s.Call):
                yield Pair(op, plain.node)

    # ---- releases

    def bad_releases(self) -> Iterator[BadRelease]:
        """The releases that some path reaches without the lock."""
        if not any(op.action is not Action.RELEASE for op in self._ops_here) and not self._has_with():
            return
        reached = self._explore(INTERRUPTED)
        seen: set[s.Node] = set()
        for step in self.graph.steps:
            state = self._unheld(reached, step)
            if state is None:
                continue
            op = self._transfer.op(step)
            path = reached.path(step.id, state)
            if op is None:  # leaving a `with` whose lock was released inside
                op = self._last_release(path)
            if op is None or not op.direct or op.call in seen or self._is_tolerated(op.call):
                continue
            if state.last is Last.RELEASED and self._is_far_fetched(path):
                continue
            if self._caller_holds():
                return
            seen.add(op.call)
            yield BadRelease(op, state.last, Witness(path))

    def _is_with(self, step: Step) -> bool:
        """Whether ``step`` enters or leaves a ``with`` on the lock."""
        return isinstance(step.node, s.WithItem) and self._uses.withs.get(step.node) == self._place

    def _has_with(self) -> bool:
        return any(step.kind is StepKind.ENTER and self._is_with(step) for step in self.graph.steps)

    def _unheld(self, reached: Reached[LockState], step: Step) -> LockState | None:
        """A state in which ``step`` releases a lock that is provably not held."""
        op = self._transfer.op(step)
        if op is not None and op.action is Action.RELEASE:
            for state in reached.at(step.id):
                if state.held > 0 or state.last is Last.UNTOUCHED:
                    continue
                if state.last is Last.RAISED and not step.cleanup:
                    continue
                if state.last is not Last.RELEASED or state.site != _NO_SITE:
                    return state
        elif step.kind is StepKind.LEAVE and self._is_with(step):
            for state in reached.at(step.id):
                if state.held <= 0 and state.last is Last.RELEASED:
                    return state
        return None

    def _is_tolerated(self, release: s.Call) -> bool:
        """Whether the code reckons with the error: ``try: lock.release() except RuntimeError: pass``."""
        statement = s.statement_of(release)
        parent = statement.parent
        return (
            isinstance(parent, s.Try)
            and parent.body == [statement]
            and any(not _NOT_HELD_ERRORS.isdisjoint(self._flow.classes.handled(h.type)) for h in parent.handlers)
        )

    def _is_far_fetched(self, path: list[Move]) -> bool:
        """Whether a second release needs some call after the first to raise just what a narrow handler names."""
        raised: StepKind | None = None
        for move in reversed(path):
            op = self._transfer.op(move.step)
            if op is not None and op.action is Action.RELEASE:
                return False
            if move.step.kind is StepKind.HANDLER and isinstance(move.step.node, s.Handler):
                if not self._flow.classes.is_broad(move.step.node.type):
                    raised = StepKind.HANDLER
            elif move.label is Label.EXCEPTION and raised is StepKind.HANDLER:
                if move.step.kind is not StepKind.DISPATCH:
                    return move.step.kind is not StepKind.RAISE
        return False

    def _last_release(self, path: list[Move]) -> LockOp | None:
        for move in reversed(path):
            op = self._transfer.op(move.step)
            if op is not None and op.action is Action.RELEASE:
                return op
        return None

    def _caller_holds(self) -> bool:
        """Whether all is well if the caller already holds the lock: a helper that drops it for a while."""
        reached = self._explore(INTERRUPTED, 1)
        for step in self.graph.steps:
            if self._unheld(reached, step) is not None:
                return False
            op = self._transfer.op(step)
            takes = op is not None and op.action is not Action.RELEASE
            takes = takes or (step.kind is StepKind.ENTER and self._is_with(step))
            if takes and any(state.held > 0 for state in reached.at(step.id)):
                return False
        exits = reached.at(self.graph.exit) + reached.at(self.graph.raise_exit)
        return len({state.held for state in exits if state.held != _HANDED_OVER}) <= 1

    def releases_unasked(self) -> bool:
        """Whether some path releases a lock that this function has not acquired: its caller's, or another's."""
        reached = self._explore(LIKELY)
        return not reached.complete or any(
            op.action is Action.RELEASE and any(state.held <= 0 for state in reached.at(step.id))
            for step in self.graph.steps
            if (op := self._transfer.op(step)) is not None
        )

    # ---- the whole function, for its callers

    def effect(self) -> Action | None:
        """What a call does to the lock: +1, -1, perhaps +1 (told by the result), or nothing certain."""
        reached = self._explore(LIKELY)
        ends = reached.at(self.graph.exit)
        counts = {state.held for state in ends}
        if not ends or _HANDED_OVER in counts or not reached.complete:
            return None
        if counts == {1}:
            return Action.ACQUIRE
        if counts == {-1}:
            return Action.RELEASE
        if counts == {0, 1}:
            held = [state for state in ends if state.held == 1]
            let_go = [state for state in ends if state.held == 0]
            true = all(dict(state.known).get(RETURN) is True for state in held)
            if true and all(dict(state.known).get(RETURN) is False for state in let_go):
                return Action.TRY_ACQUIRE
        return None


class LockFacts:
    """The lock analyses of a module."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.uses = LockUses(flow)
        self._paths: dict[tuple[s.Node, Place], LockPaths] = {}
        self._follow_helpers()

    def each(self) -> Iterator[LockPaths]:
        """The paths of every lock in every function that acquires or releases it by a call."""
        for scope in self.uses.scopes():
            for place in dict.fromkeys(op.place for op in self.uses.of(scope)):
                paths = self.paths(scope, place)
                if paths.complete:
                    yield paths

    def paths(self, scope: s.Node, place: Place) -> LockPaths:
        """The paths of the lock at ``place`` through ``scope``."""
        key = (scope, place)
        known = self._paths.get(key)
        if known is None:
            assert isinstance(scope, (s.Function, s.Module))
            known = self._paths[key] = LockPaths(self, self._flow, scope, place)
        return known

    def gives_back(self, place: Place, *, beside: s.Node) -> bool:
        """Whether a function other than ``beside`` releases the lock at ``place`` without having acquired it.

        One that releases only what it took itself is no other half of anything.
        """
        for scope in self.uses.releasers(place, beside=beside):
            last = place.path[-1:]
            places = {
                op.place
                for op in self.uses.of(scope)
                if op.action is Action.RELEASE and (op.place == place or (last and op.place.path[-1:] == last))
            }
            if not places or any(self.paths(scope, other).releases_unasked() for other in places):
                return True
        return False

    def ignored_results(self) -> Iterator[LockOp]:
        """The acquires that may fail, of a known kind of lock, with nobody looking at whether they did."""
        for scope in self.uses.scopes():
            for op in self.uses.of(scope):
                if op.action is Action.TRY_ACQUIRE and op.instance is not None and op.direct and not op.call.has_star:
                    if not self.uses.result_used(op.call) and self._matters(scope, op):
                        yield op

    def reported_elsewhere(self, op: LockOp) -> bool:
        """Whether the acquire is one of :meth:`ignored_results`, which says all there is to say of it."""
        return any(ignored.call is op.call for ignored in self.ignored_results())

    def _matters(self, scope: s.Node, op: LockOp) -> bool:
        """Whether code after the acquire relies on it: not a timed wait for a signal, not a forced un-lock."""
        releases = [o for o in self.uses.of(scope) if o.place == op.place and o.action is Action.RELEASE]
        if op.is_counted and not releases:
            return False
        following = _next_statement(op.call)
        return not any(s.statement_of(release.call) is following for release in releases)

    # ---- helpers

    def _follow_helpers(self) -> None:
        """Make calls of functions that acquire or release for their caller operations of the caller.

        Three rounds: a helper of a helper of a helper is as far as anyone follows by eye.
        """
        module = self._flow.names.module
        done: set[tuple[s.Node, Place]] = set()
        fresh = {scope for scope in self.uses.scopes() if isinstance(scope, s.Function)}
        for _ in range(3):
            effects: dict[s.Function, list[Effect]] = {}
            for scope in sorted(fresh, key=lambda f: module.functions.index(f)):
                for place in dict.fromkeys(op.place for op in self.uses.of(scope)):
                    if (scope, place) not in done:
                        done.add((scope, place))
                        action = None if scope.is_generator else self.paths(scope, place).effect()
                        if action is not None:
                            instance = self.uses.instance_at(scope, place)
                            effects.setdefault(scope, []).append(Effect(place, action, instance))
            if not effects:
                break
            fresh = self._apply(effects)
            for scope in fresh:
                for key in [key for key in self._paths if key[0] is scope]:
                    del self._paths[key]  # explored before the helper's effect was known
                    done.discard(key)

    def _apply(self, effects: dict[s.Function, list[Effect]]) -> set[s.Function]:
        names = self._flow.names
        wanted = {function.name for function in effects}
        changed: set[s.Function] = set()
        for node in names.module.all(s.Call):
            if node in self.uses.ops or _last_name(node.func) not in wanted:
                continue
            callees = self._flow.callees(node)
            if len(callees) != 1 or callees[0] not in effects:
                continue
            scope = s.enclosing_function(node) or names.module
            for effect in effects[callees[0]]:
                place = self._translate(effect.place, node, callees[0])
                if place is not None and scope is not callees[0]:
                    self.uses.add(scope, LockOp(place, effect.action, node, node.func, effect.instance, direct=False))
                    if isinstance(scope, s.Function):
                        changed.add(scope)
        return changed

    def _translate(self, place: Place, call: s.Call, callee: s.Function) -> Place | None:
        """The caller's name for a place of the callee."""
        names = self._flow.names
        kind = place.root[0]
        if kind == "self":
            if not isinstance(call.func, s.Attribute):
                return None
            base = names.place(call.func.value)
            if base is None:
                return place if isinstance(call.func.value, s.Call) else None
            return place if base.root[0] == "self" and not base.path else base.join(*place.path)
        if kind == "local" and len(place.root) == 3:
            scope = place.root[1]
            if getattr(scope, "node", None) is callee:
                for index, param in enumerate(callee.params):
                    if param.name == place.root[2]:
                        offset = 1 if names.self_class(callee) is not None else 0
                        argument = call.argument(index - offset, param.name)
                        base = None if argument is None else names.place(argument)
                        return None if base is None else base.join(*place.path)
                return None
        return place


def _next_statement(node: s.Node) -> s.Node | None:
    """The statement that follows the one ``node`` stands in, in the same block."""
    statement = s.statement_of(node)
    if statement.parent is None:
        return None
    for name in ("body", "orelse", "final"):
        block = getattr(statement.parent, name, None)
        if isinstance(block, list) and statement in block:
            index = block.index(statement)
            return block[index + 1] if index + 1 < len(block) else None
    return None


def _last_name(func: s.Expr) -> str:
    if isinstance(func, s.Attribute):
        return func.attr
    return func.id if isinstance(func, s.Name) else ""

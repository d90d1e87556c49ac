"""What goes wrong with one lock in one function: paths that leave it held, and releases that reach it unheld."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Label, Level, Step, StepKind
from ..dataflow import EVERYWHERE, INTERRUPTED, LIKELY, Move, Reached, explore
from ..kinds import Place
from .conditions import RETURN, Conditions
from .flow import Flow
from .lock_ops import Action, LockOp
from .lock_states import HANDED_OVER, NO_SITE, Last, LockState, LockTransfer
from .locks import LockUses
from .witness import Witness

_RUNS = frozenset(
    {StepKind.CALL, StepKind.AWAIT, StepKind.YIELD, StepKind.ENTER, StepKind.EVAL, StepKind.ITERATE, StepKind.RETURN}
)
"""The steps that stand for their node being evaluated."""
_NOT_HELD_ERRORS = frozenset({"RuntimeError", "ValueError", "AssertionError", "Exception", "BaseException"})


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


class LockPaths:
    """What goes wrong with one lock in one function; each question is answered from explorations made once."""

    def __init__(
        self, uses: LockUses, flow: Flow, scope: s.Scope, place: Place, gives_back: Callable[[Place, s.Node], bool]
    ) -> None:
        self._gives_back = gives_back
        self._uses = uses
        self._flow = flow
        self._scope = scope
        self._place = place
        self.graph = flow.graph(scope)
        self._ops_here = ops = uses.at(scope, place)
        nodes: set[s.Node] = {op.call for op in ops}
        nodes.update(uses.items(place))
        results: set[s.Node] = {uses.result_node(op.call) for op in ops if op.action is not Action.RELEASE}
        releases: set[s.Node] = {op.call for op in ops if op.action is Action.RELEASE}
        self._conditions = Conditions(flow.names, self.graph, nodes, results, releases)
        self._transfer = LockTransfer(uses, flow, self.graph, place, self._conditions)
        self._explored: dict[tuple[frozenset[Level], int], Reached[LockState]] = {}
        self._ended: dict[bool, set[int]] = {}
        self._by_node: dict[s.Node, list[Step]] | None = None
        self._has_unreached_release: bool | None = None
        self._acquires = [step for step in self.graph.steps if self._does(step, Action.ACQUIRE, Action.TRY_ACQUIRE)]
        self._releases = [step for step in self.graph.steps if self._does(step, Action.RELEASE)]

    def _explore(self, raising: frozenset[Level], start: int = 0) -> Reached[LockState]:
        key = (raising, start)
        known = self._explored.get(key)
        if known is None:
            state = LockState(start, NO_SITE, Last.UNTOUCHED, self._conditions.at_entry)
            known = self._explored[key] = explore(self.graph, state, self._transfer, raising)
        return known

    @property
    def complete(self) -> bool:
        """Whether every path was followed; where not, nothing is said."""
        return self._explore(LIKELY).complete

    # ---- where it is held

    def held(self) -> Iterator[tuple[s.Node, s.Expr, s.Node]]:
        """What runs while this function holds the lock: where it was taken, what names it there, and the node."""
        for step, state in self._explore(LIKELY).pairs():
            if state.is_held and state.site != NO_SITE and step.kind in _RUNS:
                site = self.graph.steps[state.site]
                op = self._transfer.op(site)
                if op is not None:
                    yield op.call, op.receiver, step.node
                elif isinstance(site.node, s.WithItem):
                    yield site.node, site.node.context, step.node

    def counts(self, node: s.Node) -> set[int]:
        """How often the lock is held, relative to the function's entry, where ``node`` is reached."""
        reached = self._explore(LIKELY)
        return {state.held for step in self._steps_of(node) for state in reached.at(step.id)}

    def is_callers(self, node: s.Node) -> bool:
        """Whether ``node`` can be reached with the lock as the caller has it.

        Not so after an acquire in this function: if the caller held the lock, control would not have got past it.
        """
        reached = self._explore(LIKELY)
        return any(
            state.held == 0 and state.last is not Last.RELEASED
            for step in self._steps_of(node)
            for state in reached.at(step.id)
        )

    def witness(self, site: s.Node, node: s.Node) -> Witness | None:
        """A path on which the lock, taken at ``site``, is held when ``node`` is reached."""
        reached = self._explore(LIKELY)
        for step in self._steps_of(node):
            for state in reached.at(step.id):
                if state.is_held and state.site != NO_SITE:
                    taken = self.graph.steps[state.site]
                    op = self._transfer.op(taken)
                    if (taken.node if op is None else op.call) is site:
                        return Witness(reached.path(step.id, state, since=state.site))
        return None

    def _steps_of(self, node: s.Node) -> list[Step]:
        if self._by_node is None:
            self._by_node = {}
            for step in self.graph.steps:
                if step.kind in _RUNS:
                    self._by_node.setdefault(step.node, []).append(step)
        return self._by_node.get(node, [])

    # ---- acquires

    def leaks(self) -> Iterator[Leak]:
        """The acquires after which the lock stays held although it should not."""
        if self._uses.is_private(self._place):
            return
        reached = self._explore(LIKELY)
        exits = _by_site(reached.at(self.graph.exit))
        raised = _by_site(reached.at(self.graph.raise_exit))
        for sites in self._sites().values():
            op = self._transfer.op(self.graph.steps[sites[0]])
            if op is None or not op.direct or op.is_counter or not any(map(reached.at, sites)):
                continue
            leaving = [state for site in sites for state in exits.get(site, ())]
            held = [state for state in leaving if state.is_held]
            let_go = [state for state in leaving if state.held <= 0]
            thrown = [state for site in sites for state in raised.get(site, ()) if state.is_held]
            leak = self._judge(reached, op, held, let_go, thrown, sites)
            if leak is not None:
                yield leak

    def _does(self, step: Step, *actions: Action) -> bool:
        op = self._transfer.op(step)
        return op is not None and op.action in actions

    def _sites(self) -> dict[s.Node, list[int]]:
        """The steps of each acquire: more than one where it stands in a ``finally``."""
        sites: dict[s.Node, list[int]] = {}
        for step in self._acquires:
            sites.setdefault(step.node, []).append(step.id)
        return sites

    def _judge(
        self,
        reached: Reached[LockState],
        op: LockOp,
        held: list[LockState],
        let_go: list[LockState],
        thrown: list[LockState],
        sites: list[int],
    ) -> Leak | None:
        graph = self.graph
        releases = self._released_after(reached, sites)
        others = self._gives_back(self._place, self._scope)
        if not releases:
            if others or not self._is_ours(op) or not (held or thrown):
                return None
            if held:
                return self._leak(reached, op, Exit.RETURN, graph.exit, held[0], releases)
            return self._leak(reached, op, Exit.EXCEPTION, graph.raise_exit, thrown[0], releases)
        if held:
            leak = self._leak(reached, op, Exit.RETURN, graph.exit, held[0], releases)
            if others and (self._told_by_result(held, let_go) or leak.path.left_by is None):
                return None  # kept on purpose, for whoever gives it back
            if let_go or self._released_normally(reached, sites) or (not others and self._is_ours(op)):
                return leak
            return None
        again = next(
            (
                self._leak(reached, op, Exit.AGAIN, site, state, releases)
                for site in sites
                for state in reached.at(site)
                if state.site in sites and state.is_held
            ),
            None,
        )
        if again is not None and others and again.path.left_by is None:
            return None
        if again is not None and again.path.raiser is None and self._uses.blocks_its_holder(self._place):
            return again
        if thrown:
            return self._leak(reached, op, Exit.EXCEPTION, graph.raise_exit, thrown[0], releases)
        return again if op.instance is None or op.instance.type.kind == "lock" else None

    def _leak(
        self, reached: Reached[LockState], op: LockOp, how: Exit, step: int, state: LockState, releases: bool
    ) -> Leak:
        return Leak(op, how, Witness(reached.path(step, state, since=state.site)), releases)

    def _released_after(self, reached: Reached[LockState], sites: list[int]) -> bool:
        """Whether some path from these acquires reaches a release; one that no path reaches was meant for them too."""
        if self._has_unreached_release is None:
            self._has_unreached_release = any(not reached.at(step.id) for step in self._releases)
        return self._has_unreached_release or not self._released_at(reached, False).isdisjoint(sites)

    def _released_at(self, reached: Reached[LockState], orderly: bool) -> set[int]:
        """The acquires that some release ends; with ``orderly``, one that is no clean-up after a failure."""
        known = self._ended.get(orderly)
        if known is None:
            known = self._ended[orderly] = {
                state.site
                for step in self._releases
                if not (orderly and step.cleanup)
                for state in reached.at(step.id)
                if state.held > 0
            }
        return known

    def _released_normally(self, reached: Reached[LockState], sites: list[int]) -> bool:
        """Whether these acquires are followed by a release that is no clean-up after a failure."""
        return not self._released_at(reached, True).isdisjoint(sites)

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
        names = self._flow.names
        if isinstance(self._scope, s.Module) or op.instance is None or names.is_handed_in(op.receiver):
            return False
        root = self._place.root
        if root[0] == "self":
            node = root[1]
            if not isinstance(node, s.ClassDef) or names.is_open(node) or len(self._place.path) != 1:
                return False
            bindings = names.attribute_bindings(node, self._place.path[0])
            return not any(names.is_handed_in(binding.value) for binding in bindings)
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
        unsafe = {state.site for state in anxious.at(self.graph.raise_exit) if state.is_held}
        ends = [self.graph.exit, *(step.id for step in self._acquires)]
        unsafe -= {state.site for end in ends for state in calm.at(end) if state.is_held}
        guarded: set[int] = set()
        plain: dict[int, Step] = {}
        for step in self._releases:
            sites = {state.site for state in anxious.at(step.id) if state.is_held}
            if step.cleanup:
                guarded |= sites
            else:
                for site in sites & {state.site for state in calm.at(step.id)}:
                    plain.setdefault(site, step)
        for step in self._acquires:
            op = self._transfer.op(step)
            release = plain.get(step.id)
            if op is None or not op.direct or release is None or step.id not in unsafe or step.id in guarded:
                continue
            if isinstance(release.node, s.Call):
                yield Pair(op, release.node)

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
            if state.last is Last.RELEASED and (self._is_far_fetched(path) or self._asks_first(op.call)):
                continue
            if self._caller_holds():
                return
            seen.add(op.call)
            yield BadRelease(op, state.last, Witness(path))

    def _has_with(self) -> bool:
        return any(step.kind is StepKind.ENTER and self._transfer.is_with(step) for step in self.graph.steps)

    def _unheld(self, reached: Reached[LockState], step: Step) -> LockState | None:
        """A state in which ``step`` releases a lock that is provably not held."""
        op = self._transfer.op(step)
        if op is not None and op.action is Action.RELEASE:
            for state in reached.at(step.id):
                if state.held > 0 or state.last is Last.UNTOUCHED:
                    continue
                if state.last is Last.RAISED and not step.cleanup:
                    continue
                if state.last is not Last.RELEASED or state.site != NO_SITE:
                    return state
        elif step.kind is StepKind.LEAVE and self._transfer.is_with(step):
            for state in reached.at(step.id):
                if state.held <= 0 and state.last is Last.RELEASED:
                    return state
        return None

    def _is_tolerated(self, release: s.Call) -> bool:
        """Whether the code reckons with the error: ``try: lock.release() except RuntimeError: pass``.

        So in ``with pytest.raises(RuntimeError):``.
        Also ``try: lock.acquire() except: lock.release(); raise``, with nothing else in the ``try``: that is meant for
        an exception that arrives right after the lock did (CPython gh-106238).
        """
        statement = s.statement_of(release)
        parent = statement.parent
        if isinstance(parent, s.Handler) and isinstance(parent.parent, s.Try) and len(parent.parent.body) == 1:
            alone = parent.parent.body[0]
            if any(s.statement_of(op.call) is alone for op in self._ops_here if op.action is Action.ACQUIRE):
                return True
        if isinstance(parent, s.With) and parent.body == [statement]:
            expected = (error for item in parent.items for error in self._flow.classes.swallowed(item.context))
            return not _NOT_HELD_ERRORS.isdisjoint(expected)
        return (
            isinstance(parent, s.Try)
            and parent.body == [statement]
            and any(not _NOT_HELD_ERRORS.isdisjoint(self._flow.classes.handled(h.type)) for h in parent.handlers)
        )

    def _asks_first(self, release: s.Call) -> bool:
        """Whether the release is made only if the lock is taken: ``if lock.locked(): lock.release()``."""
        statement = s.statement_of(release)
        parent = statement.parent
        return isinstance(parent, s.If) and statement in parent.body and self._transfer.asks_locked(parent.test)

    def _is_far_fetched(self, path: list[Move]) -> bool:
        """Whether a second release needs some call after the first to raise just what a narrow handler names."""
        raised: StepKind | None = None
        for move in reversed(path):
            op = self._transfer.op(move.step)
            if op is not None and op.action is Action.RELEASE:
                return False
            if move.step.kind is StepKind.LEAVE and self._transfer.is_with(move.step):
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
        """Whether all is well if the caller already holds the lock: a helper that drops it, for a while or for good.

        Only a re-entrant lock may be taken once more in between.
        """
        reached = self._explore(INTERRUPTED, 1)
        reentrant = any(op.instance is not None and op.instance.type.kind == "rlock" for op in self._ops_here)
        for step in self.graph.steps:
            if self._unheld(reached, step) is not None:
                return False
            op = self._transfer.op(step)
            takes = op is not None and op.action is not Action.RELEASE
            takes = takes or (step.kind is StepKind.ENTER and self._transfer.is_with(step))
            if takes and not reentrant and any(state.held > 0 for state in reached.at(step.id)):
                return False
        ends = {state.held for state in reached.at(self.graph.exit)}
        if reentrant and ends == {0}:
            return True  # gives back what the caller took
        ends |= {state.held for state in reached.at(self.graph.raise_exit)}
        return len(ends - {HANDED_OVER}) <= 1

    def releases_unasked(self) -> bool:
        """Whether some path releases a lock that this function has not acquired: its caller's, or another's."""
        reached = self._explore(LIKELY)
        return not reached.complete or any(
            state.held <= 0 and state.site == NO_SITE for step in self._releases for state in reached.at(step.id)
        )

    def restores(self) -> bool:
        """Whether the caller finds the lock as it was: what was given back has been taken again."""
        return {state.held for state in self._explore(LIKELY).at(self.graph.exit)} == {0}

    # ---- the whole function, for its callers

    def effect(self) -> Action | None:
        """What a call does to the lock: +1, -1, perhaps +1 (told by the result), or nothing certain."""
        reached = self._explore(LIKELY)
        ends = reached.at(self.graph.exit)
        counts = {state.held for state in ends}
        if not ends or HANDED_OVER in counts or not reached.complete:
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


def _by_site(states: list[LockState]) -> dict[int, list[LockState]]:
    out: dict[int, list[LockState]] = {}
    for state in states:
        out.setdefault(state.site, []).append(state)
    return out

"""Releases on paths on which the lock is not held."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Label, Step, StepKind
from ..dataflow import INTERRUPTED, Move, Reached
from .lock_ops import Action, LockOp
from .lock_states import HANDED_OVER, NO_SITE, Last, LockState
from .lock_walks import LockWalks
from .witness import Witness

_NOT_HELD_ERRORS = frozenset({"RuntimeError", "ValueError", "AssertionError", "Exception", "BaseException"})


class BadRelease(NamedTuple):
    """A release on a path on which the lock is not held."""

    op: LockOp
    last: Last
    path: Witness


class LockReleases(LockWalks):
    """The part of :class:`conclint.facts.lock_paths.LockPaths` that knows what is released without being held."""

    def bad_releases(self) -> Iterator[BadRelease]:
        """The releases that some path reaches without the lock."""
        if not any(op.action is not Action.RELEASE for op in self._ops_here) and not self._has_with():
            return
        if self._place.root[0] == "self" and not self._place.path:
            return  # the lock's own methods, which know by other means whether it is held
        if any(op.is_own for op in self._ops_here):
            return  # its release() may well ask whether there is anything to do
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
                if state.last is Last.RAISED and (not step.cleanup or self._is_passed_on):
                    continue
                if state.last is not Last.RELEASED or state.site != NO_SITE:
                    return state
        elif step.kind is StepKind.LEAVE and self._transfer.is_with(step):
            for state in reached.at(step.id):
                if state.held <= 0 and state.last is Last.RELEASED:
                    return state
        return None

    @cached_property
    def _is_passed_on(self) -> bool:
        """Whether some holder of the lock has this function run: where that takes nothing, it may be to release."""
        return self._others.passes_on(self._place, self._scope)

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
        if reentrant and (ends == {0} or (ends == {0, 1} and self._others.takes_for_good(self._place, self._scope))):
            return True  # gives back what the caller took
        ends |= {state.held for state in reached.at(self.graph.raise_exit)}
        return len(ends - {HANDED_OVER}) <= 1

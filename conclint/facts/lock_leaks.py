"""Acquires after which a lock stays held: on some path, or if only the unlikely happens."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Step, StepKind
from ..dataflow import CERTAIN, EVERYWHERE, LIKELY, Reached
from ..kinds import Place
from .conditions import RETURN
from .flow import Flow
from .lock_ops import ENTERING, Action, LockOp
from .lock_states import LockState
from .lock_walks import LockWalks, Others
from .locks import LockUses
from .witness import Witness


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
    """Whether it is ever released: by this function on another path, or by one that it is handed over to."""


class Pair(NamedTuple):
    """An acquire and its release outside ``finally``, with nothing likely to raise between them."""

    op: LockOp
    release: s.Call


class LockLeaks(LockWalks):
    """The part of :class:`conclint.facts.lock_paths.LockPaths` that knows what is not released."""

    def __init__(self, uses: LockUses, flow: Flow, scope: s.Scope, place: Place, others: Others) -> None:
        super().__init__(uses, flow, scope, place, others)
        self._ended: dict[bool, set[int]] = {}
        self._has_unreached_release: bool | None = None

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
        others = self._others.gives_back(self._place, self._scope)
        if not releases:
            if others:
                return self._lost_on_the_way(op, sites) if held and thrown else None
            if not self._is_ours(op) or not (held or thrown) or self._waits_for_its_maker():
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

    def _lost_on_the_way(self, op: LockOp, sites: list[int]) -> Leak | None:
        """The leak of a function that hands the lock over by returning, and raises instead.

        Who sees it raise does not know that it is held: no ``__exit__`` follows an ``__enter__`` that raises. Elsewhere
        only a ``raise`` counts: of a call it may be known that it does not fail. Any ``await`` may be cancelled, and
        whoever that comes to in ``await acquire()`` does not have the lock either. Permits of a semaphore may come back
        by other ways, and a signal is over when it has been given.
        """
        name = self._scope.name if isinstance(self._scope, s.Function) else ""
        enters, acquires = name in ENTERING, name in self._flow.names.catalog.acquire_methods
        if op.is_counted or self._is_signal(is_taker=enters or acquires):
            return None
        for raising in (LIKELY,) if enters else (CERTAIN, LIKELY) if acquires else (CERTAIN,):
            reached = self._explore(raising)
            thrown = _by_site(reached.at(self.graph.raise_exit))
            for state in (state for site in sites for state in thrown.get(site, ()) if state.is_held):
                leak = self._leak(reached, op, Exit.EXCEPTION, self.graph.raise_exit, state, True)
                if enters or raising is CERTAIN or _is_awaited(leak.path.raiser):
                    if not self._is_given_back_after_all(leak.path):
                        return leak
        return None

    def _is_signal(self, is_taker: bool) -> bool:
        """Whether the lock is one that tells of something: held from the start, until that has happened.

        So is one that a function makes for what it starts, and one that another function takes and keeps, unless this
        one ``is_taker``: made for taking it.
        """
        root = self._place.root
        if root[0] == "local":
            return True
        if not is_taker and self._others.takes_for_good(self._place, self._scope, itself=True):
            return True
        return any(op.action is not Action.RELEASE for op in self._ops_of_makers())

    def _ops_of_makers(self) -> Iterator[LockOp]:
        """What is done with the lock by the code that makes it, also before it has its name there."""
        names = self._flow.names
        root = self._place.root
        if root[0] == "global":
            yield from self._uses.at(s.root_of(self._scope), self._place)
        if root[0] != "self" or not isinstance(root[1], s.ClassDef):
            return
        constructor = names.method(root[1], "__init__")
        if constructor is not None:
            yield from self._uses.at(constructor, self._place)
        for binding in names.attribute_bindings(root[1], self._place.path[0]) if self._place.path else ():
            made = None if binding.value is None else names.place(binding.value)
            if binding.value is not None and made is not None:
                yield from self._uses.at(s.enclosing_scope(binding.value), made)

    def _is_given_back_after_all(self, path: Witness) -> bool:
        """Whether a function of this file that the path calls gives the lock back, or a caller of this one."""
        if any(self._others.is_released_by(move.step.node, self._place) for move in path.moves):
            return True
        return self._others.is_rescued(self._place, self._scope)

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

    def _waits_for_its_maker(self) -> bool:
        """Whether the lock belongs to a function that holds it while it has this one run: a signal, given once."""
        return self._place.root[0] == "local" and self._others.passes_on(self._place, self._scope)

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


def _is_awaited(node: s.Node | None) -> bool:
    return isinstance(node, s.Await) or (node is not None and isinstance(node.parent, s.Await))


def _by_site(states: list[LockState]) -> dict[int, list[LockState]]:
    out: dict[int, list[LockState]] = {}
    for state in states:
        out.setdefault(state.site, []).append(state)
    return out

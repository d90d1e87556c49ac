"""Locks that one loop of a function takes, one after the other, and another of its loops gives back.

Each is an attribute of what its loop runs over, so that no name leads from the one to the other. All of them together
are followed as one: held from the first that is taken until the second loop begins. Nothing is said where the one loop
stands under a condition that the other does not, nor where another function gives such locks back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Label, Step, StepKind
from ..dataflow import LIKELY, explore
from .flow import Flow
from .lock_leaks import Exit, Leak
from .lock_ops import Action, LockOp
from .locks import LockUses
from .witness import Witness


class _State(NamedTuple):
    site: int
    """The step that took the first of the locks, -1 where none is held."""


_FREE = _State(-1)


class _Group(NamedTuple):
    """The acquires in the one loop, and what there is of the other."""

    takes: dict[s.Node, LockOp]
    """By the node after which the lock is held: the call, the ``await`` of it, or the test of what it says."""
    loops: frozenset[s.Node]
    """The loops that they stand in."""
    gives: frozenset[s.Node]
    """The release loops, what they run over, and the releases."""
    names: frozenset[str]
    """The variables that hold the items, and the containers of them."""
    kept_in: frozenset[str]
    """The containers that the release loops run over: where they are empty, no lock is held."""


class LockGroups:
    """The groups of a module."""

    def __init__(self, flow: Flow, uses: LockUses) -> None:
        self._flow = flow
        self._uses = uses

    def leaks(self) -> Iterator[Leak]:
        """The groups of which some path leaves the function before the second loop, once each."""
        for scope in self._uses.scopes():
            if isinstance(scope, s.Function) and not scope.is_generator and self._flow.affords(scope):
                for group in self._groups(scope):
                    leak = self._leak(scope, group)
                    if leak is not None:
                        yield leak

    def _groups(self, scope: s.Function) -> Iterator[_Group]:
        taken: dict[tuple[str, ...], list[tuple[s.For, LockOp]]] = {}
        given: dict[tuple[str, ...], list[tuple[s.For, LockOp]]] = {}
        for op in self._uses.of(scope):
            found = _item_of_loop(op.receiver, scope) if op.direct else None
            if found is not None:
                loop, path = found
                (given if op.action is Action.RELEASE else taken).setdefault(path, []).append((loop, op))
        for path, takes in taken.items():
            gives = given.get(path, [])
            loops = {loop for loop, _ in gives}
            if not loops or any(loop in loops for loop, _ in takes):
                continue  # each is given back before the next one is taken
            if not _are_together({loop for loop, _ in takes}, loops, scope) or self._is_given_back_elsewhere(
                takes, scope
            ):
                continue
            held_after = {self._held_after(op): op for _, op in takes}
            if None not in held_after:
                yield _group({node: op for node, op in held_after.items() if node is not None}, takes, gives)

    def _is_given_back_elsewhere(self, takes: list[tuple[s.For, LockOp]], scope: s.Function) -> bool:
        """Whether another function releases such a lock, which it has not taken: the other half of ``scope``.

        One inside a function that takes such locks is the other half of that.
        """
        for _, op in takes:
            for other in self._uses.releasers(op.place) - {scope}:
                around = [other, *(each for each in s.ancestors(other) if isinstance(each, s.Function))]
                if scope in around or not any(self._takes_such(each, op) for each in around):
                    return True
        return False

    def _takes_such(self, scope: s.Node, op: LockOp) -> bool:
        taken = (each for each in self._uses.of(scope) if each.action is not Action.RELEASE)
        return any(each.place.path[-1:] == op.place.path[-1:] for each in taken)

    def _held_after(self, op: LockOp) -> s.Node | None:
        outcome = self._uses.result_node(op.call)
        if op.action is Action.ACQUIRE:
            return outcome
        test: s.Node = outcome
        while isinstance(test.parent, (s.Not, s.BoolOp)):
            test = test.parent
        return outcome if isinstance(test.parent, (s.If, s.While)) and test.parent.test is test else None

    def _leak(self, scope: s.Function, group: _Group) -> Leak | None:
        graph = self._flow.graph(scope)
        reached = explore(graph, _FREE, _Transfer(self._flow, group), LIKELY)
        if not reached.complete:
            return None
        for how, number in ((Exit.EXCEPTION, graph.raise_exit), (Exit.RETURN, graph.exit)):
            for state in reached.at(number):
                if state.site >= 0:
                    path = Witness(reached.path(number, state, since=state.site))
                    if how is Exit.EXCEPTION or path.left_by is not None:
                        node = graph.steps[state.site].node
                        return Leak(group.takes[node], how, path, True)
        return None


class _Transfer:
    """Whether any lock of the group is held."""

    def __init__(self, flow: Flow, group: _Group) -> None:
        self._flow = flow
        self._group = group

    def leave(self, step: Step, edge: Edge, state: _State) -> Iterable[_State]:
        return (self._after(step, edge.label, state),)

    def raised(self, step: Step, state: _State) -> Iterable[_State]:
        if step.kind is StepKind.ITERATE and self._is_over_them(step.node):
            return ()  # that the loop itself fails while it goes over them is far-fetched
        return (_FREE if self._is_end(step.node) else state,)

    def _after(self, step: Step, label: Label, state: _State) -> _State:
        node = step.node
        op = self._group.takes.get(node)
        if op is not None and state.site < 0:
            at = (StepKind.CALL, StepKind.AWAIT) if op.action is Action.ACQUIRE else (StepKind.BRANCH,)
            if step.kind in at and (step.kind is not StepKind.BRANCH or label is Label.TRUE):
                return _State(step.id)
        if self._is_end(node):
            return _FREE
        if step.kind is StepKind.BRANCH and isinstance(node, s.Name) and node.id in self._group.kept_in:
            return state if label is Label.TRUE else _FREE
        if step.kind is StepKind.RETURN and isinstance(node, s.Return) and not s.is_nothing(node.value):
            return _FREE if any(self._is_meant(part) for part in s.walk(node)) else state
        return state

    def _is_over_them(self, node: s.Node) -> bool:
        """Whether ``node`` is the loop that takes them, or one over what that goes over too."""
        if node in self._group.loops:
            return True
        return isinstance(node, (s.For, s.Clause)) and any(self._is_meant(part) for part in s.walk(node.iter))

    def _is_end(self, node: s.Node) -> bool:
        """Whether the locks are given back here, or are somebody else's to give back from here on."""
        return node in self._group.gives or (isinstance(node, s.Call) and self._hands_over(node))

    def _hands_over(self, call: s.Call) -> bool:
        func = call.func
        if isinstance(func, s.Attribute) and isinstance(func.value, s.Name) and func.value.id in self._group.names:
            return False  # put into a container of them
        if self._flow.level(call) not in LIKELY:
            return False
        return any(self._is_meant(argument.value) for argument in call.args)

    def _is_meant(self, expr: s.Node) -> bool:
        return isinstance(expr, s.Name) and expr.id in self._group.names


def _group(takes: dict[s.Node, LockOp], taken: list[tuple[s.For, LockOp]], given: list[tuple[s.For, LockOp]]) -> _Group:
    gives: set[s.Node] = {op.call for _, op in given}
    for loop, _ in given:
        gives.update((loop, *s.walk(loop.iter)))
    kept_in = frozenset(_names_in(loop.iter for loop, _ in given))
    names = _names_in(part for loop, _ in (*taken, *given) for part in (loop.iter, loop.target))
    return _Group(takes, frozenset(loop for loop, _ in taken), frozenset(gives), frozenset(names), kept_in)


def _are_together(takes: set[s.For], gives: set[s.For], scope: s.Function) -> bool:
    """Whether some release loop is run where the acquire loops are, and only there: after a test of what it runs over.

    That is true only where there is anything to give back.
    """
    expected = {_conditions(loop, scope, frozenset()) for loop in takes}
    return len(expected) == 1 and any(
        _conditions(loop, scope, frozenset(_names_in([loop.iter]))) in expected for loop in gives
    )


def _conditions(node: s.Node, scope: s.Function, but: frozenset[str]) -> frozenset[tuple[s.Node, str]]:
    """What decides, in ``scope``, whether ``node`` is run: tests, loops, handlers; no tests of the names ``but``."""
    found: set[tuple[s.Node, str]] = set()
    child = node
    for parent in s.ancestors(node):
        if parent is scope:
            break
        if isinstance(parent, (s.Handler, s.Case)):
            found.add((parent, ""))
        elif isinstance(parent, (s.If, s.While, s.For, s.Try)):
            in_orelse = any(child is statement for statement in parent.orelse)
            is_tested = isinstance(parent, s.If) and isinstance(parent.test, s.Name) and parent.test.id in but
            if in_orelse or not (is_tested or isinstance(parent, s.Try)):
                found.add((parent, "else" if in_orelse else ""))
        child = parent
    return frozenset(found)


def _names_in(exprs: Iterable[s.Expr]) -> set[str]:
    return {node.id for expr in exprs for node in s.walk(expr) if isinstance(node, s.Name)}


def _item_of_loop(expr: s.Expr, scope: s.Function) -> tuple[s.For, tuple[str, ...]] | None:
    """The loop of ``scope`` over the items of which ``expr`` is an attribute, and the attributes that lead to it."""
    path: list[str] = []
    root: s.Expr = expr
    while isinstance(root, s.Attribute):
        path.append(root.attr)
        root = root.value
    for parent in s.ancestors(expr) if isinstance(root, s.Name) else ():
        if parent is scope:
            break
        if isinstance(parent, s.For) and isinstance(parent.target, s.Name) and isinstance(root, s.Name):
            if parent.target.id == root.id:
                return parent, tuple(reversed(path))
    return None

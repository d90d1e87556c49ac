"""One ``get()`` of a queue, and what becomes of the item on each path: accounted for, handed on, or forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Edge, Graph, Label, Step, StepKind
from ..dataflow import Move, Reached, explore
from .conditions import Conditions, Known
from .flow import Flow
from .objects import Operation
from .queue_marks import Marks
from .quiet import Quiet
from .witness import Witness

_KEEPERS = frozenset({"append", "appendleft", "add", "insert", "extend", "put", "put_nowait", "setdefault"})
_LOOPS = (s.For, s.While, s.Comprehension)
_SENTINEL_SIDE = {"is": Label.TRUE, "==": Label.TRUE, "is not": Label.FALSE, "!=": Label.FALSE}


class Consumption(NamedTuple):
    """A ``get()`` after which some path does not reach ``task_done()``."""

    get: Operation
    join: Operation | None
    """Who waits for it; ``None`` where that is not in this file."""
    how: str
    """``exception`` or ``return`` (the function is left), or ``again`` (the next item is taken)."""
    path: Witness


class _State(NamedTuple):
    held: int
    """How many items are to be accounted for, this one among them: 0, 1 or 2."""
    failed: bool
    """Whether an exception was raised while it was held."""
    known: Known


class Items:
    """The transfer for the item that one ``get()`` takes."""

    def __init__(
        self,
        flow: Flow,
        quiet: Quiet,
        scope: s.Function | s.Module,
        get: Operation,
        marks: Marks,
        gets: set[s.Node],
    ) -> None:
        self._flow = flow
        self._quiet = quiet
        self._names = flow.names
        self._scope = scope
        self._get = get
        self._marks = marks
        self._gets = gets - {get.where}
        self._taken_at = self._find_taken_at()
        self._names_of_item = self._find_names()
        self._accounted = False
        contextmanagers = self._names.catalog.calls["contextmanagers"]
        self._is_context_manager = isinstance(scope, s.Function) and self._names.decorated(scope, contextmanagers)
        self.loops = set(enclosing_loops(self._taken_at or get.where))
        if isinstance(self._taken_at, s.For):
            self.loops.add(self._taken_at)

    @property
    def is_followed(self) -> bool:
        """Whether the item stays in this function, which accounts for it itself."""
        taken = self._taken_at
        if taken is None:
            return False
        parent = taken.parent
        if isinstance(parent, (s.Return, s.Yield)) or self._is_kept(taken):
            return False
        if isinstance(taken, s.For) or isinstance(parent, (s.ExprStmt, s.NamedExpr, s.Argument, s.Subscript)):
            return True
        return isinstance(parent, s.Assign) and all(_is_plain(target) for target in parent.targets)

    def missed(self, join: Operation | None, *, leaving_counts: bool) -> Consumption | None:
        """A path that misses ``task_done()``; one that leaves the function only if ``leaving_counts``."""
        graph = self._flow.graph(self._scope)
        taken = self._taken_at
        assert taken is not None
        relevant: set[s.Node] = {taken, *self._marks.within(self._scope)}
        self._conditions = Conditions(self._names, graph, relevant, set())
        reached = explore(graph, _State(0, False, self._conditions.at_entry), self, skip=(Label.UNCAUGHT_BASE,))
        if not reached.complete or not self._accounted:
            return None
        for how, step, state in self._ends(graph, reached):
            if how == "again" or leaving_counts:
                witness = Witness(self._since_taken(reached.path(step.id, state)))
                if join is not None or (how == "again" and state.failed):
                    return Consumption(self._get, join, how, witness)
        return None

    def _ends(self, graph: Graph, reached: Reached[_State]) -> Iterator[tuple[str, Step, _State]]:
        for step, state in list(reached.pairs()):
            if state.held and self._is_taking(step):
                yield "again", step, state
        for how, number in (("exception", graph.raise_exit), ("return", graph.exit)):
            for state in reached.at(number):
                if state.held and (state.failed or how == "return"):
                    yield how, graph.steps[number], state

    def _since_taken(self, moves: list[Move]) -> list[Move]:
        last = max((index for index, move in enumerate(moves) if self._is_taking(move.step)), default=0)
        return moves[last:]

    # ---- the transfer

    def leave(self, step: Step, edge: Edge, state: _State) -> Iterable[_State]:
        if step.kind is StepKind.BRANCH:
            known = self._conditions.branch(step, edge.label, state.known)
            if known is None:
                return ()
            state = state._replace(known=known)
            if state.held and self._is_sentinel_side(step, edge.label):
                return (_let_go(state),)
        if self._is_taking(step):
            taken = step.kind is not StepKind.ITERATE or edge.label is Label.TRUE
            return (state._replace(held=int(taken), failed=False),)
        if state.held:
            if step.kind is StepKind.HANDLER and state.failed and self._is_for_empty(step.node):
                return ()  # working on an item does not raise that
            if self._marks.account(step):
                self._accounted = True
                return (state._replace(held=state.held - 1) if state.held > 1 else _let_go(state),)
            if step.kind is StepKind.CALL and step.node in self._gets:
                # One that is thrown away is owed as well; of another nobody can tell which is accounted for first.
                dropped = isinstance(s.statement_of(step.node), s.ExprStmt)
                return (state._replace(held=2) if dropped else _let_go(state),)
            if self._is_excused(step):
                return (_let_go(state),)
        if step.kind is StepKind.BIND:
            state = state._replace(known=self._conditions.bind(step, state.known))
        return (state,)

    def raised(self, step: Step, state: _State) -> Iterable[_State]:
        if not state.held:
            return (state,)
        if self._is_trusted(step):
            return ()
        node = step.node
        if node in self._gets:
            return (state,)  # nothing more to get
        exits = isinstance(node, s.Call) and self._names.qualified(node.func) in self._names.catalog.calls["exits"]
        handed_on = exits or (s.statement_of(node) in self._marks.statements and not self._loses(node))
        return (_let_go(state) if handed_on else state._replace(failed=True),)

    def _loses(self, node: s.Node) -> bool:
        """Whether what raises is a helper that was to account for the item, and fails before it has."""
        call = node.value if isinstance(node, s.Await) else node
        functions = self._names.functions(call.func) if isinstance(call, s.Call) else []
        return bool(functions) and all(
            self._marks.may_miss(function, self._flow, self._quiet) for function in functions
        )

    def _is_taking(self, step: Step) -> bool:
        return step.node is self._taken_at and step.kind in (StepKind.CALL, StepKind.AWAIT, StepKind.ITERATE)

    def _is_for_empty(self, handler: s.Node) -> bool:
        """Whether a handler only catches what ``get()`` raises where there is nothing to get."""
        kind = handler.type if isinstance(handler, s.Handler) else None
        return kind is not None and self._names.qualified(kind) in self._names.catalog.calls["empties"]

    def _is_excused(self, step: Step) -> bool:
        """Whether somebody else may account for the item from here on, or nobody waits any more."""
        node = step.node
        if step.kind is StepKind.CALL and isinstance(node, s.Call):
            return self._keeps(node) and any(self._holds_item(argument.value) for argument in node.args)
        if step.kind in (StepKind.RETURN, StepKind.YIELD) and isinstance(node, (s.Return, s.Yield)):
            if node.value is not None and self._holds_item(node.value) and not self._is_context_manager:
                return True
        if isinstance(node, (s.Return, s.Break)) and step.kind in (StepKind.RETURN, StepKind.JUMP):
            return not step.cleanup and self._is_last_item(node)
        stored = step.value if step.kind is StepKind.BIND and not isinstance(step.target, s.Name) else None
        return stored is not None and self._holds_item(stored) and self._marks.are_elsewhere(self._scope)

    def _is_trusted(self, step: Step) -> bool:
        """Whether a step that could raise is taken not to; that the item has the shape it is used in, too."""
        node = step.node
        if step.kind is StepKind.ITERATE and isinstance(node, (s.For, s.Clause)) and self.is_of_item(node.iter):
            return True
        if step.kind is StepKind.EVAL:
            value = node.value if isinstance(node, s.Assign) else node
            if isinstance(value, s.Expr) and (value is self._taken_at or self.is_of_item(value)):
                return True
        return not self._quiet.may_raise(step)

    # ---- tests that tell the last item

    def _is_sentinel_side(self, step: Step, label: Label) -> bool:
        """Whether a branch finds that the item is none to work on."""
        node = step.node
        if isinstance(node, s.Case):
            subject = node.parent.subject if isinstance(node.parent, s.Match) else None
            return label is Label.TRUE and node.is_constant and subject is not None and self.is_of_item(subject)
        if isinstance(node, s.NamedExpr):
            return label is Label.FALSE and self.is_of_item(node.target)
        if isinstance(node, s.Name):
            return label is Label.FALSE and node.id in self._names_of_item
        if isinstance(node, s.Compare) and len(node.ops) == 1:
            if node.ops[0] == "in" and isinstance(node.rights[0], s.Display):
                return label is Label.TRUE and isinstance(node.left, s.Name) and self.is_of_item(node.left)
            return _SENTINEL_SIDE.get(node.ops[0]) is label and self._compares_with_sentinel(node)
        return False

    def _compares_with_sentinel(self, test: s.Compare) -> bool:
        """``item is STOP``, ``item.job is None``; a kind of item (``item.kind == READ``) is as good as any other."""
        left, right = _unwrapped(test.left), test.rights[0]
        if isinstance(right, s.Constant):
            return right.value is None and self.is_of_item(left)
        return any(isinstance(side, s.Name) and side.id in self._names_of_item for side in (left, right))

    def _is_last_item(self, jump: s.Node) -> bool:
        """Whether a ``return`` or ``break`` stands under a test of the item itself, or of nothing that came of it."""
        child = jump
        for parent in s.ancestors(jump):
            if isinstance(parent, (s.If, s.While)) and child is not parent.test:
                used = {node.id for node in s.walk(parent.test) if isinstance(node, s.Name)}
                return bool(used & self._names_of_item) or not used & self._made_of_item
            if isinstance(parent, s.Case):
                return True
            if isinstance(parent, (s.Function, s.For)):
                return False
            child = parent
        return False

    # ---- the item

    def _find_taken_at(self) -> s.Node | None:
        """What is evaluated when the item is taken: the call, the ``await`` around it, a loop over ``iter(get, x)``."""
        call = self._get.call
        if call is None:
            argument = self._get.node.parent
            iterator = argument.parent if isinstance(argument, s.Argument) else None
            if isinstance(iterator, s.Call) and self._names.qualified(iterator.func) == "builtins.iter":
                if len(iterator.args) == 2 and isinstance(iterator.parent, s.For):
                    return iterator.parent
            return None
        node: s.Node = call
        parent = call.parent
        if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
            if self._names.qualified(parent.parent.func) in self._names.catalog.calls["awaiters"]:
                node = parent.parent
                parent = node.parent
        if isinstance(parent, s.Await):
            return parent
        instance = None if not isinstance(call.func, s.Attribute) else self._names.instance(call.func.value)
        is_async = instance is not None and instance.type.api == "asyncio" and self._get.name == "get"
        return None if is_async else node

    def _find_names(self) -> set[str]:
        """The variables that hold the item, or parts of it taken out by unpacking; fills in what is made of it."""
        names: set[str] = set()
        taken = self._taken_at
        if isinstance(taken, s.For):
            names |= _bound_names(taken.target)
        elif taken is not None and isinstance(taken.parent, s.Assign):
            for target in taken.parent.targets:
                names |= _bound_names(target)
        elif taken is not None and isinstance(taken.parent, s.NamedExpr):
            names |= _bound_names(taken.parent.target)
        made: set[str] = set()
        for node in s.own_nodes(self._scope) if names else ():
            if isinstance(node, s.Assign) and node.value is not None and node is not getattr(taken, "parent", None):
                bound = set().union(*(_bound_names(target) for target in node.targets))
                if _root(node.value) in names:
                    names |= bound
                elif any(isinstance(part, s.Name) and part.id in names | made for part in s.walk(node.value)):
                    made |= bound
        self._made_of_item = made - names
        return names

    def is_of_item(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is the item, an attribute of it, or a part."""
        return _root(expr) in self._names_of_item

    def _holds_item(self, expr: s.Expr) -> bool:
        if isinstance(expr, s.Display):
            return any(self._holds_item(element) for element in expr.elements)
        return self.is_of_item(expr)

    def _is_kept(self, taken: s.Node) -> bool:
        """Whether the item goes straight to where others find it."""
        call = None if taken.parent is None else taken.parent.parent
        return isinstance(taken.parent, s.Argument) and isinstance(call, s.Call) and self._keeps(call)

    @staticmethod
    def _keeps(call: s.Call) -> bool:
        """Whether a call puts its arguments where others find them: a list, another queue."""
        return isinstance(call.func, s.Attribute) and call.func.attr in _KEEPERS


def _let_go(state: _State) -> _State:
    return state._replace(held=False, failed=False)


def enclosing_loops(node: s.Node) -> Iterator[s.Node]:
    """The loops of the same function that ``node`` is repeated by."""
    child = node
    for parent in s.ancestors(node):
        if isinstance(parent, s.Function):
            return
        if isinstance(parent, _LOOPS) and not (isinstance(parent, s.For) and child is parent.iter):
            yield parent
        child = parent


def _unwrapped(expr: s.Expr) -> s.Expr:
    """What ``(name := value)`` compares as."""
    return expr.target if isinstance(expr, s.NamedExpr) else expr


def _root(expr: s.Expr) -> str:
    """The variable at the beginning of ``x.a[0].b``, ``""`` for anything else."""
    while isinstance(expr, (s.Attribute, s.Subscript)):
        expr = expr.value
    return expr.id if isinstance(expr, s.Name) else ""


def _bound_names(target: s.Expr) -> set[str]:
    if isinstance(target, s.Display):
        return set().union(*(_bound_names(element) for element in target.elements))
    if isinstance(target, s.Starred):
        return _bound_names(target.value)
    return {target.id} if isinstance(target, s.Name) else set()


def _is_plain(target: s.Expr) -> bool:
    return bool(_bound_names(target)) or isinstance(target, s.Attribute)

"""Facts that branches establish: which tests are the same test, and what an assignment makes true.

A *fact* is a key and a truth value. Keys are ``("truth", place)``, ``("none", place)``, ``("result", call)`` for what
a call returned, ``("return",)`` for what the function returns, and the structure of any other test made of places and
constants only. They let an analysis see that ``if got:`` after ``got = lock.acquire(False)``, or the second
``if self.threaded:``, goes the way the first one went.

A fact about a place holds until the place is bound. Calls keep it: code that tests ``self.threaded`` twice in a
function does not mean it to change in between, and taking it to would report every conditional lock.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from .. import syntax as s
from ..cfg import Graph, Label, Step, StepKind
from ..kinds import Instance, Place
from ..names import Names
from ..scopes import BindingKind, ScopeInfo

Key = tuple[object, ...]
Known = frozenset[tuple[Key, bool]]
NOTHING: Known = frozenset()
RETURN: Key = ("return",)

_MOST_KEYS = 8
_NEGATED = {"!=": "==", "is not": "is", "not in": "in", ">=": "<", ">": "<="}


class Conditions:
    """The facts worth following in one graph.

    ``relevant`` are the nodes whose order matters to the analysis, ``results`` the calls whose outcome it decides, and
    ``guarded`` those of the relevant ones that undo something, which a flag may guard. ``given`` is what the caller
    makes true.
    """

    def __init__(
        self,
        names: Names,
        graph: Graph,
        relevant: set[s.Node],
        results: set[s.Node],
        guarded: AbstractSet[s.Node] = frozenset(),
        given: Known = NOTHING,
    ) -> None:
        self._names = names
        self._results = results
        self._keys = self._choose(graph, relevant, {key for key, _ in given})
        self.at_entry = self._unbound(graph) | self._lowered_flags(graph, _with_ancestors(guarded)) | given
        """What is known when the function is entered."""

    # ---- what the analysis calls

    def learn(self, known: Known, key: Key, value: bool) -> Known:
        """``known`` with one fact more, if it is one that is followed."""
        if key not in self._keys and key[0] not in ("result", "return"):
            return known
        return frozenset({*((k, v) for k, v in known if k != key), (key, value)})

    def branch(self, step: Step, label: Label, known: Known) -> Known | None:
        """What is known on the ``label`` side of a branch; ``None`` if it is known that control goes the other way."""
        if label not in (Label.TRUE, Label.FALSE):
            return known
        outcome = label is Label.TRUE
        atom = self._tested(step.node)
        if atom is None:
            return known
        key, positive = atom
        value = outcome if positive else not outcome
        before = self.value(key, known)
        if before is not None and before != value:
            return None
        if key[0] == "result" and not isinstance(step.node, s.Case):
            return frozenset((k, v) for k, v in known if k != key)
        return self.learn(known, key, value)

    def _tested(self, node: s.Node) -> tuple[Key, bool] | None:
        """The key that a branch asks about: the atom of its test, or ``match subject: case True``."""
        if isinstance(node, s.Case) and node.is_constant and isinstance(node.parent, s.Match):
            constant = node.values[0]
            assert isinstance(constant, s.Constant)
            if isinstance(constant.value, bool):
                atom = self.atom(node.parent.subject)
                return None if atom is None else (atom[0], atom[1] == constant.value)
        return self.atom(node) if isinstance(node, s.Expr) else None

    def bind(self, step: Step, known: Known) -> Known:
        """What is known after a binding: nothing old about the place, and what the value tells."""
        if step.target is None:
            return known
        place = bound_place(self._names, step.target)
        if place is None:
            return known
        truth = None if step.value is None else self.truth(step.value, known)
        is_none = isinstance(step.value, s.Constant) and step.value.value is None
        result = ("result", _result_node(step.value)) if step.value is not None else None
        kept = frozenset((k, v) for k, v in known if not _mentions(k, place) and k != result)
        if truth is not None:
            kept = self.learn(kept, ("truth", place), truth)
        if is_none or truth:
            kept = self.learn(kept, ("none", place), is_none)
        return kept

    def truth(self, expr: s.Expr, known: Known) -> bool | None:
        """Whether ``expr`` is true, as far as constants, constructors and known facts tell."""
        if isinstance(expr, s.Constant):
            return bool(expr.value)
        if isinstance(expr, s.Not):
            inner = self.truth(expr.operand, known)
            return None if inner is None else not inner
        if isinstance(expr, s.BoolOp):
            left, right = self.truth(expr.left, known), self.truth(expr.right, known)
            deciding = expr.op == "or"
            if deciding in (left, right):
                return deciding
            return None if None in (left, right) else not deciding
        atom = self.atom(expr)
        if atom is not None:
            found = self.value(atom[0], known)
            if found is not None:
                return found if atom[1] else not found
        if isinstance(expr, s.Call) and expr not in self._results:
            kinds = self._names.kinds(expr)
            if kinds and all(isinstance(kind, Instance) and kind.made_at is expr for kind in kinds):
                return True
        return None

    def value(self, key: Key, known: Known) -> bool | None:
        """The truth of ``key``, also where the fact about truth or about ``None`` implies it."""
        for fact, value in known:
            if fact == key:
                return value
            if fact[1:] == key[1:] and len(key) == 2:
                if key[0] == "truth" and fact[0] == "none" and value:
                    return False
                if key[0] == "none" and fact[0] == "truth" and value:
                    return False
        return None

    # ---- keys

    def atom(self, test: s.Expr) -> tuple[Key, bool] | None:
        """The key that ``test`` asks about, and whether it asks for its truth or its opposite."""
        if isinstance(test, s.NamedExpr):
            return self.atom(test.target)
        if test in self._results:
            return ("result", test), True
        if isinstance(test, s.Not):
            inner = self.atom(test.operand)
            return None if inner is None else (inner[0], not inner[1])
        if isinstance(test, s.Call) and self._names.qualified(test.func) == "builtins.isinstance":
            parts = tuple(self._structure(argument.value) for argument in test.args)
            return None if None in parts else (("isinstance", *parts), True)
        if isinstance(test, s.Compare) and len(test.ops) == 1:
            return self._comparison(test.left, test.ops[0], test.rights[0])
        place = self._names.place(test) if isinstance(test, (s.Name, s.Attribute, s.Subscript)) else None
        return None if place is None else (("truth", place), True)

    def _comparison(self, left: s.Expr, op: str, right: s.Expr) -> tuple[Key, bool] | None:
        positive = op not in _NEGATED
        op = _NEGATED.get(op, op)
        if op in ("is", "==") and isinstance(right, s.Constant):
            if right.value is None:
                place = self._names.place(left)
                return None if place is None else (("none", place), positive)
            if isinstance(right.value, bool):
                inner = self.atom(left)
                if inner is None:
                    return None
                return inner[0], inner[1] == (positive == right.value)
        parts = (self._structure(left), self._structure(right))
        if None in parts:
            return None
        return ("compare", op, *parts), positive

    def _structure(self, expr: s.Expr) -> Key | None:
        if isinstance(expr, s.Constant):
            return ("constant", repr(expr.value))
        place = self._names.place(expr) if isinstance(expr, (s.Name, s.Attribute, s.Subscript)) else None
        return None if place is None else ("place", place)

    def _choose(self, graph: Graph, relevant: set[s.Node], given: set[Key]) -> frozenset[Key]:
        """The keys to follow: tested twice, or set to something known and tested, with a relevant step at stake."""
        tests: dict[Key, set[s.Node]] = {}
        for step in graph.steps:
            if step.kind is StepKind.BRANCH and isinstance(step.node, s.Expr):
                atom = self.atom(step.node)
                if atom is not None and atom[0][0] != "result":
                    tests.setdefault(atom[0], set()).add(step.node)
        bound: dict[Place, set[s.Node]] = {}
        for step in graph.steps:
            if step.kind is StepKind.BIND and step.target is not None and step.value is not None:
                place = bound_place(self._names, step.target)
                if place is not None and self._tells(step.value):
                    bound.setdefault(place, set()).add(step.target)
        ends = {step.node for step in graph.steps if step.kind is StepKind.CALL and not step.edges}
        stakes = _with_ancestors(relevant | ends)
        chosen: list[tuple[int, Key]] = []
        for rank in range(0, 2 * _MOST_KEYS, 2):
            fresh: list[tuple[int, Key]] = []
            for key, nodes in tests.items():
                settled = key in given or (key[0] in ("truth", "none") and key[1] in bound)
                if not settled and len(nodes) < 2:
                    continue
                if any(_decides(node, stakes) or (settled and _guards_call(node)) for node in nodes):
                    fresh.append((rank if settled else rank + 1, key))
            for _rank, key in fresh:
                del tests[key]
            chosen += fresh
            # What decides how a flag is set decides what the flag does.
            flags = [key[1] for _rank, key in fresh if key[0] in ("truth", "none")]
            setting = {node for place in flags if isinstance(place, Place) for node in bound.get(place, ())}
            if not setting or len(chosen) >= _MOST_KEYS:
                break
            stakes = _with_ancestors(setting)
        chosen.sort(key=lambda pair: pair[0])
        keys = [key for _rank, key in chosen[:_MOST_KEYS]]
        twins = [("none" if key[0] == "truth" else "truth", key[1]) for key in keys if key[0] in ("truth", "none")]
        return frozenset([*keys, *twins])

    def _lowered_flags(self, graph: Graph, stakes: set[s.Node]) -> Known:
        """Flags on objects that this function raises and that guard an undoing: down when the function is entered.

        ``self._locked = True`` after an acquire and ``if self._locked: release()`` at the end keep one truth in two
        places; the flag says what the lock's state says, and on entry that is: not held.
        """
        guards: set[Key] = set()
        for step in graph.steps:
            if step.kind is StepKind.BRANCH and isinstance(step.node, s.Expr) and s.statement_of(step.node) in stakes:
                atom = self.atom(step.node)
                if atom is not None and atom[1]:
                    guards.add(atom[0])
        known = NOTHING
        for step in graph.steps:
            raises = isinstance(step.value, s.Constant) and step.value.value is True
            if step.kind is StepKind.BIND and raises and isinstance(step.target, s.Attribute):
                place = self._names.place(step.target)
                if place is not None and ("truth", place) in guards:
                    known = self.learn(known, ("truth", place), False)
        return known

    def _unbound(self, graph: Graph) -> Known:
        """Variables without a value when the function is entered: asking one raises, so none is true until it is bound.

        ``got = lock.acquire(timeout=1)`` that is interrupted leaves ``got`` without a value, and ``if got:`` raises.
        """
        known = NOTHING
        for key in self._keys:
            place = key[1] if key[0] == "truth" else None
            if isinstance(place, Place) and place.root[0] == "local" and not place.path:
                scope = place.root[1]
                if isinstance(scope, ScopeInfo) and scope.node is graph.scope:
                    bindings = scope.bindings.get(str(place.root[2]), ())
                    if bindings and all(binding.kind is not BindingKind.PARAMETER for binding in bindings):
                        known = self.learn(known, key, False)
        return known

    def _tells(self, value: s.Expr) -> bool:
        return self.truth(value, NOTHING) is not None or any(node in self._results for node in s.walk(value))


def bound_place(names: Names, target: s.Expr) -> Place | None:
    """The place that binding ``target`` changes; unlike :meth:`Names.place` it does not look through aliases."""
    if isinstance(target, s.Name):
        found = names.scopes.lookup(target.id, target)
        if found is None:
            return None
        scope = found[0]
        return Place(("global" if scope.is_global else "local", scope, target.id), ())
    return names.handle(target)


def _result_node(expr: s.Expr | None) -> s.Expr | None:
    """The call or await whose result ``expr`` is."""
    while isinstance(expr, s.NamedExpr):
        expr = expr.value
    return expr


def _mentions(key: Key, place: Place) -> bool:
    for part in key:
        if isinstance(part, Place):
            if part.starts_with(place):
                return True
        elif isinstance(part, tuple) and _mentions(part, place):
            return True
    return False


def _with_ancestors(nodes: AbstractSet[s.Node]) -> set[s.Node]:
    out: set[s.Node] = set()
    for node in nodes:
        current: s.Node | None = node
        while current is not None and current not in out:
            out.add(current)
            current = current.parent
    return out


def _guards_call(test: s.Node) -> bool:
    """Whether the statement that ``test`` controls calls something, which may raise."""
    statement = s.statement_of(test)
    return isinstance(statement, s.If) and any(
        isinstance(node, s.Call) for part in statement.body for node in s.walk(part, into_functions=False)
    )


def _decides(test: s.Node, stakes: set[s.Node]) -> bool:
    """Whether the statement that ``test`` controls holds one of the nodes at stake or leaves the normal flow."""
    statement = s.statement_of(test)
    if statement in stakes or isinstance(statement, s.Assert):
        return True
    if isinstance(statement, (s.If, s.While)):
        for node in s.walk(statement, into_functions=False):
            if isinstance(node, (s.Return, s.Raise, s.Break, s.Continue)):
                return True
    return False

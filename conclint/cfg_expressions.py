"""Expressions and conditions in the control-flow graph: evaluation order, short circuits, what may raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import syntax as s
from .cfg import Label, Level, Step, StepKind
from .cfg_routes import CallBehaviour, Pending, Routes
from .exceptions import ANY, BASE, ExceptionClasses
from .names import Names


class Expressions(Routes):
    """The part of the builder that evaluates."""

    def __init__(self, scope: s.Scope, names: Names, classes: ExceptionClasses, calls: CallBehaviour) -> None:
        super().__init__(scope, names, classes, calls)
        self._tested = _tested_containers(scope)

    def _eval(self, expr: s.Expr) -> None:
        if not self._pending:
            return
        method = _EXPRESSIONS.get(type(expr))
        if method is not None:
            method(self, expr)

    def _attribute(self, expr: s.Attribute) -> None:
        self._eval(expr.value)
        self._risk = max(self._risk, Level.UNLIKELY)

    def _call(self, expr: s.Call) -> None:
        # Looking up the method of an object that has it is part of the call, not a risk of its own.
        self._eval(expr.func.value if isinstance(expr.func, s.Attribute) else expr.func)
        for argument in expr.args:
            self._eval(argument.value)
        if not self._pending:
            return
        if self._calls.returns(expr):
            level = self._calls.level(expr)
            if level < Level.UNLIKELY:  # a lock's own methods: finding the lock raises no more than they do
                self._risk = Level.NEVER
            self._step(StepKind.CALL, expr, level, self._flying(expr))
            return
        flying = self._calls.raised(expr)
        step = self._step(StepKind.CALL, expr, Level.LIKELY, flying or ANY)
        self._pending = []
        if flying is None:
            step.level = Level.NEVER

    def _subscript(self, expr: s.Subscript) -> None:
        self._eval(expr.value)
        self._eval(expr.index)
        if self._pending:
            self._step(StepKind.EVAL, expr, Level.UNLIKELY if self._is_tested(expr) else Level.LIKELY)

    def _is_tested(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is an item of a container that the function asks about before it takes it."""
        return isinstance(expr, s.Subscript) and s.dotted(expr.value) in self._tested

    def _await(self, expr: s.Await) -> None:
        self._eval(expr.value)
        if self._pending:
            flying = self._flying(expr.value) if isinstance(expr.value, s.Call) else ANY
            self._step(StepKind.AWAIT, expr, Level.LIKELY, flying)

    def _flying(self, call: s.Call) -> str:
        """What flies out of a call that returns, where it does not."""
        return BASE if self._calls.is_interruptible(call) else ANY

    def _yield(self, expr: s.Yield) -> None:
        if expr.value is not None:
            self._eval(expr.value)
        if self._pending:
            self._step(StepKind.YIELD, expr, self._yield_level)

    def _bool_op(self, expr: s.BoolOp) -> None:
        true, false = self._branch(expr.left)
        ends, self._pending = (true, false) if expr.op == "or" else (false, true)
        self._eval(expr.right)
        self._merge(expr, ends)

    def _merge(self, expr: s.Expr, ends: Pending) -> None:
        self._pending = self._pending + ends
        if self._pending:
            self._continue_at(self._join(expr))

    def _not(self, expr: s.Not) -> None:
        self._eval(expr.operand)

    def _lambda(self, expr: s.Lambda) -> None:
        self._defaults(expr.function)

    def _compare(self, expr: s.Compare) -> None:
        ends = self._comparison(expr)
        if ends:
            self._merge(expr, ends)

    def _comparison(self, expr: s.Compare) -> Pending:
        """Evaluate the operands; what waits where a chain ended early: ``a < b < c`` asks for ``c`` last of all."""
        self._eval(expr.left)
        ends: Pending = []
        for index, right in enumerate(expr.rights):
            if index:
                ends += self._pending
            self._eval(right)
        if any(op not in ("is", "is not") for op in expr.ops):
            self._risk = max(self._risk, Level.UNLIKELY)
        return ends

    def _if_exp(self, expr: s.IfExp) -> None:
        true, false = self._branch(expr.test)
        self._pending = true
        self._eval(expr.body)
        ends = self._pending
        self._pending = false
        self._eval(expr.orelse)
        self._merge(expr, ends)

    def _named(self, expr: s.NamedExpr) -> None:
        self._eval(expr.value)
        self._bind(expr, expr.target, expr.value)

    def _starred(self, expr: s.Starred) -> None:
        self._eval(expr.value)
        self._risk = max(self._risk, Level.UNLIKELY)

    def _display(self, expr: s.Display) -> None:
        for element in expr.elements:
            self._eval(element)

    def _dict_display(self, expr: s.DictDisplay) -> None:
        for key, value in zip(expr.keys, expr.values, strict=True):
            if key is not None:
                self._eval(key)
            self._eval(value)

    def _operation(self, expr: s.Operation) -> None:
        for operand in expr.operands:
            self._eval(operand)
        divides = expr.op in ("/", "//", "%")
        if divides:
            first, last = expr.operands[0], expr.operands[-1]
            formats = expr.op == "%" and isinstance(first, s.Constant) and isinstance(first.value, (str, bytes))
            divides = not formats and not (isinstance(last, s.Constant) and last.value)
        if divides and self._pending:
            self._step(StepKind.EVAL, expr, Level.LIKELY)
        elif expr.operands:
            self._risk = max(self._risk, Level.UNLIKELY)

    def _comprehension(self, expr: s.Comprehension) -> None:
        heads: list[Step] = []
        after: Pending = []
        for index, clause in enumerate(expr.clauses):
            self._eval(clause.iter)
            if not self._pending:
                return
            level = Level.LIKELY if clause.is_async else self._iteration_level(clause.iter)
            head = self._step(StepKind.ITERATE, clause, level)
            heads.append(head)
            if index == 0:
                after = [(head, Label.FALSE)]
            else:
                self._edge(head, heads[index - 1], Label.FALSE)
            self._pending = [(head, Label.TRUE)]
            self._bind(clause, clause.target, None)
            for condition in clause.ifs:
                true, false = self._branch(condition)
                for step, label in false:
                    self._edge(step, head, label)
                self._pending = true
        if expr.key is not None:
            self._eval(expr.key)
        self._eval(expr.element)
        self._connect(heads[-1])
        self._pending = after

    # ---- bindings

    def _bind(self, node: s.Node, target: s.Expr, value: s.Expr | None) -> None:
        if not self._pending:
            return
        if isinstance(target, s.Display):
            values: list[s.Expr | None] = [None] * len(target.elements)
            level = Level.LIKELY
            if isinstance(value, s.Display) and len(value.elements) == len(target.elements):
                values = list(value.elements)
                level = Level.NEVER
            if level is Level.LIKELY and value is not None:
                self._step(StepKind.EVAL, node, Level.UNLIKELY if self._is_tested(value) else level)
            for element, item in zip(target.elements, values, strict=True):
                self._bind(node, element, item)
            return
        level = Level.NEVER
        if isinstance(target, s.Attribute):
            self._eval(target.value)
            level = Level.UNLIKELY
        elif isinstance(target, s.Subscript):
            self._eval(target.value)
            self._eval(target.index)
            level = Level.UNLIKELY if self._names.is_container(target.value) else Level.LIKELY
        elif isinstance(target, s.Starred):
            target = target.value
        step = self._step(StepKind.BIND, node, level)
        step.target = target
        step.value = value

    def _iteration_level(self, iterable: s.Expr) -> Level:
        if self._names.is_call_of(iterable, ("builtins.range",)) or self._names.is_container(iterable):
            return Level.UNLIKELY
        return Level.LIKELY

    def _defaults(self, function: s.Function) -> None:
        for param in function.params:
            if param.default is not None:
                self._eval(param.default)

    # ---- conditions

    def _branch(self, test: s.Expr) -> tuple[Pending, Pending]:
        """Evaluate ``test``; what waits where it is true, and where it is false."""
        if not self._pending:
            return [], []
        if isinstance(test, s.Constant):
            ends, self._pending = self._pending, []
            return (ends, []) if test.value else ([], ends)
        if isinstance(test, s.Not):
            true, false = self._branch(test.operand)
            return false, true
        if isinstance(test, s.BoolOp):
            true, false = self._branch(test.left)
            if test.op == "and":
                self._pending = true
                second_true, second_false = self._branch(test.right)
                return second_true, false + second_false
            self._pending = false
            second_true, second_false = self._branch(test.right)
            return true + second_true, second_false
        early: Pending = []
        if isinstance(test, s.Compare):
            early = self._comparison(test)
        else:
            self._eval(test)
        if not self._pending:
            return [], early
        step = self._step(StepKind.BRANCH, test)
        self._pending = []
        return [(step, Label.TRUE)], [(step, Label.FALSE), *early]


def _tested_containers(scope: s.Scope) -> set[str | None]:
    """The containers, by dotted name, that the code asks about before it takes something out of them.

    ``while not queue``, ``len(queue) == 0`` or ``key in table`` anywhere in the function: whoever asks knows that a
    subscript may fail, and sees to it that it does not.
    """
    tested: set[str | None] = set()
    for node in s.own_nodes(scope):
        if isinstance(node, (s.If, s.While, s.IfExp)):
            tested.update(s.dotted(part) for part in _tests(node.test))
    return tested - {None}


def _tests(test: s.Expr) -> Iterator[s.Expr]:
    stack = [test]
    while stack:
        node = stack.pop()
        if isinstance(node, s.Not):
            stack.append(node.operand)
        elif isinstance(node, s.BoolOp):
            stack += (node.left, node.right)
        elif isinstance(node, s.Compare):
            stack += [node.left] if node.ops[0] not in ("in", "not in") else node.rights
        elif isinstance(node, s.Call) and s.dotted(node.func) == "len" and node.args:
            yield node.args[0].value
        else:
            yield node


_EXPRESSIONS: dict[type[s.Node], Callable[..., None]] = {
    s.Attribute: Expressions._attribute,
    s.Call: Expressions._call,
    s.Subscript: Expressions._subscript,
    s.Await: Expressions._await,
    s.Yield: Expressions._yield,
    s.BoolOp: Expressions._bool_op,
    s.Not: Expressions._not,
    s.Lambda: Expressions._lambda,
    s.Compare: Expressions._compare,
    s.IfExp: Expressions._if_exp,
    s.NamedExpr: Expressions._named,
    s.Starred: Expressions._starred,
    s.Display: Expressions._display,
    s.DictDisplay: Expressions._dict_display,
    s.Operation: Expressions._operation,
    s.Comprehension: Expressions._comprehension,
}

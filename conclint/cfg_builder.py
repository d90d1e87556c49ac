"""From lowered syntax to the control-flow graph: the statements.

The builder walks the body once. Expressions are :mod:`conclint.cfg_expressions`, the ways out of nested constructs
:mod:`conclint.cfg_routes`.
"""

from __future__ import annotations

from collections.abc import Callable

from . import syntax as s
from .cfg import Graph, Label, Level, Step, StepKind
from .cfg_expressions import Expressions
from .cfg_routes import DEEPEST_COPY, CallBehaviour, Finally, Handlers, Leave, Loop, Pending
from .exceptions import ANY, BASE, ExceptionClasses
from .names import Names


def build(scope: s.Scope, names: Names, classes: ExceptionClasses, calls: CallBehaviour) -> Graph:
    """The graph of a function's body, or of the top level of a module or class."""
    return _Builder(scope, names, classes, calls).build()


class _Builder(Expressions):
    def build(self) -> Graph:
        graph = self._graph
        self._body(graph.scope.body)
        self._connect(graph.steps[graph.exit])
        return graph

    def _body(self, body: list[s.Stmt]) -> None:
        for statement in body:
            if not self._pending:
                return  # unreachable
            self._statement(statement)

    def _statement(self, node: s.Stmt) -> None:
        method = _STATEMENTS.get(type(node))
        if method is not None:
            method(self, node)

    def _expr_stmt(self, node: s.ExprStmt) -> None:
        self._eval(node.value)
        if self._risk and self._pending:
            self._step(StepKind.EVAL, node)

    def _assign(self, node: s.Assign) -> None:
        if node.value is None:
            return
        self._eval(node.value)
        for target in node.targets:
            self._bind(node, target, node.value)

    def _aug_assign(self, node: s.AugAssign) -> None:
        self._eval(node.target)
        self._eval(node.value)
        if self._pending:
            level = Level.LIKELY if isinstance(node.target, s.Subscript) else Level.UNLIKELY
            self._step(StepKind.BIND, node, level).target = node.target

    def _delete(self, node: s.Delete) -> None:
        for target in node.targets:
            level = Level.NEVER
            if isinstance(target, s.Subscript):
                self._eval(target.value)
                self._eval(target.index)
                level = Level.LIKELY
            elif isinstance(target, s.Attribute):
                self._eval(target.value)
                level = Level.UNLIKELY
            if self._pending:
                self._step(StepKind.BIND, node, level).target = target

    def _return(self, node: s.Return) -> None:
        if node.value is not None:
            self._eval(node.value)
        if self._pending:
            step = self._step(StepKind.RETURN, node)
            step.value = node.value
            self._abrupt(("return", None))

    def _raise(self, node: s.Raise) -> None:
        if node.exc is not None:
            self._eval(node.exc)
        if node.cause is not None:
            self._eval(node.cause)
        if self._pending:
            flying = self._classes.raised(node.exc, self._around.rethrown)
            self._throw(node, Level.CERTAIN, flying)

    def _throw(self, node: s.Node, level: Level, flying: str) -> None:
        self._step(StepKind.RAISE, node, level, flying)
        self._pending = []

    def _assert(self, node: s.Assert) -> None:
        true, false = self._branch(node.test)
        self._pending = false
        if self._pending:
            if node.message is not None:
                self._eval(node.message)
            self._throw(node, Level.LIKELY, "AssertionError")
        self._pending = true

    def _import(self, node: s.Stmt) -> None:
        self._step(StepKind.EVAL, node, Level.LIKELY)

    def _if(self, node: s.If) -> None:
        ends: Pending = []
        current: s.If | None = node
        while current is not None:  # a long elif chain must not recurse
            true, false = self._branch(current.test)
            self._pending = true
            self._body(current.body)
            ends += self._pending
            self._pending = false
            following = current.orelse
            current = following[0] if len(following) == 1 and isinstance(following[0], s.If) else None
            if not self._pending:
                break
            if current is None:
                self._body(following)
        self._pending += ends

    def _while(self, node: s.While) -> None:
        head, after = self._join(node), self._join(node)
        self._continue_at(head)
        true, false = self._branch(node.test)
        self._frames.append(Loop(after, head))
        self._pending = true
        self._body(node.body)
        self._connect(head)
        self._frames.pop()
        self._pending = false
        self._body(node.orelse)
        self._after(after)

    def _after(self, after: Step) -> None:
        """Go on behind a construct whose ``break`` or swallowed exception leads to ``after``."""
        self._connect(after)
        self._pending = [(after, Label.NEXT)] if after.id in self._reached else []

    def _for(self, node: s.For) -> None:
        self._eval(node.iter)
        if not self._pending:
            return
        after = self._join(node)
        level = Level.LIKELY if node.is_async else self._iteration_level(node.iter)
        first: Pending = []
        if s.is_never_empty(node.iter):  # a head of its own for the first turn, which there always is
            first, self._pending = [(self._step(StepKind.ITERATE, node, level), Label.TRUE)], []
        head = self._step(StepKind.ITERATE, node, level)
        self._pending = [*first, (head, Label.TRUE)]
        self._frames.append(Loop(after, head))
        self._bind(node, node.target, None)
        self._body(node.body)
        self._connect(head)
        self._frames.pop()
        self._pending = [(head, Label.FALSE)] if head.id in self._reached or not first else []
        self._body(node.orelse)
        self._after(after)

    def _try(self, node: s.Try) -> None:
        final = Finally(node.final, self._around)
        if node.final:
            self._frames.append(final)
        ends: Pending = []
        if node.handlers:
            handlers = [(self._classes.handled(h.type), self._new(StepKind.HANDLER, h)) for h in node.handlers]
            self._frames.append(Handlers(handlers))
            self._body(node.body)
            self._frames.pop()
            self._body(node.orelse)
            ends += self._pending
            for handler, (handled, entry) in zip(node.handlers, handlers, strict=True):
                ends += self._handler(handler, handled, entry)
        else:
            self._body(node.body)
            self._body(node.orelse)
            ends += self._pending
        self._pending = ends
        if node.final:
            self._frames.pop()
            if self._pending:
                self._fall_into_finally(final)

    def _fall_into_finally(self, frame: Finally) -> None:
        if frame.around.finals >= DEEPEST_COPY:
            entry, ends = self._finally_shared(frame, len(self._frames))
        else:
            entry, ends = self._final_body(frame, len(self._frames))
        self._connect(entry)
        self._pending = list(ends)

    def _handler(self, handler: s.Handler, handled: list[str | None], entry: Step) -> Pending:
        def build() -> None:
            if handler.name is not None:
                self._step(StepKind.BIND, handler)
            self._body(handler.body)

        around = self._around._replace(cleanup=True, rethrown=self._classes.rethrown(handled))
        return self._outside(len(self._frames), around, entry, build)

    def _with(self, node: s.With) -> None:
        frames: list[Leave] = []
        for item in node.items:
            self._eval(item.context)
            if not self._pending:
                break
            frame = Leave(item, self._classes.swallowed(item.context), self._join(node), node.is_async, self._around)
            flying = BASE if self._is_lock(item.context) else ANY  # waiting for it can only be cancelled
            self._step(StepKind.ENTER, item, Level.LIKELY if node.is_async else Level.NEVER, flying)
            frames.append(frame)
            self._frames.append(frame)
            if item.target is not None:
                self._bind(item, item.target, item.context)
        if len(frames) == len(node.items):
            self._body(node.body)
        for frame in reversed(frames):
            self._frames.pop()
            if self._pending:
                leave = self._leave_step(frame)
                self._continue_at(leave)
                leave.exc = self._route(("exception", ANY)).id
            if frame.swallows:  # the items before it are still to be left
                self._after(frame.after)

    def _match(self, node: s.Match) -> None:
        self._eval(node.subject)
        ends: Pending = []
        for case in node.cases:
            if not self._pending:
                break
            for value in case.values:
                self._eval(value)
            if case.irrefutable:
                missed: Pending = []
            else:
                step = self._step(StepKind.BRANCH, case, Level.UNLIKELY)
                self._pending = [(step, Label.TRUE)]
                missed = [(step, Label.FALSE)]
            if case.guard is not None:
                true, false = self._branch(case.guard)
                self._pending = true
                missed += false
            self._body(case.body)
            ends += self._pending
            self._pending = missed
        self._pending += ends

    def _break(self, node: s.Break) -> None:
        self._leave_loop("break", node)

    def _continue(self, node: s.Continue) -> None:
        self._leave_loop("continue", node)

    def _leave_loop(self, kind: str, node: s.Stmt) -> None:
        loop = next((frame for frame in reversed(self._frames) if isinstance(frame, Loop)), None)
        if loop is None:  # `break` in a `finally` copy whose loop lies outside cannot happen; syntax errors can
            self._pending = []
        else:
            self._step(StepKind.JUMP, node)
            self._abrupt((kind, loop))

    def _function_def(self, node: s.FunctionDef) -> None:
        for decorator in node.function.decorators:
            self._eval(decorator)
            if self._pending:
                self._risk = max(self._risk, Level.UNLIKELY)
        self._defaults(node.function)
        if self._pending:
            self._step(StepKind.DEFINE, node)

    def _class_def(self, node: s.ClassDef) -> None:
        for expr in (*node.decorators, *(base.value for base in node.bases)):
            self._eval(expr)
        self._body(node.body)
        if self._pending:
            self._step(StepKind.DEFINE, node, Level.UNLIKELY)


_STATEMENTS: dict[type[s.Node], Callable[..., None]] = {
    s.ExprStmt: _Builder._expr_stmt,
    s.Assign: _Builder._assign,
    s.AugAssign: _Builder._aug_assign,
    s.Delete: _Builder._delete,
    s.Return: _Builder._return,
    s.Raise: _Builder._raise,
    s.Assert: _Builder._assert,
    s.Import: _Builder._import,
    s.ImportFrom: _Builder._import,
    s.If: _Builder._if,
    s.While: _Builder._while,
    s.For: _Builder._for,
    s.Try: _Builder._try,
    s.With: _Builder._with,
    s.Match: _Builder._match,
    s.Break: _Builder._break,
    s.Continue: _Builder._continue,
    s.FunctionDef: _Builder._function_def,
    s.ClassDef: _Builder._class_def,
}

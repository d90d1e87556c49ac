"""From lowered syntax to the control-flow graph.

The builder walks the body once, keeping the edges that wait for the next step (``_pending``) and a stack of the
constructs around it (``_frames``). An abrupt completion (exception, return, break, continue) is routed outwards
through that stack; on its way it makes, once for each kind of completion, the copy of each ``finally`` body and
``with`` exit that it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Union

from . import syntax as s
from .cfg import Edge, Graph, Label, Level, Step, StepKind
from .exceptions import ANY, Caught, ExceptionClasses
from .names import Names

Pending = list[tuple[Step, Label]]
Completion = tuple[str, object]
"""``("exception", what flies)``, ``("return", None)``, ``("break", loop)`` or ``("continue", loop)``."""

_MOST_COPIES = 8
_DEEPEST_COPY = 3
"""A ``finally`` nested deeper than this in other ``finally`` bodies is shared by all ways of leaving, so that the
graph stays linear in the source."""


class _Around(NamedTuple):
    """What surrounds the statement being built, apart from the frames."""

    cleanup: bool = False
    """Whether it stands in a ``finally`` body or an exception handler."""
    finals: int = 0
    """In how many ``finally`` bodies."""
    rethrown: str = ANY
    """What a bare ``raise`` throws."""


class _Loop:
    def __init__(self, after: Step, head: Step) -> None:
        self.after = after
        self.head = head


class _Handlers:
    def __init__(self, handlers: list[tuple[list[str | None], Step]]) -> None:
        self.handlers = handlers
        self.entries: dict[Completion, Step] = {}


class _Finally:
    def __init__(self, body: list[s.Stmt], around: _Around) -> None:
        self.body = body
        self.around = around
        self.entries: dict[Completion, Step] = {}
        self.shared: tuple[Step, Pending] | None = None


class _Leave:
    def __init__(
        self, item: s.WithItem, swallows: list[str | None], after: Step, is_async: bool, around: _Around
    ) -> None:
        self.around = around
        self.item = item
        self.swallows = swallows
        self.after = after
        self.is_async = is_async
        self.entries: dict[Completion, Step] = {}


_Frame = Union[_Loop, _Handlers, _Finally, _Leave]


class CallBehaviour:
    """What the builder asks about a call. Implemented over whole-module knowledge by the facts."""

    def level(self, call: s.Call) -> Level:
        """How readily the call raises."""
        raise NotImplementedError

    def returns(self, call: s.Call) -> bool:
        """Whether control ever comes back from the call normally."""
        raise NotImplementedError

    def raised(self, call: s.Call) -> str | None:
        """What a call that never returns throws; ``None`` where it ends the process."""
        raise NotImplementedError


def build(scope: s.Scope, names: Names, classes: ExceptionClasses, calls: CallBehaviour) -> Graph:
    """The graph of a function's body, or of the top level of a module or class."""
    return _Builder(scope, names, classes, calls).build()


class _Builder:
    def __init__(self, scope: s.Scope, names: Names, classes: ExceptionClasses, calls: CallBehaviour) -> None:
        self._names = names
        self._classes = classes
        self._calls = calls
        self._graph = Graph(scope)
        self._frames: list[_Frame] = []
        self._pending: Pending = [(self._graph.steps[self._graph.entry], Label.NEXT)]
        self._around = _Around()
        self._risk = Level.NEVER
        self._reached: set[int] = set()
        self._tested = _tested_containers(scope)
        self._yield_level = Level.LIKELY
        if isinstance(scope, s.Function) and names.decorated(scope, names.catalog.calls["fixtures"]):
            self._yield_level = Level.NEVER  # pytest resumes a fixture whatever the test did

    def build(self) -> Graph:
        graph = self._graph
        self._body(graph.scope.body)
        self._connect(graph.steps[graph.exit])
        return graph

    # ---- plumbing

    def _new(self, kind: StepKind, node: s.Node, level: Level = Level.NEVER) -> Step:
        step = self._graph.add(kind, node, level)
        step.cleanup = self._around.cleanup
        return step

    def _edge(self, step: Step, target: Step, label: Label) -> None:
        step.edges.append(Edge(target.id, label))
        self._reached.add(target.id)

    def _connect(self, target: Step) -> None:
        for step, label in self._pending:
            self._edge(step, target, label)
        self._pending = []

    def _step(self, kind: StepKind, node: s.Node, level: Level = Level.NEVER, flying: str = ANY) -> Step:
        """A step after what is pending, with its exception edge."""
        step = self._new(kind, node, max(level, self._risk))
        self._risk = Level.NEVER
        self._connect(step)
        self._pending = [(step, Label.NEXT)]
        step.exc = self._route(("exception", flying)).id
        return step

    def _join(self, node: s.Node) -> Step:
        return self._new(StepKind.JOIN, node)

    def _continue_at(self, step: Step) -> None:
        """Go on at ``step`` after linking what is pending to it; nothing follows a step that nothing reaches."""
        self._connect(step)
        self._pending = [(step, Label.NEXT)]

    # ---- abrupt completions

    def _route(self, completion: Completion, depth: int | None = None) -> Step:
        """The step that ``completion`` goes to from inside the first ``depth`` frames."""
        kind, detail = completion
        for index in range(len(self._frames) if depth is None else depth, 0, -1):
            frame = self._frames[index - 1]
            if isinstance(frame, _Loop):
                if detail is frame:
                    return frame.after if kind == "break" else frame.head
            elif isinstance(frame, _Finally):
                return self._finally_copy(frame, completion, index - 1)
            elif isinstance(frame, _Leave):
                return self._leave_copy(frame, completion, index - 1)
            elif kind == "exception":
                return self._dispatch(frame, completion, index - 1)
        graph = self._graph
        return graph.steps[graph.raise_exit if kind == "exception" else graph.exit]

    def _abrupt(self, completion: Completion) -> None:
        """End the current path by ``completion``."""
        if self._pending:
            self._connect(self._route(completion))

    def _outside(self, depth: int, around: _Around, first: Step, action: Callable[[], None]) -> Pending:
        """Build ``action`` from ``first`` on, as code that only the outer ``depth`` frames surround; where it ends."""
        saved = self._frames, self._around, self._pending, self._risk
        self._frames, self._around = self._frames[:depth], around
        self._pending, self._risk = [(first, Label.NEXT)], Level.NEVER
        action()
        ends = self._pending
        self._frames, self._around, self._pending, self._risk = saved
        return ends

    def _finally_copy(self, frame: _Finally, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        if frame.around.finals >= _DEEPEST_COPY or len(frame.entries) >= _MOST_COPIES:
            entry, ends = self._finally_shared(frame, depth)
        else:
            entry, ends = self._final_body(frame, depth)
        frame.entries[completion] = entry
        self._link_ends(ends, completion, depth)
        return entry

    def _finally_shared(self, frame: _Finally, depth: int) -> tuple[Step, Pending]:
        """The one copy for several ways of leaving: where it is entered, and where it ends."""
        if frame.shared is None:
            frame.shared = self._final_body(frame, depth)
        return frame.shared

    def _final_body(self, frame: _Finally, depth: int) -> tuple[Step, Pending]:
        around = frame.around._replace(cleanup=True, finals=frame.around.finals + 1)
        entry = self._join(frame.body[0])
        return entry, self._outside(depth, around, entry, lambda: self._body(frame.body))

    def _link_ends(self, ends: Pending, completion: Completion, depth: int) -> None:
        if ends:
            target = self._route(completion, depth)
            for step, label in ends:
                self._edge(step, target, label)

    def _leave_copy(self, frame: _Leave, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        step = frame.entries[completion] = self._leave_step(frame)
        kind, flying = completion
        step.exceptional = kind == "exception"
        verdict = Caught.NO
        if step.exceptional and frame.swallows:
            verdict = self._classes.catches(str(flying), frame.swallows)
            if verdict is not Caught.NO:
                self._edge(step, frame.after, Label.NEXT)
        if verdict is not Caught.YES:
            label = Label.NEXT
            if verdict is Caught.MAYBE:
                flying = self._classes.rest(str(flying), frame.swallows)
                label = _uncaught(str(flying))
                completion = (kind, flying)
            self._edge(step, self._route(completion, depth), label)
        step.exc = self._route(("exception", ANY), depth).id
        return step

    def _leave_step(self, frame: _Leave) -> Step:
        step = self._new(StepKind.LEAVE, frame.item, self._await_level(frame.item, frame.is_async))
        step.cleanup = frame.around.cleanup  # whatever it is left by
        if self._is_lock(frame.item.context):
            step.level = Level.NEVER
        return step

    def _await_level(self, item: s.WithItem, is_async: bool) -> Level:
        """How readily leaving a ``with`` raises: an ``async with`` awaits, except for what is known to be harmless."""
        harmless = isinstance(item.context, s.Call) and self._calls.level(item.context) < Level.LIKELY
        return Level.LIKELY if is_async and not harmless else Level.UNLIKELY

    def _dispatch(self, frame: _Handlers, completion: Completion, depth: int) -> Step:
        known = frame.entries.get(completion)
        if known is not None:
            return known
        flying = str(completion[1])
        step = frame.entries[completion] = self._new(StepKind.DISPATCH, frame.handlers[0][1].node)
        for handled, entry in frame.handlers:
            verdict = self._classes.catches(flying, handled)
            if verdict is not Caught.NO:
                self._edge(step, entry, Label.EXCEPTION)
            if verdict is Caught.YES:
                return step
            if verdict is Caught.MAYBE:
                flying = self._classes.rest(flying, handled)
        self._edge(step, self._route(("exception", flying), depth), _uncaught(flying))
        return step

    # ---- statements

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
            self._throw(node, flying)

    def _throw(self, node: s.Node, flying: str) -> None:
        self._step(StepKind.RAISE, node, Level.LIKELY, flying)
        self._pending = []

    def _assert(self, node: s.Assert) -> None:
        true, false = self._branch(node.test)
        self._pending = false
        if self._pending:
            if node.message is not None:
                self._eval(node.message)
            self._throw(node, "AssertionError")
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
        self._frames.append(_Loop(after, head))
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
        head = self._step(StepKind.ITERATE, node, level)
        self._pending = [(head, Label.TRUE)]
        self._frames.append(_Loop(after, head))
        self._bind(node, node.target, None)
        self._body(node.body)
        self._connect(head)
        self._frames.pop()
        self._pending = [(head, Label.FALSE)]
        self._body(node.orelse)
        self._after(after)

    def _iteration_level(self, iterable: s.Expr) -> Level:
        if self._names.is_call_of(iterable, ("builtins.range",)) or self._names.is_container(iterable):
            return Level.UNLIKELY
        return Level.LIKELY

    def _try(self, node: s.Try) -> None:
        final = _Finally(node.final, self._around)
        if node.final:
            self._frames.append(final)
        ends: Pending = []
        if node.handlers:
            handlers = [(self._classes.handled(h.type), self._new(StepKind.HANDLER, h)) for h in node.handlers]
            self._frames.append(_Handlers(handlers))
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

    def _fall_into_finally(self, frame: _Finally) -> None:
        if frame.around.finals >= _DEEPEST_COPY:
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
        frames: list[_Leave] = []
        for item in node.items:
            self._eval(item.context)
            if not self._pending:
                break
            frame = _Leave(item, self._swallowed(item.context), self._join(node), node.is_async, self._around)
            self._step(StepKind.ENTER, item, Level.LIKELY if node.is_async else Level.NEVER)
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

    def _swallowed(self, context: s.Expr) -> list[str | None]:
        """The exceptions that leaving ``with context`` swallows."""
        if not isinstance(context, s.Call):
            return []
        name = self._names.qualified(context.func)
        if name in self._names.catalog.calls["suppressors"]:
            return [handled for argument in context.args for handled in self._classes.handled(argument.value)]
        if isinstance(context.func, s.Attribute) and context.func.attr in ("assertRaises", "assertRaisesRegex"):
            first = context.positional(0)
            return [] if first is None else self._classes.handled(first)
        return []

    def _is_lock(self, context: s.Expr) -> bool:
        instance = self._names.instance(context)
        return instance is not None and instance.type.kind in self._names.catalog.lock_kinds

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
        loop = next((frame for frame in reversed(self._frames) if isinstance(frame, _Loop)), None)
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

    def _defaults(self, function: s.Function) -> None:
        for param in function.params:
            if param.default is not None:
                self._eval(param.default)

    def _class_def(self, node: s.ClassDef) -> None:
        for expr in (*node.decorators, *(base.value for base in node.bases)):
            self._eval(expr)
        self._body(node.body)
        if self._pending:
            self._step(StepKind.DEFINE, node, Level.UNLIKELY)

    # ---- expressions

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
            self._step(StepKind.CALL, expr, level)
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
            self._step(StepKind.AWAIT, expr, Level.LIKELY)

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
    for statement in scope.body:
        for node in s.walk(statement, into_functions=False):
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


def _uncaught(flying: str) -> Label:
    return Label.UNCAUGHT_BASE if flying == "base" else Label.UNCAUGHT


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

_EXPRESSIONS: dict[type[s.Node], Callable[..., None]] = {
    s.Attribute: _Builder._attribute,
    s.Call: _Builder._call,
    s.Subscript: _Builder._subscript,
    s.Await: _Builder._await,
    s.Yield: _Builder._yield,
    s.BoolOp: _Builder._bool_op,
    s.Not: _Builder._not,
    s.Lambda: _Builder._lambda,
    s.Compare: _Builder._compare,
    s.IfExp: _Builder._if_exp,
    s.NamedExpr: _Builder._named,
    s.Starred: _Builder._starred,
    s.Display: _Builder._display,
    s.DictDisplay: _Builder._dict_display,
    s.Operation: _Builder._operation,
    s.Comprehension: _Builder._comprehension,
}

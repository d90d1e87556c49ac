"""Modules and statements, lowered from libcst's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from .. import syntax as s
from .expressions import OPERATORS, Expressions


class Lowering(Expressions):
    """One walk over a libcst module. Methods are named after the libcst class they lower."""

    def module(self, node: cst.Module) -> s.Module:
        self._generator_stack.append(False)
        body = self._statements(node.body)
        module = s.Module(body, self._functions, self._classes)
        module.set_origin(node)
        return module

    def _statements(self, nodes: Sequence[Any]) -> list[s.Stmt]:
        out: list[s.Stmt] = []
        for node in nodes:
            if isinstance(node, cst.SimpleStatementLine):
                out.extend(self._lower(small) for small in node.body)
            else:
                out.append(self._lower(node))
        return out

    def _suite(self, node: Any) -> list[s.Stmt]:
        if isinstance(node, cst.SimpleStatementSuite):
            return [self._lower(small) for small in node.body]
        return self._statements(node.body)

    def _orelse(self, node: Any) -> list[s.Stmt]:
        return [] if node is None else self._suite(node.body)

    def Expr(self, node: cst.Expr) -> s.Stmt:
        return s.ExprStmt(self._lower(node.value))

    def Assign(self, node: cst.Assign) -> s.Stmt:
        value = self._lower(node.value)
        return s.Assign(value, [self._lower(target.target) for target in node.targets])

    def AnnAssign(self, node: cst.AnnAssign) -> s.Stmt:
        value = self._maybe(node.value)
        return s.Assign(value, [self._lower(node.target)], self._lower(node.annotation.annotation))

    def AugAssign(self, node: cst.AugAssign) -> s.Stmt:
        operator = OPERATORS.get(type(node.operator), "+")
        return s.AugAssign(self._lower(node.target), operator, self._lower(node.value))

    def Del(self, node: cst.Del) -> s.Stmt:
        target = self._lower(node.target)
        return s.Delete(target.elements if isinstance(target, s.Display) else [target])

    def Return(self, node: cst.Return) -> s.Stmt:
        return s.Return(self._maybe(node.value))

    def Raise(self, node: cst.Raise) -> s.Stmt:
        cause = node.cause.item if isinstance(node.cause, cst.From) else None
        return s.Raise(self._maybe(node.exc), self._maybe(cause))

    def Assert(self, node: cst.Assert) -> s.Stmt:
        return s.Assert(self._lower(node.test), self._maybe(node.msg))

    def Import(self, node: cst.Import) -> s.Stmt:
        return s.Import([(_dotted(alias.name), _alias(alias)) for alias in node.names])

    def ImportFrom(self, node: cst.ImportFrom) -> s.Stmt:
        module = "" if node.module is None else _dotted(node.module)
        if isinstance(node.names, cst.ImportStar):
            return s.ImportFrom(module, len(node.relative), [("*", None)])
        return s.ImportFrom(module, len(node.relative), [(_dotted(a.name), _alias(a)) for a in node.names])

    def Global(self, node: cst.Global) -> s.Stmt:
        return s.Scoping(True, [item.name.value for item in node.names])

    def Nonlocal(self, node: cst.Nonlocal) -> s.Stmt:
        return s.Scoping(False, [item.name.value for item in node.names])

    def Pass(self, node: cst.Pass) -> s.Stmt:
        return s.Pass()

    def Break(self, node: cst.Break) -> s.Stmt:
        return s.Break()

    def Continue(self, node: cst.Continue) -> s.Stmt:
        return s.Continue()

    def TypeAlias(self, node: cst.TypeAlias) -> s.Stmt:
        return s.Pass()

    def If(self, node: cst.If) -> s.Stmt:
        first = s.If(self._lower(node.test), self._suite(node.body), [])
        first.set_origin(node)
        last, rest = first, node.orelse
        while isinstance(rest, cst.If):  # a long elif chain must not recurse
            nested = s.If(self._lower(rest.test), self._suite(rest.body), [])
            nested.set_origin(rest)
            last.orelse = [nested]
            last, rest = nested, rest.orelse
        last.orelse = self._orelse(rest)
        return first

    def While(self, node: cst.While) -> s.Stmt:
        return s.While(self._lower(node.test), self._suite(node.body), self._orelse(node.orelse))

    def For(self, node: cst.For) -> s.Stmt:
        return s.For(
            self._lower(node.iter),
            self._lower(node.target),
            self._suite(node.body),
            self._orelse(node.orelse),
            node.asynchronous is not None,
        )

    def Try(self, node: cst.Try | cst.TryStar) -> s.Stmt:
        body = self._suite(node.body)
        handlers = [self._lower(handler) for handler in node.handlers]
        final = [] if node.finalbody is None else self._suite(node.finalbody.body)
        return s.Try(body, handlers, self._orelse(node.orelse), final, isinstance(node, cst.TryStar))

    TryStar = Try

    def ExceptHandler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> s.Handler:
        name = None
        if node.name is not None and isinstance(node.name.name, cst.Name):
            name = node.name.name.value
        return s.Handler(self._maybe(node.type), name, self._suite(node.body))

    ExceptStarHandler = ExceptHandler

    def With(self, node: cst.With) -> s.Stmt:
        items = [self._lower(item) for item in node.items]
        return s.With(items, self._suite(node.body), node.asynchronous is not None)

    def WithItem(self, node: cst.WithItem) -> s.WithItem:
        return s.WithItem(self._lower(node.item), None if node.asname is None else self._lower(node.asname.name))

    def Match(self, node: cst.Match) -> s.Stmt:
        return s.Match(self._lower(node.subject), [self._lower(case) for case in node.cases])

    def MatchCase(self, node: cst.MatchCase) -> s.Case:
        captures: list[str] = []
        values: list[s.Expr] = []
        self._pattern(node.pattern, captures, values)
        irrefutable = isinstance(node.pattern, cst.MatchAs) and node.pattern.pattern is None
        is_constant = isinstance(node.pattern, cst.MatchSingleton)
        return s.Case(captures, values, self._maybe(node.guard), self._suite(node.body), irrefutable, is_constant)

    def _pattern(self, node: Any, captures: list[str], values: list[s.Expr]) -> None:
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            captures.append(node.name.value)
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            captures.append(node.rest.value)
        elif isinstance(node, (cst.MatchValue, cst.MatchSingleton)):
            values.append(self._lower(node.value))
        elif isinstance(node, cst.MatchClass):
            values.append(self._lower(node.cls))
        for child in node.children:
            if not isinstance(child, (cst.BaseExpression, cst.BaseParenthesizableWhitespace)):
                self._pattern(child, captures, values)

    # ---- definitions

    def FunctionDef(self, node: cst.FunctionDef) -> s.Stmt:
        decorators = [self._lower(decorator.decorator) for decorator in node.decorators]
        params = self._params(node.params)
        returns = None if node.returns is None else self._lower(node.returns.annotation)
        function = s.Function(node.name.value, params, decorators, returns, [], node.asynchronous is not None)
        function.set_origin(node)
        self._functions.append(function)
        self._generator_stack.append(False)
        function.body = self._suite(node.body)
        function.is_generator = self._generator_stack.pop()
        return s.FunctionDef(function)

    def ClassDef(self, node: cst.ClassDef) -> s.Stmt:
        decorators = [self._lower(decorator.decorator) for decorator in node.decorators]
        bases = [self._lower(base) for base in (*node.bases, *node.keywords)]
        lowered = s.ClassDef(node.name.value, decorators, bases, [])
        self._classes.append(lowered)
        lowered.body = self._suite(node.body)
        return lowered


def _dotted(node: Any) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    parts.append(node.value)
    return ".".join(reversed(parts))


def _alias(alias: cst.ImportAlias) -> str | None:
    if alias.asname is None or not isinstance(alias.asname.name, cst.Name):
        return None
    return alias.asname.name.value

"""Modules and statements, lowered from ``ast``'s."""

from __future__ import annotations

import ast
from typing import Any

from .. import syntax as s
from .expressions import OPERATORS, Expressions


class Lowering(Expressions):
    """One walk over an ``ast`` module. Methods are named after the ``ast`` class they lower."""

    def module(self, node: ast.Module) -> s.Module:
        self._generator_stack.append(False)
        return s.Module(self._suite(node.body), self._functions, self._classes)

    def _suite(self, nodes: list[ast.stmt]) -> list[s.Stmt]:
        by_type = self._by_type
        return [by_type[node.__class__](node) for node in nodes]

    def Expr(self, node: ast.Expr) -> s.Stmt:
        return s.ExprStmt(self._lower(node.value))

    def Assign(self, node: ast.Assign) -> s.Stmt:
        value = self._lower(node.value)
        return s.Assign(value, [self._lower(target) for target in node.targets])

    def AnnAssign(self, node: ast.AnnAssign) -> s.Stmt:
        value = self._maybe(node.value)
        return s.Assign(value, [self._lower(node.target)], self._lower(node.annotation))

    def AugAssign(self, node: ast.AugAssign) -> s.Stmt:
        return s.AugAssign(self._lower(node.target), OPERATORS.get(type(node.op), "+"), self._lower(node.value))

    def Delete(self, node: ast.Delete) -> s.Stmt:
        targets = [self._lower(target) for target in node.targets]
        if len(targets) == 1 and isinstance(targets[0], s.Display) and not self._source.of(node).endswith(","):
            return s.Delete(targets[0].elements)
        return s.Delete(targets)

    def Return(self, node: ast.Return) -> s.Stmt:
        return s.Return(self._maybe(node.value))

    def Raise(self, node: ast.Raise) -> s.Stmt:
        return s.Raise(self._maybe(node.exc), self._maybe(node.cause))

    def Assert(self, node: ast.Assert) -> s.Stmt:
        return s.Assert(self._lower(node.test), self._maybe(node.msg))

    def Import(self, node: ast.Import) -> s.Stmt:
        return s.Import([(alias.name, alias.asname) for alias in node.names])

    def ImportFrom(self, node: ast.ImportFrom) -> s.Stmt:
        return s.ImportFrom(node.module or "", node.level, [(alias.name, alias.asname) for alias in node.names])

    def Global(self, node: ast.Global) -> s.Stmt:
        return s.Scoping(True, node.names)

    def Nonlocal(self, node: ast.Nonlocal) -> s.Stmt:
        return s.Scoping(False, node.names)

    def Pass(self, node: ast.Pass) -> s.Stmt:
        return s.Pass()

    def Break(self, node: ast.Break) -> s.Stmt:
        return s.Break()

    def Continue(self, node: ast.Continue) -> s.Stmt:
        return s.Continue()

    def TypeAlias(self, node: Any) -> s.Stmt:
        return s.Pass()

    def If(self, node: ast.If) -> s.Stmt:
        first = last = s.If(self._lower(node.test), self._suite(node.body), [])
        rest = node.orelse
        while len(rest) == 1 and isinstance(rest[0], ast.If):  # a long elif chain must not recurse
            nested = s.If(self._lower(rest[0].test), self._suite(rest[0].body), [])
            last.orelse = [nested]
            last, rest = nested, rest[0].orelse
        last.orelse = self._suite(rest)
        return first

    def While(self, node: ast.While) -> s.Stmt:
        return s.While(self._lower(node.test), self._suite(node.body), self._suite(node.orelse))

    def For(self, node: ast.For | ast.AsyncFor) -> s.Stmt:
        return s.For(
            self._lower(node.iter),
            self._lower(node.target),
            self._suite(node.body),
            self._suite(node.orelse),
            isinstance(node, ast.AsyncFor),
        )

    AsyncFor = For

    def Try(self, node: Any) -> s.Stmt:
        body = self._suite(node.body)
        handlers = [self._handler(handler) for handler in node.handlers]
        # As for libcst, whose lowering comes to the `finally` first: functions are listed in that order.
        final = self._suite(node.finalbody)
        return s.Try(body, handlers, self._suite(node.orelse), final, not isinstance(node, ast.Try))

    TryStar = Try

    def _handler(self, node: ast.ExceptHandler) -> s.Handler:
        return s.Handler(self._maybe(node.type), node.name, self._suite(node.body))

    def With(self, node: ast.With | ast.AsyncWith) -> s.Stmt:
        items = [s.WithItem(self._lower(item.context_expr), self._maybe(item.optional_vars)) for item in node.items]
        return s.With(items, self._suite(node.body), isinstance(node, ast.AsyncWith))

    AsyncWith = With

    def Match(self, node: ast.Match) -> s.Stmt:
        return s.Match(self._lower(node.subject), [self._case(case) for case in node.cases])

    def _case(self, node: ast.match_case) -> s.Case:
        captures: list[str] = []
        values: list[s.Expr] = []
        self._pattern(node.pattern, captures, values)
        irrefutable = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
        is_constant = isinstance(node.pattern, ast.MatchSingleton)
        return s.Case(captures, values, self._maybe(node.guard), self._suite(node.body), irrefutable, is_constant)

    def _pattern(self, node: ast.pattern, captures: list[str], values: list[s.Expr]) -> None:
        if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name is not None:
            captures.append(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest is not None:
            captures.append(node.rest)
        elif isinstance(node, ast.MatchValue):
            values.append(self._lower(node.value))
        elif isinstance(node, ast.MatchSingleton):
            values.append(s.Constant(node.value))
        elif isinstance(node, ast.MatchClass):
            values.append(self._lower(node.cls))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.pattern):
                self._pattern(child, captures, values)

    # ---- definitions

    def FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> s.Stmt:
        decorators = [self._lower(decorator) for decorator in node.decorator_list]
        params = self._params(node.args)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        function = s.Function(node.name, params, decorators, self._maybe(node.returns), [], is_async)
        self._functions.append(function)
        self._generator_stack.append(False)
        function.body = self._suite(node.body)
        function.is_generator = self._generator_stack.pop()
        return s.FunctionDef(function)

    AsyncFunctionDef = FunctionDef

    def ClassDef(self, node: ast.ClassDef) -> s.Stmt:
        decorators = [self._lower(decorator) for decorator in node.decorator_list]
        lowered = s.ClassDef(node.name, decorators, self._arguments(node.bases, node.keywords), [])
        self._classes.append(lowered)
        lowered.body = self._suite(node.body)
        return lowered

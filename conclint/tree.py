"""libcst: parse once, lower once, positions on demand. No other module imports libcst.

Lowering is one recursive walk. Recursion is as deep as the source nests; the engine runs it on a thread with a
large stack (libcst's own parser needs one too). Positions cost twice as much as parsing, so they are computed
only for files in which something is to be said.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from . import syntax as s
from .model import Span


class ParseError(Exception):
    """The text is not Python that libcst knows. ``line`` and ``column`` are 1-based."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Tree:
    """A parsed file: its lowered module, and the place of each node."""

    def __init__(self, concrete: cst.Module, module: s.Module) -> None:
        self._concrete = concrete
        self._ranges: Any = None
        self.module = module

    def span(self, node: s.Node) -> Span:
        """Where ``node`` stands; a compound statement is cut down to its header."""
        if isinstance(node, s.Module):
            return Span(1, 1, 1, 1)
        whole = self._range(node.origin)
        header = _header_parts(node)
        if header is None:
            return whole
        keyword, parts = header
        ends = [(r.end_line, r.end_column) for r in map(self._range, parts)]
        line, column = max(ends, default=(whole.line, whole.column + len(keyword)))
        return Span(whole.line, whole.column, line, column)

    def extent(self, node: s.Node) -> Span:
        """Where ``node`` stands, to the end of its last line; that of a compound statement may lie in white space."""
        return self._range(node.origin)

    @property
    def indentation(self) -> str:
        """What this file indents a block by."""
        return self._concrete.default_indent

    def _range(self, origin: object) -> Span:
        if self._ranges is None:
            wrapper = MetadataWrapper(self._concrete, unsafe_skip_copy=True)
            self._ranges = wrapper.resolve(PositionProvider)
        found = self._ranges[origin]
        return Span(found.start.line, found.start.column + 1, found.end.line, found.end.column + 1)


def _header_parts(node: s.Node) -> tuple[str, list[object]] | None:
    """The keyword that opens a compound statement and the concrete parts of its header, ``None`` for others."""
    origin: Any = node.origin
    if isinstance(node, s.Handler):
        return "except", [part for part in (origin.type, origin.name and origin.name.name) if part is not None]
    if isinstance(node, (s.If, s.While)):
        return "while", [origin.test]
    if isinstance(node, s.For):
        return "for", [origin.iter]
    if isinstance(node, s.With):
        return "with", [part.asname.name if part.asname else part.item for part in origin.items]
    if isinstance(node, s.Try):
        return "try", []
    if isinstance(node, s.Match):
        return "match", [origin.subject]
    if isinstance(node, s.Function) and not node.is_lambda:
        return "def", [origin.name]
    if isinstance(node, s.FunctionDef):
        return "def", [origin.name]
    if isinstance(node, s.ClassDef):
        return "class", [origin.name]
    return None


def parse(text: str) -> Tree:
    """Parse ``text`` and lower it.

    Raises :class:`ParseError` where libcst cannot read it.
    """
    try:
        concrete = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise ParseError(error.message, error.raw_line, error.raw_column + 1) from None
    except UnicodeError as error:  # lone surrogates
        raise ParseError(str(error), 1, 1) from None
    module = _Lowering().module(concrete)
    s.link(module)
    return Tree(concrete, module)


_SHORT_STRING = 80
"""String literals longer than this are never compared with anything, so their text is not evaluated."""

_OPERATORS: dict[type[cst.CSTNode], str] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Is: "is",
    cst.IsNot: "is not",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.DivideAssign: "/",
    cst.FloorDivideAssign: "//",
    cst.ModuloAssign: "%",
}


class _Lowering:
    """One walk over a libcst module. Methods are named after the libcst class they lower."""

    def __init__(self) -> None:
        self._functions: list[s.Function] = []
        self._classes: list[s.ClassDef] = []
        self._generator_stack: list[bool] = []
        self._by_type: dict[type, Callable[[Any], Any]] = {}

    def module(self, node: cst.Module) -> s.Module:
        self._generator_stack.append(False)
        body = self._statements(node.body)
        module = s.Module(body, self._functions, self._classes)
        module.set_origin(node)
        return module

    # ---- dispatch

    def _lower(self, node: Any) -> Any:
        kind = type(node)
        method = self._by_type.get(kind)
        if method is None:
            method = self._by_type[kind] = getattr(self, kind.__name__, self._unknown)
        lowered = method(node)
        if not hasattr(lowered, "origin"):
            lowered.set_origin(node)
        return lowered

    def _unknown(self, node: Any) -> s.Expr:
        """Syntax of a later libcst: an operation on whatever expressions it holds."""
        operands = [self._lower(child) for child in node.children if isinstance(child, cst.BaseExpression)]
        return s.Operation("?", operands)

    def _maybe(self, node: Any) -> Any:
        return None if node is None else self._lower(node)

    # ---- statements

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
        operator = _OPERATORS.get(type(node.operator), "+")
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

    def _params(self, node: cst.Parameters) -> list[s.Param]:
        out: list[s.Param] = []

        def add(param: Any, kind: str) -> None:
            if isinstance(param, cst.Param):
                annotation = None if param.annotation is None else self._lower(param.annotation.annotation)
                lowered = s.Param(param.name.value, kind, annotation, self._maybe(param.default))
                lowered.set_origin(param)
                out.append(lowered)

        for param in node.posonly_params:
            add(param, "posonly")
        for param in node.params:
            add(param, "normal")
        add(node.star_arg, "*")
        for param in node.kwonly_params:
            add(param, "kwonly")
        add(node.star_kwarg, "**")
        return out

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

    def Lambda(self, node: cst.Lambda) -> s.Expr:
        function = s.Function("<lambda>", self._params(node.params), [], None, [], False)
        function.set_origin(node)
        self._functions.append(function)
        self._generator_stack.append(False)
        result = s.Return(self._lower(node.body))
        result.set_origin(node.body)
        function.body = [result]
        function.is_generator = self._generator_stack.pop()
        return s.Lambda(function)

    def ClassDef(self, node: cst.ClassDef) -> s.Stmt:
        decorators = [self._lower(decorator.decorator) for decorator in node.decorators]
        bases = [self._lower(base) for base in (*node.bases, *node.keywords)]
        lowered = s.ClassDef(node.name.value, decorators, bases, [])
        self._classes.append(lowered)
        lowered.body = self._suite(node.body)
        return lowered

    # ---- expressions

    def Name(self, node: cst.Name) -> s.Expr:
        if node.value in _CONSTANTS:
            return s.Constant(_CONSTANTS[node.value])
        return s.Name(node.value)

    def Ellipsis(self, node: cst.Ellipsis) -> s.Expr:
        return s.Constant(...)

    def Integer(self, node: cst.Integer) -> s.Expr:
        return s.Constant(node.evaluated_value if len(node.value) < _SHORT_STRING else 1)

    def Float(self, node: cst.Float) -> s.Expr:
        return s.Constant(node.evaluated_value)

    def Imaginary(self, node: cst.Imaginary) -> s.Expr:
        return s.Constant(1j)

    def SimpleString(self, node: cst.SimpleString) -> s.Expr:
        text = node.value
        if len(text) > _SHORT_STRING:
            return s.Constant(text)
        if text[0] in "\"'" and "\\" not in text and text[:3] not in ('"""', "'''"):
            return s.Constant(text[1:-1])
        try:
            return s.Constant(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            return s.Constant(text)

    def ConcatenatedString(self, node: cst.ConcatenatedString) -> s.Expr:
        parts: list[s.Expr] = []
        current: Any = node
        while isinstance(current, cst.ConcatenatedString):
            parts.append(self._lower(current.left))
            current = current.right
        parts.append(self._lower(current))
        return s.Operation("f", [part for part in parts if not isinstance(part, s.Constant)])

    def FormattedString(self, node: Any) -> s.Expr:
        return s.Operation("f", self._interpolated(node.parts))

    def _interpolated(self, parts: Sequence[Any]) -> list[s.Expr]:
        operands: list[s.Expr] = []
        for part in parts:
            expression = getattr(part, "expression", None)
            if expression is not None:
                operands.append(self._lower(expression))
                operands += self._interpolated(part.format_spec or ())
        return operands

    TemplatedString = FormattedString

    def Attribute(self, node: cst.Attribute) -> s.Expr:
        return s.Attribute(self._lower(node.value), node.attr.value)

    def Call(self, node: cst.Call) -> s.Expr:
        return s.Call(self._lower(node.func), [self._lower(argument) for argument in node.args])

    def Arg(self, node: cst.Arg) -> s.Argument:
        keyword = None if node.keyword is None else node.keyword.value
        return s.Argument(self._lower(node.value), keyword, node.star)

    def Subscript(self, node: cst.Subscript) -> s.Expr:
        value = self._lower(node.value)
        parts = [self._lower(element.slice) for element in node.slice]
        if len(parts) == 1:
            return s.Subscript(value, parts[0])
        index = s.Display("tuple", parts)
        index.set_origin(node)
        return s.Subscript(value, index)

    def Index(self, node: cst.Index) -> s.Expr:
        lowered: s.Expr = self._lower(node.value)
        return lowered

    def Slice(self, node: cst.Slice) -> s.Expr:
        return s.Operation(":", [self._lower(p) for p in (node.lower, node.upper, node.step) if p is not None])

    def Await(self, node: cst.Await) -> s.Expr:
        return s.Await(self._lower(node.expression))

    def Yield(self, node: cst.Yield) -> s.Expr:
        self._generator_stack[-1] = True
        if isinstance(node.value, cst.From):
            return s.Yield(self._lower(node.value.item), True)
        return s.Yield(self._maybe(node.value), False)

    def BooleanOperation(self, node: cst.BooleanOperation) -> s.Expr:
        op = "and" if isinstance(node.operator, cst.And) else "or"
        return s.BoolOp(op, self._lower(node.left), self._lower(node.right))

    def UnaryOperation(self, node: cst.UnaryOperation) -> s.Expr:
        operand = self._lower(node.expression)
        if isinstance(node.operator, cst.Not):
            return s.Not(operand)
        if isinstance(node.operator, cst.Minus) and isinstance(operand, s.Constant):
            if isinstance(operand.value, (int, float)):
                return s.Constant(-operand.value)
        return s.Operation("u", [operand])

    def BinaryOperation(self, node: cst.BinaryOperation) -> s.Expr:
        operands: list[Any] = []
        op = "+"
        current: Any = node
        while isinstance(current, cst.BinaryOperation):  # a long chain must not recurse
            op = _OPERATORS.get(type(current.operator), op)
            operands.append(current.right)
            current = current.left
        operands.append(current)
        return s.Operation(op, [self._lower(operand) for operand in reversed(operands)])

    def Comparison(self, node: cst.Comparison) -> s.Expr:
        left = self._lower(node.left)
        ops = [_OPERATORS.get(type(target.operator), "?") for target in node.comparisons]
        return s.Compare(left, ops, [self._lower(target.comparator) for target in node.comparisons])

    def IfExp(self, node: cst.IfExp) -> s.Expr:
        return s.IfExp(self._lower(node.test), self._lower(node.body), self._lower(node.orelse))

    def NamedExpr(self, node: cst.NamedExpr) -> s.Expr:
        return s.NamedExpr(self._lower(node.target), self._lower(node.value))

    def StarredElement(self, node: cst.StarredElement) -> s.Expr:
        return s.Starred(self._lower(node.value))

    def Element(self, node: cst.Element) -> s.Expr:
        lowered: s.Expr = self._lower(node.value)
        return lowered

    def Tuple(self, node: cst.Tuple) -> s.Expr:
        return s.Display("tuple", [self._lower(element) for element in node.elements])

    def List(self, node: cst.List) -> s.Expr:
        return s.Display("list", [self._lower(element) for element in node.elements])

    def Set(self, node: cst.Set) -> s.Expr:
        return s.Display("set", [self._lower(element) for element in node.elements])

    def Dict(self, node: cst.Dict) -> s.Expr:
        keys: list[s.Expr | None] = []
        values: list[s.Expr] = []
        for element in node.elements:
            keys.append(self._lower(element.key) if isinstance(element, cst.DictElement) else None)
            values.append(self._lower(element.value))
        return s.DictDisplay(keys, values)

    def _comprehension(self, kind: str, for_in: cst.CompFor, key: Any, element: Any) -> s.Expr:
        clauses: list[s.Clause] = []
        current: cst.CompFor | None = for_in
        while current is not None:
            clause = s.Clause(
                self._lower(current.target),
                self._lower(current.iter),
                [self._lower(condition.test) for condition in current.ifs],
                current.asynchronous is not None,
            )
            clause.set_origin(current)
            clauses.append(clause)
            current = current.inner_for_in
        return s.Comprehension(kind, clauses, self._maybe(key), self._lower(element))

    def ListComp(self, node: cst.ListComp) -> s.Expr:
        return self._comprehension("list", node.for_in, None, node.elt)

    def SetComp(self, node: cst.SetComp) -> s.Expr:
        return self._comprehension("set", node.for_in, None, node.elt)

    def GeneratorExp(self, node: cst.GeneratorExp) -> s.Expr:
        return self._comprehension("generator", node.for_in, None, node.elt)

    def DictComp(self, node: cst.DictComp) -> s.Expr:
        return self._comprehension("dict", node.for_in, node.key, node.value)


_CONSTANTS: dict[str, object] = {"None": None, "True": True, "False": False}


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

"""Expressions, lowered from libcst's."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from .. import syntax as s

_SHORT_STRING = 80
"""String literals longer than this are never compared with anything, so their text is not evaluated."""

OPERATORS: dict[type[cst.CSTNode], str] = {
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

_CONSTANTS: dict[str, object] = {"None": None, "True": True, "False": False}


class Expressions:
    """The part of :class:`conclint.tree.statements.Lowering` for expressions, and what picks a node's method."""

    def __init__(self) -> None:
        self._functions: list[s.Function] = []
        self._classes: list[s.ClassDef] = []
        self._generator_stack: list[bool] = []
        self._by_type: dict[type, Callable[[Any], Any]] = {}

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
            op = OPERATORS.get(type(current.operator), op)
            operands.append(current.right)
            current = current.left
        operands.append(current)
        return s.Operation(op, [self._lower(operand) for operand in reversed(operands)])

    def Comparison(self, node: cst.Comparison) -> s.Expr:
        left = self._lower(node.left)
        ops = [OPERATORS.get(type(target.operator), "?") for target in node.comparisons]
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

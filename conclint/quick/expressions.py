"""Expressions, lowered from ``ast``'s."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from .. import syntax as s
from .source import POSITIONS_IN_STRINGS, Source, UnsureError, fields_by_literal, is_one_literal, literals, parsed_again

_SHORT_STRING = 80
"""As for :mod:`conclint.tree`: longer literals are never compared with anything."""

OPERATORS: dict[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}


class _Methods(dict[type, Callable[[Any], Any]]):
    """The method of each class of ``ast``, looked up when first met."""

    def __init__(self, lowering: Expressions) -> None:
        self._lowering = lowering

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        method: Callable[[Any], Any] | None = getattr(self._lowering, kind.__name__, None)
        if method is None:
            raise UnsureError  # syntax of a later Python
        self[kind] = method
        return method


class Expressions:
    """The part of :class:`conclint.quick.statements.Lowering` for expressions, and what picks a node's method."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._source_or_none: Source | None = None
        self._functions: list[s.Function] = []
        self._classes: list[s.ClassDef] = []
        self._generator_stack: list[bool] = []
        self._by_type = _Methods(self)
        self._outer = ""
        """The source of the f-string around what is lowered, where positions cannot be relied on in there."""

    @property
    def _source(self) -> Source:
        if self._source_or_none is None:
            self._source_or_none = Source(self._text)
        return self._source_or_none

    def _lower(self, node: Any) -> Any:
        return self._by_type[node.__class__](node)

    def _maybe(self, node: Any) -> Any:
        return None if node is None else self._by_type[node.__class__](node)

    def Name(self, node: ast.Name) -> s.Expr:
        return s.Name(node.id)

    def Constant(self, node: ast.Constant) -> s.Expr:
        value = node.value
        kind = value.__class__
        if kind is str or kind is bytes:
            return self._string(node)
        if kind is int:
            return s.Constant(value if self._is_short(node) else 1)
        return s.Constant(1j if kind is complex else value)

    def _is_short(self, node: Any) -> bool:
        """Whether a number is written so: its positions tell, but in f-strings."""
        if self._outer:
            if abs(node.value) >= 1 << 64:
                raise UnsureError
            return True
        return bool(node.end_col_offset - node.col_offset < _SHORT_STRING)

    def _string(self, node: Any) -> s.Expr:
        value = node.value
        length = node.end_col_offset - node.col_offset
        # Every character takes a byte at least: where the literal is two bytes longer, those are its quotes.
        if length == len(value) + 2 and length <= _SHORT_STRING and node.lineno == node.end_lineno and not self._outer:
            if value.__class__ is str and value.isascii():
                return s.Constant(value)
        text = self._literal_in_string(node) if self._outer else self._source.of(node)
        if not is_one_literal(text) and len(literals(text)) > 1:
            return s.Operation("f", [])
        return s.Constant(text if len(text) > _SHORT_STRING else value)

    def _literal_in_string(self, node: Any) -> str:
        """The source of a string that stands in an f-string, wherever it may stand.

        There is no backslash in an f-string's expression, and no quotes like its own.
        """
        try:
            text = self._source.of(node)
            if ast.dump(parsed_again(text)) == ast.dump(node):
                return text
        except UnsureError:
            pass
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for quote in "'\"":
                text = f"{quote}{node.value}{quote}"
                if text in self._outer:
                    return text
        raise UnsureError

    def JoinedStr(self, node: Any) -> s.Expr:
        text = self._literal_in_string(node) if self._outer else self._source.of(node)
        before = self._outer
        if not (POSITIONS_IN_STRINGS or before):
            self._outer = text
        parts = [None if own is None else self._formatted(own) for own in fields_by_literal(node, text, self._source)]
        self._outer = before
        if len(parts) == 1 and parts[0] is not None:
            return parts[0]
        return s.Operation("f", [part for part in parts if part is not None])

    TemplateStr = JoinedStr

    def _formatted(self, fields: list[Any]) -> s.Expr:
        return s.Operation("f", list(self._interpolated(fields)))

    def _interpolated(self, fields: list[Any]) -> Iterator[s.Expr]:
        for field in fields:
            if not isinstance(field, ast.Constant):
                yield self._lower(field.value)
                if field.format_spec is not None:
                    yield from self._interpolated(field.format_spec.values)

    def Attribute(self, node: ast.Attribute) -> s.Expr:
        value = node.value
        return s.Attribute(self._by_type[value.__class__](value), node.attr)

    def Call(self, node: ast.Call) -> s.Expr:
        func: Any = node.func
        func = self._by_type[func.__class__](func)
        args, keywords = node.args, node.keywords
        if keywords and args and isinstance(args[-1], ast.Starred) and _position(args[-1]) > _position(keywords[0]):
            return s.Call(func, [self._argument(argument) for argument in sorted([*args, *keywords], key=_position)])
        return s.Call(func, self._arguments(args, keywords))

    def _arguments(self, args: list[ast.expr], keywords: list[ast.keyword]) -> list[s.Argument]:
        return [*map(self._argument, args), *map(self._argument, keywords)]

    def _argument(self, node: Any) -> s.Argument:
        kind = node.__class__
        if kind is ast.keyword:
            return s.Argument(self._lower(node.value), node.arg, "**" if node.arg is None else "")
        if kind is ast.Starred:
            return s.Argument(self._lower(node.value), None, "*")
        return s.Argument(self._by_type[kind](node))

    def Subscript(self, node: ast.Subscript) -> s.Expr:
        value = self._lower(node.value)
        if not isinstance(node.slice, ast.Tuple):
            return s.Subscript(value, self._lower(node.slice))
        # Without parentheses, stars are left out and a comma at the end is no matter: those are no elements of a tuple.
        elements = node.slice.elts
        if len(elements) == 1 or any(isinstance(element, ast.Starred) for element in elements):
            if not self._in_parentheses(node.slice):
                elements = [element.value if isinstance(element, ast.Starred) else element for element in elements]
                if len(elements) == 1:
                    return s.Subscript(value, self._lower(elements[0]))
        return s.Subscript(value, s.Display("tuple", [self._lower(element) for element in elements]))

    def _in_parentheses(self, node: ast.Tuple) -> bool:
        if self._outer:
            raise UnsureError
        text = self._source.of(node)
        if not (text[0] == "(" and text[-1] == ")"):
            return False
        try:  # the first parenthesis need not be the one that the last closes
            parsed_again(f"[{text[1:-1]}\n]")
        except UnsureError:
            return False
        return True

    def Slice(self, node: ast.Slice) -> s.Expr:
        return s.Operation(":", [self._lower(p) for p in (node.lower, node.upper, node.step) if p is not None])

    def Await(self, node: ast.Await) -> s.Expr:
        return s.Await(self._lower(node.value))

    def Yield(self, node: ast.Yield) -> s.Expr:
        self._generator_stack[-1] = True
        return s.Yield(self._maybe(node.value), False)

    def YieldFrom(self, node: ast.YieldFrom) -> s.Expr:
        self._generator_stack[-1] = True
        return s.Yield(self._lower(node.value), True)

    def BoolOp(self, node: ast.BoolOp) -> s.Expr:
        op = "and" if isinstance(node.op, ast.And) else "or"
        lowered: s.Expr = self._lower(node.values[0])
        for operand in node.values[1:]:
            lowered = s.BoolOp(op, lowered, self._lower(operand))
        return lowered

    def UnaryOp(self, node: ast.UnaryOp) -> s.Expr:
        operand = self._lower(node.operand)
        if isinstance(node.op, ast.Not):
            return s.Not(operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, s.Constant):
            if isinstance(operand.value, (int, float)):
                return s.Constant(-operand.value)
        return s.Operation("u", [operand])

    def BinOp(self, node: ast.BinOp) -> s.Expr:
        operands: list[ast.expr] = []
        op = "+"
        current: ast.expr = node
        while isinstance(current, ast.BinOp):  # a long chain must not recurse
            op = OPERATORS.get(type(current.op), op)
            operands.append(current.right)
            current = current.left
        operands.append(current)
        return s.Operation(op, [self._lower(operand) for operand in reversed(operands)])

    def Compare(self, node: ast.Compare) -> s.Expr:
        left = self._lower(node.left)
        return s.Compare(left, [OPERATORS[type(op)] for op in node.ops], [self._lower(c) for c in node.comparators])

    def IfExp(self, node: ast.IfExp) -> s.Expr:
        return s.IfExp(self._lower(node.test), self._lower(node.body), self._lower(node.orelse))

    def NamedExpr(self, node: ast.NamedExpr) -> s.Expr:
        return s.NamedExpr(self._lower(node.target), self._lower(node.value))

    def Starred(self, node: ast.Starred) -> s.Expr:
        return s.Starred(self._lower(node.value))

    def Tuple(self, node: ast.Tuple) -> s.Expr:
        return s.Display("tuple", [self._lower(element) for element in node.elts])

    def List(self, node: ast.List) -> s.Expr:
        return s.Display("list", [self._lower(element) for element in node.elts])

    def Set(self, node: ast.Set) -> s.Expr:
        return s.Display("set", [self._lower(element) for element in node.elts])

    def Dict(self, node: ast.Dict) -> s.Expr:
        keys: list[s.Expr | None] = []
        values: list[s.Expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            keys.append(self._maybe(key))
            values.append(self._lower(value))
        return s.DictDisplay(keys, values)

    def _comprehension(self, kind: str, node: Any, key: Any, element: Any) -> s.Expr:
        clauses = [
            s.Clause(
                self._lower(clause.target),
                self._lower(clause.iter),
                [self._lower(condition) for condition in clause.ifs],
                bool(clause.is_async),
            )
            for clause in node.generators
        ]
        return s.Comprehension(kind, clauses, self._maybe(key), self._lower(element))

    def ListComp(self, node: ast.ListComp) -> s.Expr:
        return self._comprehension("list", node, None, node.elt)

    def SetComp(self, node: ast.SetComp) -> s.Expr:
        return self._comprehension("set", node, None, node.elt)

    def GeneratorExp(self, node: ast.GeneratorExp) -> s.Expr:
        return self._comprehension("generator", node, None, node.elt)

    def DictComp(self, node: ast.DictComp) -> s.Expr:
        return self._comprehension("dict", node, node.key, node.value)

    def Lambda(self, node: ast.Lambda) -> s.Expr:
        function = s.Function("<lambda>", self._params(node.args), [], None, [], False)
        self._functions.append(function)
        self._generator_stack.append(False)
        function.body = [s.Return(self._lower(node.body))]
        function.is_generator = self._generator_stack.pop()
        return s.Lambda(function)

    def _params(self, node: ast.arguments) -> list[s.Param]:
        out: list[s.Param] = []

        def add(param: ast.arg | None, kind: str, default: ast.expr | None = None) -> None:
            if param is not None:
                out.append(s.Param(param.arg, kind, self._maybe(param.annotation), self._maybe(default)))

        positional = len(node.posonlyargs) + len(node.args)
        defaults = [*[None] * (positional - len(node.defaults)), *node.defaults]
        for index, param in enumerate((*node.posonlyargs, *node.args)):
            add(param, "posonly" if index < len(node.posonlyargs) else "normal", defaults[index])
        add(node.vararg, "*")
        for param, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            add(param, "kwonly", default)
        add(node.kwarg, "**")
        return out


def _position(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset

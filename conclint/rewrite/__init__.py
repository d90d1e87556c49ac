"""Fixes as edits of source text. What a fix would mean has been judged before; here it is written, or found unwritable.

Only lines that have to change are touched. Where the text is out of the ordinary (several statements on a line,
comments inside a statement that goes, form feeds in the indentation) there is no fix rather than a doubtful one.
A comment on a line that goes stays, on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import syntax as s
from ..model import Applicability, Edit, Fix, Span
from .text import Scan, Text, UnwritableError
from .with_writer import WithWriter

if TYPE_CHECKING:
    from ..facts.with_blocks import WithBlock

_GUARD = 'if __name__ == "__main__":'
_FLIPPED = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}
_SIGN = re.compile(r"[=!]=|is\s+not|is|not\s+in|in")
_COMMENT_OR_NOTHING = re.compile(r"\s*(#.*)?")


class Rewriter(Text):
    """Writes fixes for one file."""

    def as_with(self, section: WithBlock | None, *, safe: bool) -> Fix | None:
        """``section`` under a ``with`` statement, if that can be written.

        The fix is safe only if it is to be, and the lock is certainly one of Python's: what merely has a lock's
        name and methods need not be a context manager.
        """
        if section is None:
            return None
        try:
            writer = WithWriter(self, section)
            edits = writer.edits()
        except UnwritableError:
            return None
        applicability = Applicability.SAFE if safe and section.is_certain else Applicability.UNSAFE
        return Fix(applicability, f"use `{writer.header.removesuffix(':')}`", edits)

    def under_guard(self, statements: Sequence[s.Stmt]) -> Fix | None:
        """``statements``, which stand one after the other in the module, under the main guard, if that can be written.

        Never safe: whoever imports the module for what they bind gets it no more.
        """
        if not statements:
            return None
        first, last = self.extent(statements[0]), self.extent(statements[-1])
        try:
            scan = Scan(self.lines, first.line, last.end_line)
        except UnwritableError:
            return None
        numbers = range(first.line, last.end_line + 1)
        shifted = [number for number in numbers if self.line(number).strip() and number not in scan.in_string]
        is_alone = first.column == 1 and _COMMENT_OR_NOTHING.fullmatch(self.after(last))
        if not is_alone or any("\f" in self.indent(number) for number in shifted):
            return None
        edits = [Edit(Span(number, 1, number, 1), self._indentation) for number in shifted]
        edits[0] = Edit(edits[0].span, f"{_GUARD}\n{self._indentation}")
        return Fix(Applicability.UNSAFE, f"put it under `{_GUARD[:-1]}`", tuple(edits))

    def waiting_for(self, wait: s.Call) -> Fix | None:
        """The ``if`` that ``wait`` stands in alone as a ``wait_for``, if there is one and that can be written.

        Not for a timed wait: what to do when the time is up is for the author to say.
        """
        guard = s.statement_of(wait).parent
        return self.as_wait_for(guard, wait) if isinstance(guard, s.If) and not wait.args else None

    def as_wait_for(self, guard: s.If, wait: s.Call) -> Fix | None:
        """``if not ready: condition.wait()`` as ``condition.wait_for(lambda: ready)``, if that can be written.

        ``guard`` must hold nothing but the wait, and its test must mean the same inside a ``lambda``. That it is
        tested again and again is the point, and why the fix is never safe.
        """
        statement = guard.body[0] if len(guard.body) == 1 and not guard.orelse else None
        if not isinstance(statement, s.ExprStmt) or not isinstance(wait.func, s.Attribute):
            return None
        awaited = isinstance(statement.value, s.Await)
        if (statement.value.value if isinstance(statement.value, s.Await) else statement.value) is not wait:
            return None
        if not _means_the_same_in_a_lambda(guard.test):
            return None
        try:
            return self._wait_for(guard, statement, wait, wait.func, awaited)
        except UnwritableError:
            return None

    def _wait_for(self, guard: s.If, statement: s.ExprStmt, wait: s.Call, func: s.Attribute, awaited: bool) -> Fix:
        start, end = self.extent(guard), self.extent(statement)
        scan = Scan(self.lines, start.line, end.end_line)
        indent = self.indent(start.line)
        if self.before(start).strip() or not _COMMENT_OR_NOTHING.fullmatch(self.after(end)):
            raise UnwritableError
        if not self.line(start.line).startswith("if", start.column - 1):
            raise UnwritableError  # an `elif`
        if not isinstance(func.value, (s.Name, s.Attribute, s.Subscript, s.Call)):
            raise UnwritableError
        test = self.extent(guard.test)
        if any(test.line <= number < test.end_line or end.line <= number < end.end_line for number in scan.comments):
            raise UnwritableError
        moved = [scan.comments[number] for number in sorted(scan.comments) if number < end.end_line]
        arguments = [self.text(argument).rstrip().rstrip(",") for argument in wait.args]
        call = ", ".join([f"lambda: {self._denied(guard.test)}", *arguments])
        new = f"{'await ' if awaited else ''}{self.text(func.value)}.wait_for({call})"
        above = "".join(f"{comment}\n{indent}" for comment in moved)
        span = Span(start.line, start.column, end.end_line, end.end_column)
        return Fix(Applicability.UNSAFE, "use `wait_for()`", (Edit(span, above + new),))

    def _denied(self, test: s.Expr) -> str:
        """The text of an expression that is true where ``test`` is false."""
        if isinstance(test, s.Not):
            needs = isinstance(test.operand, (s.Display, s.Comprehension)) and test.operand.kind in (
                "tuple",
                "generator",
            )
            return f"({self.text(test.operand)})" if needs else self.text(test.operand)
        text = self.text(test)
        if isinstance(test, s.Compare) and len(test.ops) == 1 and test.ops[0] in _FLIPPED:
            left, right = self.extent(test.left), self.extent(test.rights[0])
            sign = self.slice(Span(left.end_line, left.end_column, right.line, right.column))
            start = len(self.slice(self.extent(test)._replace(end_line=left.end_line, end_column=left.end_column)))
            return text[:start] + _SIGN.sub(_FLIPPED[test.ops[0]], sign, count=1) + text[start + len(sign) :]
        is_one = isinstance(test, (s.Name, s.Attribute, s.Call, s.Subscript, s.Constant))
        return f"not {text}" if is_one else f"not ({text})"

    def handing_over(self, call: s.Call, passing: str) -> Fix | None:
        """``f(x)`` as ``f`` and its arguments, for a call that runs ``f`` elsewhere, if that can be written.

        ``passing`` says how that call wants them: as ``args`` and ``kwargs``, as a ``tuple``, as they are (``spread``)
        or as they are without keywords (``positional``).
        """
        span, func = self.extent(call), self.extent(call.func)
        if self._holds_comment(call):
            return None
        if any(isinstance(argument.value, (s.NamedExpr, s.Yield)) for argument in call.args):
            return None
        if len(call.args) == 1 and _is_generator(call.args[0].value):
            return None  # `f(x for x in y)`, whose parentheses are those of the call
        plain = [self._value(argument) for argument in call.args if argument.keyword is None]
        named = [(argument.keyword, self._value(argument)) for argument in call.args if argument.keyword is not None]
        one = f"({', '.join(plain)}{',' if len(plain) == 1 else ''})"
        parts = [self.text(call.func)]
        if passing == "args":
            parts += [f"args={one}"] if plain else []
            parts += ["kwargs={" + ", ".join(f'"{name}": {value}' for name, value in named) + "}"] if named else []
        elif passing == "tuple":
            parts += [one] if plain else []
        else:
            parts += [*plain, *(f"{name}={value}" for name, value in named)]
        new = ", ".join(parts)
        edit = Edit(Span(func.line, func.column, span.end_line, span.end_column), new)
        return Fix(Applicability.UNSAFE, f"hand over `{self.text(call.func)}` itself", (edit,))

    def is_parenthesised(self, node: s.Node) -> bool:
        """Whether ``node`` stands in parentheses of its own, and not in those of a call of one argument."""
        span = self.extent(node)
        before, after = self.before(span).rstrip(), self.after(span).lstrip()
        return before.endswith("(") and after.startswith(")") and before[:-1].rstrip()[-1:] in ("=", ",", "(")

    def as_tuple(self, node: s.Node) -> Fix | None:
        """``node`` as a tuple of one."""
        span = self.extent(node)
        end = Span(span.end_line, span.end_column, span.end_line, span.end_column)
        if self.is_parenthesised(node):
            edits: tuple[Edit, ...] = (Edit(end, ","),)
        elif "(" in self.before(span)[-1:] and ")" in self.after(span)[:1]:
            return None
        else:
            start = Span(span.line, span.column, span.line, span.column)
            edits = (Edit(start, "("), Edit(end, ",)"))
        return Fix(Applicability.SAFE, f"make it a tuple: `({' '.join(self.text(node).split())},)`", edits)

    def renaming(self, name: s.Expr, new: str, *, safe: bool) -> Fix | None:
        """The attribute at the end of ``name``, by another name; a plain name stays, since it was bound elsewhere."""
        if not isinstance(name, s.Attribute):
            return None
        end = self.extent(name)
        start = end.end_column - len(name.attr)
        span = Span(end.end_line, start, end.end_line, end.end_column)
        if start < 1 or self.slice(span) != name.attr:
            return None
        applicability = Applicability.SAFE if safe else Applicability.UNSAFE
        return Fix(applicability, f"use `{new}`", (Edit(span, new),))

    def as_property(self, call: s.Expr, attribute: str) -> Fix | None:
        """``x.getName()`` as ``x.name``, and the statement ``x.setName(y)`` as ``x.name = y``."""
        if (
            not isinstance(call, s.Call)
            or not isinstance(call.func, s.Attribute)
            or call.has_star
            or len(call.args) > 1
        ):
            return None
        if self._holds_comment(call):
            return None
        span, func = self.extent(call), self.extent(call.func)
        start = func.end_column - len(call.func.attr)
        if self.slice(Span(func.end_line, start, func.end_line, func.end_column)) != call.func.attr:
            return None
        new = attribute
        if call.args:
            value = call.args[0].value
            if not isinstance(call.parent, s.ExprStmt) or isinstance(value, (s.Yield, s.NamedExpr)):
                return None
            if _is_generator(value):
                return None
            text = self._value(call.args[0])
            new += f" = ({text})" if "\n" in text else f" = {text}"
        edit = Edit(Span(func.end_line, start, span.end_line, span.end_column), new)
        return Fix(Applicability.SAFE, f"use `{attribute}`", (edit,))

    def _value(self, argument: s.Argument) -> str:
        """The source of the value that is passed, with any parentheses around it."""
        text = self.text(argument).rstrip().removesuffix(",").rstrip()
        if argument.keyword is not None:
            text = text.partition("=")[2].lstrip()
        return text

    def _holds_comment(self, node: s.Node) -> bool:
        """Whether a comment stands inside ``node``, or may do so."""
        span, whole = self.extent(node), self.extent(s.statement_of(node))
        if span.line == span.end_line:
            return False
        try:
            comments = Scan(self.lines, whole.line, whole.end_line).comments
        except UnwritableError:
            return True
        return any(span.line <= number < span.end_line for number in comments)


def _is_generator(expr: s.Expr) -> bool:
    return isinstance(expr, s.Comprehension) and expr.kind == "generator"


def _means_the_same_in_a_lambda(test: s.Expr) -> bool:
    """Whether ``test`` may move into a ``lambda``: it suspends and binds nothing, and sees its names from there."""
    for node in s.walk(test):
        if isinstance(node, (s.Await, s.Yield, s.NamedExpr)) or (isinstance(node, s.Clause) and node.is_async):
            return False
        if isinstance(node, s.Name) and node.id in ("super", "locals", "vars", "dir", "eval", "exec", "__class__"):
            return False
    scope = next((node for node in s.ancestors(test) if isinstance(node, (s.Function, s.ClassDef, s.Module))), None)
    return not isinstance(scope, s.ClassDef)

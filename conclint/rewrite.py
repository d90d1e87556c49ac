"""Fixes as edits of source text. What a fix would mean has been judged before; here it is written, or found unwritable.

Only lines that have to change are touched. Where the text is out of the ordinary (several statements on a line,
comments inside a statement that goes, form feeds in the indentation) there is no fix rather than a doubtful one.
A comment on a line that goes stays, on a line of its own.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from . import syntax as s
from .model import Applicability, Edit, Fix, Span

if TYPE_CHECKING:
    from .facts.with_blocks import WithBlock

_GUARD = 'if __name__ == "__main__":'
_FLIPPED = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}
_SIGN = re.compile(r"[=!]=|is\s+not|is|not\s+in|in")
_COMMENT_OR_NOTHING = re.compile(r"\s*(#.*)?")
_NOTHING_OR_FINALLY = re.compile(r"\s*(finally\s*:\s*)?")
_LAYOUT = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
_STRING_STARTS = {getattr(tokenize, f"{letter}STRING_START", None) for letter in "FT"} - {None}
_STRING_ENDS = {getattr(tokenize, f"{letter}STRING_END", None) for letter in "FT"} - {None}


class Rewriter:
    """Writes fixes for one file.

    ``lines`` are its lines without their ends, ``extent`` says where a node stands, ``indentation`` is what a block
    is indented by where nothing nearer tells.
    """

    def __init__(self, lines: Sequence[str], extent: Callable[[s.Node], Span], indentation: str) -> None:
        self._lines = lines
        self._extent = extent
        self._indentation = indentation

    def as_with(self, section: WithBlock | None, *, safe: bool) -> Fix | None:
        """``section`` under a ``with`` statement, if that can be written.

        The fix is safe only if it is to be, and the lock is certainly one of Python's: what merely has a lock's
        name and methods need not be a context manager.
        """
        if section is None:
            return None
        try:
            writer = _WithWriter(self, section)
            edits = writer.edits()
        except _UnwritableError:
            return None
        applicability = Applicability.SAFE if safe and section.is_certain else Applicability.UNSAFE
        return Fix(applicability, f"use `{writer.header.removesuffix(':')}`", edits)

    def under_guard(self, statements: Sequence[s.Stmt]) -> Fix | None:
        """``statements``, which stand one after the other in the module, under the main guard, if that can be written.

        Never safe: whoever imports the module for what they bind gets it no more.
        """
        if not statements:
            return None
        first, last = self._extent(statements[0]), self._extent(statements[-1])
        try:
            scan = Scan(self._lines, first.line, last.end_line)
        except _UnwritableError:
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
        except _UnwritableError:
            return None

    def _wait_for(self, guard: s.If, statement: s.ExprStmt, wait: s.Call, func: s.Attribute, awaited: bool) -> Fix:
        start, end = self._extent(guard), self._extent(statement)
        scan = Scan(self._lines, start.line, end.end_line)
        indent = self.indent(start.line)
        if self.before(start).strip() or not _COMMENT_OR_NOTHING.fullmatch(self.after(end)):
            raise _UnwritableError
        if not self.line(start.line).startswith("if", start.column - 1):
            raise _UnwritableError  # an `elif`
        if not isinstance(func.value, (s.Name, s.Attribute, s.Subscript, s.Call)):
            raise _UnwritableError
        test = self._extent(guard.test)
        if any(test.line <= number < test.end_line or end.line <= number < end.end_line for number in scan.comments):
            raise _UnwritableError
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
            left, right = self._extent(test.left), self._extent(test.rights[0])
            sign = self.slice(Span(left.end_line, left.end_column, right.line, right.column))
            start = len(self.slice(self._extent(test)._replace(end_line=left.end_line, end_column=left.end_column)))
            return text[:start] + _SIGN.sub(_FLIPPED[test.ops[0]], sign, count=1) + text[start + len(sign) :]
        is_one = isinstance(test, (s.Name, s.Attribute, s.Call, s.Subscript, s.Constant))
        return f"not {text}" if is_one else f"not ({text})"

    def handing_over(self, call: s.Call, passing: str) -> Fix | None:
        """``f(x)`` as ``f`` and its arguments, for a call that runs ``f`` elsewhere, if that can be written.

        ``passing`` says how that call wants them: as ``args`` and ``kwargs``, as a ``tuple``, as they are (``spread``)
        or as they are without keywords (``positional``).
        """
        span, func = self._extent(call), self._extent(call.func)
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
        span = self._extent(node)
        before, after = self.before(span).rstrip(), self.after(span).lstrip()
        return before.endswith("(") and after.startswith(")") and before[:-1].rstrip()[-1:] in ("=", ",", "(")

    def as_tuple(self, node: s.Node) -> Fix | None:
        """``node`` as a tuple of one."""
        span = self._extent(node)
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
        end = self._extent(name)
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
        span, func = self._extent(call), self._extent(call.func)
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
        span, whole = self._extent(node), self._extent(s.statement_of(node))
        if span.line == span.end_line:
            return False
        try:
            comments = Scan(self._lines, whole.line, whole.end_line).comments
        except _UnwritableError:
            return True
        return any(span.line <= number < span.end_line for number in comments)

    # ---- text

    def extent(self, node: s.Node) -> Span:
        return self._extent(node)

    def line(self, number: int) -> str:
        return self._lines[number - 1]

    @property
    def lines(self) -> Sequence[str]:
        return self._lines

    def indent(self, number: int) -> str:
        """The white space that line ``number`` starts with."""
        line = self.line(number)
        return line[: len(line) - len(line.lstrip())]

    def before(self, span: Span) -> str:
        """What stands on the line before ``span``."""
        return self.line(span.line)[: span.column - 1]

    def after(self, span: Span) -> str:
        """What stands on the line after ``span``."""
        return self.line(span.end_line)[span.end_column - 1 :]

    def text(self, node: s.Node) -> str:
        """The source of ``node``, without parentheses around it. It must hold no comment."""
        return self.slice(self._extent(node))

    def slice(self, span: Span) -> str:
        """The source at ``span``."""
        if span.line == span.end_line:
            return self.line(span.line)[span.column - 1 : span.end_column - 1]
        parts = [self.line(span.line)[span.column - 1 :], *self._lines[span.line : span.end_line - 1]]
        return "\n".join([*parts, self.line(span.end_line)[: span.end_column - 1]])

    def step(self, statement: s.Stmt, indent: str) -> str:
        """What the block of ``statement`` is indented by, ``indent`` in all."""
        if not isinstance(statement.parent, s.Module) and statement.parent is not None:
            outer = self.indent(self._extent(statement.parent).line)
            if indent.startswith(outer) and indent != outer:
                return indent[len(outer) :]
        return self._indentation


class _UnwritableError(Exception):
    """The text is none that can be rewritten without doubt."""


class Scan:
    """What the tokens of some whole lines tell: comments, lines that start inside a string, logical lines."""

    def __init__(self, lines: Sequence[str], first: int, last: int) -> None:
        self.comments: dict[int, str] = {}
        self.in_string: set[int] = set()
        """The lines whose start is text of a literal, which indenting would change."""
        self.logical: set[int] = set()
        """The lines on which a logical line starts, whose indentation has a meaning."""
        text = "\n".join(lines[first - 1 : last]) + "\n"
        try:
            self._read(list(tokenize.generate_tokens(io.StringIO(text).readline)), first - 1)
        except (tokenize.TokenError, SyntaxError):
            raise _UnwritableError from None

    def _read(self, tokens: Sequence[tokenize.TokenInfo], offset: int) -> None:
        starts: list[int] = []
        fresh = True
        for token in tokens:
            if token.type == tokenize.COMMENT:
                self.comments[token.start[0] + offset] = token.string
            elif token.type == tokenize.NEWLINE:
                fresh = True
            elif token.type not in _LAYOUT:
                if fresh:
                    self.logical.add(token.start[0] + offset)
                    fresh = False
                if token.type == tokenize.STRING:
                    self.in_string.update(range(token.start[0] + 1 + offset, token.end[0] + 1 + offset))
                elif token.type in _STRING_STARTS:
                    starts.append(token.start[0])
                elif token.type in _STRING_ENDS and starts:
                    self.in_string.update(range(starts.pop() + 1 + offset, token.end[0] + 1 + offset))


class _WithWriter:
    """Writes one section as a ``with`` statement."""

    def __init__(self, source: Rewriter, section: WithBlock) -> None:
        self._source = source
        self._section = section
        receiver = source.extent(section.op.receiver)
        if receiver.line != receiver.end_line:
            raise _UnwritableError
        self.header = f"{'async ' if section.is_async else ''}with {source.text(section.op.receiver)}:"
        self._first = source.extent(section.acquire)
        self._last = source.extent(section.release)
        self._scan = Scan(source.lines, self._first.line, self._last.end_line)
        self._indent = source.indent(self._first.line)
        self._step = source.step(section.acquire, self._indent)
        self._new: dict[int, str | None] = {}
        """Lines that change, ``None`` for those that go."""

    def edits(self) -> tuple[Edit, ...]:
        first, section = self._first, self._section
        if any("\f" in self._source.indent(number) for number in self._scan.logical):
            raise _UnwritableError
        self._alone(first)
        guard = section.guard
        is_sole = guard is not None and guard.final == [section.release]
        if guard is not None and is_sole and not guard.handlers and not guard.orelse:
            self._dissolve(guard)
        else:
            self._shift(first.end_line + 1, self._last.line - 1)
            if guard is not None and is_sole:
                self._remove_finally(guard)
        self._alone(self._last)
        self._go(self._last.line, self._last.end_line, self._indent + self._step)
        for statement in section.dropped:
            span = self._source.extent(statement)
            self._alone(span)
            self._go(span.line, span.end_line, self._source.indent(span.line) + self._step)
        header = Span(first.line, first.column, first.end_line, first.end_column)
        return Edit(header, self.header), *self._line_edits()

    def _dissolve(self, guard: s.Try) -> None:
        """Let the body of ``guard`` stand where it stands, under the ``with`` instead of the ``try``."""
        number = self._source.extent(guard).line
        inner = self._source.indent(self._source.extent(guard.body[0]).line)
        line = self._source.line(number)
        if not inner.startswith(self._indent) or not re.fullmatch(r"\s*try\s*:\s*(#.*)?", line):
            raise _UnwritableError
        self._step = inner[len(self._indent) :]
        self._shift(self._first.end_line + 1, number - 1)
        self._go(number, number, inner)
        self._remove_finally(guard)

    def _remove_finally(self, guard: s.Try) -> None:
        """Remove the line that says ``finally:``, where the release does not stand on it."""
        start = self._source.extent(guard).line
        for number in range(self._last.line, start, -1):
            if number in self._scan.logical and self._source.line(number).lstrip().startswith("finally"):
                if number != self._last.line:
                    if not re.fullmatch(r"\s*finally\s*:\s*(#.*)?", self._source.line(number)):
                        raise _UnwritableError
                    self._go(number, number, self._indent + self._step)
                return
        raise _UnwritableError

    def _alone(self, span: Span) -> None:
        """Make sure that the statement at ``span`` has its lines to itself, but for a comment at the end."""
        if span.line not in self._scan.logical or self._source.line(max(span.line - 1, 1)).endswith("\\"):
            raise _UnwritableError
        if not _COMMENT_OR_NOTHING.fullmatch(self._source.after(span)):
            raise _UnwritableError
        if not (_NOTHING_OR_FINALLY if span is self._last else re.compile(r"\s*")).fullmatch(self._source.before(span)):
            raise _UnwritableError
        if any(number in self._scan.comments for number in range(span.line, span.end_line)):
            raise _UnwritableError

    def _go(self, first: int, last: int, indent: str) -> None:
        """Remove lines ``first`` to ``last``; a comment on one of them stays, indented by ``indent``."""
        for number in range(first, last + 1):
            comment = self._scan.comments.get(number)
            self._new[number] = None if comment is None else indent + comment

    def _shift(self, first: int, last: int) -> None:
        """Indent lines ``first`` to ``last`` by one step; strings, blank lines and comments further out stay."""
        for number in range(first, last + 1):
            line = self._source.line(number)
            if not line.strip() or number in self._scan.in_string:
                continue
            if line.startswith(self._indent):
                self._new[number] = self._indent + self._step + line[len(self._indent) :]
            elif number in self._scan.logical:
                raise _UnwritableError  # tabs and spaces, mixed in a way that only Python understands
            elif not line.lstrip().startswith("#"):
                self._new[number] = self._step + line

    def _line_edits(self) -> Iterator[Edit]:
        numbers = sorted(self._new)
        index = 0
        while index < len(numbers):
            number = numbers[index]
            new = self._new[number]
            index += 1
            if new is not None:
                yield self._changed(number, new)
                continue
            last = number
            while index < len(numbers) and numbers[index] == last + 1 and self._new[last + 1] is None:
                last += 1
                index += 1
            if last < len(self._source.lines):
                yield Edit(Span(number, 1, last + 1, 1), "")
            else:  # the file ends without a newline
                before = len(self._source.line(number - 1)) + 1
                yield Edit(Span(number - 1, before, last, len(self._source.line(last)) + 1), "")

    def _changed(self, number: int, new: str) -> Edit:
        """The smallest edit that makes line ``number`` read ``new``: what both end with stays."""
        old = self._source.line(number)
        same = 0
        while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
            same += 1
        start = 0
        while start < min(len(old), len(new)) - same and old[start] == new[start]:
            start += 1
        return Edit(Span(number, start + 1, number, len(old) - same + 1), new[start : len(new) - same])


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

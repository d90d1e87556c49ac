"""What the comments of a file silence: ``# noqa``, ``# conclint: ignore[...]`` and ``# conclint: skip-file``.

As in flake8 a comment speaks for its whole logical line: one at the end of a call that goes over five lines
silences a finding on the first of them. Comments are found by their tokens; what stands in a string is no comment.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

EVERYTHING = "ALL"

_DIRECTIVE = re.compile(
    r"""
    \# \s* (?:
        (?P<noqa> noqa ) \b
        (?: \s*:\s* (?P<codes> (?: (?: [a-z]+(?:-[a-z0-9]+)+ | [a-z]+[0-9]+ ) (?![-\w]) [,\s]* )+ ) )?
      |
        conclint \s*:\s* (?P<word> [a-z]+(?:-[a-z]+)* ) \b
        (?: \s* \[ (?P<listed> [^]\#]* ) (?P<closed> ]? ) )?
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SELECTOR = re.compile(r"[^,\s]+")
_MAY_SILENCE = re.compile(r"noqa|conclint", re.IGNORECASE)
_ABOUT_US_OR_NOQA = re.compile(r"conclint|noqa\b([^\n]*)", re.IGNORECASE)
_LIKE_A_RULE = re.compile(r"conclint|cnc\d|[a-z]-[a-z]", re.IGNORECASE)
_SPEAKS_ON = re.compile(r"\s*[\w\"'`(]")


class Selector(NamedTuple):
    """A code, the beginning of one, or a name, as a comment has it, and where in the comment."""

    text: str
    start: int
    end: int

    def covers(self, code: str, name: str) -> bool:
        """Whether it means the rule ``code``, which is called ``name``."""
        return _covers(self.text.upper(), code, name)


class Directive(NamedTuple):
    """One thing that a comment tells a checker, and where in the comment it does."""

    is_noqa: bool
    word: str
    """What follows ``conclint:``: ``ignore``, ``skip-file``, or what conclint does not know."""
    selectors: tuple[Selector, ...]
    silences_all: bool
    start: int
    end: int

    @property
    def silences(self) -> frozenset[str]:
        """The selectors in capitals; ``ALL`` where it names none."""
        if self.silences_all:
            return frozenset({EVERYTHING})
        return frozenset(selector.text.upper() for selector in self.selectors)


class Comment(NamedTuple):
    """A comment that holds directives, and the lines that it speaks for."""

    line: int
    column: int
    text: str
    first: int
    last: int
    is_alone: bool
    """Whether it is the only thing on its line, and in no statement: then it speaks for nothing else."""
    directives: tuple[Directive, ...]


def directives(comment: str) -> tuple[Directive, ...]:
    """What ``comment`` tells."""
    return tuple(map(_directive, _DIRECTIVE.finditer(comment)))


def may_name_a_rule(data: bytes) -> bool:
    """Whether a comment in a file of these bytes can be about conclint; most others are not split into tokens."""
    return b"conclint" in data or b"CNC" in data or b"cnc" in data


class Suppressions:
    """The comments of one file. Nothing is read before it is asked for, and then only where something may be found."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] = []
        self._comments: list[Comment] | None = None
        self._firsts: list[int] = []
        self._silenced: list[tuple[int, set[str], set[str]]] = []
        self.is_certain = True
        """Whether the text has tokens. Otherwise whatever looks like a comment is one."""

    @property
    def lines(self) -> list[str]:
        """The lines of the file, without their ends."""
        if not self._lines:
            self._lines = self._text.split("\n")
        return self._lines

    def skips_file(self) -> bool:
        """Whether the whole file is not to be checked."""
        if "skip-file" not in self._text.lower():
            return False
        return any(directive.word == "skip-file" for comment in self._read() for directive in comment.directives)

    def covers(self, line: int, code: str, name: str, *, noqa: bool = True) -> bool:
        """Whether a comment silences the rule ``code`` (called ``name``) for a finding on ``line``.

        Without ``noqa``, only those count that are conclint's own.
        """
        if not self._read():
            return False
        at = bisect_right(self._firsts, line) - 1
        if at < 0 or line > self._silenced[at][0]:
            return False
        _, by_noqa, by_us = self._silenced[at]
        return any(_covers(selector, code, name) for selector in (by_us | by_noqa if noqa else by_us))

    def speaking_for(self, line: int) -> list[Comment]:
        """The comments that speak for ``line``, in order."""
        return [comment for comment in self._read() if comment.first <= line <= comment.last]

    def about_us(self) -> list[Comment]:
        """The comments that hold directives, if one of them may name a rule, or what is meant for one."""
        comments = self._read() if _may_name_a_rule(self._text) else []
        return comments if self.is_certain else []

    def _read(self) -> list[Comment]:
        if self._comments is not None:
            return self._comments
        self._comments = []
        if not _MAY_SILENCE.search(self._text):
            return []
        try:
            self._comments = list(_by_tokens(self._text))
        except (SyntaxError, ValueError, RecursionError):  # tokenize.TokenError is a ValueError or an Exception
            self._comments = list(_by_lines(self._text))
            self.is_certain = False
        for comment in self._comments:
            if not self._firsts or self._firsts[-1] != comment.first:
                self._firsts.append(comment.first)
                self._silenced.append((comment.last, set(), set()))
            _, by_noqa, by_us = self._silenced[-1]
            for directive in comment.directives:
                (by_noqa if directive.is_noqa else by_us).update(directive.silences)
        return self._comments


def _may_name_a_rule(text: str) -> bool:
    # One expression for both would look at the rest of a line again for each `noqa` in it.
    return any(found[1] is None or _LIKE_A_RULE.search(found[1]) for found in _ABOUT_US_OR_NOQA.finditer(text))


def _by_tokens(text: str) -> Iterator[Comment]:
    import io
    import tokenize

    found: list[tuple[int, int, str]] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                if _MAY_SILENCE.search(token.string):
                    found.append((token.start[0], token.start[1] + 1, token.string))
            elif token.type == tokenize.NEWLINE:
                yield from _comments(found, first or token.start[0], token.end[0], is_alone=False)
                found = []
                first = 0
            elif token.type == tokenize.NL:
                if not first:
                    yield from _comments(found, token.start[0], token.start[0], is_alone=True)
                    found = []
            elif not first and token.type not in (tokenize.INDENT, tokenize.DEDENT):
                first = token.start[0]
    except tokenize.TokenError as error:
        raise ValueError(str(error)) from error


def _by_lines(text: str) -> Iterator[Comment]:
    for number, line in enumerate(text.split("\n"), 1):
        if (column := line.find("#")) >= 0:
            is_alone = not line[:column].strip()
            yield from _comments([(number, column + 1, line[column:])], number, number, is_alone=is_alone)


def _comments(found: list[tuple[int, int, str]], first: int, last: int, *, is_alone: bool) -> Iterator[Comment]:
    for line, column, text in found:
        told = directives(text)
        if told:
            yield Comment(line, column, text, first, last, is_alone, told)


def _directive(match: re.Match[str]) -> Directive:
    listed = "codes" if match["noqa"] else "listed"
    text, offset = match[listed] or "", max(match.start(listed), 0)
    selectors = tuple(
        Selector(found[0], offset + found.start(), offset + found.end()) for found in _SELECTOR.finditer(text)
    )
    if match["noqa"]:
        end = selectors[-1].end if selectors else match.end()
        return Directive(True, "", selectors, not selectors, match.start(), end)
    word = match["word"].lower()
    end = match.end() if match["listed"] is None or match["closed"] else match.start("word") + len(word)
    if word != "ignore" or not match["closed"]:
        selectors = ()
    # `ignore the rest` and `ignore CNC101` are no `ignore`.
    is_bare = word == "ignore" and match["listed"] is None and not _SPEAKS_ON.match(match.string, match.end())
    return Directive(False, word, selectors, is_bare, match.start(), end)


def _covers(selector: str, code: str, name: str) -> bool:
    return selector == EVERYTHING or code.startswith(selector) or name.upper() == selector

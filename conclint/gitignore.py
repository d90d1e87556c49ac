"""The patterns of ``.gitignore`` files.

Written here rather than taken from a library: importing the usual one costs more than all the rest of a run in
which nothing needs parsing, and nearly every checkout has a ``.gitignore``. The walk asks about a folder before
it asks about what is in it, so a pattern need never match through an ignored parent. The tests hold this module
against ``git check-ignore``.
"""

from __future__ import annotations

import os
import re

_FOLDER = "\0"
"""Stands at the end of a folder's path: a pattern that wants a folder asks for it, no wildcard matches it."""

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


class IgnoreFile:
    """The patterns of one ``.gitignore``, which speak of paths below its own folder."""

    def __init__(self, lines: list[str]) -> None:
        # Neighbouring patterns of one kind become one regular expression: the last group that matches decides.
        self._groups: list[tuple[bool, re.Pattern[str]]] = []
        group: list[str] = []
        negated = False
        for line in lines:
            parsed = _translate(line)
            if parsed is None:
                continue
            if parsed[0] != negated and group:
                self._groups.append((negated, re.compile("|".join(group), re.DOTALL)))
                group = []
            negated = parsed[0]
            group.append(parsed[1])
        if group:
            self._groups.append((negated, re.compile("|".join(group), re.DOTALL)))

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether ``path`` (relative, with ``/``) is ignored; ``None`` where no pattern speaks of it."""
        if is_folder:
            path += _FOLDER
        for negated, pattern in reversed(self._groups):
            if pattern.fullmatch(path):
                return not negated
        return None


def read(folder: str) -> IgnoreFile | None:
    """The ``.gitignore`` in ``folder``, or ``None`` where there is none to read."""
    name = os.path.join(folder, ".gitignore")
    if not os.path.isfile(name):  # nor is a FIFO opened, which would wait for ever
        return None
    try:
        with open(name, encoding="utf-8-sig", errors="surrogateescape") as file:
            return IgnoreFile(file.read().split("\n"))
    except OSError:
        return None


def _translate(line: str) -> tuple[bool, str] | None:
    """Whether a line's pattern is negated, and the regular expression of the paths it matches."""
    line = line.removesuffix("\r")
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    if negated:
        line = line[1:]
    only_folders = line.endswith("/")
    if only_folders:
        line = line[:-1]
    anchored = "/" in line
    line = line.removeprefix("/")
    if not line:
        return None
    body = _regex(line)
    if body is None:
        return None
    return negated, ("" if anchored else "(?:.*/)?") + body + (_FOLDER if only_folders else f"{_FOLDER}?")


def _regex(pattern: str) -> str | None:
    """The regular expression of a glob, ``None`` for one that can match nothing."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            start = at - 1
            while at < len(pattern) and pattern[at] == "*":
                at += 1
            double = at - start >= 2 and (start == 0 or pattern[start - 1] == "/")
            if double and pattern.startswith("/", at):
                out.append("(?:.*/)?")
                at += 1
            elif double and at == len(pattern):
                out.append(r"[^\0]+")
            else:
                out.append(r"[^/\0]*")
        elif char == "?":
            out.append(r"[^/\0]")
        elif char == "[":
            translated = _bracket(pattern, at)
            if translated is None:
                return None
            part, at = translated
            out.append(part)
        elif char == "\\":
            if at == len(pattern):
                return None
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """The regular expression of the bracket that opens before ``at``, and where it ends; ``None`` if it never does."""
    out: list[str] = []
    negated = pattern[at : at + 1] in ("!", "^")
    if negated:
        at += 1
    first = True
    while at < len(pattern) and (first or pattern[at] != "]"):
        first = False
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) > 0:
            out.append(_CLASSES.get(pattern[at + 2 : end], ""))
            at = end + 2
            continue
        low, at = _literal(pattern, at)
        if pattern.startswith("-", at) and at + 1 < len(pattern) and pattern[at + 1] != "]":
            high, at = _literal(pattern, at + 1)
            # git looks at the first character alone before it sees the range, which counts where that is backwards
            out.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else re.escape(low))
        else:
            out.append(re.escape(low))
    if at >= len(pattern):
        return None
    inside = "".join(out)
    if negated:
        return f"[^/\\0{inside}]", at + 1
    return (f"(?![/\\0])[{inside}]" if inside else "(?!)"), at + 1


def _literal(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        at += 1
    return pattern[at], at + 1

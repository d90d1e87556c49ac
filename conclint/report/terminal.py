"""Text for a terminal: nothing in a file's name or source may move the cursor, and every cell counts."""

from __future__ import annotations

from ..model import Severity

TAB = "    "

_GITHUB_COMMAND = "::"

RED, YELLOW, CYAN, BLUE, BOLD = "1;31", "1;33", "1;36", "1;34", "1"
"""Styles for :func:`painted`, as the numbers of the terminal's escapes."""

BY_SEVERITY = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.NOTE: CYAN}


def painted(text: str, style: str, color: bool) -> str:
    """``text`` in a style of the terminal where ``color`` is wanted."""
    return f"\x1b[{style}m{text}\x1b[0m" if color and text else text


def printable(text: str) -> str:
    """``text`` with everything that a terminal would obey rather than show replaced by its escape."""
    return text if text.isprintable() else "".join(map(cell, text))


def printable_path(path: str) -> str:
    """``path`` for the start of a line: ``::error::x``, in which GitHub would see a command, begins with ``./``."""
    shown = printable(path)
    return f"./{shown}" if shown.lstrip().startswith(_GITHUB_COMMAND) else shown


def cell(char: str) -> str:
    """How one character of source is shown: tabs as spaces; controls, directional marks and the like escaped."""
    if char.isprintable():
        return char
    if char == "\t":
        return TAB
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """How many columns of a terminal ``text`` (all of it printable) takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )

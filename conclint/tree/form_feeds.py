"""Form feeds in indentation, which Python passes over and libcst does not.

For Python's tokenizer a form feed starts the line anew (Language Reference, 2.1.8), so that what stands before it does
not indent. libcst takes it for a part of the indentation: it then refuses the file, or puts it before every line of the
block, so that the positions there are wrong. So it gets the text without them, and positions are set right after.
"""

from __future__ import annotations

import io
import re
import tokenize

_BEFORE_CODE = re.compile(r"[ \t\f]*\f")
_NO_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


def without_form_feeds(text: str) -> tuple[str, dict[int, int]]:
    """``text`` with the indentation that Python sees, and how many characters that took from which lines (1-based).

    Text that Python has no tokens for is left alone.
    """
    if "\f" not in text:
        return text, {}
    taken: dict[int, int] = {}
    lines = text.split("\n")
    try:
        for line in _starts_of_statements(text):
            if found := _BEFORE_CODE.match(lines[line - 1]):
                taken[line] = found.end()
    except (SyntaxError, tokenize.TokenError):
        return text, {}
    for line, count in taken.items():
        lines[line - 1] = lines[line - 1][count:]
    return "\n".join(lines), taken


def _starts_of_statements(text: str) -> list[int]:
    """The lines on which logical lines start: a form feed further inside one may stand in a string."""
    found: list[int] = []
    is_start = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            is_start = True
        elif is_start and token.type not in _NO_CODE:
            found.append(token.start[0])
            is_start = False
    return found

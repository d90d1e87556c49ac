"""Python's own ``ast`` to the tree that :mod:`conclint.tree` makes of libcst's: the same, but for positions.

CPython's parser takes a quarter of libcst's time, and has read every file before libcst may see it. In nearly every
file there is nothing to say, which this tree is enough to find out. Where something is to be said, it is said of
libcst's tree, which knows where everything stands. So the two have to be equal, node by node: a test compares them.

``ast`` has forgotten some of what the source says: where a tuple has parentheses, which literals one string was put
together from. That is looked up in the source, at the positions that ``ast`` gives.
"""

from __future__ import annotations

import ast
import re
import unicodedata

from .. import syntax as s
from .source import UnsureError
from .statements import Lowering

__all__ = ["UnsureError", "lower"]

_WORD = re.compile(r"\w+")


def lower(module: ast.Module, text: str) -> s.Module:
    """The lowered tree of ``text``, which ``module`` was made from.

    Raises :class:`UnsureError` where it cannot be told what libcst's tree would be.
    """
    if not text.isascii():
        _check_names(text)
    lowered = Lowering(text).module(module)
    s.link(lowered)
    return lowered


def _check_names(text: str) -> None:
    """Raises :class:`UnsureError` where ``ast`` may call something by another name than the source does.

    Python brings identifiers into a normal form, and libcst leaves them as they are.
    """
    if unicodedata.is_normalized("NFKC", text):
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if not word.isascii() and word.isidentifier() and not unicodedata.is_normalized("NFKC", word):
            raise UnsureError

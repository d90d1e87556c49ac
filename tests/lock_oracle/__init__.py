"""An oracle for verdicts on locks: small functions (``programs``), run with locks that are watched (``execute``).

What some run does is what the rules have to say (``policy``), and all that they may say; ``compare`` tells where they
do not. ``python -m tests.lock_oracle --help`` is the long run.
"""

from __future__ import annotations

from typing import NamedTuple

LEAK, BAD_RELEASE, SELF_DEADLOCK = "CNC101", "CNC105", "CNC106"
IGNORED_RESULT = "CNC104"
JUDGED = (LEAK, BAD_RELEASE, SELF_DEADLOCK)
"""The rules whose verdicts are compared."""

NUMBER = "$"
"""Stands in a program's text for its number, so that many programs fit in one module."""


SELF_CONTAINED = ("use", "work")
"""Beginnings of the names of helpers that give back the lock that they take."""

HANDLED = "caught"
"""The helper that handles its errors."""


class Program(NamedTuple):
    """A function ``f`` with the locks and helpers that it uses."""

    text: str
    """The module's part that is the program's own; lines of ``f`` come last."""
    first_line: int
    """The line of ``text`` on which ``f`` begins."""
    locks: tuple[str, ...]
    """What ``f`` calls its locks, in order."""
    reentrant: bool
    """Whether the first lock is an RLock."""
    awaits: bool
    """Whether the locks are asyncio's."""
    in_class: bool
    """Whether ``f`` is a method and the locks are attributes."""
    params: int
    """How many parameters ``f`` has, each true or false."""

"""Inputs that nobody would write: whatever conclint is given, it neither crashes nor hangs, and says the same twice.

``inputs`` makes the input of each number: generated programs (``generated``), files found (``files``) and what becomes
of them when they are cut, garbled (``edits``) or changed as programs are (``mutations``). ``judge`` checks one and says
what does not hold, ``guarded`` does so in a process of its own that may die or hang, and ``minimal`` makes what fails
small.
``python -m tests.robustness --help`` is the long run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Input(NamedTuple):
    """What is checked: one file, or several that are checked together."""

    number: int
    source: str
    """One of the sources that ``inputs`` knows."""
    origin: str
    """Where it comes from, for people."""
    files: tuple[tuple[str, bytes], ...]
    """Names, with ``/``, and contents."""

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(len(data) for _, data in self.files)

    @property
    def seconds(self) -> float:
        """How much processor time it may take: fifty times what code takes, so that only what hangs takes longer."""
        return 5 + self.size / 2_000


class Outcome(NamedTuple):
    """What came of one input."""

    failures: tuple[str, ...]
    """What did not hold, the most telling first."""
    digest: str = ""
    """Stands for all that was said."""
    findings: int = 0
    codes: frozenset[str] = frozenset()
    """The rules that found something."""
    refusals: int = 0
    """Files that were refused on purpose."""
    fixes: int = 0
    """How many findings were fixed."""
    seconds: float = 0.0
    """Processor time."""


Check = Callable[[Input], Outcome]

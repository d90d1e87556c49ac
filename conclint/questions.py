"""Questions that lead to one another, and in the end to themselves.

``self.child`` is what the constructor is passed, that is what the caller has in ``self.owner``, and so on round. A
question that is asked again before it is answered is cut: asked for, it adds nothing. What others make of the cut is
only good for whoever asked the question that was cut, so it is kept until that one is answered, and then forgotten.
(Tarjan's strongly connected components, with the answers in place of the components.)
"""

from __future__ import annotations

import sys
from typing import Generic, TypeVar

A = TypeVar("A")


class Questions(Generic[A]):
    """The questions that are being answered, outermost first, and the answers that hang on them."""

    __slots__ = ("_lowest", "_lowest_before", "_open", "_partial")

    def __init__(self) -> None:
        self._open: dict[object, int] = {}
        self._lowest_before: list[int] = []
        self._lowest = sys.maxsize
        """The outermost question that was cut since the innermost open one was begun."""
        self._partial: dict[object, tuple[A, int]] = {}

    def begin(self, question: object) -> bool:
        """Open a question; ``False``, and nothing to end, if it is open already."""
        depth = self._open.get(question)
        if depth is not None:
            self._lowest = min(self._lowest, depth)
            return False
        self._open[question] = len(self._lowest_before)
        self._lowest_before.append(self._lowest)
        self._lowest = sys.maxsize
        return True

    def end(self, question: object) -> bool:
        """Close the innermost question; whether all that was found for it holds for good."""
        depth = self._open.pop(question)
        lowest, self._lowest = self._lowest, self._lowest_before.pop()
        if lowest < depth:
            self._lowest = min(self._lowest, lowest)
            return False
        while self._partial:
            key, found = self._partial.popitem()
            if found[1] < depth:
                self._partial[key] = found
                break
        return True

    def cut(self) -> None:
        """Give up here: what is found meanwhile holds for the outermost open question only."""
        self._lowest = 0

    def keep(self, question: object, answer: A) -> None:
        """Remember an answer of which :meth:`end` said that it does not hold for good."""
        self._partial[question] = (answer, self._lowest)

    def kept(self, question: object) -> A | None:
        """The answer that is remembered for now."""
        found = self._partial.get(question)
        if found is None:
            return None
        self._lowest = min(self._lowest, found[1])
        return found[0]

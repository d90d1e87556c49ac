"""The input of each number, the same whenever it is asked for."""

from __future__ import annotations

import random
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from . import Input, files, generated
from .edits import edited, truncated
from .mutations import mutated

_ORDER = (
    *("from_grammar", "mutated", "edited", "truncated", "from_node", "mutated", "edited", "library", "from_grammar"),
    *("truncated", "mutated", "edited", "together", "from_node", "mutated", "truncated", "library", "from_grammar"),
    *("edited", "mutated"),
)
"""The sources take turns."""

_NAMES = ("a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "pkg/d.py")


class Sizes(NamedTuple):
    """How large files may be, in bytes; of larger ones a part is taken where that makes sense."""

    library: int = 1_000_000
    changed: int = 8_000
    programs: int = 16
    """How many are generated at a time."""


SMALL = Sizes(library=6_000, changed=2_000, programs=8)


class Inputs:
    """The inputs that a ``seed`` stands for; ``corpus`` is a folder of packages, if there is one."""

    def __init__(self, seed: int, corpus: Path | None = None, sizes: Sizes | None = None) -> None:
        self._seed = seed
        self._corpus = corpus
        self._sizes = sizes or Sizes()

    def skipped(self) -> list[str]:
        """Which sources there are not, and why."""
        found = []
        if generated.missing():
            found.append(generated.missing())
        if not files.has_tests():
            found.append("CPython's own tests are not installed: only the rest of the standard library is read")
        return found

    def input(self, number: int) -> Input | None:
        """The input of this number, ``None`` where its source is missing."""
        turn, place = divmod(number, len(_ORDER))
        source = _ORDER[place]
        index = turn * _ORDER.count(source) + _ORDER[:place].count(source)
        chance = random.Random(f"{self._seed} {number}")
        if source in generated.WAYS:
            if generated.missing():
                return None
            data = generated.generated(source, self._seed, index, chance, self._sizes.programs)
            if chance.random() < 0.6:
                data = mutated(data, chance, self._own(chance)[1])
            return Input(number, source, source, (("input.py", data),))
        if source == "library":
            path = self._library[index % len(self._library)]
            return Input(number, source, str(path), (("input.py", path.read_bytes()),))
        if source == "together":
            return self._together(number, chance)
        path, data = self._mutated(chance) if source == "mutated" else self._changed(source, chance)
        return Input(number, source, str(path), (("input.py", data),))

    def _mutated(self, chance: random.Random) -> tuple[Path, bytes]:
        path, data = self._own(chance)
        data = mutated(data, chance, self._own(chance)[1])
        if chance.random() < 0.2:
            data = edited(data, chance, b"")
        return path, data

    def _changed(self, source: str, chance: random.Random) -> tuple[Path, bytes]:
        paths = files.fixtures() if chance.random() < 0.25 else self._others
        path, data = files.draw(paths, chance, self._sizes.changed)
        if source == "truncated":
            return path, truncated(data, chance)
        return path, edited(data, chance, files.draw(paths, chance, self._sizes.changed)[1])

    def _together(self, number: int, chance: random.Random) -> Input:
        """The files of a project for tests, or several fixtures that import one another; some of them changed."""
        if chance.random() < 0.6:
            folder = chance.choice(files.projects())
            origin = str(folder)
            found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files.python_files(folder)}
        else:
            origin = "fixtures"
            names = chance.sample(_NAMES, chance.randint(2, len(_NAMES)))
            found = {name: self._own(chance)[1] for name in names}
            for name in names:
                module = chance.choice(names).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                head = chance.choice(("from {} import *\n", "import {}\n", "from {} import lock, Worker, work, C\n"))
                found[name] = head.format(module).encode() + found[name]
        for name in sorted(found):
            if chance.random() < 0.6:
                found[name] = mutated(found[name], chance, self._own(chance)[1])
            elif chance.random() < 0.2:
                found[name] = edited(found[name], chance, b"")
        return Input(number, "together", origin, tuple(sorted(found.items())))

    def _own(self, chance: random.Random) -> tuple[Path, bytes]:
        return files.draw(files.fixtures(), chance, self._sizes.changed)

    @cached_property
    def _library(self) -> list[Path]:
        found = list(files.standard_library(self._sizes.library))
        random.Random(self._seed).shuffle(found)
        return found

    @cached_property
    def _others(self) -> tuple[Path, ...]:
        return files.standard_library(self._sizes.library) if self._corpus is None else files.python_files(self._corpus)

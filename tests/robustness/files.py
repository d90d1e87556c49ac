"""Where files come from: the standard library of the Python that runs, a folder of packages, and our own fixtures."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from conclint.source import may_hold_finding

TESTS = Path(__file__).parent.parent
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])

_TRIES = 12
"""How often another file is drawn instead of one that no rule would look at."""


@cache
def standard_library(most_bytes: int) -> tuple[Path, ...]:
    """Files of the standard library and of CPython's tests, bad syntax included, that are no larger."""
    return tuple(path for path in python_files(STANDARD_LIBRARY) if path.stat().st_size <= most_bytes)


def has_tests() -> bool:
    """Whether CPython's own tests are installed: some distributions leave them out."""
    return (STANDARD_LIBRARY / "test" / "test_threading.py").exists()


@cache
def python_files(folder: Path) -> tuple[Path, ...]:
    """The Python files below ``folder``, those of installed packages left out."""
    found = (path for path in folder.rglob("*.py") if "site-packages" not in path.parts and path.is_file())
    return tuple(sorted(found))


@cache
def fixtures() -> tuple[Path, ...]:
    """The files that the rules are tested by."""
    return tuple(sorted((TESTS / "fixtures").glob("*/*.py")))


@cache
def projects() -> tuple[Path, ...]:
    """The folders of files that are tested together."""
    return tuple(sorted(path for path in (TESTS / "projects").iterdir() if path.is_dir()))


def draw(paths: Sequence[Path], chance: random.Random, most_bytes: int) -> tuple[Path, bytes]:
    """One of ``paths`` and what it holds, or a part of that if it is large; most often one that rules look at."""
    path = chance.choice(paths)
    data = path.read_bytes()
    for _ in range(_TRIES):
        if may_hold_finding(data):
            break
        path = chance.choice(paths)
        data = path.read_bytes()
    return path, part(data, chance, most_bytes)


def part(data: bytes, chance: random.Random, most_bytes: int) -> bytes:
    """Of a file that is larger than ``most_bytes`` its first lines, and others from the start of a statement on."""
    if len(data) <= most_bytes:
        return data
    lines = data.splitlines(keepends=True)
    size = 0
    for head, line in enumerate(lines):  # noqa: B007 - the number of the line that ends the head
        size += len(line)
        if size > most_bytes // 4:
            break
    tops = [number for number in range(head, len(lines)) if lines[number][:1].isalpha() or lines[number][:1] == b"@"]
    first = chance.choice(tops or [head])
    last = first
    while last < len(lines) and size < most_bytes:
        size += len(lines[last])
        last += 1
    return b"".join((*lines[:head], *lines[first:last]))

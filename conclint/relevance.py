"""Which files of a run can hold a finding, told by their bytes: by what they say, and by what they import.

A file that says nothing of threads may still make one: of a class that another file derives from ``Thread``, or by a
function that starts processes. What is found here by the shape of lines decides only what is parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from .modules import top_folder
from .source import may_hold_finding, read

_CLASS = re.compile(rb"\nclass[ \t]+(\w+)[ \t]*\(([^)]*)\)")
_FUNCTION = re.compile(rb"\n(?:async[ \t]+)?def[ \t]+(\w+)")
_CALL = re.compile(rb"\n(\w+)\(")
_NAME = re.compile(rb"\w+")
_ALIAS = re.compile(rb"(\w+)[ \t]+as[ \t]+(\w+)")
_LAST_NAME = re.compile(rb"(\w+)(?:\[[^]]*\])?[ \t]*(?:,|$)", re.MULTILINE)

_SPAWNING = (b"rocess(", b"Pool(", b"ProcessPoolExecutor", b"Manager(", b"import_module")

_WORKERS = frozenset(
    {"thread", "timer", "process", "process_pool", "thread_pool", "thread_executor", "process_executor"}
)

_STEPS = 2
"""How many functions may lie between a script and the one that starts processes."""


class Outline(NamedTuple):
    """What of a file can matter to others, and what of others it imports."""

    size: int
    """In bytes."""
    has_words: bool
    """Whether it can hold a finding by itself."""
    classes: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    """Its classes, and the last parts of the names of what they derive from."""
    functions: frozenset[bytes]
    """Its functions, where it may start processes or run what others start them with."""
    starts_processes: bool
    imports: frozenset[bytes]
    """The names that it imports, and the parts of the names of modules."""
    aliases: tuple[tuple[bytes, bytes], ...]
    """Of these the names that get another one, and that."""
    calls: frozenset[bytes]
    """The functions that it calls at module level."""


def outline(data: bytes) -> Outline:
    """The outline of a file with the contents ``data``."""
    text = b"\n" + data.replace(b"\r", b"\n")
    has_words = may_hold_finding(data)
    return Outline(
        len(data),
        has_words,
        tuple((name, tuple(_LAST_NAME.findall(bases))) for name, bases in _CLASS.findall(text)),
        frozenset(_FUNCTION.findall(text)),
        has_words and any(word in data for word in _SPAWNING),
        *_imports(text),
        frozenset() if b"__name__" in data else frozenset(_CALL.findall(text)),
    )


class Relevant(NamedTuple):
    """Paths of files."""

    checked: frozenset[str]
    """Those that can hold a finding."""
    seen: frozenset[str]
    """Those, and others in which one may start that leads to such a file."""


def relevant(outlines: Mapping[str, Outline]) -> Relevant:
    """The files that matter, of a run whose files have these outlines."""
    found = {path for path, each in outlines.items() if each.has_words}
    if len(found) in (0, len(outlines)):
        return Relevant(frozenset(found), frozenset(found))
    workers = _worker_classes(outlines.values())
    homes = _Homes(outlines)
    for path, each in outlines.items():
        homes.add(path, workers.intersection((*(name for name, _ in each.classes), *each.imports)))
    leading, starters = _starting(outlines)
    for path, each in outlines.items():
        if each.has_words:
            continue
        if not starters.of(path, each).isdisjoint(each.calls) or homes.of(path, each) or homes.is_attribute(path, each):
            found.add(path)
    return Relevant(frozenset(found), frozenset(found | leading))


def _starting(outlines: Mapping[str, Outline]) -> tuple[set[str], _Homes]:
    """The files that lead to functions that may start processes, and where these and those functions are."""
    homes = _Homes(outlines)
    leading = {path for path, each in outlines.items() if each.starts_processes}
    newest = leading
    for _ in range(_STEPS + 1):
        for path in newest:
            homes.add(path, outlines[path].functions)
        newest = {path for path, each in outlines.items() if path not in leading and homes.of(path, each, True)}
        leading = leading | newest
    return leading, homes


class _Homes:
    """Where names can be imported from."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._paths = outlines
        self._of: dict[bytes, dict[tuple[bytes, bytes, str], None]] = {}
        """For a name the modules that have it, with the names and folders of their outermost packages."""
        self._names: dict[bytes, dict[tuple[bytes, str], set[bytes]]] = {}
        """For the name of a module, and the name and folder of its outermost package, the names that it has."""

    def add(self, path: str, names: AbstractSet[bytes]) -> None:
        """Says that the file at ``path`` has ``names``."""
        if names:
            module, (package, folder) = module_name(path), self._package(path)
            for name in names:
                self._of.setdefault(name, {})[module, package, folder] = None
            self._names.setdefault(module, {}).setdefault((package, folder), set()).update(names)

    def of(self, path: str, outline: Outline, is_by_module: bool = False) -> AbstractSet[bytes]:
        """The names that the file at ``path`` imports: from the module itself (``is_by_module``), or anywhere near."""
        return {
            name
            for name in self._of.keys() & outline.imports
            for module, package, folder in self._of[name]
            if self._is_near(path, outline, package, folder)
            and (module in outline.imports or not is_by_module)
            and (module, package, folder) != (module_name(path), *self._package(path))
        }

    def is_attribute(self, path: str, outline: Outline) -> bool:
        """Whether the file imports a module and speaks of one of its names."""
        names = {
            name
            for module in self._names.keys() & outline.imports
            for (package, folder), found in self._names[module].items()
            if self._is_near(path, outline, package, folder)
            for name in found
        }
        return bool(names) and _says_attribute(path, names)

    @staticmethod
    def _is_near(path: str, outline: Outline, package: bytes, folder: str) -> bool:
        return package in outline.imports or path.startswith(os.path.join(folder, "") if folder else "")

    def _package(self, path: str) -> tuple[bytes, str]:
        """The name of the outermost package that the file at ``path`` lies in, and its folder."""
        folder = top_folder(path, self._paths)
        return os.path.basename(folder).encode("utf-8", "surrogateescape"), folder


def module_name(path: str) -> bytes:
    """The last part of the name that the file at ``path`` is imported by."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    return (os.path.basename(folder) if stem == "__init__" else stem).encode("utf-8", "surrogateescape")


def _worker_classes(outlines: Iterable[Outline]) -> frozenset[bytes]:
    """The names of the classes that derive, at however many removes, from one that the catalogue knows."""
    derived: dict[bytes, list[bytes]] = {}
    for each in outlines:
        for name, bases in each.classes:
            for base in bases:
                derived.setdefault(base, []).append(name)
        for name, alias in each.aliases:
            derived.setdefault(name, []).append(alias)
    from . import catalog

    known = catalog.load()
    kinds = _WORKERS | known.lock_kinds
    pending = [maker.rpartition(".")[2].encode() for maker, made in known.made_by.items() if made.kind in kinds]
    workers: set[bytes] = set()
    while pending:
        for name in derived.get(pending.pop(), ()):
            if name not in workers:
                workers.add(name)
                pending.append(name)
    return frozenset(workers)


def _imports(text: bytes) -> tuple[frozenset[bytes], tuple[tuple[bytes, bytes], ...]]:
    """The names that are imported, and those that get another name there."""
    names: set[bytes] = set()
    aliases: list[tuple[bytes, bytes]] = []
    parts = text.split(b" import ")
    for before in parts[:-1]:
        names.update(_NAME.findall(before[before.rfind(b"\n") :]))
    for part in (*parts[1:], *text.split(b"\nimport ")[1:]):
        start = part.lstrip(b" \t")
        end = start.find(b")") if start[:1] == b"(" else start.find(b"\n")
        listed = start[:end] if end >= 0 else start
        names.update(_NAME.findall(listed))
        if b" as " in listed:
            aliases += _ALIAS.findall(listed)
    return frozenset(names), tuple(aliases)


def _says_attribute(path: str, names: AbstractSet[bytes]) -> bool:
    """Whether the file speaks of one of ``names`` as an attribute."""
    return not names.isdisjoint(re.findall(rb"\.(\w+)", read(path) or b""))

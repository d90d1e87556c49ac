"""The files of a run as the analysis of each one sees the others."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .parsing import Reading, parse
from .relevance import Outline, Relevant, module_name, outline, relevant
from .source import SourceError, decode, read

if TYPE_CHECKING:
    from . import syntax as s
    from .linking import Linked, Linker
    from .modules import Modules
    from .tree import Tree

_IMPORT = re.compile(
    r"^[ \t]*(from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|[\w, \t*]+)|import[ \t]+[\w., \t]+)[ \t]*(?:\#.*)?$",
    re.MULTILINE,
)


class SeenOfOthers(NamedTuple):
    """What the analysis of a file hangs on besides the file itself."""

    files: frozenset[str] = frozenset()
    """The paths of the files that were looked at for it."""
    asked: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """For files and names of theirs, which files were told to may import these."""


class Project:
    """The files at ``paths``, read when another file needs them; ``outline_of`` gives their outlines."""

    def __init__(self, paths: Iterable[str], outline_of: Callable[[str], Outline | None] | None = None) -> None:
        self._paths = tuple(paths)
        self._outline_of = outline_of or _outline
        self._seen: dict[str, SeenOfOthers] = {}
        self._hashes: dict[str, int] = {}
        """For files whose whole tree was made, the hash of their text."""

    def __getstate__(self) -> dict[str, object]:
        """For another process: what is known of the files, without what was made of them."""
        state = {"_paths": self._paths, "_outline_of": _outline, "_seen": {}, "_hashes": {}, "relevant": self.relevant}
        if "outlines" in self.__dict__:
            state["outlines"] = self.outlines
        return state

    def size(self, path: str) -> int:
        """How many bytes the file at ``path`` has."""
        return self.outlines[path].size if path in self.outlines else 0

    def may_matter(self, path: str) -> bool:
        """Whether the file at ``path`` can hold a finding because of what it imports."""
        return len(self._paths) > 1 and path in self.relevant.checked

    def is_outlined(self, path: str) -> bool:
        """Whether the outline of the file at ``path`` has told what :meth:`may_matter` says."""
        return len(self._paths) > 1 and path in self.__dict__.get("outlines", ())

    def link(self, module: s.Module, path: str) -> Linked:
        """What the file at ``path``, whose tree is ``module``, gets to see of the others."""
        linked = self._linker.link(module, path)
        self._seen[path] = SeenOfOthers(linked.files, linked.asked)
        return linked

    def kept_tree(self, path: str, text: str) -> s.Module | None:
        """The tree of the file at ``path`` if it holds ``text`` and was looked at for another one not long ago."""
        return self._linker.tree(path) if self._hashes.get(path) == hash(text) else None

    def keep_tree(self, module: s.Module, path: str, text: str) -> None:
        """Keeps the tree of the file at ``path``, which holds ``text``, for others that may need it soon."""
        if len(self._paths) > 1 and path in self.relevant.seen:
            self._hashes[path] = hash(text)
            self._linker.keep(module, path)

    def forget(self, path: str) -> None:
        """Reads the file at ``path``, which has been changed, again; and with it all that was made of others."""
        self._hashes.clear()
        self.__dict__.pop("_linker", None)

    def seen_of_others(self, path: str) -> SeenOfOthers:
        """What the analysis of the file at ``path``, which has just been made, hangs on."""
        return self._seen.pop(path, SeenOfOthers())

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """The outlines of the files that can be read."""
        found = {path: self._outline_of(path) for path in self._paths}
        return {path: each for path, each in found.items() if each is not None}

    @cached_property
    def relevant(self) -> Relevant:
        """The files that matter."""
        return relevant(self.outlines)

    def importers(self, path: str, name: str) -> list[str]:
        """The files that may import what the file at ``path`` has by ``name``, told by their bytes."""
        module = module_name(path)
        package = (self._modules.package_of(path) or "").partition(".")[0].encode("utf-8", "replace")
        folder = os.path.join(self._modules.top_folder(path), "")
        return [
            each
            for each in dict.fromkeys([*self._importing(name.encode()), *self._importing(module)])
            if each != path
            and (package in self.outlines[each].imports or os.path.abspath(each).startswith(folder))
            and name.encode() in (read(each) or b"")
        ]

    def _importing(self, name: bytes) -> list[str]:
        return self._by_import.get(name, [])

    @cached_property
    def _by_import(self) -> dict[bytes, list[str]]:
        """For a name the files that can hold a finding and import something called so."""
        found: dict[bytes, list[str]] = {}
        for path in sorted(self.relevant.checked):
            for name in self.outlines[path].imports:
                found.setdefault(name, []).append(path)
        return found

    @cached_property
    def _modules(self) -> Modules:
        from .modules import Modules

        return Modules(self._paths)

    @cached_property
    def _linker(self) -> Linker:
        from .linking import Linker

        return Linker(self._modules, self._load, self.importers)

    def _load(self, path: str) -> s.Module | None:
        """The tree of the file at ``path``; of one that cannot matter itself only what it imports for others."""
        text = _text(path)
        if text is None:
            return None
        if path in self.relevant.seen:
            self._hashes[path] = hash(text)
        else:
            text = imports_of(text)
        reading = Reading(text)
        quick = reading.quick()
        if quick is not None:
            return quick
        tree = reading.tree()
        return None if isinstance(tree, SourceError) else tree.module


def imports_of(text: str) -> str:
    """The import statements of a file, at whatever level, and nothing else of it."""
    return "".join(f"{match[1]}\n" for match in _IMPORT.finditer(text))


def tree_of(path: str) -> Tree | None:
    """The tree with positions of the file at ``path`` as it is now, ``None`` where it has none."""
    text = _text(path)
    tree = None if text is None else parse(text)
    return None if isinstance(tree, SourceError) else tree


def _text(path: str) -> str | None:
    data = read(path)
    try:
        return None if data is None else decode(data)
    except SourceError:
        return None


def _outline(path: str) -> Outline | None:
    data = read(path)
    return None if data is None else outline(data)

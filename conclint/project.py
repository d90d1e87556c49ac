"""The files of a run as the analysis of each one sees the others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from .parsing import Reading
from .relevance import Outline, Relevant, module_name, outline, relevant
from .source import SourceError, decode

if TYPE_CHECKING:
    from . import syntax as s
    from .linking import Linked, Linker
    from .modules import Modules

_IMPORT = re.compile(
    r"^[ \t]*(from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|[\w, \t*]+)|import[ \t]+[\w., \t]+)[ \t]*(?:\#.*)?$",
    re.MULTILINE,
)


class Project:
    """The files at ``paths``, read when another file needs them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)

    def size(self, path: str) -> int:
        """How many bytes the file at ``path`` has."""
        return self.outlines[path].size if path in self.outlines else 0

    def may_matter(self, path: str) -> bool:
        """Whether the file at ``path`` can hold a finding because of what it imports."""
        return len(self._paths) > 1 and path in self.relevant.checked

    def link(self, module: s.Module, path: str) -> Linked:
        """What the file at ``path``, whose tree is ``module``, gets to see of the others."""
        return self._linker.link(module, path)

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """The outlines of the files that can be read."""
        found: dict[str, Outline] = {}
        for path in self._paths:
            data = _read(path)
            if data is not None:
                found[path] = outline(data)
        return found

    @cached_property
    def relevant(self) -> Relevant:
        """The files that matter."""
        return relevant(self.outlines)

    def _importers(self, path: str, name: str) -> list[str]:
        """The files that may import what the file at ``path`` has by ``name``, told by their bytes."""
        module = module_name(path)
        package = (self._modules.package_of(path) or "").partition(".")[0].encode("utf-8", "replace")
        folder = os.path.join(self._modules.top_folder(path), "")
        return [
            each
            for each in dict.fromkeys([*self._importing(name.encode()), *self._importing(module)])
            if each != path
            and (package in self.outlines[each].imports or os.path.abspath(each).startswith(folder))
            and name.encode() in (_read(each) or b"")
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

        return Linker(self._modules, self._load, self._importers)

    def _load(self, path: str) -> s.Module | None:
        """The tree of the file at ``path``; of one that cannot matter itself only what it imports for others."""
        data = _read(path)
        try:
            text = None if data is None else decode(data)
        except SourceError:
            text = None
        if text is None:
            return None
        reading = Reading(text if path in self.relevant.seen else imports_of(text))
        quick = reading.quick()
        if quick is not None:
            return quick
        tree = reading.tree()
        return None if isinstance(tree, SourceError) else tree.module


def imports_of(text: str) -> str:
    """The import statements of a file, at whatever level, and nothing else of it."""
    return "".join(f"{match[1]}\n" for match in _IMPORT.finditer(text))


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None

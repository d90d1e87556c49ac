"""Which file an import means, among the files of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterable
from typing import NamedTuple

_SOURCE_FOLDERS = ("", "src", "lib")
"""Where packages lie in a folder that is on the path, or would be once the project is installed."""

_INIT = "__init__.py"


class Found(NamedTuple):
    """What a dotted name leads to: a file, and what is left of the name there."""

    path: str
    module: str
    """The part of the name that is the module's."""
    rest: tuple[str, ...]


class Modules:
    """The modules that the files at ``paths`` are.

    The code is not run, so its path is not known. An absolute import is looked for in the folders around the file, from
    the one that holds its outermost package on: that finds the modules beside a script, packages in ``src``, and those
    that tests import. Modules of the standard library are never taken for a project's own.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._shown = {os.path.abspath(path): path for path in paths}
        self._folders = {os.path.dirname(path) for path in self._shown}
        for folder in list(self._folders):
            while (folder := os.path.dirname(folder)) not in self._folders:
                self._folders.add(folder)
        self._roots: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], Found | None] = {}

    def package_of(self, path: str) -> str | None:
        """The dotted name of the package that the file at ``path`` lies in, ``None`` where it lies in none.

        Without ``__init__.py`` a folder is a package too if it is imported from so; then it is called by its own name.
        """
        folder = os.path.dirname(os.path.abspath(path))
        parts = []
        while os.path.join(folder, _INIT) in self._shown:
            folder, name = os.path.split(folder)
            parts.append(name)
        return ".".join(reversed(parts)) or os.path.basename(folder) or None

    def top_folder(self, path: str) -> str:
        """The folder of the outermost package that the file at ``path`` lies in, or else its own."""
        return top_folder(os.path.abspath(path), self._shown)

    def find(self, dotted: str, importer: str) -> Found | None:
        """What the absolute name ``dotted`` means in the file at ``importer``; the longest module that fits."""
        folder = os.path.dirname(os.path.abspath(importer))
        key = dotted, folder
        if key not in self._found:
            self._found[key] = self._find(dotted, folder)
        return self._found[key]

    def _find(self, dotted: str, folder: str) -> Found | None:
        parts = dotted.split(".")
        if not parts[0] or parts[0] in sys.stdlib_module_names:
            return None
        for root in self._roots_of(folder):
            if os.path.join(root, parts[0]) not in self._folders:
                path = self._module(os.path.join(root, parts[0]))
                if path is not None:
                    return Found(path, parts[0], tuple(parts[1:]))
                continue
            for length in range(len(parts), 0, -1):
                path = self._module(os.path.join(root, *parts[:length]))
                if path is not None:
                    return Found(path, ".".join(parts[:length]), tuple(parts[length:]))
        return None

    def _module(self, base: str) -> str | None:
        for path in (os.path.join(base, _INIT), f"{base}.py"):
            if path in self._shown:
                return self._shown[path]
        return None

    def _roots_of(self, folder: str) -> tuple[str, ...]:
        """The folders in which files in ``folder`` look for modules, nearest first."""
        if folder not in self._roots:
            top = folder
            while os.path.join(top, _INIT) in self._shown:
                top = os.path.dirname(top)
            roots = []
            while True:
                for name in _SOURCE_FOLDERS:
                    root = os.path.join(top, name) if name else top
                    if root in self._folders:
                        roots.append(root)
                if os.path.dirname(top) == top:
                    break
                top = os.path.dirname(top)
            self._roots[folder] = tuple(roots)
        return self._roots[folder]


def top_folder(path: str, paths: Container[str]) -> str:
    """The folder of the outermost package that the file at ``path``, one of ``paths``, lies in, or else its own."""
    folder = os.path.dirname(path)
    while os.path.join(os.path.dirname(folder), _INIT) in paths:
        folder = os.path.dirname(folder)
    return folder

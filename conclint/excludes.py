"""Paths left out, or told apart, by patterns of an option; they are those of ``.gitignore``, read by pathspec."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

EXCLUDED_FOLDERS = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
        ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode",
        "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages",
        "venv",
    }
)  # fmt: skip
"""Names of folders that are not entered unless they are named themselves or ``exclude`` is set; ruff's list."""


class PatternError(ValueError):
    """What cannot be a pattern; its text names it."""


class Patterns:
    """Patterns that speak of paths below ``folder``, and of the names of files and folders anywhere."""

    def __init__(self, patterns: Sequence[str], folder: str) -> None:
        from pathspec import GitIgnoreSpec
        from pathspec.patterns.gitignore import GitIgnorePatternError

        self._folder = os.path.join(folder, "")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `re`, about odd brackets
            for pattern in patterns:
                try:
                    GitIgnoreSpec.from_lines([pattern], backend="simple")
                except (GitIgnorePatternError, re.error):
                    raise PatternError(f"{pattern!r} is no pattern") from None
            self._spec = GitIgnoreSpec.from_lines(patterns, backend="simple")

    def match(self, path: str, is_folder: bool = False) -> bool:
        """Whether they mean the absolute ``path`` or a folder around it."""
        path = path[len(self._folder) :] if path.startswith(self._folder) else path.lstrip(os.sep)
        path = path.replace(os.sep, "/")
        return bool(self._spec.check_file(f"{path}/" if is_folder else path).include)


class Excludes(NamedTuple):
    """What ``exclude`` and ``extend-exclude`` leave out."""

    folders: frozenset[str] = EXCLUDED_FOLDERS
    """Names of folders; empty where ``exclude`` is set."""
    patterns: tuple[Patterns, ...] = ()

    def leave_out(self, path: str, is_folder: bool) -> bool:
        """Whether ``path``, met in a folder that is not left out, is."""
        if is_folder and os.path.basename(path) in self.folders:
            return True
        if not self.patterns:
            return False
        path = os.path.abspath(path)
        return any(patterns.match(path, is_folder) for patterns in self.patterns)

    def leave_out_named(self, path: str, root: str = os.curdir) -> bool:
        """Whether ``path``, which was named, would not have been met when walking the folder ``root``."""
        around = os.path.dirname(os.path.relpath(path, root))
        return not self.folders.isdisjoint(around.split(os.sep)) or self.leave_out(path, os.path.isdir(path))

"""Which files to check: walking folders, ``.gitignore``, the folders nobody wants, and what is no plain file."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from . import gitignore
from .excludes import Excludes
from .model import Problem
from .options import CONFIG_NAMES

SUFFIXES = (".py", ".pyw")
"""What is checked when met in a folder. Stubs are left out: their bodies are empty."""


class File(NamedTuple):
    """A file to check."""

    path: str
    """As it is shown and opened: relative where it lies below the current folder."""
    named: bool
    """Whether it was named itself, not met while walking a folder."""


class Discovery(NamedTuple):
    """The files to check, sorted by path, and what was passed over, with the reason."""

    files: tuple[File, ...]
    problems: tuple[Problem, ...]


class _Ignores(NamedTuple):
    """A ``.gitignore`` in force, and the length of the path that its patterns do not speak of."""

    patterns: gitignore.IgnoreFile
    skip: int


class _Folder(NamedTuple):
    path: str
    real: str
    ignores: tuple[_Ignores, ...]
    excludes: Excludes


def discover(
    paths: Sequence[str],
    excludes_of: Callable[[str], Excludes] = lambda folder: Excludes(),
    *,
    respect_gitignore: bool = True,
    force_exclude: bool = False,
) -> Discovery:
    """The files that ``paths`` (files and folders) mean; ``excludes_of`` tells what is left out in a folder.

    A path that is named is checked whatever its suffix and whether or not it is ignored, and, but for
    ``force_exclude``, excluded; a file meant twice, also through a link, is checked once. Links to folders are followed
    only where they are named.
    """
    found = _Found(excludes_of, respect_gitignore, force_exclude)
    for path in paths:
        found.add_named(shown(path))
    # A link and its target are one file, and the target's own name is the better one.
    files: dict[str, File] = {}
    for is_link, real, file in sorted(found.files, key=lambda entry: (entry[0], entry[2].path)):
        known = files.get(real)
        if known is None:
            files[real] = file
        elif file.named and not known.named:
            files[real] = File(file.path if not is_link else known.path, named=True)
    return Discovery(
        files=tuple(sorted(files.values())), problems=tuple(sorted(dict.fromkeys(found.problems), key=_by_path))
    )


class _Found:
    """Collects files as (is a link, real path, file), and problems."""

    def __init__(self, excludes_of: Callable[[str], Excludes], respect_gitignore: bool, force_exclude: bool) -> None:
        self._excludes_of = excludes_of
        self._respect_gitignore = respect_gitignore
        self._force_exclude = force_exclude
        self.files: list[tuple[bool, str, File]] = []
        self.problems: list[Problem] = []

    def add_named(self, path: str) -> None:
        """Adds the file at ``path``, or what is in the folder there."""
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            self.problems.append(Problem(path, _why_unreadable(path, error)))
            return
        is_folder = stat.S_ISDIR(mode)
        excludes = self._excludes_of(path if is_folder else os.path.dirname(path))
        if self._force_exclude and excludes.leave_out_named(path):
            return
        if is_folder:
            real = os.path.realpath(path)
            ignores = _ignores_above(real) if self._respect_gitignore else ()
            self._walk(_Folder("" if path == "." else path, real, ignores, excludes))
        elif stat.S_ISREG(mode):
            self.files.append((os.path.islink(path), os.path.realpath(path), File(path, named=True)))
        else:
            self.problems.append(Problem(path, f"not checked: it is {_kind(mode)}, not a file"))

    def _walk(self, top: _Folder) -> None:
        pending = [top]
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(folder.path or ".") as entries:
                    children = list(entries)
            except OSError as error:
                self.problems.append(Problem(folder.path or ".", f"cannot be listed: {describe(error)}"))
                continue
            names = {entry.name for entry in children}
            ignores = folder.ignores
            if self._respect_gitignore and ".gitignore" in names and (own := gitignore.read(folder.path or ".")):
                ignores = (*ignores, _Ignores(own, len(folder.real.rstrip(os.sep)) + 1))
            excludes = folder.excludes if names.isdisjoint(CONFIG_NAMES) else self._excludes_of(folder.path)
            parent = folder._replace(ignores=ignores, excludes=excludes)
            for entry in children:
                child = self._add_met(entry, parent)
                if child is not None:
                    pending.append(child)

    def _add_met(self, entry: os.DirEntry[str], parent: _Folder) -> _Folder | None:
        """Adds a file met in ``parent``; a folder that is to be entered is handed back."""
        path = os.path.join(parent.path, entry.name)
        real = os.path.join(parent.real, entry.name)
        try:
            is_link = entry.is_symlink()
            if entry.is_dir(follow_symlinks=False):
                if parent.excludes.leave_out(path, True) or _is_ignored(real, True, parent.ignores):
                    return None
                return _Folder(path, real, parent.ignores, parent.excludes)
            is_python = entry.name.endswith(SUFFIXES)
            if is_link:
                real = os.path.realpath(path)
                if entry.is_dir():
                    if (parent.real + os.sep).startswith(os.path.join(real, "")):
                        message = "not followed: it links to a folder that it lies in"
                        self.problems.append(Problem(path, message, fatal=False))
                    return None
            if not is_python or parent.excludes.leave_out(path, False):
                return None
            if _is_ignored(os.path.join(parent.real, entry.name), False, parent.ignores):
                return None
            if entry.is_file():
                self.files.append((is_link, real, File(path, named=False)))
            else:
                mode = entry.stat().st_mode
                self.problems.append(Problem(path, f"not checked: it is {_kind(mode)}, not a file", fatal=False))
        except OSError as error:
            if entry.name.endswith(SUFFIXES):
                # A link to nothing holds no code (editors leave such links as locks), so nothing is lost.
                self.problems.append(Problem(path, _why_unreadable(path, error), fatal=not entry.is_symlink()))
        return None


def _is_ignored(real: str, is_folder: bool, ignores: tuple[_Ignores, ...]) -> bool:
    """Whether a ``.gitignore`` rules out the path; the one nearest to it that speaks of it decides."""
    for file in reversed(ignores):
        verdict = file.patterns.verdict(real[file.skip :].replace(os.sep, "/"), is_folder)
        if verdict is not None:
            return verdict
    return False


def _ignores_above(folder: str) -> tuple[_Ignores, ...]:
    """The ``.gitignore`` files between the top of the git repository that ``folder`` lies in and ``folder`` itself.

    None of them count where they rule out ``folder``: it was named.
    """
    if os.path.exists(os.path.join(folder, ".git")):
        return ()
    chain = [folder]
    for parent in _parents(folder):
        chain.append(parent)
        if os.path.exists(os.path.join(parent, ".git")):
            break
    else:
        return ()
    chain.reverse()
    ignores: tuple[_Ignores, ...] = ()
    for parent, child in itertools.pairwise(chain):
        own = gitignore.read(parent)
        if own is not None:
            ignores = (*ignores, _Ignores(own, len(parent.rstrip(os.sep)) + 1))
        if _is_ignored(child, True, ignores):
            return ()
    return ignores


def _parents(folder: str) -> Iterator[str]:
    while (parent := os.path.dirname(folder)) != folder:
        yield parent
        folder = parent


def shown(path: str) -> str:
    """``path`` as it is shown: without needless dots, and relative where it lies below the current folder."""
    if os.pardir not in path.split(os.sep):  # `link/..` is not `.`
        path = os.path.normpath(path)
    if os.path.isabs(path):
        here = os.path.join(os.getcwd(), "")
        if path + os.sep == here:
            return os.curdir
        if path.startswith(here):
            return path[len(here) :]
    return path


def _by_path(problem: Problem) -> tuple[str, str]:
    return problem.path, problem.message


def _why_unreadable(path: str, error: OSError) -> str:
    if os.path.islink(path) and isinstance(error, FileNotFoundError):
        return f"cannot be read: broken link to {os.readlink(path)}"
    return f"cannot be read: {describe(error)}"


def describe(error: OSError) -> str:
    """Why the system refused, in a few words."""
    return (error.strerror or type(error).__name__).lower()


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"

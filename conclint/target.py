"""What the checked code runs on: the versions of Python, and how multiprocessing starts a process.

Both are options; the versions default to what ``requires-python`` in the nearest ``pyproject.toml`` allows (the
``[project]`` table: packaging.python.org, "pyproject.toml specification"). Where verdicts differ between versions, the
strictest of those that are left counts.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from .model import PathError
from .options import Declared

Version = tuple[int, int]

KNOWN_VERSIONS: tuple[Version, ...] = tuple((3, minor) for minor in range(7, 16))
"""Between these the behaviour of the concurrency modules is known to differ, or known to stay."""

START_METHODS = ("auto", "fork", "spawn", "forkserver")

_PYPROJECT = "pyproject.toml"
_THREAD_WARNINGS = ("", "Warning", "UserWarning", "PytestWarning", "PytestUnhandledThreadExceptionWarning")
"""What pytest says of an exception that ended a thread, and what that derives from."""


SUPPORTED_VERSIONS = tuple(version for version in KNOWN_VERSIONS if version >= (3, 11))
"""Those that get security fixes still (devguide.python.org/versions): what code that says nothing is checked for."""


class Target(NamedTuple):
    """The surroundings that verdicts are made for."""

    versions: tuple[Version, ...] = SUPPORTED_VERSIONS
    """The versions that the code has to run on, oldest first; never empty."""
    start_method: str = "auto"
    """One of ``START_METHODS``. ``auto`` is what some platform of these versions does: not ``fork``."""
    declared: Declared = Declared()
    """What is known of the types and functions that are used there."""

    tests_hear_of_threads: bool = False
    """Whether pytest lets a test fail where an exception ends a thread, as ``filterwarnings = ["error"]`` makes it."""

    @property
    def starts_afresh(self) -> bool:
        """Whether child processes may import the main module again, and get their arguments pickled.

        So it is on Windows, on macOS (from 3.8) and, from 3.14, on every other platform: see "Contexts and start
        methods" in the documentation of multiprocessing.
        """
        return self.start_method != "fork"


ANY = Target()
"""Every supported version, every platform."""


class TargetError(PathError):
    """What a ``pyproject.toml`` says cannot be read; the message names the cause, ``path`` the file."""


def parse_version(text: str) -> Version:
    """The version that ``3.11`` or ``py311`` means; raises ``ValueError`` for all else and for unknown ones."""
    match = re.fullmatch(r"(?:py)?(\d)\.?(\d{1,2})", text.strip().lower())
    version = (int(match[1]), int(match[2])) if match else None
    if version not in KNOWN_VERSIONS:
        oldest, newest = (f"{major}.{minor}" for major, minor in (KNOWN_VERSIONS[0], KNOWN_VERSIONS[-1]))
        raise ValueError(f"{text!r} is no version of Python between {oldest} and {newest}")
    return version


def from_oldest(oldest: Version) -> tuple[Version, ...]:
    """The versions of code whose oldest supported version is ``oldest``."""
    return tuple(version for version in KNOWN_VERSIONS if version >= oldest)


def nearest_project(folder: str) -> str | None:
    """The path of the ``pyproject.toml`` in ``folder`` or the nearest folder around it."""
    folder = os.path.abspath(folder)
    while True:
        candidate = os.path.join(folder, _PYPROJECT)
        if os.path.isfile(candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


class Project(NamedTuple):
    """What a ``pyproject.toml`` says of the surroundings."""

    versions: tuple[Version, ...]
    tests_hear_of_threads: bool


def read_project(path: str) -> Project:
    """The project whose ``pyproject.toml`` stands at ``path``.

    Raises :class:`TargetError` where the file is no TOML or ``requires-python`` no version specifier.
    """
    tables = _tables(path)
    return Project(_allowed(path, tables), _hears_of_threads(tables))


def _allowed(path: str, tables: dict[str, Any]) -> tuple[Version, ...]:
    """The versions that ``requires-python`` allows, or else the supported ones."""
    project = tables.get("project")
    required = project.get("requires-python") if isinstance(project, dict) else None
    if required is not None and not isinstance(required, str):
        raise TargetError(path, f"project.requires-python is no text but {required!r}")
    if required is None:
        return SUPPORTED_VERSIONS
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifiers = SpecifierSet(required)
    except InvalidSpecifier:
        raise TargetError(path, f"project.requires-python is no version specifier: {required!r}") from None
    # ">=3.10.4" allows some 3.10: a version counts if its first or a late patch release does
    allowed = tuple(
        version
        for version in KNOWN_VERSIONS
        if any(specifiers.contains(f"{version[0]}.{version[1]}.{patch}") for patch in (0, 99))
    )
    return allowed or SUPPORTED_VERSIONS


def _hears_of_threads(tables: dict[str, Any]) -> bool:
    """Whether the last of pytest's filters that fits an exception in a thread makes an error of the warning."""
    found: Any = tables
    for key in ("tool", "pytest", "ini_options", "filterwarnings"):
        found = found.get(key) if isinstance(found, dict) else None
    strict = False
    for line in found.split("\n") if isinstance(found, str) else found if isinstance(found, list) else ():
        action, _, rest = str(line).strip().partition(":")
        message, _, rest = rest.partition(":")
        if action and not message and rest.partition(":")[0].rpartition(".")[2] in _THREAD_WARNINGS:
            strict = action == "error"
    return strict


def _tables(path: str) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with open(path, "rb") as file:
            tables: dict[str, Any] = tomllib.load(file)
            return tables
    except OSError as error:
        raise TargetError(path, f"cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetError(path, f"is no TOML: {error}") from None

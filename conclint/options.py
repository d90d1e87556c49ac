"""What may be set, on the command line or in a file: the names of the options and the types of their values."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

Functions = TypedDict(
    "Functions",
    {"joins": list[str], "releases": list[str], "logs": list[str], "never-return": list[str]},
    total=False,
)
"""Qualified names of functions of the project, or of a library, by what they do."""

Options = TypedDict(
    "Options",
    {
        "select": list[str],
        "extend-select": list[str],
        "ignore": list[str],
        "per-file-ignores": dict[str, list[str]],
        "exclude": list[str],
        "extend-exclude": list[str],
        "force-exclude": bool,
        "respect-gitignore": bool,
        "target-version": str,
        "start-method": str,
        "output-format": str,
        "fix": bool,
        "unsafe-fixes": bool,
        "baseline": str,
        "jobs": int,
        "cache-dir": str,
        "types": dict[str, str],
        "functions": Functions,
    },
    total=False,
)
"""The options that somebody has set; each key is the name of an option, or a table that only files have."""

OF_A_RUN = frozenset(
    {"force-exclude", "respect-gitignore", "output-format", "fix", "unsafe-fixes", "baseline", "jobs", "cache-dir"}
)
"""Options that cannot differ between the files of a run: those of the current folder hold for all."""

CACHE_FOLDER = ".conclint_cache"
"""Where the cache is unless somebody says something else: beside the file of options, or in the current folder."""

CONFIG_NAMES = ("conclint.toml", "pyproject.toml")
"""The files in which options are set; of two in one folder the first counts."""


class Declared(NamedTuple):
    """What a project says of types and functions that conclint does not know, by qualified name."""

    types: tuple[tuple[str, str], ...] = ()
    """Pairs of a type, or of a function that makes one, and the kind of object that it is."""
    joins: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    never_return: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[bytes, ...]:
        """What a file has to hold one of to use such a type."""
        return tuple(name.rpartition(".")[2].encode() for name, _ in self.types)


NOTHING_DECLARED = Declared()

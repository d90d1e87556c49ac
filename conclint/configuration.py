"""What each file of a run is checked with: the command line before the nearest file before what holds by default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from . import config_files
from .config import Settings, resolve
from .discovery import shown
from .excludes import EXCLUDED_FOLDERS, Excludes, Patterns
from .model import Rule
from .options import CACHE_FOLDER, Declared, Options
from .registry import matching
from .target import START_METHODS, parse_version


class Scope(NamedTuple):
    """What holds for the files that one file of options is the nearest to."""

    path: str | None
    """That file."""
    in_file: Options
    options: Options
    """Those of the file and of the command line, which wins."""
    settings: Settings
    excludes: Excludes
    baseline: str | None
    """Where the findings are that are accepted."""
    cache_folder: str
    """Where what is found out is kept for later runs."""
    ignores: tuple[tuple[Patterns, bool, frozenset[str]], ...]
    """Patterns, whether they are turned round, and the codes that are ignored in what they mean."""


class Configuration:
    """The options of a run. Raises :class:`config_files.ConfigError` where a file cannot be read.

    ``command_line`` has what the user typed, ``path`` the file to read instead of the nearest ones. What cannot differ
    between files is taken from where the current folder's options are.
    """

    def __init__(self, command_line: Options, path: str | None = None, isolated: bool = False) -> None:
        self.typed = command_line
        """What the command line sets."""
        self._path = path
        self._isolated = isolated
        self._start = os.getcwd()
        self._of_folder: dict[str, Scope] = {}
        self._filtered: dict[tuple[str | None, frozenset[str]], Settings] = {}
        self._fixed = isolated or path is not None
        self._default = self._scope(path)
        self.here = self.scope("")
        """What holds in the current folder."""

    def __reduce__(self) -> tuple[type[Configuration], tuple[Options, str | None, bool]]:
        """As another process reads it again: in the same folder."""
        return Configuration, (self.typed, self._path, self._isolated)

    def scope(self, folder: str) -> Scope:
        """What holds for the files in ``folder``, but for those that are told apart by their own names."""
        if self._fixed:
            return self._default
        if folder not in self._of_folder:
            self._of_folder[folder] = self._around(os.path.abspath(folder))
        return self._of_folder[folder]

    def of(self, path: str) -> Settings:
        """What the file at ``path`` is checked with."""
        scope = self.scope(os.path.dirname(path))
        if not scope.ignores:
            return scope.settings
        full = os.path.abspath(path)
        codes = frozenset[str]().union(
            *(codes for patterns, turned, codes in scope.ignores if patterns.match(full) is not turned)
        )
        key = scope.path, codes
        if key not in self._filtered:
            rules = tuple(rule for rule in scope.settings.rules if rule.code not in codes)
            self._filtered[key] = scope.settings._replace(rules=rules)
        return self._filtered[key]

    def excludes(self, folder: str) -> Excludes:
        """What is left out when walking ``folder``."""
        return self.scope(folder).excludes

    def rules(self) -> tuple[Rule, ...]:
        """The rules that run on some file, of those asked for so far."""
        scopes = [self.here, *self._of_folder.values()]
        return tuple(sorted({rule.code: rule for scope in scopes for rule in scope.settings.rules}.values(), key=_code))

    def _around(self, folder: str) -> Scope:
        passed = []
        scope = self._of_folder.get(folder)
        while scope is None:
            passed.append(folder)
            found = config_files.find(folder)
            parent = os.path.dirname(folder)
            if found is not None:
                scope = self._scope(found)
            elif parent == folder:
                scope = self._default
            else:
                folder = parent
                scope = self._of_folder.get(folder)
        self._of_folder.update(dict.fromkeys(passed, scope))
        return scope

    def _scope(self, path: str | None) -> Scope:
        in_file: Options = {} if path is None else config_files.read(path)
        folder = self._start if path is None or self._fixed else os.path.dirname(path)
        merged = cast(Options, {**in_file, **self.typed})
        version = merged.get("target-version")
        settings = resolve(
            self.typed.get("select"),
            self.typed.get("extend-select", ()),
            self.typed.get("ignore", ()),
            in_file=in_file,
            oldest_version=None if version is None else parse_version(version),
            start_method=merged.get("start-method", START_METHODS[0]),
            isolated=self._isolated,
            declared=_declared(merged),
        )
        patterns: list[Patterns] = []
        for options, base in ((in_file, folder), (self.typed, self._start)):
            exclude = options.get("exclude", []) if options is self.typed or "exclude" not in self.typed else []
            left_out = [*exclude, *options.get("extend-exclude", [])]
            if left_out:
                patterns.append(Patterns(left_out, base))
        ignores = merged.get("per-file-ignores", {})
        base = self._start if "per-file-ignores" in self.typed else folder
        return Scope(
            path,
            in_file,
            merged,
            settings,
            excludes=Excludes(frozenset() if "exclude" in merged else EXCLUDED_FOLDERS, tuple(patterns)),
            baseline=_baseline(self.typed, in_file, folder),
            cache_folder=_cache_folder(self.typed, in_file, self._start if path is None else os.path.dirname(path)),
            ignores=tuple(
                (Patterns([pattern.removeprefix("!")], base), pattern.startswith("!"), _codes(selectors))
                for pattern, selectors in ignores.items()
            ),
        )


def typed(namespace: Mapping[str, Any]) -> Options:
    """The options among parsed arguments (by name, ``None`` where they were not given)."""
    found: dict[str, Any] = {}
    for key in Options.__annotations__:
        value = namespace.get(key.replace("-", "_"))
        if value is not None:
            found[key] = value
    for key in ("select", "extend-select", "ignore", "exclude", "extend-exclude"):
        if key in found:
            found[key] = [item.strip() for value in found[key] for item in value.split(",") if item.strip()]
    if "target-version" in found:
        found["target-version"] = "{}.{}".format(*found["target-version"])
    if "per-file-ignores" in found:
        found["per-file-ignores"] = _by_pattern(found["per-file-ignores"])
    return cast(Options, found)


def _by_pattern(values: Iterable[str]) -> dict[str, list[str]]:
    """``PATTERN:RULE,RULE`` as a table; several of them may stand between commas."""
    table: dict[str, list[str]] = {}
    selectors: list[str] | None = None
    for value in values:
        for item in value.split(","):
            pattern, colon, selector = item.rpartition(":")
            if colon:
                selectors = table.setdefault(pattern.strip(), [])
            if selectors is None or (colon and not pattern.strip()):
                raise ValueError(f"{value!r} is not PATTERN:RULES")
            if selector.strip():
                selectors.append(selector.strip())
        selectors = None
    return table


def _codes(selectors: Iterable[str]) -> frozenset[str]:
    return frozenset(rule.code for selector in selectors for rule in matching(selector))


def _cache_folder(command_line: Options, in_file: Options, folder: str) -> str:
    """The path of the folder for the cache; what a file of options says starts from the ``folder`` of that."""
    if "cache-dir" in command_line:
        return command_line["cache-dir"]
    return os.environ.get("CONCLINT_CACHE_DIR") or os.path.join(folder, in_file.get("cache-dir", CACHE_FOLDER))


def _baseline(command_line: Options, in_file: Options, folder: str) -> str | None:
    """The path of the baseline; in a file of options it is one from its ``folder``."""
    if "baseline" in command_line:
        return command_line["baseline"]
    return shown(os.path.join(folder, in_file["baseline"])) if "baseline" in in_file else None


def _declared(options: Options) -> Declared:
    functions = options.get("functions", {})
    return Declared(
        tuple(options.get("types", {}).items()),
        tuple(functions.get("joins", ())),
        tuple(functions.get("releases", ())),
        tuple(functions.get("logs", ())),
        tuple(functions.get("never-return", ())),
    )


def _code(rule: Rule) -> str:
    return rule.code

"""What ``--show-settings`` and ``--show-files`` print: what a run would go by, and what it would read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from .configuration import Configuration, Scope
from .discovery import File, shown
from .excludes import EXCLUDED_FOLDERS
from .options import CACHE_FOLDER, OF_A_RUN, Options
from .report import FORMATS
from .report.terminal import printable, printable_path
from .target import START_METHODS

_UNSET = {
    "select": "select is not set: the default rules run",
    "baseline": "baseline is not set: all findings are shown",
    "jobs": "jobs is not set: as many processes as can run at once",
    "target-version": "target-version is not set: requires-python of the project counts",
}

_DEFAULTS: dict[str, object] = {
    "extend-select": [],
    "ignore": [],
    "per-file-ignores": {},
    "exclude": sorted(EXCLUDED_FOLDERS),
    "extend-exclude": [],
    "force-exclude": False,
    "respect-gitignore": True,
    "start-method": START_METHODS[0],
    "output-format": FORMATS[0],
    "fix": False,
    "unsafe-fixes": False,
    "cache-dir": CACHE_FOLDER,
    "types": {},
    "functions": {},
}


def files(found: Iterable[File]) -> str:
    """A line a file."""
    return "".join(f"{printable_path(file.path)}\n" for file in found)


def settings(configuration: Configuration, paths: Sequence[str]) -> str:
    """As TOML what holds for each of ``paths``, where each option comes from, and the rules that run."""
    scopes: dict[str | None, tuple[Scope, list[str]]] = {}
    for path in paths:
        scope = configuration.scope(path if os.path.isdir(path) else os.path.dirname(path))
        scopes.setdefault(scope.path, (scope, []))[1].append(path)
    return "\n".join(_scope(scope, configuration, named) for scope, named in scopes.values())


def _scope(scope: Scope, configuration: Configuration, paths: Sequence[str]) -> str:
    lines = [f"# {', '.join(paths)}"]
    for key in Options.__annotations__:
        file = configuration.here if key in OF_A_RUN else scope
        sources = [
            (source, options.get(key))
            for source, options in (("the command line", configuration.typed), (shown(file.path or ""), file.in_file))
            if key in options
        ]
        # What one of them adds to the other is shown by itself; of all else the first counts.
        for source, value in sources if key in ("extend-select", "ignore", "extend-exclude") else sources[:1]:
            lines.append(f"{key} = {_toml(value)}  # {source}")
        if not sources:
            lines.append(f"{key} = {_toml(_DEFAULTS[key])}  # by default" if key in _DEFAULTS else f"# {_UNSET[key]}")
    lines.append(f"# {len(scope.settings.rules)} rules run: {' '.join(rule.code for rule in scope.settings.rules)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        entries = ", ".join(f"{_key(name)} = {_toml(entry)}" for name, entry in value.items())
        return f"{{ {entries} }}" if entries else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)

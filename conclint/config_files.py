"""Files that set options: ``conclint.toml`` and ``[tool.conclint]`` in ``pyproject.toml``, read and checked.

Most runs find no such file: looking for them costs two questions to the system a folder, and what reads TOML and checks
values is imported when there is something to read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast, get_type_hints

from .discovery import describe
from .excludes import PatternError, Patterns
from .model import PathError
from .options import CONFIG_NAMES, Functions, Options
from .registry import UnknownRuleError, matching, nearest
from .report import FORMATS
from .target import START_METHODS, parse_version

_OUR_TABLE = re.compile(rb"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*[\"']?conclint\b", re.MULTILINE)

_TYPES = {
    "dict": "a table", "list": "a list", "str": "text", "bool": "true or false", "int": "a whole number",
    "float": "a number", "array": "a list", "object": "a table", "datetime": "a time", "date": "a date",
}  # fmt: skip


class ConfigError(PathError):
    """An option that cannot be what it is set to; the message names it, ``path`` the file."""


def find(folder: str) -> str | None:
    """The file in ``folder`` itself that sets options, if there is one."""
    for name in CONFIG_NAMES:
        path = os.path.join(folder, name)
        # A FIFO would be waited for. A file of a project that says nothing of us is somebody else's, broken or not.
        if os.path.isfile(path) and (name == CONFIG_NAMES[0] or _speaks_of_us(path)):
            return path
    return None


def read(path: str) -> Options:
    """The options that the file at ``path`` sets. Raises :class:`ConfigError`."""
    table = _parse(path)
    if os.path.basename(path) == CONFIG_NAMES[1]:
        tool = table.get("tool", {})
        if not isinstance(tool, dict) or "conclint" not in tool:
            raise ConfigError(path, "there is no [tool.conclint] in it")
        table = tool["conclint"]
        if not isinstance(table, dict):
            raise ConfigError(path, f"tool.conclint: expected a table, not {_type_of(table)}")
    elif "tool" in table:
        raise ConfigError(path, f"[tool.conclint] is for {CONFIG_NAMES[1]}; here the options stand at the top")
    return checked(path, table)


def checked(path: str, table: dict[str, Any]) -> Options:
    """``table``, which was read from ``path``, where all is known and of its type. Raises :class:`ConfigError`."""
    _check_keys(path, "", table, Options)
    _check_keys(path, "functions.", table.get("functions"), Functions)
    hints = get_type_hints(Options)
    for key, value in table.items():
        _check_type(path, key, value, hints[key])
    for key, value in table.items():
        if key in _CHECKS:
            try:
                _CHECKS[key](value)
            except (PatternError, UnknownRuleError, ValueError) as error:
                raise ConfigError(path, f"{key}: {error}") from None
    return cast(Options, table)


def _speaks_of_us(path: str) -> bool:
    """Whether a ``pyproject.toml`` has a table for us; it is parsed only where it may, and need not be well-formed."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    if b"conclint" not in data:
        return False
    try:
        tool = _parse(path).get("tool", {})
    except ConfigError:
        return _OUR_TABLE.search(data) is not None  # read() will say what is wrong
    return isinstance(tool, dict) and "conclint" in tool


def _parse(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with open(path, "rb") as file:
            data = file.read()
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8-sig"))
        return table
    except OSError as error:
        raise ConfigError(path, f"cannot be read: {describe(error)}") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, f"is no TOML: not encoded in UTF-8 (at line {line})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, f"is no TOML: {error}") from None
    except ValueError as error:  # of int(), which takes no number of thousands of digits
        raise ConfigError(path, f"cannot be read: {str(error).partition(':')[0]}") from None
    except RecursionError:
        raise ConfigError(path, "is no TOML: nested too deeply") from None


def _check_keys(path: str, prefix: str, table: object, valid: Any) -> None:
    if isinstance(table, dict):
        for key in table:
            if key not in valid.__annotations__:
                near = nearest(key, valid.__annotations__)
                raise ConfigError(path, f"unknown key {prefix + key!r}; did you mean {prefix + near!r}?")


def _check_type(path: str, key: str, value: object, hint: Any) -> None:
    import msgspec

    # Of a table's entries msgspec does not say which one is wrong.
    if isinstance(value, dict) and getattr(hint, "__origin__", None) is dict:
        for name, entry in value.items():
            _check_type(path, f"{key}.{_quoted(name)}", entry, hint.__args__[1])
        return
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at ")
        where = where.strip("`").removeprefix("$")
        found = re.fullmatch(r"Expected `(\w+)`, got `(\w+)`", message)
        if found:
            message = f"expected {_TYPES.get(found[1], found[1])}, not {_TYPES.get(found[2], found[2])}"
        raise ConfigError(path, f"{key}{where}: {message}") from None


def _type_of(value: object) -> str:
    return _TYPES.get(type(value).__name__, type(value).__name__)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else f'"{name}"'


def _one_of(valid: Collection[str]) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in valid:
            raise ValueError(f"there is no {value!r}; did you mean {nearest(value, valid)!r}?")

    return check


def _not_negative(value: int) -> None:
    if value < 0:
        raise ValueError("expected 0, which is for as many as can run at once, or more")


def _selectors(values: list[str]) -> None:
    for value in values:
        matching(value)


def _patterns(values: list[str]) -> None:
    Patterns(values, "")


def _ignored_by_file(values: Mapping[str, list[str]]) -> None:
    _patterns([pattern.removeprefix("!") for pattern in values])
    for selectors in values.values():
        _selectors(selectors)


def _select(values: list[str]) -> None:
    if not values:
        raise ValueError("names no rule")
    _selectors(values)


def _kinds_of_types(values: Mapping[str, str]) -> None:
    from .catalog import load

    for name, kind in values.items():
        _qualified(name)
        if load().base_of(kind) is None:
            near = nearest(kind, load().kinds)
            raise ValueError(f"{name!r} cannot be a {kind!r}; did you mean {near!r}?")


def _functions(values: Mapping[str, list[str]]) -> None:
    for names in values.values():
        for name in names:
            _qualified(name)


def _qualified(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")) or "." not in name:
        raise ValueError(f"{name!r} is no qualified name, such as 'mylib.{name.rpartition('.')[2] or 'Lock'}'")


_CHECKS: dict[str, Callable[[Any], object]] = {
    "select": _select,
    "extend-select": _selectors,
    "ignore": _selectors,
    "per-file-ignores": _ignored_by_file,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "target-version": parse_version,
    "start-method": _one_of(START_METHODS),
    "output-format": _one_of(FORMATS),
    "jobs": _not_negative,
    "types": _kinds_of_types,
    "functions": _functions,
}

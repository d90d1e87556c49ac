"""Findings that are accepted for now: a file of fingerprints, so that a run shows only what is new.

The file is JSON with a ``version``, and for each finding its ``path`` relative to the file's own folder, ``code``,
``fingerprint`` and ``count``: nothing in it depends on where conclint is started or in which order, and it changes
only where findings do.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from . import replacing
from .discovery import describe
from .model import Finding, PathError

VERSION = 1

_MAX_VERSION = 40
"""So many characters of another version are shown."""

_MAX_COUNT = 1_000_000_000
"""No file holds more findings than this."""

Key = tuple[str, str, str]


class BaselineError(PathError):
    """A baseline that cannot be read or written; ``path`` says which, the message why."""


class Baseline(NamedTuple):
    """The contents of the file at ``path``: how often each (path, code, fingerprint) is accepted."""

    path: str
    counts: Counter[Key]

    def split(self, findings: Sequence[Finding]) -> tuple[list[Finding], Counter[Key]]:
        """Those of ``findings`` that are new, and of what is accepted the part that did not occur."""
        left = self.counts.copy()
        new: list[Finding] = []
        for finding, key in zip(findings, _keys(self.path, findings), strict=True):
            if left[key] > 0:
                left[key] -= 1
            else:
                new.append(finding)
        return new, +left

    def gone(self, missing: Counter[Key], checked: Mapping[str, Collection[str]]) -> Counter[Key]:
        """What of ``missing`` can be told to occur no more.

        That is what the rules that ran on a file would have found there (``checked`` gives their codes for its path),
        and all in files that are gone.
        """
        folder = _folder(self.path)
        ran = {_relative(path, folder): codes for path, codes in checked.items()}
        exists: dict[str, bool] = {}
        for path, _, _ in missing:
            if path not in exists:
                exists[path] = path in ran or os.path.exists(os.path.join(folder, path))
        return Counter(
            {key: count for key, count in missing.items() if not exists[key[0]] or key[1] in ran.get(key[0], ())}
        )


def load(path: str) -> Baseline:
    """The baseline at ``path``. Raises :class:`BaselineError`."""
    import json

    try:
        with open(path, "rb") as file:
            document = json.loads(file.read().decode("utf-8"))
    except OSError as error:
        raise BaselineError(path, f"the baseline cannot be read: {describe(error)}") from None
    except UnicodeDecodeError as error:
        raise BaselineError(path, f"is no baseline: not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BaselineError(path, f"is no baseline: no JSON: {error.msg} ({where})") from None
    except (RecursionError, ValueError) as error:
        raise BaselineError(path, f"is no baseline: no JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or "version" not in document:
        raise BaselineError(path, "is no baseline: it has no version")
    version = document["version"]
    if version != VERSION or isinstance(version, bool):
        raise BaselineError(
            path,
            f"is a baseline of version {repr(version)[:_MAX_VERSION]}, this conclint reads version {VERSION}; "
            "make it anew with --write-baseline",
        )
    entries = document.get("findings")
    if not isinstance(entries, list):
        raise BaselineError(path, "is no baseline: `findings` is no list")
    counts: Counter[Key] = Counter()
    for number, entry in enumerate(entries, 1):
        try:
            key, count = _entry(entry)
        except ValueError as error:
            raise BaselineError(path, f"is no baseline: entry {number} of `findings` {error}") from None
        counts[key] += count
    return Baseline(path, counts)


def refuse_unwritable(path: str) -> None:
    """Raises :class:`BaselineError` where it is plain before the run that none can be written to ``path`` after it."""
    try:
        replacing.refuse_unwritable(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def write(path: str, findings: Sequence[Finding], also: Mapping[Key, int]) -> None:
    """Makes the baseline at ``path`` accept ``findings``, and ``also``. Raises :class:`BaselineError`."""
    import json

    counts = Counter(_keys(path, findings)) + Counter(also)
    lines = [
        json.dumps({"path": key[0], "code": key[1], "fingerprint": key[2], "count": count})
        for key, count in sorted(counts.items())
    ]
    listed = "[\n    " + ",\n    ".join(lines) + "\n  ]" if lines else "[]"
    try:
        replacing.write(path, f'{{\n  "version": {VERSION},\n  "findings": {listed}\n}}\n'.encode("ascii"))
    except OSError as error:
        raise _unwritable(path, error) from None


def rebased(missing: Mapping[Key, int], old: str, new: str) -> dict[Key, int]:
    """``missing`` of the baseline at ``old`` as the one at ``new`` would say it."""
    before, after = _folder(old), _folder(new)
    if before == after:
        return dict(missing)
    return {(_relative(os.path.join(before, k[0]), after), k[1], k[2]): n for k, n in missing.items()}


def _unwritable(path: str, error: OSError) -> BaselineError:
    return BaselineError(path, f"the baseline cannot be written: {describe(error)}")


def _entry(entry: Any) -> tuple[Key, int]:
    if not isinstance(entry, dict):
        raise ValueError("is no object")
    texts = []
    for name in ("path", "code", "fingerprint"):
        value = entry.get(name)
        if not isinstance(value, str):
            raise ValueError(f"has no text as `{name}`")
        texts.append(value)
    count = entry.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MAX_COUNT:
        raise ValueError(f"has no number from 1 to {_MAX_COUNT} as `count`")
    return (texts[0], texts[1], texts[2]), count


def _keys(baseline: str, findings: Iterable[Finding]) -> list[Key]:
    folder = _folder(baseline)
    known: dict[str, str] = {}
    keys = []
    for finding in findings:
        if finding.path not in known:
            known[finding.path] = _relative(finding.path, folder)
        keys.append((known[finding.path], finding.code, finding.fingerprint))
    return keys


def _folder(path: str) -> str:
    return os.path.dirname(os.path.realpath(path))


def _relative(path: str, folder: str) -> str:
    """``path`` as seen from ``folder``, with slashes; links on the way to either do not matter."""
    path = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(path))), os.path.basename(path))
    with contextlib.suppress(ValueError):  # on another drive of Windows
        path = os.path.relpath(path, folder)
    return path.replace(os.sep, "/")

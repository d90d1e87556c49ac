"""What earlier runs found out, kept by the contents of files.

A file whose status (times, size, inode) is what it was is taken to hold what it held, as git takes it: but not if it
was written to about when its status was taken. A report holds as long as these are what they were: conclint and the
Python that runs it, the settings, the file, the other files that were looked at for it, and which files the run has.

What is in the folder may have been written by somebody else. It is read as typed values or not at all (never pickle),
and what does not fit is as if it were not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

import msgspec

from . import __version__, replacing
from .model import FileReport
from .relevance import Outline, outline
from .source import read

T = TypeVar("T")

MAX_BYTES = 64_000_000
"""What is stored is smaller than this; what was not used for longest goes first."""

_RACY = 2_000_000_000
"""Nanoseconds: a file may be written to twice while its clock shows the same time."""

_MAGIC = b"conclint cache 1\n"
_IGNORE = "# Made by conclint.\n*\n"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds a cache: https://bford.info/cachedir/\n"


class Known(NamedTuple):
    """A file whose contents were seen."""

    status: tuple[int, int, int, int]
    """When it was modified and changed, its size and its inode."""
    digest: bytes


class LookedAt(NamedTuple):
    """Another file that was looked at."""

    path: bytes
    digest: bytes
    is_seen: bool
    """Whether all of it was, not only what it imports."""


class Asked(NamedTuple):
    """Who may import a name of a file, as it was told."""

    path: bytes
    name: str
    answer: tuple[bytes, ...]


class Needs(NamedTuple):
    """What a report hangs on besides the file itself and its settings."""

    files: tuple[LookedAt, ...] = ()
    asked: tuple[Asked, ...] = ()


class Entry(NamedTuple):
    """A report that was made."""

    report: FileReport
    needs: Needs
    paths: bytes
    """The digest of which files there were."""


class Mattering(NamedTuple):
    """Which files mattered in a run, by their numbers."""

    checked: tuple[int, ...]
    seen: tuple[int, ...]


class _Stored(NamedTuple):
    files: dict[bytes, Known]
    runs: dict[bytes, Mattering]
    valid: dict[bytes, tuple[bytes, int]]
    """For an entry the run in which it held last, and the day of that."""
    entries: dict[bytes, msgspec.Raw]


class Cache:
    """The cache in ``folder``, which is made where it is missing. Where nothing can be read there, it is empty."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        identity = _identity().hex()
        self._path = os.path.join(folder, f"{identity}.bin")
        self._outlines_path = os.path.join(folder, f"{identity}.outlines.bin")
        self._today = int(time.time() // 86_400)
        self._stored = _load(self._path, _Stored) or _Stored({}, {}, {}, {})
        self._outlines: dict[bytes, Outline] | None = None
        self._files: dict[bytes, Known] = {}
        self._is_changed = False
        self._has_new_outlines = False

    def digest(self, path: str) -> bytes | None:
        """The digest of what the file at ``path`` holds, ``None`` where that cannot be read."""
        name = os.fsencode(path)
        known = self._files.get(name)
        if known is None:
            known = self._look(path, self._stored.files.get(name))
            if known is None:
                return None
            self._files[name] = known
        return known.digest

    def outline(self, path: str) -> Outline | None:
        """The outline of the file at ``path``."""
        digest = self.digest(path)
        if digest is None:
            return None
        if self._outlines is None:
            self._outlines = _load(self._outlines_path, dict[bytes, Outline]) or {}
        if digest not in self._outlines:
            data = read(path)
            if data is None:
                return None
            self._outlines[digest] = outline(data)
            self._has_new_outlines = True
        return self._outlines[digest]

    def mattering(self, run: bytes) -> Mattering | None:
        """Which files mattered in the run with the digest ``run``."""
        return self._stored.runs.get(run)

    def keep_mattering(self, run: bytes, mattering: Mattering) -> None:
        """Remembers that for the next time; of other runs only the few last ones are."""
        self._stored.runs[run] = mattering
        while len(self._stored.runs) > 4:
            del self._stored.runs[next(iter(self._stored.runs))]
        self._is_changed = True

    def entry(self, key: bytes) -> Entry | None:
        """What is stored under ``key``."""
        raw = self._stored.entries.get(key)
        if raw is None:
            return None
        try:
            return msgspec.msgpack.decode(raw, type=Entry)
        except msgspec.MsgspecError:
            return None

    def is_valid(self, key: bytes, run: bytes) -> bool:
        """Whether the entry is known to hold in the run with the digest ``run``."""
        return self._stored.valid.get(key, (b"", 0))[0] == run

    def confirm(self, key: bytes, run: bytes) -> None:
        """Says that the entry holds in ``run``."""
        if self._stored.valid.get(key) != (run, self._today):
            self._stored.valid[key] = run, self._today
            self._is_changed = True

    def keep(self, key: bytes, run: bytes, entry: Entry) -> None:
        """Stores ``entry``; what cannot be written, such as a path that is no text, is left out."""
        with contextlib.suppress(UnicodeError, msgspec.MsgspecError):
            self._stored.entries[key] = msgspec.Raw(msgspec.msgpack.encode(entry))
            self.confirm(key, run)
            self._is_changed = True

    def save(self) -> None:
        """Writes what has changed, in one step; where that cannot be, nothing is lost but time."""
        is_newer = any(self._stored.files.get(name) != known for name, known in self._files.items())
        if not (self._is_changed or is_newer or self._has_new_outlines):
            return
        with contextlib.suppress(OSError):
            self._prepare()
            # Another run may have written meanwhile: what it has found out counts too.
            other = _load(self._path, _Stored)
            if other is not None:
                self._stored = _Stored(
                    {**other.files, **self._stored.files},
                    {**other.runs, **self._stored.runs},
                    {**other.valid, **self._stored.valid},
                    {**other.entries, **self._stored.entries},
                )
            self._stored.files.update(self._files)
            self._shrink()
            _store(self._path, self._stored)
            if self._has_new_outlines:
                used = {known.digest for known in self._stored.files.values()}
                outlines = _load(self._outlines_path, dict[bytes, Outline]) or {}
                outlines.update(self._outlines or {})
                _store(self._outlines_path, {key: value for key, value in outlines.items() if key in used})

    def _look(self, path: str, known: Known | None) -> Known | None:
        try:
            found = os.stat(path)
        except OSError:
            return None
        status = found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
        if known is not None and known.status == status:
            return known
        data = read(path)
        if data is None:
            return None
        if time.time_ns() - max(status[:2]) < _RACY:
            status = 0, 0, 0, 0
        return Known(status, hashlib.blake2b(data, digest_size=16).digest())

    def _prepare(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        for name, text in ((".gitignore", _IGNORE), ("CACHEDIR.TAG", _TAG)):
            with contextlib.suppress(FileExistsError), open(os.path.join(self._folder, name), "x") as file:
                file.write(text)

    def _shrink(self) -> None:
        """Drops entries that nobody can say to be valid, and the oldest of what is too much."""
        entries, valid = self._stored.entries, self._stored.valid
        for key in [key for key in entries if key not in valid]:
            del entries[key]
        size = sum(len(bytes(raw)) for raw in entries.values())
        for key in sorted(valid, key=lambda key: valid[key][1]):
            if key not in entries:
                del valid[key]
            elif size > MAX_BYTES:
                size -= len(bytes(entries.pop(key)))
                del valid[key]


def digest_of(parts: Iterable[bytes]) -> bytes:
    """A digest of ``parts``, each told apart from the next."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()


def _identity() -> bytes:
    """What stands for this conclint, the Python that runs it and the library that reads the source."""
    from importlib.util import find_spec

    here = os.path.dirname(os.path.abspath(__file__))
    parts = [__version__, sys.version]
    folders = [folder for folder, _, _ in os.walk(here) if os.path.basename(folder) != "__pycache__"]
    for module in ("conclint.rules", "libcst"):
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            folders.append(os.path.dirname(spec.origin))
    for folder in sorted(set(folders)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_file():
                    status = entry.stat()
                    parts.append(f"{entry.name} {status.st_size} {status.st_mtime_ns}")
    return digest_of(part.encode("utf-8", "surrogatepass") for part in parts)


def _load(path: str, kind: type[T]) -> T | None:
    """The value in the file at ``path``, if it is a whole one of that ``kind``."""
    data = read(path)
    if data is None or not data.startswith(_MAGIC):
        return None
    start = len(_MAGIC) + 16
    if hashlib.blake2b(data[start:], digest_size=16).digest() != data[len(_MAGIC) : start]:
        return None
    try:
        return msgspec.msgpack.decode(data[start:], type=kind)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _store(path: str, value: Any) -> None:
    payload = msgspec.msgpack.encode(value)
    replacing.write(path, _MAGIC + hashlib.blake2b(payload, digest_size=16).digest() + payload)

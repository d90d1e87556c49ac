"""Paths as other programs read them, which compare them with those of a repository."""

from __future__ import annotations

import os


def with_slashes(path: str) -> str:
    """``path`` with the slashes that it has in a repository."""
    return path if os.sep == "/" else path.replace(os.sep, "/")


def uri(path: str) -> str:
    """The reference to the file at ``path``: ``file:`` and all of an absolute path, else relative; always ASCII."""
    from urllib.parse import quote

    drive, rest = os.path.splitdrive(path)
    try:
        raw = with_slashes(rest).encode("utf-8", "surrogateescape")  # the bytes of the name as the system has them
    except UnicodeEncodeError:
        raw = with_slashes(rest).encode("utf-8", "surrogatepass")
    quoted = quote(raw, safe="/")
    if not os.path.isabs(path):
        return quoted
    if drive.startswith("\\\\"):
        return f"file:{quote(with_slashes(drive))}{quoted}"
    return f"file:///{drive}{quoted}" if drive else f"file://{quoted}"

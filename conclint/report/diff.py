"""A unified diff of what fixes do to a file: in bytes, which `patch` can apply, or for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from .terminal import printable


def unified(path: str, old: bytes, new: bytes) -> Sequence[bytes]:
    """The lines of the diff, with their ends. Every byte of source stands in it as it stands in the file."""
    import difflib

    name = printable(path).encode("utf-8")
    if b" " in name:
        name += b"\t"  # else `patch` takes what follows the space for a date
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(old), _lines(new), name, name)
    return [line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines]


def shown(lines: Sequence[bytes]) -> str:
    """``lines`` with everything escaped that a terminal would obey."""
    texts = (line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace") for line in lines)
    return "".join("\n".join(map(printable, text.split("\n"))) + "\n" for text in texts)


def _lines(data: bytes) -> list[bytes]:
    """As `patch` takes them: only a line feed ends a line."""
    parts = data.split(b"\n")
    return [*(part + b"\n" for part in parts[:-1]), *filter(None, parts[-1:])]

"""Files cut off, and edited by somebody who knows no Python: bytes, lines and indentation."""

from __future__ import annotations

import random
from collections.abc import Callable

from .mutations import parsed

Edit = Callable[[bytes, random.Random, bytes], bytes]
"""Makes other bytes of some, by chance; the last are those of another file."""

_PIECES = (
    *(b"\0", b"\xff", b"\xe9", b"\xed\xa0\x80", b"\xc3\xbc", b"\xf0\x9f\x94\x92", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"\x0c", b"\x0b", b"\x1a", b"\x1b["),
    *(b"\r", b"\n", b"\r\n", b"\t", b" ", b"\\\n", b"\\", b"#", b'"', b"'", b'"""', b"'''", b";", b":", b",", b"."),
    *(b"(", b")", b"[", b"]", b"{", b"}", b"=", b":=", b"*", b"**", b"@", b"->", b"...", b"0", b"1e999", b"0x", b"1_"),
    *(b"async ", b"await ", b"yield ", b"lambda: ", b"return ", b"raise ", b"del ", b"global x\n", b"pass\n"),
    *(b"with ", b"try:\n", b"finally:\n", b"else:\n", b"except* A:\n", b"match x:\n", b"case _:\n", b"class ", b"def "),
    *(b'f"{', b'f"{x!r:{', b"rb'", b"# noqa", b"# noqa: CNC101", b"# conclint: ignore[", b"# conclint: skip-file\n"),
    *(b"# coding: latin-1\n", b"# -*- coding: utf-7 -*-\n", b"# coding: utf-16\n", b"# coding: idna\n"),
    *(each.encode() for each in ("\u2028", "\x85", "\u202e", "\ufb01", "\U0001d529ock", "__debug__", "None")),
)

_TRIES = 5


def truncated(data: bytes, chance: random.Random) -> bytes:
    """``data`` cut off: at any byte, at the end of any line, or where it still is a program."""
    cut = chance.randrange(len(data) + 1)
    if chance.random() < 0.6:
        cut = data.rfind(b"\n", 0, cut) + 1
        if chance.random() < 0.7:  # and what then is no program, some lines more
            for _ in range(20):
                if parsed(data[:cut]) is not None:
                    break
                cut = data.rfind(b"\n", 0, max(cut - 1, 0)) + 1
    return data[:cut]


def edited(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """``data`` with some edits by chance, most often few; in half of all cases those that leave it a program."""
    careful = chance.random() < 0.5
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 20))):
        for _ in range(_TRIES if careful else 1):
            new = chance.choice(EDITS)(data, chance, other)
            if not careful or parsed(new) is not None:
                data = new
                break
    return data


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 1, 2, 5, 20, 200)))


def _replace(data: bytes, chance: random.Random, other: bytes) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + chance.randbytes(end - start) + data[end:]


def _insert(data: bytes, chance: random.Random, other: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_PIECES) + data[at:]


def _begin(data: bytes, chance: random.Random, other: bytes) -> bytes:
    return chance.choice(_PIECES) + data


def _delete(data: bytes, chance: random.Random, other: bytes) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _flip(data: bytes, chance: random.Random, other: bytes) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _splice(data: bytes, chance: random.Random, other: bytes) -> bytes:
    start, end = _span(other, chance)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[at:]


def _cross(data: bytes, chance: random.Random, other: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _of_lines(change: Callable[[list[bytes], random.Random, list[bytes]], None]) -> Edit:
    def edit(data: bytes, chance: random.Random, other: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if lines:
            change(lines, chance, other.splitlines(keepends=True))
        return b"".join(lines)

    return edit


def _drop_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    at = chance.randrange(len(lines))
    del lines[at : at + chance.choice((1, 1, 2, 10))]


def _repeat_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    at = chance.randrange(len(lines))
    lines[at:at] = lines[at : at + chance.choice((1, 1, 3, 10))] * chance.choice((1, 1, 3))


def _swap_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]


def _splice_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    at, start = chance.randrange(len(lines)), chance.randrange(len(other) + 1)
    lines[at:at] = other[start : start + chance.choice((1, 3, 10))]


def _indent_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    at = chance.randrange(len(lines))
    margin = chance.choice((b"    ", b"    ", b"\t", b" ", b"\x0c"))
    for number in range(at, min(len(lines), at + chance.choice((1, 2, 5, 50)))):
        lines[number] = margin + lines[number]


def _dedent_lines(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    at = chance.randrange(len(lines))
    width = chance.choice((1, 4, 4, 8))
    for number in range(at, min(len(lines), at + chance.choice((1, 2, 5, 50)))):
        line = lines[number]
        lines[number] = line[min(width, len(line) - len(line.lstrip(b" \t"))) :]


def _end_lines_otherwise(lines: list[bytes], chance: random.Random, other: list[bytes]) -> None:
    end = chance.choice((b"\r", b"\r\n", b"\n", b""))
    at = chance.randrange(len(lines))
    for number in range(at, min(len(lines), at + chance.choice((1, 5, 10_000)))):
        lines[number] = lines[number].rstrip(b"\r\n") + end


EDITS: tuple[Edit, ...] = (
    *(_replace, _insert, _insert, _begin, _delete, _flip, _splice, _cross),
    *(_of_lines(_drop_lines), _of_lines(_repeat_lines), _of_lines(_swap_lines), _of_lines(_splice_lines)),
    *(_of_lines(_indent_lines), _of_lines(_dedent_lines), _of_lines(_end_lines_otherwise)),
)

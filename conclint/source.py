"""One file before it is a tree: bytes to text, and the byte prefilter."""

from __future__ import annotations

import re
from collections.abc import Iterable

BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

# PEP 263: a comment on the first line, or on the second where the first holds no code. Reading the first line
# as "no code" is tried last, since a declaration there wins.
_COOKIE = re.compile(
    rb"(?:[ \t\f]*(?:\#[^\r\n]*)?(?:\r\n?|\n))??"
    rb"[ \t\f]*\#[^\r\n]*?coding[:=][ \t]*([-\w.]+)"
)

# A rule speaks of objects made by the concurrency modules, or of a lock that came from elsewhere and is known
# by `.acquire`/`.release`. Literals, not a regular expression: ten searches of bytes are five times as fast as
# one alternation, and this runs over every file of every run.
_WORDS = (
    b"threading",
    b"Threading",  # the servers that answer each request in a thread
    *(b" _thread", b"\t_thread", b",_thread", b'"_thread', b"'_thread"),
    b"to_thread",
    b"multiprocessing",  # also torch.multiprocessing
    *(b" multiprocess", b"\tmultiprocess", b",multiprocess", b'"multiprocess', b"'multiprocess"),  # its fork
    b"concurrent.futures",
    b"from concurrent import",
    b"acquire",  # who speaks of it without doing it may inherit what does
    b".release",
    b".excepthook",
    b"run_in_executor",
    b"run_coroutine_threadsafe",
    b"Condition(",  # asyncio's, beside nothing of the above
    b"asyncio.Lock(",
    b"task_done",
    b"import queue",
    b"from queue import",
    b"asyncio.Queue(",
    b"asyncio import Queue",
    b"QueueListener",
    b"Popen(",
    b"create_subprocess_",
    b"subprocess.call(",
    b"subprocess.check_call(",
    b"add_done_callback",
    b"asyncio.wait_for(",
)

# What the words have in common: most files hold none of these, and so need fewer searches.
_STEMS = (
    *(
        b"thread",
        b"Threading",
        b"multiprocess",
        b"concurrent",
        b"acquire",
        b".release",
        b".excepthook",
        b"run_in_executor",
    ),
    *(b"Condition(", b"asyncio.Lock(", b"queue", b"Queue", b"task_done"),
    *(b"Popen(", b"create_subprocess_", b"subprocess.c"),
    *(b"add_done_callback", b"asyncio.wait_for("),
)


class SourceError(Exception):
    """Bytes that are no Python source: why (``message``) and where (``line``, ``column``, both 1-based)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def read(path: str) -> bytes | None:
    """What the file at ``path`` holds, ``None`` where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def may_hold_finding(data: bytes, words: Iterable[bytes] = ()) -> bool:
    """Whether a file of these bytes can hold a finding at all, so that the others are never parsed.

    ``words`` are those that stand for what a project has declared.
    """
    if any(word in data for word in words):
        return True
    if any(stem in data for stem in _STEMS) and any(word in data for word in _WORDS):
        return True
    return not _is_ascii_compatible(_declared(data)[0])


def decode(data: bytes) -> str:
    """The text of a source file as Python itself would read it, without BOM, every line ended by a line feed.

    Raises :class:`SourceError` for null bytes, an unknown or contradicted encoding, and undecodable bytes.
    """
    return normalise_newlines(decode_as_is(data)[0])


def decode_as_is(data: bytes) -> tuple[str, str]:
    """As :func:`decode`, with the ends of lines as they are, and the encoding of what follows the BOM."""
    if data.startswith(_UTF16_BOMS):
        raise SourceError("cannot be decoded: the file is UTF-16, which Python does not read as source")
    if (at := data.find(b"\0")) >= 0:
        raise SourceError("cannot be parsed: source code cannot contain null bytes", *_position(data, at))
    encoding, declared_at = _declared(data)
    if data.startswith(BOM):
        if encoding != "utf-8":
            message = f"cannot be decoded: the file declares {encoding!r} and starts with the byte order mark of UTF-8"
            raise SourceError(message, *_position(data, declared_at))
        data = data[len(BOM) :]
    try:
        text = data.decode(encoding)
    except LookupError:
        message = f"cannot be decoded: unknown encoding {encoding!r}"
        raise SourceError(message, *_position(data, declared_at)) from None
    except UnicodeDecodeError as error:
        message = f"cannot be decoded as {encoding}: byte 0x{error.object[error.start]:02x}, {error.reason}"
        raise SourceError(message, *_position(data, error.start)) from None
    except Exception as error:  # a codec written in Python may raise anything
        message = f"cannot be decoded as {encoding}: {_one_line(str(error))}"
        raise SourceError(message, *_position(data, declared_at)) from None
    return text, encoding


def encoding_of(data: bytes) -> str:
    """The encoding of a source file that can be decoded, without its byte order mark."""
    return _declared(data)[0]


def normalise_newlines(text: str) -> str:
    """``text`` with every line ended by a line feed: Python takes a carriage return, or both, for a newline too."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _declared(data: bytes) -> tuple[str, int]:
    """The encoding that the file declares, as Python spells it, and where in ``data`` it does so."""
    start = len(BOM) if data.startswith(BOM) else 0
    match = _COOKIE.match(data, start)
    if match is None:
        return "utf-8", 0
    encoding = match[1].decode("ascii", "replace").lower().replace("_", "-")
    if encoding in ("utf-8", "utf8") or encoding.startswith("utf-8-"):
        encoding = "utf-8"
    return encoding, match.start(1)


def _is_ascii_compatible(encoding: str) -> bool:
    """Whether plain words surely have their ASCII bytes in ``encoding``, so that the prefilter can see them."""
    return encoding in ("utf-8", "ascii", "us-ascii") or encoding.startswith(("latin", "iso-8859", "iso8859", "cp125"))


def _position(data: bytes, offset: int) -> tuple[int, int]:
    """The line and column of ``offset`` in ``data``; undecodable bytes count as one column each."""
    before = normalise_newlines(data[:offset].removeprefix(BOM).decode("utf-8", "replace"))
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())

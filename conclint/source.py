"""One file before it is a tree: bytes to text, the byte prefilter, and what its comments suppress."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BOM = b"\xef\xbb\xbf"
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
    b"_thread",  # also to_thread
    b"multiprocess",  # also the fork of that name, and torch.multiprocessing
    b"concurrent.futures",
    b"concurrent import",
    b"acquire",
    b".release",
    b"excepthook",
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
        b"excepthook",
        b"run_in_executor",
    ),
    *(b"Condition(", b"asyncio.Lock(", b"queue", b"Queue", b"task_done"),
    *(b"Popen(", b"create_subprocess_", b"subprocess.c"),
    *(b"add_done_callback", b"asyncio.wait_for("),
)

_NOQA = re.compile(
    r"\# \s* noqa \b (?: \s*:\s* (?P<codes> (?: (?: [a-z]+(?:-[a-z0-9]+)+ | [a-z]+[0-9]+ ) (?![-\w]) [,\s]* )+ ) )?",
    re.IGNORECASE | re.VERBOSE,
)


class SourceError(Exception):
    """Bytes that are no Python source: why (``message``) and where (``line``, ``column``, both 1-based)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


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
    if data.startswith(_UTF16_BOMS):
        raise SourceError("cannot be decoded: the file is UTF-16, which Python does not read as source")
    if (at := data.find(b"\0")) >= 0:
        raise SourceError("cannot be parsed: source code cannot contain null bytes", *_position(data, at))
    encoding, declared_at = _declared(data)
    if data.startswith(_BOM):
        if encoding != "utf-8":
            message = f"cannot be decoded: the file declares {encoding!r} and starts with the byte order mark of UTF-8"
            raise SourceError(message, *_position(data, declared_at))
        data = data[len(_BOM) :]
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
    return normalise_newlines(text)


def normalise_newlines(text: str) -> str:
    """``text`` with every line ended by a line feed: Python takes a carriage return, or both, for a newline too."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


class Suppressions:
    """What the ``# noqa`` comments of one file silence.

    As in flake8 a comment speaks for its whole logical line: one at the end of a call that goes over five lines
    silences a finding on the first of them.
    """

    def __init__(self, text: str) -> None:
        self._by_line: dict[int, list[tuple[str, ...]]] = {}
        if "noqa" in text.lower():
            self._read(text)

    def covers(self, line: int, code: str, name: str) -> bool:
        """Whether a comment silences the rule ``code`` (called ``name``) for a finding on ``line``."""
        return any(
            not selectors or any(code.startswith(selector) or name.upper() == selector for selector in selectors)
            for selectors in self._by_line.get(line, ())
        )

    def _read(self, text: str) -> None:
        try:
            self._read_logical_lines(text)
        except (SyntaxError, ValueError, RecursionError):  # tokenize.TokenError is a ValueError or an Exception
            self._read_physical_lines(text)

    def _read_logical_lines(self, text: str) -> None:
        import io
        import tokenize

        found: list[tuple[str, ...]] = []
        first = 0
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    if match := _NOQA.search(token.string):
                        found.append(_selectors(match))
                elif token.type == tokenize.NEWLINE:
                    if found:
                        for line in range(first or token.start[0], token.end[0] + 1):
                            self._by_line.setdefault(line, []).extend(found)
                    found = []
                    first = 0
                elif token.type == tokenize.NL:
                    if not first:  # a comment on a line of its own silences nothing but that line
                        found = []
                elif not first and token.type not in (tokenize.INDENT, tokenize.DEDENT):
                    first = token.start[0]
        except tokenize.TokenError as error:
            raise ValueError(str(error)) from error

    def _read_physical_lines(self, text: str) -> None:
        self._by_line.clear()
        for number, line in enumerate(text.split("\n"), 1):
            if match := _NOQA.search(line):
                self._by_line[number] = [_selectors(match)]


def _selectors(match: re.Match[str]) -> tuple[str, ...]:
    """The codes, prefixes and names of one comment in capitals; none means that it silences everything."""
    return tuple(re.findall(r"[A-Z0-9-]+", (match["codes"] or "").upper()))


def _declared(data: bytes) -> tuple[str, int]:
    """The encoding that the file declares, as Python spells it, and where in ``data`` it does so."""
    start = len(_BOM) if data.startswith(_BOM) else 0
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
    before = normalise_newlines(data[:offset].removeprefix(_BOM).decode("utf-8", "replace"))
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())

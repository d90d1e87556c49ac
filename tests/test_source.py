"""Bytes to text, and the prefilter."""

from __future__ import annotations

import pytest

from conclint import source
from conclint.source import SourceError, decode, may_hold_finding


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\xef\xbb\xbfx = 1\r\ny = 2\rz", "x = 1\ny = 2\nz"),
        ("s = 'é€😀'\n".encode(), "s = 'é€😀'\n"),
        (b"# -*- coding: latin-1 -*-\ns = '\xe9'", "# -*- coding: latin-1 -*-\ns = 'é'"),
        (b"#!python\r\n# vim: set fileencoding=cp1252 :\r\n'\x80'", "#!python\n# vim: set fileencoding=cp1252 :\n'€'"),
        (b"\n\t# coding=utf8\n", "\n\t# coding=utf8\n"),
        (b"x = 1\n# coding: nonsense, but only a comment here", "x = 1\n# coding: nonsense, but only a comment here"),
        (b"\n\n# coding: nonsense\n", "\n\n# coding: nonsense\n"),
        (b"# coding: latin-1\n# coding: nonsense\n", "# coding: latin-1\n# coding: nonsense\n"),
        (b"x = '\x0c \xe2\x80\xa8'\n", "x = '\x0c \u2028'\n"),
    ],
)  # fmt: skip
def test_text_is_what_python_reads(data: bytes, text: str) -> None:
    assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"x = 1\ny = '\xe9'", "as utf-8: byte 0xe9", 2, 6),
        ("x = 'é€'; y = '".encode() + b"\xff'", "as utf-8: byte 0xff", 1, 16),
        (b"# coding: ascii\n\xc3\xa9", "as ascii: byte 0xc3", 2, 1),
        (b"# coding: nonsense\n", "unknown encoding 'nonsense'", 1, 11),
        (b"#\n# coding: hex\n", "unknown encoding 'hex'", 2, 11),
        (b"\xef\xbb\xbf# coding: latin-1\n", "byte order mark", 1, 11),
        (b"# coding: undefined\n", "as undefined:", 1, 11),
        (b"x = 1\n \0", "null bytes", 2, 2),
        ("x = 1\n".encode("utf-16"), "UTF-16", 1, 1),
    ],
)
def test_what_is_no_source_says_why_and_where(data: bytes, message: str, line: int, column: int) -> None:
    with pytest.raises(SourceError) as caught:
        decode(data)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "data",
    [
        b"import threading",
        b"from threading import Thread",
        b"import os, multiprocessing as mp",
        b"from concurrent.futures import ThreadPoolExecutor",
        b"from concurrent import futures",
        b"import _thread",
        b"from .locks import lock\nlock.acquire()",
        b"from .locks import lock\nwith lock:\n    lock.release()",
        b"worker.excepthook = print",
        b"import asyncio\nloop.run_in_executor(None, f)",
        b"import asyncio\nasyncio.run_coroutine_threadsafe(f(), loop)",
        b"asyncio.to_thread(f)",
        b"import torch.multiprocessing",
        # An encoding in which words may be spelled with other bytes.
        b"# coding: utf-7\nimport +AHQ-hreading",
    ],
)
def test_the_prefilter_keeps_what_can_hold_a_finding(data: bytes) -> None:
    assert may_hold_finding(data)


def test_every_word_has_its_stem() -> None:
    for word in source._WORDS:
        assert any(stem in word for stem in source._STEMS)


@pytest.mark.parametrize("data", [b"", b"import os\n", b"import asyncio\n", b"# coding: cp1252\npool.submit(f)\n"])
def test_the_prefilter_drops_what_cannot(data: bytes) -> None:
    assert not may_hold_finding(data)

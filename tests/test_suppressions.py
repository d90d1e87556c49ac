"""What comments silence, what is said of them, and the options that write them."""

from __future__ import annotations

import time

import pytest

from conclint.config import resolve
from conclint.engine import check_bytes
from conclint.suppressions import Suppressions


def silenced(text: str, code: str = "CNC101", name: str = "lock-not-released") -> list[int]:
    suppressions = Suppressions(text)
    return [line for line in range(1, text.count("\n") + 2) if suppressions.covers(line, code, name)]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#NOQA",
        "# noqa: CNC101",
        "# noqa:cnc101",
        "# NoQA : E501,CNC101",
        "# noqa: E501 CNC101 because it is held on purpose",
        "# noqa: CNC1",
        "# noqa: lock-not-released",
        "# noqa: E501, Lock-Not-Released",
        "# type: ignore # noqa: CNC101",
        "# noqa: held on purpose",
        "# noqa: E501  # noqa: CNC101",
        "# conclint: ignore[CNC101]",
        "#conclint:ignore[cnc101] held on purpose",
        "# conclint: ignore [lock-not-released, CNC107]",
        "# Conclint: Ignore[CNC107 CNC10]",
        "# type: ignore[attr-defined]  # conclint: ignore[CNC101]  # and more",
        "# conclint: ignore[ALL]",
        "# conclint: ignore",
    ],
)
def test_comments_that_silence(comment: str) -> None:
    assert silenced(f"a\nlock.acquire()  {comment}\nb\n") == [2]


@pytest.mark.parametrize(
    "comment",
    [
        *("# noqa: E501", "# noqa: CNC102", "# noqa: lock-not", "# noqable", "# no qa", "# noqa: CNC1011"),
        *("# conclint: ignore[]", "# conclint: ignore[CNC102]", "# conclint: ignore[CNC101", "# conclint: ignored"),
        *("# conclint: ignore CNC101", "# conclint: ignore the rest", "# conclint: noqa", "# type: ignore"),
    ],
)  # fmt: skip
def test_comments_that_do_not(comment: str) -> None:
    assert silenced(f"lock.acquire()  {comment}\n") == []


def test_a_comment_speaks_for_its_whole_logical_line() -> None:
    text = "x = 1\nf(\n    a,  # noqa\n    b,\n)\ny = 2\n"
    assert silenced(text) == [2, 3, 4, 5]


def test_a_comment_on_a_header_does_not_speak_for_the_body() -> None:
    assert silenced("with a, \\\n     b:  # noqa\n    f()\n") == [1, 2]


def test_a_comment_on_a_line_of_its_own_silences_nothing_else() -> None:
    assert silenced("f()\n# noqa\ng()\n") == [2]


def test_text_in_strings_is_no_comment() -> None:
    assert silenced("x = '# noqa'\ny = '''\n# noqa\n'''\n") == []


def test_without_tokens_each_physical_line_speaks_for_itself() -> None:
    assert silenced("f((\n  a,  # noqa\n  b\n") == [2]


@pytest.mark.parametrize(
    "line",
    [
        "# " + "noqa " * 40_000,
        "# conclint: ignore[" + "CNC101," * 20_000 + "]",
        "import threading  # conclint: skip nothing\n" + "x = 1  # noqa: E501\n" * 4_000,
    ],
    ids=["noqa", "unused", "of other tools"],
)
def test_comments_take_time_linear_in_their_length(line: str) -> None:
    began = time.process_time()
    check_bytes(line.encode() + b"\n", "app.py", resolve())
    assert time.process_time() - began < 5

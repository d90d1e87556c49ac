"""Diffs of fixes: bytes that `patch` takes, and text that a terminal can be shown."""

from __future__ import annotations

from conclint.report.diff import shown, unified


def test_every_byte_is_what_it_is_in_the_file() -> None:
    lines = unified("a.py", b"x = '\xe9'\r\ny\r\n", b"x = '\xe9'\r\nz")
    assert b"".join(lines) == (
        b"--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n x = '\xe9'\r\n-y\r\n+z\n\\ No newline at end of file\n"
    )


def test_nothing_in_it_is_obeyed_by_a_terminal() -> None:
    lines = unified("a\x1b[2J.py", b"x = '\x1b[2J\xff\x85'\r\n\ty\r\n", b"x = '\x1b[2J\xff\x85'\r\nz\r\n")
    text = shown(lines)
    assert text.splitlines() == [
        "--- a\\x1b[2J.py", "+++ a\\x1b[2J.py", "@@ -1,2 +1,2 @@", " x = '\\x1b[2J\\xff\\x85'", "-    y", "+z"
    ]  # fmt: skip


def test_a_name_with_a_space_ends_with_a_tab() -> None:
    assert list(unified("a b.py", b"x\n", b"y\n"))[:2] == [b"--- a b.py\t\n", b"+++ a b.py\t\n"]
    assert list(unified("a b.py", b"x\n", b"x\n")) == []

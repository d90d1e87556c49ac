"""Positions are computed for one statement of the module at a time, and are what they are in the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from conclint import syntax as s
from conclint import tree
from conclint.parsing import Reading
from conclint.source import SourceError, decode

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*/*.py"))

ODD = [
    "# a\n\n# b\nimport a; x = (\n    1,\n); y = 2  # c\n\n\n# d\n\nz = 3\n# e\n",
    "'''a\nb'''\n\n@a\n# b\n@c(\n  d,\n)\n\nasync def f():\n    # e\n    return (\n 1)\n\n@a\nclass A: x = 1\n",
    "if a:\n\n    b\n    # c\n\n# d\nelif e:\n  f\nelse: g\n\ntry: a\nexcept B as b: c\nfinally:\n\td\nx = 1",
    "\f\nx = 1\n\f\ndef f(): pass\n\fy = 2",
    'def f():\n\f    def g():\n \f        a\n        b; c\n\f    """\n\fd"""\n    e(\n\ff)\n    return\n',
    "(\na\n)\n(\nb\n).c; (d\n)\nx = [\n# e\n\n1]\nwith (a as b,\n  c): pass\n",
    "é = 'è'; è = 'é\\\n'; f'é{è}'\n\nwhile é: è\n",
    "\n\n\nx\n\n\n",
    "x",
    "",
]


def spans(found: tree.Tree | SourceError) -> list[object]:
    assert isinstance(found, tree.Tree)
    nodes = [node for node in s.walk(found.module) if not isinstance(node, s.Module)]
    return [(type(node), found.span(node), found.extent(node)) for node in nodes]


@pytest.mark.parametrize("text", ODD)
def test_odd_layout(text: str) -> None:
    assert spans(Reading(text).tree()) == spans(tree.parse(text))


def test_form_feeds_do_not_indent() -> None:
    """What stands before one does not either, and no other line has it."""
    text = "def f():\n\f    a\n    b\n  \f    c\n    if d: e\n\f    else: g\n"
    found = Reading(text).tree()
    assert isinstance(found, tree.Tree)
    assert found.text == text
    names = [node for node in s.walk(found.module) if isinstance(node, s.Name)]
    assert [(name.id, *found.span(name)) for name in names] == [
        ("a", 2, 6, 2, 7),
        ("b", 3, 5, 3, 6),
        ("c", 4, 8, 4, 9),
        ("d", 5, 8, 5, 9),
        ("e", 5, 11, 5, 12),
        ("g", 6, 12, 6, 13),
    ]


def test_lines_that_libcst_does_not_count_are_counted() -> None:
    """It forgets a backslash that stands alone before a statement."""
    found = Reading("\\\nx = 1\n\\\n\\\ny = 2; \\\nz = 3\n").tree()
    assert isinstance(found, tree.Tree)
    assert [found.span(statement).line for statement in found.module.body] == [2, 5, 6]


def test_fixtures() -> None:
    for path in FIXTURES[::8]:
        text = decode(path.read_bytes())
        reading = Reading(text)
        if reading.quick() is not None:
            assert spans(reading.tree()) == spans(tree.parse(text)), path

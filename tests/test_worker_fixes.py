"""Fixes of workers, executed: what was called here runs there, with the same arguments, and nothing else changes."""

from __future__ import annotations

import ast
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conclint.config import resolve
from conclint.engine import check_bytes
from conclint.model import Applicability, Edit, Fix

RULES = resolve(select=["CNC305", "CNC306", "CNC307", "CNC316", "CNC323"])
HEAD = """\
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

def work(*args, **kwargs):
    seen.append((args, kwargs, threading.get_ident()))

"""
VALUES = (
    "1", "'a'", "'a, (b'", "(1, 2)", "[1,\n 2]", "(1\n + 2)", "1 if seen else 2", "not seen", "(1) + (2)",
    "'a' 'b'", "f'{1}, {2}'", "'''a\nb'''", "{'a': 1}", "[n for n in (1, 2)]", "sum(n for n in (1, 2))", "()", "-1",
    "a",
)  # fmt: skip
STARTS = (
    "t = threading.Thread(target={})\nt.start()\nt.join()",
    "t = threading.Thread(None, {}, daemon=True)\nt.start()\nt.join()",
    "t = threading.Timer(0, {})\nt.start()\nt.join()",
    "t = threading.Timer(interval=0, function={})\nt.start()\nt.join()",
    "with ThreadPoolExecutor() as e:\n    e.submit({}).exception()",
    "with ThreadPool(1) as p:\n    p.apply_async({}).wait()",
    "asyncio.run(asyncio.to_thread({}))",
    "l = asyncio.new_event_loop()\nl.run_until_complete(l.run_in_executor(None, {}))\nl.close()",
)


def fixes(source: str, code: str) -> list[Fix]:
    report = check_bytes(source.encode(), "module.py", RULES)
    assert not report.problems
    found = [finding for finding in report.findings if finding.code == code]
    assert len(found) == 1, source
    return [finding.fix for finding in found if finding.fix is not None]


def apply(source: str, edits: tuple[Edit, ...]) -> str:
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for span, new in sorted(edits, reverse=True):
        start, end = starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
        source = source[:start] + new + source[end:]
    return source


def run(source: str) -> list[Any]:
    seen: list[Any] = []
    exec(compile(source, "module.py", "exec", dont_inherit=True), {"seen": seen, "a": 5})
    return seen


def indented(text: str) -> str:
    return "\n".join("    " + line if line.strip() else line for line in text.split("\n"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(VALUES), max_size=3),
    st.dictionaries(st.sampled_from(("x", "daemon", "args")), st.sampled_from(VALUES), max_size=2),
    st.booleans(),
)
def test_what_was_called_here_is_run_there(start: str, plain: list[str], named: dict[str, str], trailing: bool) -> None:
    arguments = ", ".join([*plain, *(f"{name}={value}" for name, value in named.items())])
    call = f"work({arguments}{', ' if trailing and arguments else ''})"
    source = HEAD + start.format(call) + "\n"
    found = fixes(source, "CNC305")
    if not found:
        assert named, source
        return
    assert found[0].applicability is Applicability.UNSAFE
    ((args, kwargs, _),) = run(HEAD + call)
    ((new_args, new_kwargs, where),) = run(apply(source, found[0].edits))
    assert (args, kwargs) == (new_args, new_kwargs)
    assert where != threading.get_ident()


@pytest.mark.parametrize(
    "call",
    ["work(*a)", "work(**a)", "work(n for n in a)", "work(\n1,  # one\n)", "work(b := 1)", "threading.Event().set()"],
)
def test_what_cannot_be_told_apart_is_left_alone(call: str) -> None:
    assert not fixes(HEAD + f"t = threading.Thread(target={call})\nt.start()\n", "CNC305")


@pytest.mark.parametrize("more", ["'name'", "args=(1,)", "kwargs={}", "**a", "*a"])
def test_arguments_that_are_given_already_are_left_alone(more: str) -> None:
    assert not fixes(HEAD + f"t = threading.Thread(None, work(1), {more})\nt.start()\n", "CNC305")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(("1", "'ab'", "f'a{1}'", "'a' 'b'", "('''a\nb''')", "(7)", "( 'ab' )", "(('ab'))", "str(12)",
                     "(\n12\n)")),
    st.sampled_from(("threading.Thread(None, work, 'n', {})", "threading.Thread(target=work, args={}, daemon=True)",
                     "threading.Thread(target=work, args = {}\n)", "threading.Timer(0, work, {},)")),
)  # fmt: skip
def test_a_tuple_of_one_is_what_was_meant(value: str, start: str) -> None:
    source = HEAD + f"t = {start.format(value)}\nt.start()\nt.join()\n"
    (fix,) = fixes(source, "CNC306")
    ((args, kwargs, _),) = run(apply(source, fix.edits))
    assert (args, kwargs) == ((eval(value),), {})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(VALUES), st.sampled_from(("setName({})", "setName(name={})", "setDaemon({})", "setDaemon( {}, )"))
)
def test_a_setter_becomes_an_assignment(value: str, setter: str) -> None:
    source = (
        f"import threading\ndef f(seen, a, t: threading.Thread):\n    t.{setter.format(value)}  # why\n    return t\n"
    )
    found = fixes(source, "CNC316")
    assert found
    assert found[0].applicability is Applicability.SAFE
    function = ast.parse(apply(source, found[0].edits)).body[1]
    assert isinstance(function, ast.FunctionDef)
    assign = function.body[0]
    assert isinstance(assign, ast.Assign)
    assert ast.unparse(assign.targets[0]) == ("t.name" if "Name" in setter else "t.daemon")
    assert ast.dump(assign.value) == ast.dump(ast.parse(f"({value})", mode="eval").body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = t.getName()", "x = t.name"),
        ("x = t . getName ( ) . upper()", "x = t . name . upper()"),
        ("x = f'{t.isDaemon()}'", "x = f'{t.daemon}'"),
        ("x = (t\n  .isDaemon\n  ())", "x = (t\n  .daemon)"),
        ("x = threading.currentThread", "x = threading.current_thread"),
        ("x = threading.activeCount()", "x = threading.active_count()"),
        ("if t.isDaemon(): t.setDaemon(False)", "if t.daemon: t.daemon = False"),
    ],
)
def test_old_names_become_new_ones(old: str, new: str) -> None:
    head = "import threading\nt = threading.Thread()\n"
    report = check_bytes((head + old + "\n").encode(), "module.py", RULES)
    edits = tuple(edit for finding in report.findings if finding.fix is not None for edit in finding.fix.edits)
    assert apply(head + old + "\n", edits) == head + new + "\n"


@pytest.mark.parametrize("old", ["x = t.getName", "x = t.setName('a')", "t.setName(*x)", "x = lambda: t.setName('a')"])
def test_old_names_in_other_places_are_left_alone(old: str) -> None:
    assert not fixes(f"import threading\nx = ()\nt = threading.Thread()\n{old}\n", "CNC316")

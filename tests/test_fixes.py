"""What fixes do to the text: only what they must, and the finding is gone.

Every fix of every fixture is tried alone and with the others; ``fixes.txt`` of a folder has what they do, as a diff.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import textwrap
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conclint import syntax as s
from conclint.config import Settings, resolve
from conclint.engine import check_bytes
from conclint.model import Applicability, Finding, Fix, FixAvailability, Severity
from conclint.registry import rules
from conclint.rewrite import Rewriter
from conclint.tree import parse

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS: dict[str, Settings] = {name: resolve(select=[name]) for name in ("ALL", *(r.code[:4] for r in rules()))}
SETTINGS["CNC9"] = SETTINGS["ALL"]  # what a comment silences is known when all rules have run
SILENCES = re.compile("noqa|conclint:|because|the caller|pragma")
STYLE = {rule.code for rule in rules() if rule.severity is Severity.NOTE}
"""What may be said of correct code; where a mistake is gone, what is left may be correct in many words."""


@cache
def findings(source: str, family: str = "ALL") -> tuple[Finding, ...]:
    report = check_bytes(source.encode(), "module.py", SETTINGS[family])
    assert not report.problems
    return report.findings


def fixable(source: str) -> list[Finding]:
    return [finding for finding in findings(source) if finding.fix is not None]


def lines_of(fix: Fix) -> tuple[int, int]:
    """The first and last line that ``fix`` says anything of."""
    return min(edit.span.line for edit in fix.edits), max(edit.span.end_line for edit in fix.edits)


def apply(source: str, fixes: Iterable[Fix]) -> str:
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    out, done = "", 0
    for edit in sorted(edit for fix in fixes for edit in fix.edits):
        span = edit.span
        start, end = starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
        assert done <= start <= end <= len(source), "edits overlap, or lie outside of the file"
        assert end <= starts[span.end_line] - 1, "an edit ends beyond its line"
        out += source[done:start] + edit.replacement
        done = end
    return out + source[done:]


def apart(found: Iterable[Finding]) -> Iterator[Fix]:
    """The fixes that share no line with one before them."""
    last = 0
    for fix in sorted((f.fix for f in found if f.fix is not None), key=lines_of):
        if lines_of(fix)[0] > last:
            yield fix
            last = lines_of(fix)[1]


@cache
def fixed(source: str) -> str:
    """``source`` with everything fixed that can be, in as many rounds as that takes."""
    for _ in range(10):
        chosen = list(apart(findings(source)))
        if not chosen:
            return source
        source = apply(source, chosen)
    raise AssertionError("no end of fixes")


def comments(source: str) -> Counter[str]:
    """The comments, but for those that silence something: a fix may be to take them away."""
    found = (t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.COMMENT)
    return Counter(comment for comment in found if not SILENCES.search(comment))


def told(found: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter((finding.code, finding.symbol) for finding in found)


FIXABLE = [path for path in sorted(FIXTURES.glob("*/*.py")) if fixable(path.read_text("utf-8"))]

every_fixable = pytest.mark.parametrize("path", FIXABLE, ids=lambda path: f"{path.parent.name}/{path.stem}")


@every_fixable
def test_each_fix_alone_changes_its_lines_and_ends_its_finding(path: Path) -> None:
    source = path.read_text("utf-8")
    for finding in fixable(source):
        assert finding.fix is not None
        new = apply(source, [finding.fix])
        compile(new, path.name, "exec", dont_inherit=True)
        first, last = lines_of(finding.fix)
        assert first <= finding.span.line <= last
        old_lines, new_lines = source.split("\n"), new.split("\n")
        below = len(old_lines) - last
        assert new_lines[: first - 1] == old_lines[: first - 1]
        assert new_lines[len(new_lines) - below :] == old_lines[last:]
        assert comments(new) == comments(source)
        family = finding.code[:4]
        before, after = told(findings(source, family)), told(findings(new, family))
        assert before - after == Counter({(finding.code, finding.symbol): 1}), "more or less than the finding is gone"
        new_ones = {code for code, _ in after - before}
        assert new_ones <= STYLE, "a new finding"


@every_fixable
def test_all_fixes_together_leave_nothing_to_fix_and_lose_nothing(path: Path) -> None:
    source = path.read_text("utf-8")
    new = fixed(source)
    compile(new, path.name, "exec", dont_inherit=True)
    assert comments(new) == comments(source)
    assert fixed(new) == new
    assert {code for code, _ in told(findings(new)) - told(findings(source))} <= STYLE


@pytest.mark.parametrize("folder", sorted({path.parent for path in FIXABLE}), ids=lambda folder: folder.name)
def test_fixes_do_what_the_golden_diff_says(folder: Path, request: pytest.FixtureRequest) -> None:
    got = "".join(part for path in FIXABLE if path.parent == folder for part in golden(path))
    file = folder / "fixes.txt"
    if request.config.getoption("--update"):
        file.write_text(got, "utf-8")
    assert got == file.read_text("utf-8")


def golden(path: Path) -> Iterator[str]:
    source = path.read_text("utf-8")
    for finding in fixable(source):
        assert finding.fix is not None
        where = f"{path.name}:{finding.span.line}"
        yield f"{where} {finding.code} {finding.fix.applicability.value}: {finding.fix.message}\n"
    old, new = source.splitlines(keepends=True), fixed(source).splitlines(keepends=True)
    diff = list(difflib.unified_diff(old, new, n=1))[2:]
    yield from ("    " + line.rstrip() + "\n" for line in diff)


def test_no_golden_is_stale() -> None:
    assert {path.parent for path in FIXTURES.glob("*/fixes.txt")} == {path.parent for path in FIXABLE}


def test_rules_offer_what_they_declare() -> None:
    offered: dict[str, set[Applicability]] = {rule.code: set() for rule in rules()}
    for path in FIXABLE:
        for finding in fixable(path.read_text("utf-8")):
            assert finding.fix is not None
            offered[finding.code].add(finding.fix.applicability)
    for rule in rules():
        if rule.fix is FixAvailability.SAFE:
            assert Applicability.SAFE in offered[rule.code], rule.code
        elif rule.fix is FixAvailability.UNSAFE:
            assert offered[rule.code] == {Applicability.UNSAFE}, rule.code
        else:
            assert not offered[rule.code], rule.code


# ---- layouts that no fixture can have

HEAD = "import threading\nlock = threading.Lock()\nlast = ''\n"


def test_the_last_line_of_a_file_may_end_without_a_newline() -> None:
    assert fixed(HEAD + "lock.acquire()\nlast = 'x'\nlock.release()") == HEAD + "with lock:\n    last = 'x'"
    guarded = "lock.acquire()\ntry:\n    last = 'x'\nfinally:\n    lock.release()"
    assert fixed(HEAD + guarded) == HEAD + "with lock:\n    last = 'x'"


def test_a_module_without_any_block_is_indented_by_four_spaces() -> None:
    assert fixed(HEAD + "lock.acquire()\nlast = 'x'\nlock.release()\n").endswith("with lock:\n    last = 'x'\n")


def test_form_feeds_in_the_indentation_are_left_alone() -> None:
    source = HEAD + "lock.acquire()\n\f\nlast = 'x'\nlock.release()\n"
    assert fixed(source) == HEAD + "with lock:\n\f\n    last = 'x'\n"
    source = HEAD + "lock.acquire()\n\flast = 'x'\nlock.release()\n"
    assert findings(source)
    assert fixed(source) == source


def test_tabs_and_spaces_mixed_so_that_only_python_understands_are_left_alone() -> None:
    source = HEAD + "if lock:\n  \t\tlock.acquire()\n\t  \tlast = 'x'\n  \t\tlock.release()\n"
    compile(source, "module.py", "exec")
    assert "CNC102" in {finding.code for finding in findings(source)}
    assert fixed(source) == source


@pytest.mark.parametrize(
    "body",
    [
        "last = 'w'; \\\nlock.acquire()\nlast = 'x'\nlock.release()\n",
        "lock.acquire()\nlast = 'x'; \\\nlock.release()\n",
        "lock.acquire()\nlast = 'x'\nlock.release() \\\n\n",
        "lock.acquire(); last = 'x'\nlast += 'y'\nlock.release()\n",
        "if last: pass\nelse: lock.acquire(); last = 'x'; lock.release()\n",
    ],
)
def test_lines_that_hold_more_than_one_statement_are_left_alone(body: str) -> None:
    compile(HEAD + body, "module.py", "exec")
    assert "CNC102" in {finding.code for finding in findings(HEAD + body)}
    assert fixed(HEAD + body) == HEAD + body


def test_columns_count_characters() -> None:
    source = HEAD + "class Ä:\n  def é(self, ö: threading.Lock):\n    ö.acquire()\n    self.ü = '🔒'\n    ö.release()\n"
    assert fixed(source).endswith("    with ö:\n      self.ü = '🔒'\n")


# ---- any body

BLOCKS = ("if a:", "while a:", "for a in b:", "with a:", "try:", "def g():", "@d\ndef h():", "class C:")
SIMPLE = (
    "a = b",
    "a = (\nb,\n  # inside\n      c)",
    "a = '''one\n  two\nlock.release()\n    '''",
    'a = f"""{b}\n finally: {b}\n"""',
    "a = b \\\n  or c",
    "a = 'b\\\nc'  # after",
    "a; b",
    "a = [  # open\n\n]",
    "pass",
)
COMMENTS = ("# comment", "      # far in", "", "   ", "# lock.release()")


@st.composite
def block(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """Lines of one or more statements, not indented; a line feed inside one stands as it is."""
    out: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        out += draw(st.lists(st.sampled_from(COMMENTS), max_size=1))
        if depth and draw(st.booleans()):
            head = draw(st.sampled_from(BLOCKS))
            step = draw(st.sampled_from(("  ", "\t", "    ")))
            out += head.split("\n")
            out += [indented(line, step) for line in draw(block(depth - 1))]
            if head == "try:":
                out += ["except E:", step + "raise"]
        else:
            out.append(draw(st.sampled_from(SIMPLE)))
    return out + draw(st.lists(st.sampled_from(COMMENTS), max_size=1))


def indented(line: str, step: str) -> str:
    return step + line if line.strip() else line


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block(), st.sampled_from(("    ", "  ", "\t", "        ")), st.sampled_from(("", "t", "te", "b")))
def test_any_body_keeps_its_meaning(lines: list[str], step: str, guard: str) -> None:
    inner = step * 2 if guard else step
    body = [inner + "d()", *(indented(line, inner) for line in lines)]
    if guard:
        handler = [step + "except E:", step * 2 + "raise"] if guard == "te" else []
        between = [step + "n = 1", step + "# then"] if guard == "b" else []
        body = [*between, step + "try:  # try", *body, *handler, step + "finally:  # last"]
    source = "\n".join([
        "import threading",
        "def f(a, b, c, d, E, lock: threading.Lock):",
        step + "lock.acquire()  # first",
        *body,
        inner + "lock.release()",
        step + "return a  # end",
        "",
    ])  # fmt: skip
    found = [finding for finding in fixable(source) if finding.span.line == 3]
    assert found
    assert found[0].fix is not None
    new = apply(source, [found[0].fix])
    assert comments(new) == comments(source)
    before, after = function(source).body, function(new).body
    if not guard:
        kept = before[1:-2]
    else:
        whole = before[-2]
        assert isinstance(whole, ast.Try)
        whole.finalbody = []
        kept = before[1:-2] + ([whole] if whole.handlers else whole.body)
    section = after[0]
    assert isinstance(section, ast.With)
    assert [ast.dump(node) for node in section.body] == [ast.dump(node) for node in kept]
    assert [ast.dump(node) for node in after[1:]] == [ast.dump(before[-1])]


def function(source: str) -> ast.FunctionDef:
    found = ast.parse(source).body[1]
    assert isinstance(found, ast.FunctionDef)
    return found


# ---- wait_for


def with_wait_for(text: str) -> str | None:
    """``text`` with the first wait() in it turned into wait_for(), ``None`` where that cannot be."""
    source = textwrap.dedent(text)
    tree = parse(source)
    wait = next(call for call in tree.module.all(s.Call) if s.last_name(call.func) == "wait")
    guard = next(node for node in s.ancestors(wait) if isinstance(node, s.If))
    fix = Rewriter(source.split("\n"), tree.extent, tree.indentation).as_wait_for(guard, wait)
    if fix is None:
        return None
    assert fix.applicability is Applicability.UNSAFE
    new = apply(source, [fix])
    compile(new, "module.py", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert comments(new) == comments(source)
    return new


@pytest.mark.parametrize(
    ("test", "predicate"),
    [
        ("not ready", "ready"),
        ("not (a and b)", "a and b"),
        ("not (\n        a\n        and b)", "a\n        and b"),
        ("not (a, b)", "(a, b)"),
        ("(a or b)", "not (a or b)"),
        ("(a or b) == (c)", "(a or b) != (c)"),
        ("(a == b)", "a != b"),
        ("a  is  not None", "a  is None"),
        ("self.busy", "not self.busy"),
        ("full()", "not full()"),
        ("a and b", "not (a and b)"),
        ("(a) or (b)", "not ((a) or (b))"),
        ("a if b else c", "not (a if b else c)"),
        ("len(q) == 0", "len(q) != 0"),
        ("item is None", "item is not None"),
        ("key not in table", "key in table"),
        ("len(q) < 3", "not (len(q) < 3)"),
        ("0 == a == b", "not (0 == a == b)"),
        ("not [x for x in q if x]", "[x for x in q if x]"),
    ],
)
def test_the_test_of_a_wait_becomes_its_predicate(test: str, predicate: str) -> None:
    assert with_wait_for(f"if {test}:\n    cond.wait()\n") == f"cond.wait_for(lambda: {predicate})\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [("5", "5"), ("timeout=5", "timeout=5"), ("None", "None"), ("limit - now(),", "limit - now()"), ("*args", "*args")],
)
def test_a_timeout_is_passed_on(arguments: str, told: str) -> None:
    assert with_wait_for(f"if not a:\n    c.wait({arguments})\n") == f"c.wait_for(lambda: a, {told})\n"


def test_a_wait_is_rewritten_where_it_stands() -> None:
    old = """
        async def f(self):
            async with self.cond:
                if not self.ready:  # why
                    # how
                    await self.cond.wait()  # what
                return self.ready
        """
    new = """
        async def f(self):
            async with self.cond:
                # why
                # how
                await self.cond.wait_for(lambda: self.ready)  # what
                return self.ready
        """
    assert with_wait_for(old) == textwrap.dedent(new)
    assert with_wait_for("if not a: c.wait()  # one line\n") == "c.wait_for(lambda: a)  # one line\n"


@pytest.mark.parametrize(
    "text",
    [
        "if not a:\n    c.wait()\nelse:\n    a = 1\n",
        "if not a:\n    c.wait()\n    a = 1\n",
        "if not a:\n    b = c.wait(1)\n",
        "if b:\n    pass\nelif not a:\n    c.wait()\n",
        "if not a:\n    c.wait(); \n",
        "if not (a := b):\n    c.wait()\n",
        "if not await a:\n    c.wait()\n",
        "if not super().ready:\n    c.wait()\n",
        "class A:\n    a = 1\n    if not a:\n        c.wait()\n",
        "if not (a  # comment\n    and b):\n    c.wait()\n",
        "if not a:\n    (b or c).wait()\n",
        "if not a:\n    c.wait(  # comment\n        1)\n",
    ],
)
def test_a_wait_that_is_not_plain_stays(text: str) -> None:
    assert with_wait_for(text) is None

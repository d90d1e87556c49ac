"""The tree made from Python's own ``ast`` is the one made from libcst's, or there is none."""

from __future__ import annotations

import ast
import itertools
import random
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conclint import quick, tree
from conclint.parsing import TooDeepError, on_large_stack, read_by_python
from conclint.source import SourceError, decode
from tests.lock_oracle.programs import make
from tests.oracle import shapes
from tests.trees import differences

TREES = Path(__file__).parent.parent
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])

SNIPPETS = """
x = y = z
x: int = 1
x: "int"
x.y: list[int] = []
x += 1; y -= 2; z /= 3; z //= 4; z %= 5; z @= 6; z >>= 7
a, b = b, a
*a, b = c
[a, *b] = (c)
for x, in y: pass
a = *b,
a = (*b, c)
del a
del a, b
del (a, b)
del (a, b),
del [a, b]
del (a), (b, c)
del a[0], b.c
del (a), b
del ()
raise
raise A
raise A from b
assert a, b
import a, b.c, d.e as f
from a import b, c as d
from . import a
from ...a.b import (c, d as e,)
from a import *
pass; pass
if a: pass
elif b: pass
elif c: x
else: y
if a: pass
else:
    if b: pass
    else: c
while a: break
else: continue
while a:
    continue
else:
    pass
for x in *a, b: pass
try: a
except: b
try: a
except A: b
except (B, C) as e: c
except D.e as f: lambda: 1
else: lambda: 2
finally: lambda: 3
with a: pass
with a as b, c: pass
with (a): pass
with (a, b): pass
with (a as b, c as d,): pass
with (a, b) as c: pass
with (yield): pass
with a as (b, c): pass
with (a), (b): pass
with (a for a in b): pass
def f(): pass
def f(a, b=1, /, c: int = 2, *d: e, f, g: h = 3, **i: j) -> k: return
def f(*, a, b=1): pass
def f(a, /): pass
def f(a=lambda: 1, *, b: (lambda: 2) = lambda: 3) -> (lambda: 4): lambda: 5
@a
@b.c(d)
@(lambda f: f)
def f(): yield
def f():
    global a, b
    def g():
        nonlocal c
        x = yield a
        y = yield
        yield from z
        yield a, b
        yield *a, b
        (yield)
        return *a, b
async def f():
    await a
    async with a as b, c: pass
    async for x in y: pass
    else: pass
    return [await x async for x in y if await z if w]
class A: pass
class A(B, C, metaclass=D, **E): x = 1
class A(*B, metaclass=C): pass
class A(): 'docstring'; x: int
@a
class A(b.c):
    @property
    def f(self): return lambda: self
lambda: (yield)
lambda a, /, b=1, *c, d, e=2, **f: a
lambda *, a: a
lambda *a: lambda **b: a
a if b else c if d else e
a or b or c and d and not e
(a or b) or c
a or (b or c)
a and (b and c) and d
not not a
-1; +1; ~1; - -1; -1.5; -1j; -True; -None; -'a'; -(1); -x; -(-x)
a + b - c * d
(a + b) + c
a + (b + c)
a / b + c
a + b / c
a // b % c
a % b % (c, d)
a ** -b
a << b >> c & d | e ^ f @ g
a < b <= c > d >= e == f != g is h is not i in j not in k
(a < b) < c
a < (b < c)
(a := b)
f(a := b, c)
[a := 1, b := 2]
f(a, *b, c=d, **e)
f(a=1, *b)
f(a=1, *b, c=2, **d, e=f)
f(*a, b, *c, d=e)
f(lambda: 1, *(lambda: 2), b=lambda: 3)
f(b=lambda: 1, *(lambda: 2))
f(x for x in y)
f((x for x in y), z)
f(
    a=1,
    *b,
)
a[b]
a[b, c]
a[(b, c)]
a[b,]
a[(b,)]
a[(b),]
a[()]
a[b:c]
a[:]
a[::]
a[b::c, d]
a[:, 1:2]
a[b][c](d).e
a[b := c]
a[...]
...
(); (a,); (a, b); a,; []; [a]; {a}; {*a, b}; {}; {a: b, **c, d: e}
{lambda: 1: lambda: 2}
[x for x in y]
[x for x in y if z if w for a in b]
{x for x, in y}
{x: y for x, y in z}
(x for x in (y for y in z))
[lambda: x for x in (lambda: y)]
0; 1; 0x10; 0o17; 0b1; 1_000; 1.0; 1e3; 1e400; .5; 5.; 1j; 1.5J
True; False; None
match a:
    case 1 | -1 | 1 + 2j | 'a' 'b' | b'c': pass
    case None: pass
    case True | False: pass
    case _: pass
match a, b:
    case x: pass
match *a, b:
    case (x): pass
match a:
    case [x, *y, _]: pass
    case (x, *_): pass
    case x, y: pass
    case {'a': b, c.d: [e], **f}: pass
    case {}: pass
    case A(): pass
    case a.B(c, d=E(f), g=_) as h if i: pass
    case (1 as x) | (2 as x): pass
    case [1, [2 as y]] as z: lambda: x
    case (None): pass
    case -1.5: pass
    case f.g: pass
'a'; "a"; '''a'''; \"\"\"a\"\"\"; r'a'; R"a\\b"; u'a'; b'a'; Rb'a'; ''; ""; ''''''; b''
'a' 'b'
'a' \\
    'b'
('a'  # 'c'
 # "d"
 "b")
'a' ''
'' ''
"" "x"
"a""b""c"
'''a''' 'b'
b'a' b'b'
u'a' r'b'
'\\n'; '\\''; "\\""; '\\x41'; '\\N{EM DASH}' ; '\\u00e9'; '\\ud800'; 'a\\
b'
'é'; 'é' 'è'; f'é{x}'; 'é' f'é{x}' 'é'; b'\\xe9'
é = 'é'; x = 'a' 'b'
('é', 'a' 'b', f'{x}' f'{y}')
f''; f'a'; f'{a}'; F"{a}"; rf'{a}\\d'; fR'\\{a}'; f'{{a}}'; f'{{{a}}}'
f'{a!r}'; f'{a:b}'; f'{a:{b}}'; f'{a!s:>{b}.{c}}'; f'{a=}'; f'{a = !r:x}'; f'{a:{{}}}' ; f'{a:%Y-%m}'
f'{a}{b} {c}'
f'{a["b"]}'; f'{a["b"]} {a["b"]} {c["d"]}'
f'{a("b", c="d")}'
f'{"a" "b"}'
f'{f"{a}"}'
f'{f"{a}" "b"}'
f'{(lambda: 1)}{(lambda x: 2)(3)}'
f'{a, b}'; f'{a,}'; f'{*a, b}'; f'{yield_}'; f'{ {a: b} }'; f'{ {a} }'
f'{f(*a, b=1)}{f(b=1, *a)}'; f'{a if b else c}'; f'{x!r}' 'y'; f'{1}{-1}{1.5}{1j}{None}'
f'a' 'b'; 'a' f'b'; 'a' f'{b}' 'c' f'{d}{e}' f'' rf'{f}'
f'{a}' '{b}'
f'{{' '}}' f'{a}'
f'}}' f'{{{a}' f'{{}}{b}'
f'{a}' "'" f"{b}'"
f'\\N{EM DASH}{a}' f'\\{b}' '\\'' f'\\'{c}' f'\\\\{d}'
(f'{a}'
 f'{b["c"]}'  # {d}
 'e')
f'''{a}
{b["c"]}
  {d['e']}'''
f'''
{a}''' f\"\"\"{b}
\"\"\" '''{c}'''
f'''{
a
+ 'b'
}'''
x = [f'{a["b"]}' f'{a["b"]}', f'{a["b"]}']
f'{a[b:c]}{a[b, c]}'
print(f'{a}', *b, sep='')
b = 1 if 'x' 'y' else ('a' 'b' 'c')
"""

LITERALS = [
    "x = '\\('\n",  # an escape that Python warns of
    "x = '" + "a" * 79 + "'",
    "x = '" + "a" * 78 + "'",
    "x = '" + "a" * 77 + "'",
    "x = b'" + "a" * 78 + "'",
    "x = b'" + "a" * 77 + "'",
    "x = '" + "é" * 78 + "'",
    "x = '" + "é" * 79 + "'",
    "x = '" + "\\x41" * 30 + "'",
    "x = '''" + "a\n" * 50 + "'''",
    "x = '''" + 'a\\"\n' * 50 + "'''",
    "x = '" + "a" * 90 + "' 'b'",
    "x = '" + "a" * 90 + "' f'{b}'",
    "x = f'{" + '"a"' + "}" + "a" * 90 + "'",
    "x = " + "1" * 79,
    "x = " + "1" * 80,
    "x = -" + "1" * 80,
    "x = 0b" + "1" * 90,
    "x = 1." + "1" * 90,
    "x = " + "0" * 80,
]

NEWER = [
    ((3, 11), "try: a\nexcept* A: b\nexcept* (B, C) as c: d\nelse: e\nfinally: f\n"),
    ((3, 11), "a[*b]\na[*b, c]\na[(*b,)]\na[(*b, c)]\na[b, *c]\na[*b, *c]\na[(b), *c]\n"),
    ((3, 11), "def f(*args: *a): pass\n"),
    ((3, 12), "type A = b\ntype A[B] = list[B]\n"),
    ((3, 12), "def f[A, *B, **C](a: A) -> B: pass\nclass A[B: int](C): pass\nclass A[B]: pass\n"),
    ((3, 12), "f'{a['b']}'\nf'{a['b' 'c']}' 'd'\nf'{f'{f'{a}'}'}' f'{b}'\nf'{'\\n'}' f'{'{'}' '}'\n"),
    ((3, 12), "f'{a:{b:{c}}}'\nf'{a # }\n}' 'b'\nf'''{'''b'''}''' f'{a!r:\\n}'\n"),
    ((3, 12), "f'é{'é' 'è'}é{a}' f'é{'é'}'\n(f'{a}'\nf'é{b['c']}{d}')\n"),
    ((3, 12), "f'{a[b,]}{a[(b,)]}{a[*b, c]}'\n"),
    ((3, 13), "def f[A = int](a: A): pass\ntype A[B = int, *C = *D] = E\n"),
]


def compare(text: str) -> bool:
    """Whether there is a tree from ``ast``, which then has to be the one from libcst."""
    module = read_by_python(text)
    assert isinstance(module, ast.Module), (text, module)
    try:
        made = quick.lower(module, text)
    except quick.UnsureError:
        return False
    found = list(differences(made, tree.parse(text).module))
    assert not found, (text[:200], found[:5])
    return True


def statements(text: str) -> Iterator[str]:
    """The lines of ``text``, those of a statement together."""
    lines = text.split("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body: list[Any] = ast.parse(text).body
    starts = [min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) for node in body]
    for first, last in itertools.pairwise(sorted({*starts, len(lines)})):
        yield "\n".join(lines[first - 1 : last - 1]) + "\n"


@pytest.mark.parametrize("text", [*statements(SNIPPETS), *LITERALS], ids=lambda text: text[:40].strip())
def test_odd_syntax(text: str) -> None:
    assert compare(text)
    assert compare(f"# é\n{text}")


@pytest.mark.parametrize(("version", "text"), NEWER, ids=lambda value: value[:30] if isinstance(value, str) else None)
def test_newer_syntax(version: tuple[int, int], text: str) -> None:
    if sys.version_info >= version:
        assert compare(text)


@pytest.mark.parametrize("text", ["\ufb01 = 1\n", "x.\uff41\n", "def \u1d43(): pass\n", "import \xaa\n"])
def test_names_that_python_writes_otherwise_are_left_to_libcst(text: str) -> None:
    assert not compare(text)


def test_strings_may_hold_what_names_may_not() -> None:
    assert compare("x = '\xbd \u2122'  # \u2460\n")


def test_every_file_here() -> None:
    files = [path for path in TREES.rglob("*.py") if "broken" not in path.name]
    assert len(files) > 600
    for path in files:
        text = decode(path.read_bytes())
        if isinstance(read_by_python(text), ast.Module):
            assert compare(text), path


def test_programs_that_are_made() -> None:
    generator = random.Random(1)
    programs = [make(generator.randrange).text.replace("$", "") for _ in range(200)]
    for text in (*programs, *map(shapes.source_of, itertools.islice(shapes.nested(every=499), 200))):
        assert compare(text)


@pytest.mark.parametrize(
    "text", ["if a: b\n" + "elif c: d\n" * 900, "x = " + "+".join(["a"] * 900), "x = " + " and ".join(["a"] * 5_000)]
)
def test_long_chains_do_not_recurse(text: str) -> None:
    module = ast.parse(text)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        quick.lower(module, text)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.slow
@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz_")
def test_the_standard_library(letter: str) -> None:
    for path in sorted(STANDARD_LIBRARY.glob(f"{letter}*")):
        for file in [path] if path.suffix == ".py" else path.rglob("*.py"):
            if path.name != "site-packages":
                on_large_stack(partial(compare_file, file))


def compare_file(path: Path) -> None:
    """Compare the trees of any file, where it is Python."""
    try:
        text = decode(path.read_bytes())
        if isinstance(read_by_python(text), ast.Module):
            compare(text)
    except (SourceError, TooDeepError, tree.ParseError):
        pass

"""Programs changed as programs are: statements, expressions and names; what comes out parses most of the time.

Positions are those of ``ast``, so that what is not changed stays as it was written, comments included.
"""

from __future__ import annotations

import ast
import random
import re
import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property

from .words import KEYWORDS, METHODS, NAME, OBJECTS

_MOST = 6
"""So many mutations are made of one text at most."""

_MARGIN = b"    "

_WRAPPERS = (
    *(b"if ready:", b"if not lock.acquire(False):", b"while True:", b"while not done:", b"for item in jobs:"),
    *(b"async for item in jobs:", b"with lock:", b"with lock as held, open(p):", b"async with lock:", b"with cond:"),
    *(b"with suppress(ValueError):", b"def inner():", b"async def inner():", b"def inner(lock, *args, **kwargs):"),
    *(b"class Inner:", b"class Inner(threading.Thread):", b"class lock(lock):", b"match jobs:\n    case [lock, *_]:"),
    *(b"if __name__ == '__main__':", b"with ThreadPoolExecutor() as pool:", b"async with TaskGroup() as group:"),
)
_TAILS = (
    *(b"finally:\n    lock.release()", b"except Exception:\n    pass", b"except:\n    raise", b"finally:\n    return"),
    *(b"except (ValueError, KeyError) as e:\n    del e", b"except* OSError:\n    pass", b"finally:\n    thread.join()"),
    *(b"except BaseException:\n    continue", b"except Empty:\n    pass\nelse:\n    pass\nfinally:\n    pass"),
)
_STATEMENTS = (
    *(b"return", b"return lock", b"break", b"continue", b"raise", b"raise Error from None", b"yield", b"pass", b"..."),
    *(b"yield from jobs", b"await task", b"global lock", b"nonlocal lock", b"del lock", b"lock = lock", b"self = None"),
    *(b"import threading", b"from threading import *", b"from . import lock", b"lock: Lock", b"lock += 1"),
    *(b"assert lock", b"type lock = lock", b"print(lock)", b"thread.daemon = lock"),
    *(b"lock, lock = lock, [lock]", b"*lock, thread = jobs", b"for lock in lock: pass", b"lock.acquire()", b"x = x()"),
    *(b"lock.release()", b"thread.start()", b"thread.join()", b"self.lock = threading.Lock()", b"cond.wait()"),
    *(b"def lock(): return lock()", b"class Thread(Thread): pass", b"super().__init__()", b"threading.Lock = lock"),
    *(b"__enter__ = __exit__ = acquire", b"lock[lock] = lock", b"(lock := lock)", b"with lock, lock: pass"),
)
_EXPRESSIONS = (
    *(b"lock", b"None", b"...", b"(yield)", b"(await task)", b"(lambda: lock)", b"(lock := lock)", b"[*jobs]"),
    *(b"(lock if lock else lock)", b"[lock for lock in jobs if lock.acquire()]", b"(x async for x in jobs)", b"{}"),
    *(b"f'{lock!r:{lock}}'", b"not lock", b"lock.lock.lock", b"lock[0]", b"lock[1:2, ...]", b"lock()", b"lock()()"),
    *(
        b"threading.Thread(target=lock)",
        b"(*jobs, lock)",
        b"a < lock in b",
        b"lock or lock",
        b"-1",
        b"'lock'",
        b"{**x}",
    ),
    *(b"super()", b"type(self)(lock)", b"self.lock", b"getattr(self, 'lock')", b"pool.submit(lock, *jobs, **jobs)"),
    *(b"{lock: lock for lock in lock}", b"[threading.Lock()] * 3", b"functools.partial(lock, lock)", b"__class__"),
)
_MARKS = (b"@staticmethod", b"@property", b"@contextmanager", b"@lock", b"@pytest.fixture", b"@functools.wraps(lock)")


class _Text:
    """The bytes of a program, and its tree."""

    def __init__(self, data: bytes, tree: ast.Module) -> None:
        self.data = data
        self.starts = [0, *(match.end() for match in re.finditer(rb"\r\n?|\n", data)), len(data)]
        self.nodes = list(ast.walk(tree))

    @cached_property
    def statements(self) -> list[tuple[int, int]]:
        """The first line of each statement and the one after its last, counted from zero."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.stmt):
                marks = getattr(node, "decorator_list", [])
                found.append((min([node.lineno, *(mark.lineno for mark in marks)]) - 1, node.end_lineno or node.lineno))
        return found

    @cached_property
    def expressions(self) -> list[tuple[int, int]]:
        """Where each expression begins and ends, but for those in f-strings, of which that is not always true."""
        inside = {id(part) for node in self.nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        return [
            (self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset)
            for node in self.nodes
            if isinstance(node, ast.expr) and id(node) not in inside
            if node.end_lineno is not None and node.end_col_offset is not None
        ]

    def lines(self, first: int, last: int) -> bytes:
        return self.data[self.starts[first] : self.starts[last]]

    def replaced(self, first: int, last: int, new: bytes) -> bytes:
        """With ``new`` in place of some lines."""
        if new and not new.endswith(b"\n"):
            new += b"\n"
        return self.data[: self.starts[first]] + new + self.data[self.starts[last] :]

    def margin(self, line: int) -> bytes:
        text = self.lines(line, line + 1)
        return text[: len(text) - len(text.lstrip(b" \t"))]

    def line_of(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1


def parsed(data: bytes) -> ast.Module | None:
    """The tree of a program, if it is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(data.decode())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def mutated(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """``data`` changed a few times; ``other`` is a program that some of what is new comes from."""
    text, donor = _read(data), _read(other)
    for _ in range(chance.randint(1, _MOST)):
        if text is None or not text.statements or not text.expressions:
            break
        new = chance.choice(_MUTATIONS)(text, chance, donor or text)
        changed = _read(new)
        if changed is not None or chance.random() < 0.05:
            data, text = new, changed
    return data


def _read(data: bytes) -> _Text | None:
    tree = parsed(data)
    return None if tree is None else _Text(data, tree)


def _indented(block: bytes, margin: bytes) -> bytes:
    """``block`` moved to stand at ``margin``."""
    lines = block.splitlines(keepends=True)
    old = len(lines[0]) - len(lines[0].lstrip(b" \t")) if lines else 0
    return b"".join(margin + line[min(old, len(line) - len(line.lstrip(b" \t"))) :] for line in lines)


def _delete(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(text.statements)
    return text.replaced(first, last, chance.choice((b"", text.margin(first) + b"pass")))


def _duplicate(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(text.statements)
    at, _ = chance.choice([(first, last), chance.choice(text.statements)])
    return text.replaced(at, at, _indented(text.lines(first, last), text.margin(at)))


def _splice(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(donor.statements or [(0, 0)])
    at, _ = chance.choice(text.statements)
    return text.replaced(at, at, _indented(donor.lines(first, last), text.margin(at)))


def _swap(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    one, two = sorted([chance.choice(text.statements), chance.choice(text.statements)])
    if one[1] > two[0]:
        return text.data
    upper, lower = text.lines(*one), text.lines(*two)
    between = text.lines(one[1], two[0])
    upper, lower = _indented(lower, text.margin(one[0])), _indented(upper, text.margin(two[0]))
    return text.replaced(one[0], two[1], _ended(upper) + between + lower)


def _ended(block: bytes) -> bytes:
    return block if block.endswith(b"\n") else block + b"\n"


def _wrap(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(text.statements)
    margin = text.margin(first)
    wrapper = chance.choice(_WRAPPERS)
    inner = margin + _MARGIN * (1 + wrapper.count(b"\n"))
    return text.replaced(first, last, _indented(wrapper + b"\n", margin) + _indented(text.lines(first, last), inner))


def _try(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(text.statements)
    margin = text.margin(first)
    body = _ended(_indented(text.lines(first, last), margin + _MARGIN))
    return text.replaced(first, last, margin + b"try:\n" + body + _indented(chance.choice(_TAILS), margin))


def _insert(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    first, last = chance.choice(text.statements)
    at = chance.choice((first, last)) if last < len(text.starts) else first
    return text.replaced(at, at, text.margin(first) + chance.choice(_STATEMENTS))


def _mark(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    functions = [node for node in text.nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    if not functions:
        return text.data
    at = chance.choice(functions).lineno - 1
    return text.replaced(at, at, text.margin(at) + chance.choice(_MARKS))


def _make_async(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    places = list(re.finditer(rb"(?m)^[ \t]*(async )?(?=(?:def|with|for) )", text.data))
    if not places:
        return text.data
    match = chance.choice(places)
    new = match[0].removesuffix(b"async ") if match[1] else match[0] + b"async "
    return text.data[: match.start()] + new + text.data[match.end() :]


def _express(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    start, end = chance.choice(text.expressions)
    if chance.random() < 0.5:
        new = chance.choice(_EXPRESSIONS)
    else:
        source = chance.choice([donor if donor.expressions else text, text])
        new = source.data[slice(*chance.choice(source.expressions))]
    if chance.random() < 0.3:
        new = chance.choice((b"await ", b"not ", b"*", b"lambda: ", b"lock or ", b"x := ")) + new
    if chance.random() < 0.3:
        new += chance.choice((b"()", b".acquire()", b"[0]", b".lock", b" if x else y", b".result()", b"(*a, **k)"))
    return text.data[:start] + new + text.data[end:]


def _rename(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    """One name becomes another of the text, or a word that rules know: everywhere, or in one place."""
    places = [match for match in re.finditer(NAME.encode(), text.data) if match[0].decode() not in KEYWORDS]
    if not places:
        return text.data
    chosen = chance.choice(places)
    known = METHODS if text.data[: chosen.start()].endswith(b".") else OBJECTS
    new = chance.choice((chance.choice(places)[0], chance.choice(known).encode()))
    if chance.random() < 0.5:
        return text.data[: chosen.start()] + new + text.data[chosen.end() :]
    return re.sub(rb"\b%s\b" % re.escape(chosen[0]), lambda _: new, text.data)


def _arguments(text: _Text, chance: random.Random, donor: _Text) -> bytes:
    """A call gets arguments, or loses all."""
    calls = [node for node in text.nodes if isinstance(node, ast.Call) and node.end_col_offset is not None]
    if not calls:
        return text.data
    call = chance.choice(calls)
    end = text.starts[(call.end_lineno or call.lineno) - 1] + (call.end_col_offset or 0) - 1
    if chance.random() < 0.3:
        func = call.func
        start = text.starts[(func.end_lineno or func.lineno) - 1] + (func.end_col_offset or 0)
        return text.data[:start] + b"(" + text.data[end:]
    new = chance.choice((b", *a", b", **k", b", timeout=1", b", lock", b", target=lock", b", daemon=1", b", args=(1)"))
    return text.data[:end] + (new if call.args or call.keywords else new[2:]) + text.data[end:]


_MUTATIONS: Sequence[Callable[[_Text, random.Random, _Text], bytes]] = (
    *(_delete, _duplicate, _splice, _splice, _swap, _wrap, _wrap, _try, _insert, _insert, _mark, _make_async),
    *(_express, _express, _express, _rename, _rename, _arguments),
)

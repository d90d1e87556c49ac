"""Programs made by hypothesmith, valid and strange, in which names stand for locks, threads and futures."""

from __future__ import annotations

import random
import re
import textwrap
import warnings
from functools import cache, lru_cache

from hypothesis import HealthCheck, Phase, given, seed, settings

from .mutations import parsed
from .words import KEYWORDS, MADE, METHODS, NAME, OBJECTS, TYPED

WAYS = ("from_grammar", "from_node")

_SERVED = 100
"""So many inputs are made of the same programs, which take long to make: each of other ones, under other names."""

_TRIES = 5

_AROUND = (
    *("{}", "{}", "def f():\n    {}", "async def f():\n    {}", "class C(Thread):\n    def run(self):\n        {}"),
    *("with lock:\n    {}", "def f():\n    lock.acquire()\n    {}\n    lock.release()", "while True:\n    {}"),
    *("try:\n    {}\nfinally:\n    lock.release()", "async def f():\n    async with alock:\n        {}"),
    *("def f():\n    try:\n        {}\n    except Exception:\n        pass\nThread(target=f).start()",),
    *("class C:\n    def __init__(self):\n        self.lock = Lock()\n    def f(self):\n        {}",),
    *("def f(lock, *jobs):\n    with lock:\n        {}\nif __name__ == '__main__':\n    f(lock)",),
)


@cache
def missing() -> str:
    """Why there are none: what hypothesmith, which follows new versions of Python late, has against this one."""
    try:
        for way in WAYS:
            _batch(way, 0, 1)
    except Exception as error:  # whatever it is, there are no programs
        return f"hypothesmith does not work here: {type(error).__name__}: {error}"
    return ""


def generated(way: str, seeded: int, number: int, chance: random.Random, programs: int) -> bytes:
    """The input of this number, made ``way``: some of so many ``programs``, with names that mean something."""
    batch = _batch(way, seeded * 1_000_003 + number // _SERVED, programs)
    first = batch[number % _SERVED % len(batch)]
    data = chance.choice((MADE, TYPED, TYPED, TYPED)).encode()
    for program in (first, *chance.choices(batch, k=chance.randint(0, 3))):
        new = b""
        for _ in range(_TRIES):
            new = _placed(_renamed(program, chance), chance)
            if parsed(data + new) is not None:
                break
        data += new
    return data


def _placed(program: str, chance: random.Random) -> bytes:
    """``program`` as a part of one that does something with it."""
    if not program.strip():
        program = "pass"
    around = chance.choice(_AROUND)
    margin = " " * (around.index("{}") - around.rfind("\n", 0, around.index("{}")) - 1)
    text = around.replace("{}", textwrap.indent(program, margin).removeprefix(margin))
    return f"{text}\n".encode("utf-8", "surrogatepass")


def _renamed(program: str, chance: random.Random) -> str:
    """Each name becomes a known one, the same one everywhere or another one each time."""
    constant = chance.random() < 0.7
    known: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        name = match[0]
        if name in KEYWORDS or chance.random() < 0.1:
            return name
        words = METHODS if program[: match.start()].rstrip().endswith(".") else OBJECTS
        word = chance.choice(words)
        return known.setdefault(name, word) if constant else word

    return re.sub(NAME, other, program)


@lru_cache(maxsize=4)
def _batch(way: str, seeded: int, programs: int) -> list[str]:
    import hypothesmith

    made: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it compiles what it makes

        @seed(seeded)
        @settings(
            max_examples=programs,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(getattr(hypothesmith, way)())
        def collect(program: str) -> None:
            made.append(program)

        collect()
    return list(dict.fromkeys(made))

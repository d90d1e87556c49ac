"""The oracle proper: runs a function under every sequence of choices and records what it did."""

from __future__ import annotations

import builtins
import re
import sys
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import suppress
from types import SimpleNamespace, TracebackType
from typing import Any

from . import CUT, FALLIBLE, Event, Trace

CLASSES: tuple[type[BaseException], ...] = (ValueError, KeyError, OSError, KeyboardInterrupt, GeneratorExit)
"""What a call may raise: of Exceptions, and of what is none, some that handlers name and another."""


class _Enough(BaseException):
    """Ends a run that has gone on for long enough. Raised at every event, as handlers may catch it."""


class Run:
    """One run: makes the choices it is told, then always the first one."""

    def __init__(self, told: Sequence[int], limit: int, classes: Sequence[type[BaseException]]) -> None:
        self.made: list[tuple[int, int]] = []
        """For each choice which one it was, and of how many."""
        self.trace: list[Event] = []
        self.cut = False
        self._told = told
        self._limit = limit
        self._classes = classes

    def note(self, kind: str, number: int, how: str) -> None:
        """Record an event, or end the run instead."""
        self._stop_beyond_the_limit()
        self.trace.append((kind, number, how))

    def happen(self, kind: str, number: int = 0) -> str:
        """Choose how something goes, which may be that it raises, and record it."""
        self._stop_beyond_the_limit()
        well = FALLIBLE[kind]
        choice = self.choose(len(well) + len(self._classes))
        if choice < len(well):
            self.trace.append((kind, number, well[choice]))
            return well[choice]
        raised = self._classes[choice - len(well)]
        self.trace.append((kind, number, raised.__name__))
        raise raised(number)

    def choose(self, count: int) -> int:
        at = len(self.made)
        choice = self._told[at] if at < len(self._told) else 0
        self.made.append((choice, count))
        return choice

    def next_choices(self) -> list[int] | None:
        """The choices of the run after this one, ``None`` if this was the last."""
        for at in range(len(self.made) - 1, -1, -1):
            choice, count = self.made[at]
            if choice + 1 < count:
                return [*(made for made, _ in self.made[:at]), choice + 1]
        return None

    def _stop_beyond_the_limit(self) -> None:
        if len(self.trace) >= self._limit:
            self.cut = True
            raise _Enough


class _Items:
    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    def __iter__(self) -> _Items:
        return self

    def __next__(self) -> int:
        if self._run.happen("next", self._number) == "false":
            raise StopIteration
        return 0


class _Manager:
    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    def __enter__(self) -> None:
        self._run.note("enter", self._number, "ok")

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._run.note("leave", self._number, "normal" if kind is None else "raised")


class _Awaitable:
    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    def __await__(self) -> Iterator[None]:
        self._run.happen("await", self._number)
        return iter(())


class _AsyncItems:
    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    def __aiter__(self) -> _AsyncItems:
        return self

    async def __anext__(self) -> int:
        if self._run.happen("next", self._number) == "false":
            raise StopAsyncIteration
        return 0


class _AsyncManager:
    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    async def __aenter__(self) -> None:
        self._run.happen("aenter", self._number)

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._run.note("leave", self._number, "normal" if kind is None else "raised")
        self._run.happen("aleft", self._number)


class _Box:
    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, key: object) -> int:
        self._run.happen("get")
        return 0

    def __setitem__(self, key: object, value: object) -> None:
        self._run.happen("set")

    def __delitem__(self, key: object) -> None:
        self._run.happen("del")

    def __truediv__(self, other: object) -> int:
        self._run.happen("div")
        return 0


_OFFERED = ("step", "cond", "items", "manager", "value", "keep", "cause", "wait", "aitems", "amanager")


class _World:
    """What the functions under test see, forwarding to the current run."""

    def __init__(self) -> None:
        self.run = Run((), 0, ())

    def names(self) -> dict[str, Any]:
        ours = {name: getattr(self, name) for name in _OFFERED}
        return {**ours, "box": lambda: _Box(self.run), "sys": sys, "suppress": suppress}

    def step(self, number: int, *_: object) -> int:
        self.run.happen("step", number)
        return 1

    def cond(self, number: int) -> bool:
        return self.run.happen("cond", number) == "true"

    def items(self, number: int) -> _Items:
        self.run.happen("items", number)
        return _Items(self.run, number)

    def manager(self, number: int, *_: object) -> _Manager:
        self.run.happen("manager", number)
        return _Manager(self.run, number)

    def wait(self, number: int) -> _Awaitable:
        self.run.happen("wait", number)
        return _Awaitable(self.run, number)

    def aitems(self, number: int) -> _AsyncItems:
        self.run.happen("aitems", number)
        return _AsyncItems(self.run, number)

    def amanager(self, number: int) -> _AsyncManager:
        self.run.happen("amanager", number)
        return _AsyncManager(self.run, number)

    def value(self, number: int) -> int:
        self.run.happen("value", number)
        return self.run.choose(3)

    def keep(self, *_: object, **__: object) -> SimpleNamespace:
        """A call that never raises."""
        return SimpleNamespace(x=0)

    def cause(self, *_: object) -> None:
        """No cause for ``raise ... from``."""


def classes_told_apart(source: str) -> list[type[BaseException]]:
    """One of ``CLASSES`` for each way in which the classes that ``source`` names divide them."""
    named = [
        found
        for name in sorted(set(re.findall(r"\b[A-Z]\w+", source)))
        if isinstance(found := getattr(builtins, name, None), type) and issubclass(found, BaseException)
    ]
    by_signature = {tuple(issubclass(cls, name) for name in named): cls for cls in reversed(CLASSES)}
    return list(by_signature.values())


def runnable(source: str) -> Callable[[_World], Callable[[], object]]:
    """A maker of the function ``f`` that ``source`` defines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # `return` in `finally`, since 3.14
        code = compile(source, "<shape>", "exec", dont_inherit=True)

    def make(world: _World) -> Callable[[], object]:
        names = world.names()
        exec(code, names)
        function: Callable[[], object] = names["f"]
        return function

    return make


def executed(source: str, limit: int) -> set[Trace]:
    """Every trace of ``f`` of at most ``limit`` events."""
    return {trace for trace, _ in runs(source, limit)}


def runs(source: str, limit: int) -> Iterator[tuple[Trace, list[int]]]:
    """Every run of ``f``: its trace and the choices that led to it."""
    classes = classes_told_apart(source)
    world = _World()
    function = runnable(source)(world)
    told: list[int] | None = []
    while told is not None:
        world.run = run = Run(told, limit, classes)
        left = "return"
        try:
            _finish(function(), run)
        except BaseException as error:  # whatever leaves the function is what we came for
            left = type(error).__name__
        yield (*run.trace, CUT if run.cut else ("left", 0, left)), told
        told = run.next_choices()


def _finish(made: object, run: Run) -> None:
    """Run what a generator or coroutine function made to its end."""
    if isinstance(made, Coroutine):
        with suppress(StopIteration):
            made.send(None)
    elif isinstance(made, Generator):
        with suppress(StopIteration):
            next(made)
            while True:
                _resume(made, run)


def _resume(generator: Generator[object, None, None], run: Run) -> None:
    """Go on after a ``yield``: normally, or by an exception that its consumer throws in."""
    try:
        run.happen("yield")
    except BaseException as error:
        thrown = error
    else:
        next(generator)
        return
    generator.throw(thrown)

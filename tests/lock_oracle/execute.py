"""Runs a program under every sequence of choices, with locks that never block and note what is done to them.

What would end a real run (a release of what is not held, an acquire that blocks on itself) is noted, and the run goes
on as if all were well; what it does after that is marked as *tainted*.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType, FrameType, SimpleNamespace
from typing import Any, NamedTuple

from tests.oracle.execute import CLASSES, Run, _Items, classes_told_apart

from . import HANDLED, NUMBER, SELF_CONTAINED, Program

_MOST_LOCK_EVENTS = 40


class Site(NamedTuple):
    """Where in ``f`` something is done to a lock."""

    line: int
    direct: bool
    """Whether ``f`` does it itself, not a helper."""
    by_with: bool = False


_CALLER = Site(0, direct=False)
"""Where the caller of ``f`` took what it holds."""


@dataclass
class Held:
    """One lock in one run."""

    count: int
    last: str = "untouched"
    """What last became of it: ``untouched``, ``raised``, ``not acquired``, ``released``; as the rules tell it apart."""
    lent: int = 0
    """How often helpers hold it that give it back themselves."""
    took: bool = False
    """Whether the run has acquired it."""
    sites: list[Site] = field(default_factory=list)
    """The acquires that are not released, innermost last."""
    released: Site | None = None
    """The last release by a call in ``f``."""
    far_fetched: bool = False
    """Whether since the last release a call raised what a narrow handler caught."""
    followed: bool = True
    """Whether what becomes of it counts: not after a clean-up failed to take it."""


class BadRelease(NamedTuple):
    """A release of what is not held."""

    lock: str
    site: Site
    leaving: int
    """The line of the ``with`` that is left without its lock, which was released at ``site``; 0 for other releases."""
    last: str
    took: bool
    """Whether the run acquired the lock before."""
    far_fetched: bool
    tainted: bool


class Block(NamedTuple):
    """An acquire of a lock that is held already, by the acquire at ``holder``."""

    lock: str
    site: Site
    holder: Site
    tainted: bool
    interrupted: bool


class Kept(NamedTuple):
    """A lock that is held where the function is left, taken at ``site``."""

    lock: str
    site: Site
    outer: tuple[int, ...]
    """The lines of the acquires around that one that are not released either."""
    raised: bool
    tainted: bool
    interrupted: bool


@dataclass
class Outcomes:
    """What the runs of a program did."""

    bad_releases: set[BadRelease] = field(default_factory=set)
    blocks: set[Block] = field(default_factory=set)
    kept: set[Kept] = field(default_factory=set)
    taken: set[tuple[str, int]] = field(default_factory=set)
    """The locks that ``f`` tries to take, itself or through a helper that leaves it the lock, and on which lines."""
    reached: set[int] = field(default_factory=set)
    """The lines on which some run tries to take a lock, itself or through any helper."""
    waited: set[tuple[str, int]] = field(default_factory=set)
    """Those of them that are calls which come back with the lock."""
    taken_again: set[str] = field(default_factory=set)
    """The locks that it tries to take while they are held."""
    ended: set[tuple[str, Site]] = field(default_factory=set)
    """The acquires that some calm run releases."""
    counts: set[int] = field(default_factory=set)
    """How often locks are held."""
    tainted_releases: set[tuple[str, int]] = field(default_factory=set)
    """Releases by runs that are tainted."""
    ends: dict[str, set[tuple[int, bool]]] = field(default_factory=dict)
    """For each lock how often it is held where the function is left, and whether by an exception."""
    runs: int = 0
    complete: bool = True
    """Whether no run was left out or cut short."""


class Limits(NamedTuple):
    """How far to go."""

    events: int
    raises: int
    runs: int
    raises_when_tainted: int = 0


QUICK = (Limits(events=6, raises=2, runs=200), Limits(events=14, raises=2, runs=500))
THOROUGH = tuple(Limits(events, raises=4, runs=10_000, raises_when_tainted=4) for events in (6, 9, 12, 16, 24))
"""Short runs first: of the long ones of a loop there are too many to have them all."""


class _Run(Run):
    """One run, which raises only so often."""

    def __init__(
        self, told: Sequence[int], limits: Limits, classes: Sequence[type[BaseException]], locks: dict[str, Held]
    ) -> None:
        super().__init__(told, limits.events, classes)
        self.locks = locks
        self.classes = classes
        self.interrupted = False
        self.tainted = False
        self._limits = limits
        self.origin = ""
        self.since: dict[str, bool] = dict.fromkeys(locks, False)
        """Whether an exception was raised since the last release of each lock."""
        self._raises_left = limits.raises
        self._lock_events = _MOST_LOCK_EVENTS

    def taint(self) -> None:
        """Note that a real run would have ended."""
        self.tainted = True
        self._raises_left = min(self._raises_left, self._limits.raises_when_tainted)

    def may_raise(self) -> bool:
        return self._raises_left > 0

    def happen(self, kind: str, number: int = 0) -> str:
        try:
            if self._raises_left > 0:
                return super().happen(kind, number)
            classes, self._classes = self._classes, ()
            try:
                return super().happen(kind, number)
            finally:
                self._classes = classes
        except CLASSES:
            self._raises_left -= 1
            if not sys._getframe(2).f_code.co_name.startswith(HANDLED):
                self.raised("call")
            raise

    def raised(self, origin: str) -> None:
        """Note that an exception is raised, by a call or a statement."""
        self.origin = origin
        for held in self.locks.values():
            held.far_fetched = False
            if held.count == held.lent and held.last == "untouched":
                held.last = "raised"
        self.since = dict.fromkeys(self.locks, True)

    def narrow_handler(self) -> None:
        """Note that a handler of some narrow class is entered."""
        for name, held in self.locks.items():
            held.far_fetched = self.origin == "call" and self.since.get(name, False)

    def interrupt(self) -> bool:
        """Choose whether what waits is interrupted."""
        if self._raises_left <= 0 or self.choose(2) == 0:
            return False
        self._raises_left -= 1
        return True

    def lock_event(self) -> None:
        self._lock_events -= 1
        if self._lock_events < 0:
            self._limit = 0
        self._stop_beyond_the_limit()


class World:
    """What a program sees, forwarding to the current run."""

    def __init__(self, program: Program) -> None:
        self.run = _Run((), QUICK[0], (), {})
        self.outcomes = Outcomes()
        self.awaits = program.awaits
        self.reentrant = {name: program.reentrant and name == program.locks[0] for name in program.locks}
        self._codes: set[CodeType] = set()
        self._unmade = list(program.locks)
        tree = ast.parse(program.text.replace(NUMBER, "0"))
        self.cleanup = cleanup_lines(tree)
        names: dict[str, Any] = {name: getattr(self, name) for name in ("step", "cond", "items", "manager", "value")}
        names.update(suppress=suppress)
        names.update(_raising=self._raising, _narrow=self._narrow)
        names["threading"] = SimpleNamespace(Lock=self._lock, RLock=self._lock)
        names["asyncio"] = SimpleNamespace(Lock=self._async_lock)
        exec(compile(_instrumented(tree), "<program>", "exec", dont_inherit=True), names)
        self.function = names["C0"]().f0 if program.in_class else names["f0"]
        self._code = self.function.__code__

    def site(self) -> Site:
        """Where ``f`` is: called by a method of a lock, which was called by ``f`` or a helper."""
        caller = sys._getframe(3)
        frame: FrameType | None = caller
        while frame is not None and frame.f_code is not self._code:
            frame = frame.f_back
        assert frame is not None
        return Site(frame.f_lineno, frame is caller)

    @staticmethod
    def _stays(site: Site) -> bool:
        """Whether what is done to the lock is left to ``f``: not so in a helper that gives back what it takes."""
        return site.direct or not sys._getframe(3).f_code.co_name.startswith(SELF_CONTAINED)

    # ---- what programs call

    def step(self, number: int) -> int:
        self.run.happen("step", number)
        return 1

    def cond(self, number: int) -> bool:
        return self.run.happen("cond", number) == "true"

    def items(self, number: int) -> _Items:
        self.run.happen("items", number)
        return _Items(self.run, number)

    def manager(self, number: int) -> Any:
        self.run.happen("manager", number)
        return _Manager()

    def value(self, number: int) -> int:
        self.run.happen("value", number)
        return self.run.choose(3)

    def _raising(self) -> None:
        self.run.raised("raise")

    def _narrow(self) -> None:
        self.run.narrow_handler()

    def _lock(self) -> _Lock:
        return _Lock(self, self._unmade.pop(0))

    def _async_lock(self) -> _AsyncLock:
        return _AsyncLock(self, self._unmade.pop(0))

    # ---- what locks do

    def acquire(self, name: str, conditional: bool, entering: bool) -> bool:
        run, held, site = self.run, self.run.locks[name], self.site()
        run.lock_event()
        self.outcomes.reached.add(site.line)
        if self._stays(site):
            self.outcomes.taken.add((name, site.line))
            if not conditional and not entering:
                self.outcomes.waited.add((name, site.line))
            if held.count > 0 and held.followed:
                self.outcomes.taken_again.add(name)
        waits = self.awaits or not entering
        if waits and run.interrupt():
            if site.line in self.cleanup and not entering:
                held.followed = False
            if not entering and held.count == 0 and self._stays(site):
                held.last = "not acquired"
            if not self.awaits:
                run.interrupted = True
            run.raised("call")
            raise KeyboardInterrupt if site.direct or not self.awaits else self._out_of_a_coroutine()
        mine = held.count > 0
        if conditional and self._fails(name, held):
            if held.count == 0:
                held.last = "not acquired"
            return False
        if mine and not self.reentrant[name]:
            uncertain = run.tainted or not held.followed
            self.outcomes.blocks.add(Block(name, site, held.sites[-1], uncertain, run.interrupted))
            run.taint()
            if self._stays(site):
                held.followed = False
        held.count += 1
        self.outcomes.counts.add(held.count)
        if self._stays(site):
            held.took, held.last = True, "untouched"
        else:
            held.lent += 1
        held.sites.append(site._replace(by_with=entering))
        return True

    def _out_of_a_coroutine(self) -> type[BaseException]:
        """Choose what an interrupted helper raises: to the rules, whatever an ``await`` of a coroutine may raise."""
        classes: list[type[BaseException]] = [KeyboardInterrupt, *self.run.classes]
        choice = self.run.choose(len(classes))
        if choice:
            self.run.taint()
        return classes[choice]

    def _fails(self, name: str, held: Held) -> bool:
        """Choose whether a conditional acquire comes back without the lock.

        The holder of a Lock fails unless somebody else gives it back, and the holder of an RLock does not; for the
        other lock of the program the rules know neither. Whether a caller that holds the lock too is meant is what is
        asked in its world, so there it may fail.
        """
        fails = self.run.choose(2) == 1
        if held.count > 0 and held.took and fails == self.reentrant[name]:
            held.followed = False
            self.run.taint()
        return fails

    def release(self, name: str, leaving: bool) -> None:
        run, held, site = self.run, self.run.locks[name], self.site()
        run.lock_event()
        if held.count <= 0:
            if held.followed and (not leaving or held.last == "released"):
                blamed = held.released if leaving and held.released is not None else site
                bad = BadRelease(
                    name, blamed, site.line if leaving else 0, held.last, held.took, held.far_fetched, run.tainted
                )
                self.outcomes.bad_releases.add(bad)
            if held.took or held.last != "untouched":
                run.taint()
            if not leaving and run.may_raise() and run.choose(2):
                run.taint()
                run.raised("call")
                raise RuntimeError
        elif not run.interrupted:
            self.outcomes.ended.add((name, _last(held.sites, leaving)))
        if run.tainted and held.followed:
            self.outcomes.tainted_releases.add((name, site.line))
        held.count -= 1
        self.outcomes.counts.add(held.count)
        if held.sites:
            held.sites.remove(_last(held.sites, leaving))
        if self._stays(site):
            held.last = "released"
            held.far_fetched = False
            run.since[name] = False
        else:
            held.lent -= 1
        if not leaving and self._stays(site):
            held.released = site


def _last(sites: list[Site], leaving: bool) -> Site:
    """The acquire that a release ends: leaving a ``with`` what entering it took, else the last by a call."""
    matching = [site for site in sites if site.by_with == leaving]
    return matching[-1] if matching else sites[-1]


class _Manager:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class _Lock:
    """A lock that only counts."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._world.acquire(self._name, not blocking or timeout >= 0, entering=False)

    def release(self) -> None:
        self._world.release(self._name, leaving=False)

    def __enter__(self) -> None:
        self._world.acquire(self._name, conditional=False, entering=True)

    def __exit__(self, *_: object) -> None:
        self._world.release(self._name, leaving=True)


class _AsyncLock:
    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def acquire(self) -> bool:
        return self._world.acquire(self._name, conditional=False, entering=False)

    def release(self) -> None:
        self._world.release(self._name, leaving=False)

    async def __aenter__(self) -> None:
        self._world.acquire(self._name, conditional=False, entering=True)

    async def __aexit__(self, *_: object) -> None:
        self._world.release(self._name, leaving=True)


# ---- the program, made to tell which exceptions are raised by statements and which handlers are narrow


def _instrumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [part for statement in block for part in _told(statement)])
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not _is_broad(node.type):
            node.body.insert(0, _call("_narrow", node.body[0]))
    return tree


def _told(statement: ast.stmt) -> list[ast.stmt]:
    return [_call("_raising", statement), statement] if isinstance(statement, ast.Raise) else [statement]


def _call(name: str, at: ast.stmt) -> ast.stmt:
    call = ast.Expr(ast.Call(ast.Name(name, ast.Load()), [], []))
    return ast.fix_missing_locations(ast.copy_location(call, at))


def _is_broad(caught: ast.expr | None) -> bool:
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def cleanup_lines(tree: ast.Module) -> set[int]:
    """The lines that stand in a ``finally`` or a handler."""
    return {
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        for block in (node.finalbody, *(handler.body for handler in node.handlers))
        for statement in block
        for inner in ast.walk(statement)
        if isinstance(inner, (ast.stmt, ast.expr))
    }


# ---- all runs


def execute(program: Program, rounds: Sequence[Limits] = QUICK, held: int = 0) -> Outcomes:
    """What the runs of ``program`` do if its caller holds each lock ``held`` times."""
    world = World(program)
    classes = classes_told_apart(program.text)
    for limits in rounds:
        world.outcomes.complete = True
        _round(world, program, limits, classes, held)
        if world.outcomes.complete:
            break
    return world.outcomes


def _round(world: World, program: Program, limits: Limits, classes: Sequence[type[BaseException]], held: int) -> None:
    """All runs within ``limits``, or as many of them as it allows."""
    told: list[int] | None = []
    left = limits.runs
    while told is not None:
        if left <= 0:
            world.outcomes.complete = False
            return
        left -= 1
        locks = {name: Held(held, sites=[_CALLER] * held) for name in program.locks}
        world.run = run = _Run(told, limits, classes, locks)
        _finish(world, run, program.params)
        world.outcomes.runs += 1
        told = run.next_choices()


def _finish(world: World, run: _Run, params: int) -> None:
    arguments = [run.choose(2) == 0 for _ in range(params)]
    raised = False
    try:
        made = world.function(*arguments)
        if world.awaits:
            with suppress(StopIteration):
                made.send(None)
    except BaseException:
        raised = True
    if run.cut:
        world.outcomes.complete = False
        return
    for name, held in run.locks.items():
        if held.followed:
            world.outcomes.ends.setdefault(name, set()).add((held.count, raised))
        if held.count > 0 and held.followed:
            *outer, site = held.sites
            lines = tuple(sorted({other.line for other in outer if other.direct and not other.by_with}))
            world.outcomes.kept.add(Kept(name, site, lines, raised, run.tainted, run.interrupted))

"""From what runs do to what the rules have to say, and what they are free to say.

Everything the rules keep quiet about on purpose (the "When it stays silent" of their pages, and the Boundaries between
them) is here, each with its reason, and nowhere else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from . import BAD_RELEASE, LEAK, NUMBER, SELF_CONTAINED, SELF_DEADLOCK, Program
from .execute import BadRelease, Kept, Limits, Outcomes, cleanup_lines, execute

_FLAGS = {"got", "flag", "p", "q"}
_TAKES = ("acquire", "grab", "take")
_MATTERS = (*_TAKES, "release", "drop", "give", "attempt")
_NOT_HELD_ERRORS = {"RuntimeError", "ValueError", "AssertionError", "Exception", "BaseException"}


class Verdict(NamedTuple):
    """Of one rule on one program: the lines of ``f`` that have to be reported, and those that may be."""

    must: frozenset[int]
    may: frozenset[int]
    some: frozenset[frozenset[int]] = frozenset()
    """Lines of which one at least has to be reported."""


class Judge:
    """What the rules should say of one program."""

    def __init__(self, program: Program, rounds: Sequence[Limits]) -> None:
        self.program = program
        self.outcomes = execute(program, rounds)
        self._rounds = rounds
        self._held: Outcomes | None = None
        self._callers: dict[str, bool] = {}
        self._tree = ast.parse(program.text.replace(NUMBER, "0"))
        self._function = _without_nested(self._tree)
        self._parents = {child: node for node in ast.walk(self._tree) for child in ast.iter_child_nodes(node)}
        self._statements = {node.lineno: node for node in ast.walk(self._tree) if isinstance(node, ast.stmt)}
        self._cleanup = cleanup_lines(self._tree)

    def verdicts(self) -> dict[str, Verdict]:
        return {
            LEAK: _verdict(self._leaks()),
            BAD_RELEASE: _verdict(self._bad_releases(), self._left_without()),
            SELF_DEADLOCK: _verdict(self._blocks()),
        }

    # ---- CNC101

    def _leaks(self) -> tuple[set[int], set[int]]:
        must: set[int] = set()
        may: set[int] = set()
        for kept in self.outcomes.kept:
            if kept.interrupted:
                continue  # Ctrl-C while another acquire waits: no code can be written against that
            may |= set(kept.outer)  # one finding is enough where several acquires of an RLock are kept
            if kept.tainted:
                may |= {line for name, line in self.outcomes.taken if name == kept.lock}
            elif not kept.site.direct or kept.site.by_with:
                continue  # a helper took it: whether it should have been kept is the caller's to say
            elif not self._has_other_half(kept.lock) or self._is_kept_by_failure_only(kept):
                must.add(kept.site.line)
            else:
                may.add(kept.site.line)  # kept on purpose, for the function that gives it back?
        for block in self.outcomes.blocks:
            if block.site == block.holder and block.site.direct and not block.interrupted:
                may.add(block.site.line)  # a loop that comes back to its acquire: CNC101 says it, or CNC106
        return must, may

    def _has_other_half(self, lock: str) -> bool:
        """Whether another function releases the lock for this one: then the two may be halves of a protocol."""
        text = f"{lock}.release()"
        return any(
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.name.startswith("give")
            and text.replace(NUMBER, "0") in ast.unparse(node)
            for node in ast.walk(self._tree)
        )

    def _is_kept_by_failure_only(self, kept: Kept) -> bool:
        """Whether ``f`` itself releases what it took, but for exceptions."""
        normally = (other.site for other in self.outcomes.kept if other.lock == kept.lock and not other.raised)
        return kept.raised and (kept.lock, kept.site) in self.outcomes.ended and kept.site not in normally

    # ---- CNC105

    def _bad_releases(self) -> tuple[set[int], set[int]]:
        must: set[int] = set()
        may: set[int] = set()
        for bad in self.outcomes.bad_releases:
            if not bad.site.direct or self._is_on_purpose(bad):
                continue
            if bad.last == "released" and bad.far_fetched:
                continue  # some call between the two would have to raise just what a narrow handler names
            if not self._takes(bad.lock) or self._is_tolerated(bad):
                continue
            if bad.tainted or not self._reaches(bad.lock):
                may.add(bad.site.line)
            elif not self._caller_holds(bad.lock):
                (may if bad.leaving else must).add(bad.site.line)
        if must:  # what comes after a release that raises is no path, but is followed
            may |= {line for _, line in self.outcomes.tainted_releases}
        return must, may

    @property
    def is_beyond_counting(self) -> bool:
        """Whether some lock is held more or less often than the rules count: from two below the start to three."""
        counts = self.outcomes.counts | (set() if self._held is None else self._held.counts)
        return not counts <= {-2, -1, 0, 1, 2, 3}

    def _left_without(self) -> set[frozenset[int]]:
        """The releases inside each ``with`` that is left without its lock: one of them is told, for all."""
        groups: dict[int, set[int]] = {}
        for bad in self.outcomes.bad_releases:
            if bad.leaving and not (bad.tainted or bad.far_fetched or self._is_on_purpose(bad)):
                if not (self._is_tolerated(bad) or self._caller_holds(bad.lock)):
                    groups.setdefault(bad.leaving, set()).add(bad.site.line if bad.site.direct else 0)
        return {frozenset(lines) for lines in groups.values() if 0 not in lines}

    def _is_on_purpose(self, bad: BadRelease) -> bool:
        """Whether the run did nothing to the lock before: a function that releases what its caller holds.

        Where it had raised by then, a clean-up was to release what it thought it held.
        """
        if bad.last == "untouched":
            return True
        if bad.last == "raised":
            return bad.site.line not in self._cleanup
        return bad.last == "released" and not bad.took

    def _takes(self, lock: str) -> bool:
        """Whether the function takes the lock anywhere; one that only releases does so for its caller."""
        return _takes(self._function, lock) or self._reaches(lock)

    def _reaches(self, lock: str) -> bool:
        """Whether some run takes the lock; that one is written which none reaches need not be noticed."""
        return any(name == lock for name, _ in self.outcomes.taken)

    def _caller_holds(self, lock: str) -> bool:
        """Whether all goes well if the caller holds the lock: then the function drops it, for a while or for good."""
        if lock not in self._callers:
            self._callers[lock] = self._goes_well(lock)
        return self._callers[lock]

    def _goes_well(self, lock: str) -> bool:
        if self._held is None:
            self._held = execute(self.program, self._rounds, held=1)
        outcomes = self._held
        if any(bad.lock == lock and not self._is_on_purpose(bad) for bad in outcomes.bad_releases):
            return False
        if lock in outcomes.taken_again and not self._is_reentrant(lock):
            return False
        ends = outcomes.ends.get(lock, set())
        if self._is_reentrant(lock) and {count for count, raised in ends if not raised} == {0}:
            return True
        return len({count for count, _ in ends}) <= 1

    def _is_reentrant(self, lock: str) -> bool:
        return self.program.reentrant and lock == self.program.locks[0]

    def _is_tolerated(self, bad: BadRelease) -> bool:
        """Whether the code reckons with the error.

        ``try: lock.release() except RuntimeError: pass``, ``with suppress(RuntimeError): lock.release()``, and ``try:
        lock.acquire() except: lock.release(); raise``, for an exception that arrives right after the lock did.
        """
        statement = self._statements[bad.site.line]
        parent = self._parents[statement]
        if isinstance(parent, ast.ExceptHandler):
            guarded = self._parents[parent]
            if isinstance(guarded, ast.Try) and len(guarded.body) == 1:
                if (bad.lock, guarded.body[0].lineno) in self.outcomes.waited:
                    return True
        if isinstance(parent, ast.With) and parent.body == [statement]:
            return any(not _NOT_HELD_ERRORS.isdisjoint(_suppressed(item.context_expr)) for item in parent.items)
        return (
            isinstance(parent, ast.Try)
            and parent.body == [statement]
            and any(not _NOT_HELD_ERRORS.isdisjoint(_caught(handler)) for handler in parent.handlers)
        )

    # ---- CNC106

    def _blocks(self) -> tuple[set[int], set[int]]:
        must: set[int] = set()
        may: set[int] = set()
        for block in self.outcomes.blocks:
            is_certain = not (block.tainted or block.interrupted or block.site == block.holder)
            if not re.search(rf"(with .*|\b){re.escape(block.lock)}[.:]", self.program.text):
                is_certain = False  # only ever handed to others: which kind of lock it is, is not looked for
            (must if is_certain else may).add(block.site.line)
        return must, may | self._behind_flags() | self._unreached()

    def _unreached(self) -> set[int]:
        """Lines in a ``with`` on a lock that no run comes to: what a ``with`` holds is its body, reachable or not."""
        lines: set[int] = set()
        for node in ast.walk(self._tree):
            if isinstance(node, (ast.With, ast.AsyncWith)) and node.lineno > self.program.first_line:
                if any(not isinstance(item.context_expr, ast.Call) for item in node.items):
                    inside = [inner for statement in node.body for inner in ast.walk(statement)]
                    lines |= {inner.lineno for inner in inside if isinstance(inner, (ast.With, ast.AsyncWith))}
                    calls = (inner for inner in inside if isinstance(inner, ast.Call))
                    lines |= {call.lineno for call in calls if _called(call).startswith((*SELF_CONTAINED, *_TAKES))}
        return lines - self.outcomes.reached

    def _behind_flags(self) -> set[int]:
        """Calls of self-contained helpers behind a flag that decides over nothing else: it is not followed then."""
        lines: set[int] = set()
        for node in ast.walk(self._tree):
            if isinstance(node, (ast.If, ast.While)) and not _names(node.test).isdisjoint(_FLAGS):
                calls = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]
                helpers = [call for call in calls if _called(call).startswith(SELF_CONTAINED)]
                others = (call for call in calls if call not in helpers)
                if not any(_called(call).startswith(_MATTERS) for call in others):
                    lines |= {call.lineno for call in helpers}
        return lines


def _verdict(lines: tuple[set[int], set[int]], some: AbstractSet[frozenset[int]] = frozenset()) -> Verdict:
    must, may = lines
    return Verdict(frozenset(must), frozenset(may - must), frozenset(some))


def _without_nested(tree: ast.Module) -> str:
    """The text of ``f`` without the functions inside it."""
    function = next(node for node in ast.walk(tree) if getattr(node, "name", "") == "f0")
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    body = (statement for statement in function.body if not hasattr(statement, "decorator_list"))
    return "\n".join(map(ast.unparse, body))


def _takes(text: str, lock: str) -> bool:
    name = re.escape(lock.replace(NUMBER, "0"))
    return re.search(rf"{name}\.acquire\b|with .*{name}:", text) is not None


def _names(expr: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expr) if isinstance(node, ast.Name)}


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _caught(handler: ast.ExceptHandler) -> set[str]:
    return {"BaseException"} if handler.type is None else {ast.unparse(handler.type)}


def _suppressed(context: ast.expr) -> set[str]:
    if not isinstance(context, ast.Call) or _called(context) != "suppress":
        return set()
    return {ast.unparse(error) for error in context.args}

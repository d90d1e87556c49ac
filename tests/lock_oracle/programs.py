"""Small functions that take and give back locks, made by whoever chooses.

A *pick* chooses one of so many things, the first of them the simplest, so that both Hypothesis and a plain random
generator can drive. Every condition is a call of its own, a parameter or a flag, so that what looks possible in the
flow graph is possible.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import NamedTuple

from . import NUMBER, Program

Pick = Callable[[int], int]
Lines = list[str]

_NARROW = ("ValueError", "KeyError", "OSError")
_MOST_DEPTH = 3

_HELPERS = {
    "use": "with {lock}:\n    step(91)",
    "work": "{lock}.acquire()\ntry:\n    step(92)\nfinally:\n    {lock}.release()",
    "take": "{lock}.acquire()",
    "attempt": "return {lock}.acquire(False)",
    "give": "{lock}.release()",
    "fail": "step(95)\nraise ValueError",
    "may_fail": "step(93)",
    "quiet": "x = 1",
    "caught": "try:\n    step(94)\nexcept BaseException:\n    pass",
}
_HARMLESS = ("quiet", "may_fail", "fail", "caught")
_OF_A_LOCK = ("use", "work", "take", "give")


class _Around(NamedTuple):
    """What surrounds a block."""

    depth: int = 0
    loop: bool = False
    handler: bool = False
    """Whether it is an exception handler, in which a bare ``raise`` means something."""
    told_apart: bool = False
    """Whether handlers or ``suppress`` further out tell classes apart.

    Which class a bare ``raise`` raises again is more than the flow graph remembers.
    """

    def inner(self, **changes: bool) -> _Around:
        return self._replace(depth=self.depth + 1, **changes)


def make(pick: Pick) -> Program:
    """A program."""
    return _Maker(pick).program()


class _Maker:
    def __init__(self, pick: Pick) -> None:
        self._pick = pick
        self._number = 0
        self._narrow = list(_NARROW)
        self._helpers: dict[str, str] = {}
        self._helpers_of: dict[str, str] = {}
        """Those that are given the lock."""
        self._nested: dict[str, str] = {}
        self._flags: set[str] = set()
        self._params: set[str] = set()
        self._aliases: dict[str, str] = {}
        self.reentrant = self.awaits = self.in_class = False
        self._locks: tuple[str, ...] = ()
        self._left = 0

    def program(self) -> Program:
        kind = self._one(("Lock", "Lock", "RLock", "asyncio"))
        self.reentrant, self.awaits = kind == "RLock", kind == "asyncio"
        self.in_class = self._chance(3)
        names = [f"lock{NUMBER}", f"other{NUMBER}"][: 2 if self._chance(3) else 1]
        self._locks = tuple(f"self.{name}" if self.in_class else name for name in names)
        self._left = 3 + self._pick(7)
        body = self._block(_Around())
        while self._left > 0 and self._pick(3) and not _leaves(body):
            body += self._statement(_Around())
        return self._rendered(body)

    # ---- choosing

    def _one(self, choices: tuple[str, ...]) -> str:
        return choices[self._pick(len(choices))]

    def _chance(self, one_in: int) -> bool:
        return self._pick(one_in) == one_in - 1

    def _lock(self) -> str:
        return self._locks[1 if len(self._locks) > 1 and self._chance(3) else 0]

    def _numbered(self, name: str) -> str:
        self._number += 1
        return f"{name}({self._number})"

    def _flag(self) -> str:
        flag = self._one(("got", "flag"))
        self._flags.add(flag)
        return flag

    # ---- statements

    def _block(self, around: _Around) -> Lines:
        lines = self._statement(around)
        while self._left > 0 and self._chance(2) and not _leaves(lines):
            lines += self._statement(around)
        return lines

    def _statement(self, around: _Around) -> Lines:
        self._left -= 1
        plain = (self._step, self._acquire, self._release, self._leave, self._call, self._raise, self._set)
        if around.depth >= _MOST_DEPTH or self._left <= 0:
            return plain[self._pick(len(plain))](around)
        nesting = (self._protected, self._if, self._try, self._with, self._attempted, self._loop, self._flagged)
        makers = (*plain[:4], *nesting[:4], *plain[4:], *nesting[4:], self._restored, self._match)
        return makers[self._pick(len(makers))](around)

    def _step(self, around: _Around) -> Lines:
        return [self._one((self._numbered("step"), "pass", f"assert {self._numbered('cond')}"))]

    def _take(self, lock: str) -> Lines:
        called = f"{lock}.acquire"
        if self._chance(6):
            called = self._alias("grab", called)
        return [f"await {called}()" if self.awaits else f"{called}()"]

    def _give(self, lock: str) -> Lines:
        called = f"{lock}.release"
        if self._chance(6):
            called = self._alias("drop", called)
        return [f"{called}()"]

    def _alias(self, word: str, value: str) -> str:
        name = word + ("" if value.startswith(self._locks[0]) else "_other")
        self._aliases[name] = value
        return name

    def _acquire(self, around: _Around) -> Lines:
        return self._take(self._lock())

    def _release(self, around: _Around) -> Lines:
        return self._give(self._lock())

    def _leave(self, around: _Around) -> Lines:
        ways = ["return", f"return {self._numbered('step')}"]
        if around.loop:
            ways = ["break", "continue", *ways]
        return [self._one(tuple(ways))]

    def _raise(self, around: _Around) -> Lines:
        ways: tuple[str, ...] = ("raise KeyError", "raise ValueError", "raise KeyboardInterrupt", "raise RuntimeError")
        if around.handler and not around.told_apart:
            ways = ("raise", "raise", *ways)
        return [self._one(ways)]

    def _set(self, around: _Around) -> Lines:
        return [f"{self._flag()} = {self._one(('True', 'False'))}"]

    def _call(self, around: _Around) -> Lines:
        if self._chance(2):
            return [self._helper(self._one(_HARMLESS), self._locks[0]) + "()"]
        name = self._one(_OF_A_LOCK if not self.awaits else ("give", "use", "work", "take"))
        lock = self._lock()
        if name in ("take", "give") and not self.awaits and self._chance(3):
            full = f"{name}_of{NUMBER}"
            self._helpers_of[full] = f"def {full}(lock):\n    {_HELPERS[name].format(lock='lock')}\n"
            return [f"{full}({lock})"]
        call = self._helper(name, lock) + "()"
        return [f"await {call}" if self.awaits and name != "give" else call]

    def _helper(self, name: str, lock: str) -> str:
        """What to call to run the helper ``name`` on ``lock``, which is defined by this."""
        body = _HELPERS[name].format(lock=lock)
        awaits = self.awaits and name in _OF_A_LOCK and name != "give"
        if awaits:
            body = body.replace(f"{lock}.acquire", f"await {lock}.acquire").replace("with ", "async with ")
        define = "async def" if awaits else "def"
        suffix = "" if lock == self._locks[0] else "_other"
        if self._chance(5):
            self._nested[name + suffix] = f"{define} {name}{suffix}():\n{_indented(body)}"
            return name + suffix
        full = f"{name}{suffix}{NUMBER}"
        parameter = "self" if self.in_class else ""
        self._helpers[full] = f"{define} {full}({parameter}):\n{_indented(body)}\n"
        return f"self.{full}" if self.in_class else full

    def _try_acquire(self) -> str:
        lock = self._lock()
        spelled = (f"{lock}.acquire(False)", f"{lock}.acquire(timeout=1)", f"{lock}.acquire(blocking=False)", "")
        return self._one(spelled) or self._helper("attempt", lock) + "()"

    def _condition(self, *, loop: bool = False) -> str:
        which = self._pick(8 if not self.awaits else 4)
        if which == 0:
            return self._numbered("cond")
        if which < 4:
            parameter = which == 3 and not loop  # a loop on a parameter never ends
            tested = self._one(("p", "q")) if parameter else self._flag()
            if parameter:
                self._params.add(tested)
            return self._one(("", "not ")) + tested + self._one(("", "", " is True", " is False"))
        attempt = self._try_acquire()
        if which == 4:
            return attempt
        if which == 5:
            return f"not {attempt}"
        if which == 6:
            return f"({self._flag()} := {attempt})"
        cond = self._numbered("cond")
        return self._one((f"{cond} and {attempt}", f"{attempt} and {cond}", f"not {attempt} or {cond}"))

    # ---- compound statements

    def _if(self, around: _Around) -> Lines:
        inner = around.inner()
        lines = [f"if {self._condition()}:", *_in(self._block(inner))]
        if self._chance(2):
            lines += ["else:", *_in(self._block(inner))]
        return lines

    def _match(self, around: _Around) -> Lines:
        first, rest = self._block(around.inner()), self._block(around.inner())
        cases = ["case 1:", *_in(first), "case _:" if self._chance(2) else "case 2:", *_in(rest)]
        return [f"match {self._numbered('value')}:", *_in(cases)]

    def _loop(self, around: _Around) -> Lines:
        inner = around.inner(loop=True)
        which = self._pick(4)
        if which == 0:
            lines = [f"for x in {self._numbered('items')}:", *_in(self._block(inner))]
        elif which == 1:
            lines = [f"while {self._numbered('cond')}:", *_in(self._block(inner))]
        elif which == 2:
            test = self._condition(loop=True)
            if "got" in test or "flag" in test:  # it must be able to end, whatever becomes of the flag
                test = f"{self._numbered('cond')} and ({test})"
            lines = [f"while {test}:", *_in([self._numbered("step"), *self._block(inner)])]
        else:
            return ["while True:", *_in([self._numbered("step"), *self._block(inner)])]
        if self._chance(4):
            lines += ["else:", *_in(self._block(around.inner()))]
        return lines

    def _class(self) -> str:
        """A class to catch: broad, or a narrow one that no other handler of the function names.

        Of an exception that a narrow handler let pass the flow graph does not remember what it is not.
        """
        which = self._pick(4)
        if which == 3 and self._narrow:
            return self._narrow.pop()
        return ("Exception", "BaseException", "")[which % 3]

    def _try(self, around: _Around) -> Lines:
        has_final = self._chance(2)
        classes = [self._class()] if not has_final or self._chance(2) else []
        if classes and classes[0] in _NARROW and self._chance(2):
            classes.append(self._class())
        apart = around.told_apart or any(name not in ("", "BaseException") for name in classes)
        lines = ["try:", *_in(self._block(around.inner(told_apart=apart)))]
        handler = around.inner(handler=True)
        for name in classes:
            if name in _NARROW:
                handler = handler._replace(told_apart=True)  # raised again it is some Exception
            lines += [f"except {name}:".replace(" :", ":"), *_in(self._block(handler))]
        if classes and self._chance(3):
            lines += ["else:", *_in(self._block(around.inner()))]
        if has_final:
            lines += ["finally:", *_in(self._block(around.inner(handler=False)))]
        return lines

    def _with(self, around: _Around) -> Lines:
        which = self._pick(4)
        inner = around.inner()
        if which == 3:
            name = self._class() or "BaseException"
            return [f"with suppress({name}):", *_in(self._block(inner._replace(told_apart=True)))]
        lock = self._lock()
        items = {0: f"with {lock}:", 1: f"with {lock}:", 2: f"with manager({self._pick(9)}), {lock}:"}[which]
        if self.awaits:
            items = f"async with {lock}:"
        elif which == 2 and self._chance(2):
            items = f"with {self._numbered('manager')}:"
        return [items, *_in(self._block(inner))]

    # ---- what people write

    def _finally_release(self, lock: str, around: _Around) -> Lines:
        body = _in(self._block(around.inner()))
        if self._chance(4):
            caught = ["except BaseException:", *_in([*self._give(lock), "raise"]), "else:", *_in(self._give(lock))]
            return (
                ["try:", *body, *caught]
                if not around.told_apart
                else ["try:", *body, "finally:", *_in(self._give(lock))]
            )
        return ["try:", *body, "finally:", *_in(self._give(lock))]

    def _protected(self, around: _Around) -> Lines:
        lock = self._lock()
        return [*self._take(lock), *self._finally_release(lock, around)]

    def _attempted(self, around: _Around) -> Lines:
        if self.awaits:
            return self._protected(around)
        lock = self._lock()
        which = self._pick(5)
        attempt = f"{lock}.acquire(False)"
        if which == 0:
            return [f"if {attempt}:", *_in(self._finally_release(lock, around.inner()))]
        if which == 1:
            return [f"if not {attempt}:", *_in(["return"]), *self._finally_release(lock, around)]
        if which == 2:
            self._number += 1
            return [f"while not {attempt}:", f"    step({self._number})", *self._finally_release(lock, around)]
        flag = self._flag()
        if which == 3:
            fails = f"if not {flag}: " + self._one((self._helper("fail", lock) + "()", "raise KeyError"))
            missed = self._one((f"assert {flag}", f"if not {flag}: return", fails))
            return [
                f"{flag} = {attempt}",
                *missed.replace(": ", ":\n    ").split("\n"),
                *self._finally_release(lock, around),
            ]
        body = _in(self._block(around.inner()))
        return [f"{flag} = {attempt}", "try:", *body, "finally:", f"    if {flag}:", *_in(_in(self._give(lock)))]

    def _flagged(self, around: _Around) -> Lines:
        lock, flag = self._lock(), self._flag()
        body = _in([*self._take(lock), f"{flag} = True", *self._block(around.inner())])
        release = ["finally:", f"    if {flag}:", *_in(_in(self._give(lock)))]
        return [f"{flag} = False", "try:", *body, *release]

    def _restored(self, around: _Around) -> Lines:
        """A lock given back for a while."""
        lock = self._lock()
        body = _in(self._block(around.inner()))
        return [*self._give(lock), "try:", *body, "finally:", *_in(self._take(lock))]

    # ---- rendering

    def _rendered(self, body: Lines) -> Program:
        setup = [f"{flag} = False" for flag in sorted(self._flags)]
        setup += [f"{name} = {value}" for name, value in sorted(self._aliases.items())]
        nested = _lines(self._nested)
        params = sorted(self._params)
        kind = "asyncio.Lock()" if self.awaits else "threading.RLock()" if self.reentrant else "threading.Lock()"
        made = [kind, "asyncio.Lock()" if self.awaits else "threading.Lock()"]
        assigned = [f"{name} = {value}" for name, value in zip(self._locks, made, strict=False)]
        helpers = _lines(self._helpers)
        define = "async def" if self.awaits else "def"
        signature = ", ".join(["self", *params] if self.in_class else params)
        function = [f"{define} f{NUMBER}({signature}):", *_in([*nested, *setup, *body]), ""]
        if self.in_class:
            before = [
                *_lines(self._helpers_of),
                f"class C{NUMBER}:",
                "    def __init__(self):",
                *_in(_in(assigned)),
                "",
                *_in(helpers),
            ]
            function = _in(function)
        else:
            before = [*assigned, "", *_lines(self._helpers_of), *helpers]
        return Program(
            "\n".join(line.rstrip() for line in (*before, *function)),
            len(before) + 1,
            self._locks,
            self.reentrant,
            self.awaits,
            self.in_class,
            len(params),
        )


def _in(lines: Lines) -> Lines:
    return ["    " + line for line in lines]


def _lines(texts: dict[str, str]) -> Lines:
    return [line for text in texts.values() for line in text.split("\n")]


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _leaves(lines: Lines) -> bool:
    """Whether the block ends by leaving, so that nothing after it would ever run."""
    last = lines[-1]
    return last.startswith(("return", "raise", "break", "continue"))

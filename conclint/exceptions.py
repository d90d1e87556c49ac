"""Which handler catches what: the exception classes that the flow graph tells apart.

What flies is one of: ``ANY`` (nothing is known), ``BASE`` (a BaseException that is no Exception), ``EXCEPTION`` (some
Exception), or the exact name of a builtin class (``raise ValueError``).
"""

from __future__ import annotations

import builtins
from enum import Enum, auto

from . import syntax as s
from .kinds import External, LocalClass
from .names import Names
from .scopes import BindingKind

ANY = "any"
BASE = "base"
EXCEPTION = "exception"

_BASE_ONLY = frozenset(
    {"KeyboardInterrupt", "SystemExit", "GeneratorExit", "asyncio.CancelledError", "asyncio.exceptions.CancelledError"}
)


class Caught(Enum):
    """What a handler does to what flies."""

    YES = auto()
    MAYBE = auto()
    NO = auto()


class ExceptionClasses:
    """Resolves the classes named by ``raise`` and ``except``."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def handled(self, handler_type: s.Expr | None) -> list[str | None]:
        """The classes a handler names; ``BaseException`` for a bare ``except``; ``None`` for one not known."""
        if handler_type is None:
            return ["BaseException"]
        if isinstance(handler_type, s.Display):
            return [name for element in handler_type.elements for name in self.handled(element)]
        if isinstance(handler_type, s.Name):
            found = self._names.scopes.lookup(handler_type.id, handler_type)
            if found is not None and len(found[1]) == 1:
                binding = found[1][0]
                if binding.kind is BindingKind.ASSIGN and isinstance(binding.value, s.Display):
                    return self.handled(binding.value)
        for kind in self._names.kinds(handler_type):
            if isinstance(kind, External):
                name = kind.name.removeprefix("builtins.")
                return [name if _builtin(name) or name in _BASE_ONLY else None]
            if isinstance(kind, LocalClass):
                return [None]
        return [None]

    def swallowed(self, context: s.Expr) -> list[str | None]:
        """The exceptions that leaving ``with context`` swallows: ``suppress(...)``, ``pytest.raises(...)``."""
        if not isinstance(context, s.Call):
            return []
        if self._names.qualified(context.func) in self._names.catalog.calls["suppressors"]:
            return [handled for argument in context.args for handled in self.handled(argument.value)]
        if isinstance(context.func, s.Attribute) and context.func.attr in ("assertRaises", "assertRaisesRegex"):
            first = context.positional(0)
            return [] if first is None else self.handled(first)
        return []

    def is_broad(self, handler_type: s.Expr | None) -> bool:
        """Whether the handler catches every Exception."""
        return any(name in ("Exception", "BaseException") for name in self.handled(handler_type))

    def raised(self, exc: s.Expr | None, context: str) -> str:
        """What ``raise exc`` throws; ``context`` is what a bare ``raise`` would throw again."""
        if exc is None:
            return context
        made = exc.func if isinstance(exc, s.Call) else exc
        for kind in self._names.kinds(made):
            if isinstance(kind, External):
                name = kind.name.removeprefix("builtins.")
                if _builtin(name):
                    return name
                return BASE if name in _BASE_ONLY else EXCEPTION
            if isinstance(kind, LocalClass):
                bases = [base for info in self._names.mro(kind.node) for base in info.external_bases]
                base_only = [b for b in bases if b.removeprefix("builtins.") in ("BaseException", *_BASE_ONLY)]
                return BASE if base_only else EXCEPTION
        return EXCEPTION if isinstance(exc, s.Call) else ANY

    @staticmethod
    def rethrown(handled: list[str | None]) -> str:
        """What a bare ``raise`` in a handler of these classes throws."""
        if "BaseException" in handled:
            return ANY
        if any(name in _BASE_ONLY for name in handled):
            return BASE if all(name in _BASE_ONLY for name in handled) else ANY
        return EXCEPTION

    @staticmethod
    def catches(flying: str, handled: list[str | None]) -> Caught:
        """Whether a handler of ``handled`` catches what flies."""
        best = Caught.NO
        for name in handled:
            verdict = _catches(flying, name)
            if verdict is Caught.YES:
                return verdict
            if verdict is Caught.MAYBE:
                best = verdict
        return best

    @staticmethod
    def rest(flying: str, handled: list[str | None]) -> str:
        """What may still fly past a handler that may have caught ``flying``."""
        return BASE if flying == ANY and "Exception" in handled else flying


def _builtin(name: str) -> type[BaseException] | None:
    found = getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _catches(flying: str, name: str | None) -> Caught:
    if name == "BaseException":
        return Caught.YES
    if flying == ANY:
        return Caught.MAYBE
    if flying == BASE:
        cls = _builtin(name) if name else None
        return Caught.NO if cls is not None and issubclass(cls, Exception) else Caught.MAYBE
    if flying == EXCEPTION:
        if name == "Exception":
            return Caught.YES
        return Caught.NO if name in _BASE_ONLY else Caught.MAYBE
    thrown = _builtin(flying)
    cls = _builtin(name) if name else None
    if thrown is None or cls is None:
        return Caught.NO if name in _BASE_ONLY else Caught.MAYBE
    return Caught.YES if issubclass(thrown, cls) else Caught.NO

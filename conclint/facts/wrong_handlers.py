"""Handlers for the exception of another library than the one whose function they stand round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Union

from .. import syntax as s
from ..catalog import Meaning
from ..cfg import Level
from ..kinds import External, Instance, LocalClass
from ..scopes import BindingKind
from .flow import Flow

Block = Union[s.Try, s.With]
Version = tuple[int, int]

_TIMEOUT = "timeout"
_CANCELLED = "cancelled"


class Raiser(NamedTuple):
    """Something in a ``try`` that raises an exception which another one is often taken for."""

    node: s.Expr
    """The call, or what is awaited."""
    meaning: Meaning
    waits: bool
    """Whether it waits instead, so that nothing of the kind is raised: ``await queue.get()``."""


class WrongHandler(NamedTuple):
    """A handler that its author meant for ``raiser``, which raises something else."""

    named: s.Expr
    """The class that the handler names."""
    handled: Meaning
    raiser: Raiser
    right: str
    """The class that is raised, as one writes it."""
    until: Version | None
    """The version from which on the two are one class, ``None`` where they never are."""


class WrongHandlers:
    """Finds them, for code that runs on some versions of Python."""

    def __init__(self, flow: Flow, versions: tuple[Version, ...]) -> None:
        self._flow = flow
        self._names = flow.names
        self._catalog = flow.names.catalog
        self._oldest = min(versions)

    def found(self) -> Iterator[WrongHandler]:
        """Every class of a handler that lets pass what is raised under it, where no other handler there is for that."""
        blocks: list[Block] = [*self._names.module.all(s.Try), *self._names.module.all(s.With)]
        for block in blocks:
            named = list(self._named(block))
            handled = [(expr, meaning) for expr, meaning in named if meaning is not None]
            if not handled or any(self._is_unknown(expr) for expr, _ in named):
                continue
            raisers = list(self._raisers(block))
            for expr, meaning in handled:
                raiser = self._let_pass(meaning, raisers, [meaning for _, meaning in handled])
                if raiser is not None and self._is_meant_for(raiser, block, named, raisers, meaning):
                    right = self._right(raiser.meaning)
                    yield WrongHandler(expr, meaning, raiser, right, self._one_class_from(meaning, raiser.meaning))

    # ---- handlers

    def _named(self, block: Block) -> Iterator[tuple[s.Expr, Meaning | None]]:
        """The classes that the handlers of ``block`` name, in order, with what they say."""
        types: list[s.Expr] = []
        if isinstance(block, s.Try):
            types = [handler.type for handler in block.handlers if handler.type is not None]
        else:
            for item in block.items:
                if isinstance(item.context, s.Call) and self._names.is_call_of(item.context, {"contextlib.suppress"}):
                    types += [argument.value for argument in item.context.args]
        for expr in types:
            for part in self._parts(expr):
                yield part, self._meaning(part)

    def _parts(self, expr: s.Expr) -> Iterator[s.Expr]:
        if isinstance(expr, s.Name):
            found = self._names.scopes.lookup(expr.id, expr)
            if found is not None and len(found[1]) == 1 and found[1][0].kind is BindingKind.ASSIGN:
                value = found[1][0].value
                if isinstance(value, s.Display):
                    expr = value
        if isinstance(expr, s.Display):
            for element in expr.elements:
                yield from self._parts(element)
        else:
            yield expr

    def _meaning(self, expr: s.Expr) -> Meaning | None:
        kinds = self._names.kinds(expr)
        if len(kinds) == 1 and isinstance(kinds[0], External):
            return self._catalog.meanings.get(kinds[0].name)
        return None

    def _is_unknown(self, expr: s.Expr) -> bool:
        """Whether a handler's class may be any: it has no name, or several."""
        kinds = self._names.kinds(expr)
        return len(kinds) != 1 or not isinstance(kinds[0], (External, LocalClass))

    # ---- what is raised

    def _raisers(self, block: Block) -> Iterator[Raiser]:
        for node in self._body(block):
            if isinstance(node, s.Call):
                yield from self._raised_by(node)
            elif isinstance(node, s.Await):
                for kind in self._names.kinds(node.value):
                    if isinstance(kind, Instance) and kind.type.name in ("asyncio.Task", "asyncio.Future"):
                        yield Raiser(node, Meaning(_CANCELLED, "asyncio"), False)
                        break

    def _raised_by(self, call: s.Call) -> Iterator[Raiser]:
        raised = self._catalog.raised_by.get(self._names.qualified(call.func) or "")
        if raised is None or call.has_star:
            return
        is_awaited = isinstance(self._flow.outcome(call), s.Await)
        for meaning in raised.meanings:
            if meaning.says == _TIMEOUT:
                timeout = call.argument(raised.timeout_at, "timeout")
                if s.is_nothing(timeout):
                    continue
            yield Raiser(call, meaning, is_awaited and meaning.says not in (_TIMEOUT, _CANCELLED))

    @staticmethod
    def _body(block: Block) -> Iterator[s.Node]:
        """What runs under the handlers of ``block``, other blocks with handlers of their own left out."""
        stack: list[s.Node] = list(reversed(block.body))
        while stack:
            node = stack.pop()
            if isinstance(node, s.Function):
                continue
            if isinstance(node, s.Try) and node.handlers:
                stack += [*node.orelse, *node.final]
                continue
            yield node
            stack += reversed(list(s.children(node)))

    # ---- the verdict

    def _let_pass(self, handled: Meaning, raisers: list[Raiser], others: list[Meaning]) -> Raiser | None:
        """The raiser that a handler of ``handled`` must be meant for, as all there are raise another class."""
        alike = [raiser for raiser in raisers if raiser.meaning.says == handled.says]
        if any(self._is_same(handled, raiser.meaning) for raiser in alike):
            return None
        return next((r for r in alike if not any(self._is_same(other, r.meaning) for other in others)), None)

    def _is_same(self, one: Meaning, other: Meaning) -> bool:
        since = self._one_class_from(one, other)
        return one == other or (since is not None and self._oldest >= since)

    def _one_class_from(self, one: Meaning, other: Meaning) -> Version | None:
        if one.says != other.says or one.says not in self._catalog.one_class:
            return None
        since, libraries = self._catalog.one_class[one.says]
        return since if {one.library, other.library} <= libraries else None

    def _is_meant_for(
        self,
        raiser: Raiser,
        block: Block,
        named: list[tuple[s.Expr, Meaning | None]],
        raisers: list[Raiser],
        handled: Meaning,
    ) -> bool:
        """Whether nothing else under the handler raises what it names, and nobody else is there for ``raiser``."""
        body = list(self._body(block))
        if raiser.meaning.says == _CANCELLED:
            if handled.library == "asyncio":
                return not any(self._runs_coroutines(node) for node in body)
            return not self._has_others(body, raisers)
        is_broad = any(self._flow.classes.is_broad(expr) for expr, _ in named)
        if isinstance(block, s.Try):
            is_broad = is_broad or any(handler.type is None for handler in block.handlers)
        return not (is_broad and self._has_others(body, raisers))

    def _runs_coroutines(self, node: s.Node) -> bool:
        if isinstance(node, s.Call):
            return self._names.qualified(node.func) in self._catalog.calls["runners"]
        return isinstance(node, s.Await) or (isinstance(node, (s.With, s.For, s.Clause)) and node.is_async)

    def _has_others(self, body: list[s.Node], raisers: list[Raiser]) -> bool:
        """Whether other calls, or what is awaited, may raise anything."""
        known = {raiser.node for raiser in raisers}
        for node in body:
            if isinstance(node, s.Call) and node not in known and self._flow.level(node) is Level.LIKELY:
                return True
            if isinstance(node, s.Await) and node not in known and not isinstance(node.value, s.Call):
                return True
            if isinstance(node, (s.With, s.For, s.Clause)) and node.is_async:
                return True
        return False

    def _right(self, meaning: Meaning) -> str:
        return next(name for name, other in self._catalog.meanings.items() if other == meaning)

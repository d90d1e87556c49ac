"""The child programs that a file starts with subprocess or asyncio, and what is done with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..kinds import External
from ..scopes import BindingKind
from .flow import Flow
from .life_paths import home_of
from .values import Use, ValueFlow

KINDS = frozenset({"popen", "async_popen"})
_OUTPUTS = (("stdout", 4), ("stderr", 5))


class Child(NamedTuple):
    """A call that starts a child program."""

    call: s.Call
    value: s.Expr
    """The expression that stands for the child: the call, or the ``await`` of it."""
    is_async: bool

    @property
    def home(self) -> s.Expr | None:
        """The name or attribute that it is first stored in."""
        parent = self.value.parent
        return parent.target if isinstance(parent, s.WithItem) else home_of(self.value)


class Children:
    """The child programs of a module."""

    def __init__(self, flow: Flow, values: ValueFlow) -> None:
        self.flow = flow
        self.names = flow.names
        self._values = values

    @cached_property
    def all(self) -> list[Child]:
        """Every child that the file starts by one of the standard library's own classes."""
        return [child for call in self.names.module.all(s.Call) for child in self._made(call)]

    def uses(self, child: Child) -> tuple[Use, ...]:
        """Everything that is done with a child."""
        return self._values.uses(child.value)

    def pipes(self, call: s.Call) -> list[str]:
        """Which of a child's outputs ``call`` makes pipes of: ``stdout``, ``stderr``."""
        wanted = self.names.catalog.children["pipes"]
        found = []
        for name, position in _OUTPUTS:
            given = call.argument(position, name)
            if isinstance(given, s.Name):
                given = self.names.sole_value(given) or given
            if isinstance(given, (s.Name, s.Attribute)) and self._is_pipe(given, wanted):
                found.append(name)
        return found

    def _is_pipe(self, given: s.Expr, wanted: frozenset[str]) -> bool:
        """Whether ``given`` is a pipe whatever way the code took that leads here."""
        if isinstance(given, s.Name):
            found = self.names.scopes.lookup(given.id, given)
            if found is None or any(binding.kind is not BindingKind.IMPORT for binding in found[1]):
                return False
        kinds = self.names.kinds(given)
        return bool(kinds) and all(isinstance(kind, External) and kind.name in wanted for kind in kinds)

    def is_kept_for_others(self, child: Child) -> bool:
        """Whether code in another file may know the attribute it is stored in."""
        home = child.home
        return isinstance(home, s.Attribute) and self.names.is_shared_attribute(home)

    def is_shown_only(self, expr: s.Expr) -> bool:
        """Whether ``expr`` goes into a text or a log and nowhere else."""
        parent = expr.parent
        while isinstance(parent, (s.Operation, s.Display)):
            parent = parent.parent
        if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
            call = parent.parent
            name = self.names.qualified(call.func)
            return name in ("builtins.print", "builtins.str", "builtins.repr") or self.flow.is_log_call(call)
        return isinstance(parent, (s.Compare, s.ExprStmt, s.Raise))

    def _made(self, call: s.Call) -> Iterator[Child]:
        for kind in self.names.kinds(call.func):
            if isinstance(kind, External):
                api_type = self.names.catalog.made_by.get(kind.name)
                if api_type is not None and api_type.kind in KINDS:
                    is_async = api_type.kind == "async_popen"
                    if not is_async:
                        yield Child(call, call, is_async)
                    elif isinstance(self.flow.outcome(call), s.Await):
                        yield Child(call, self.flow.outcome(call), is_async)
                    return

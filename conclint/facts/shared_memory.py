"""Blocks of shared memory that nobody removes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import syntax as s
from ..kinds import ApiMethod, External
from .flow import Flow
from .values import Use, ValueFlow

_NEUTRAL = frozenset({"close", "buf", "size", "name"})


class SharedMemory:
    """The blocks that a module creates."""

    def __init__(self, flow: Flow, values: ValueFlow) -> None:
        self._flow = flow
        self._names = flow.names
        self._values = values

    def leaked(self) -> Iterator[s.Call]:
        """Every call that creates a block which no code in sight removes, and no other code gets to know."""
        made = [call for call in self._names.module.all(s.Call) if self._creates(call)]
        if made and not self._removes_any:
            yield from (call for call in made if not self._is_known_to_others(call))

    def _creates(self, call: s.Call) -> bool:
        if not any(map(self._is_class, self._names.kinds(call.func))):
            return False
        create = call.argument(1, "create")
        return isinstance(create, s.Constant) and bool(create.value)

    def _is_class(self, kind: object) -> bool:
        api_type = self._names.catalog.made_by.get(kind.name) if isinstance(kind, External) else None
        return api_type is not None and api_type.kind == "shared_memory"

    @cached_property
    def _removes_any(self) -> bool:
        """Whether some code of the file unlinks what may be a block: an object not known to be another thing."""
        for access in self._values.attribute_reads("unlink"):
            kinds = self._names.kinds(access.value)
            if not kinds or any(self._is_block(kind) for kind in self._names.kinds(access)):
                return True
        return False

    @staticmethod
    def _is_block(kind: object) -> bool:
        return isinstance(kind, ApiMethod) and kind.receiver.type.kind == "shared_memory"

    def _is_known_to_others(self, call: s.Call) -> bool:
        """Whether code elsewhere may remove it: it is handed over itself, or its name is."""
        name = call.argument(0, "name")
        if name is not None and not (isinstance(name, s.Constant) and name.value is None):
            return True  # whoever knows the name
        uses = self._values.uses(call)
        is_closed = any(use.kind == "method" and use.name == "close" for use in uses)
        parent = call.parent
        for target in parent.targets if isinstance(parent, s.Assign) else ():
            if isinstance(target, s.Attribute):
                if self._names.is_shared_attribute(target) or not (is_closed or target.attr.startswith("_")):
                    return True
        return any(self._hands_over(use) for use in uses)

    def _hands_over(self, use: Use) -> bool:
        if use.kind == "method":
            return use.name not in _NEUTRAL
        if use.kind == "attribute":
            if use.name == "name" and isinstance(use.node, s.Expr):
                return any(not self._stays_in_view(onward) for onward in self._values.uses(use.node))
            return use.name not in _NEUTRAL
        return use.kind not in ("set", "test", "dropped", "keep")

    def _stays_in_view(self, use: Use) -> bool:
        """Whether a use of the block's name is no more than a text, or leads to functions of this file."""
        if use.kind in ("test", "dropped", "keep", "method", "iterate"):
            return True
        if use.kind != "argument" or not isinstance(use.node, s.Call):
            return False
        call = use.node
        parts = [call.func, *(argument.value for argument in call.args)]
        if any(self._names.functions(part) for part in parts) or self._tells_people(call):
            return True
        return any(map(self._is_class, self._names.kinds(call.func)))  # opened by its name, which does not remove it

    def _tells_people(self, call: s.Call) -> bool:
        return self._names.qualified(call.func) in ("builtins.print", "builtins.str") or self._flow.is_log_call(call)

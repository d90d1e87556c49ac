"""Objects that work in the background from ``start()`` to ``stop()``, and lose what is left where nobody stops them."""

from __future__ import annotations

from collections.abc import Iterator

from .. import syntax as s
from ..kinds import External, LocalClass
from ..names import Names
from .values import Use, ValueFlow

_NEUTRAL = frozenset({"start", "queue", "handlers", "respect_handler_level", "enqueue_sentinel"})


def unstopped_listeners(names: Names, values: ValueFlow) -> Iterator[s.Call]:
    """Every call that makes a listener which is started and, in this file, neither stopped nor given to anybody."""
    for call in names.module.all(s.Call):
        if _makes_listener(names, call) and not _is_stored_for_others(names, call):
            uses = values.uses(call)
            started = any(use.kind == "method" and use.name == "start" for use in uses)
            if started and not any(_sees_to(use) for use in uses):
                yield call


def _makes_listener(names: Names, call: s.Call) -> bool:
    for kind in names.kinds(call.func):
        if isinstance(kind, External):
            api_type = names.catalog.made_by.get(kind.name)
            if api_type is not None and api_type.kind == "listener":
                return True
        elif isinstance(kind, LocalClass):
            base = names.api_base(kind.node)
            if base is not None and base.type.kind == "listener":
                return not names.is_open(kind.node) and not _stops_itself(names, kind.node)
    return False


def _stops_itself(names: Names, node: s.ClassDef) -> bool:
    """Whether a subclass has a way of its own to be stopped: it registers or calls ``self.stop``."""
    return any(
        isinstance(part, s.Attribute) and part.attr == "stop" and isinstance(part.value, s.Name)
        for info in names.mro(node)
        for part in s.walk(info.node)
    )


def _is_stored_for_others(names: Names, call: s.Call) -> bool:
    """Whether a class with a base in another file, or an object from there, keeps it."""
    parent = call.parent
    targets = parent.targets if isinstance(parent, s.Assign) else ()
    return any(isinstance(target, s.Attribute) and names.is_shared_attribute(target) for target in targets)


def _sees_to(use: Use) -> bool:
    if use.kind in ("method", "attribute"):
        return use.name not in _NEUTRAL
    return use.kind not in ("set", "test", "dropped")

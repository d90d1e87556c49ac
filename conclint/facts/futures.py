"""What becomes of the results of executors and pools: iterators nobody takes from, futures only waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, Instance
from ..names import Names
from .lives import Lives
from .values import Use, ValueFlow

_TESTS = (s.Not, s.Compare, s.If, s.While, s.Assert, s.Delete)
_OF_VALUES = frozenset({"values", "get", "pop", "setdefault"})


class UnreadMap(NamedTuple):
    """A call that gives an iterator of results from which nobody takes any."""

    call: s.Call
    method: str
    task: s.Expr | None
    ends_early: bool
    """Whether the pool is terminated where its ``with`` ends, whatever is still to do."""


class WaitedOnly(NamedTuple):
    """Futures that are waited for, and never asked for their outcome."""

    wait: s.Call
    function: str
    """What waits: ``wait`` or ``as_completed``."""
    made: s.Call
    task: s.Expr | None


class _OfKeys(ValueFlow):
    """Follows the keys of a dict, which its subscripts and ``values()`` do not give."""

    def __init__(self, names: Names, values: ValueFlow) -> None:
        super().__init__(names)
        self._values = values

    def _container(self, expr: s.Expr, seen: set[object], *, follow_name: bool = False) -> Iterator[Use]:
        parent = expr.parent
        if not follow_name and isinstance(parent, s.Subscript) and parent.value is expr:
            return
        yield from super()._container(expr, seen, follow_name=follow_name)

    def _container_method(self, access: s.Attribute, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        if access.attr in _OF_VALUES:
            return
        call = access.parent
        loop = call.parent if isinstance(call, s.Call) else None
        if access.attr == "items" and isinstance(loop, (s.For, s.Clause)) and isinstance(loop.target, s.Display):
            yield from self._loop_targets(loop.target.elements[0], seen)
            return
        yield from super()._container_method(access, expr, seen)

    def _container_argument(self, argument: s.Argument, expr: s.Expr, seen: set[object]) -> Iterator[Use]:
        yield from self._values._container_argument(argument, expr, seen)  # what it is made into is no dict


class Futures:
    """Answers for every call of a module that gives results later."""

    def __init__(self, names: Names, lives: Lives, values: ValueFlow) -> None:
        self._names = names
        self._lives = lives
        self._values = values
        self._of_keys = _OfKeys(names, values)

    # ---- iterators

    def unread_maps(self) -> Iterator[UnreadMap]:
        """Every ``executor.map()`` or ``pool.imap()`` whose results nobody takes, where that loses something."""
        for call in self._names.module.all(s.Call):
            method = self._lazy_method(call)
            if method is not None and not self._is_taken_from(call, set()):
                task = call.argument(0, "func")
                ends_early = self._ends_early(call, method)
                if ends_early or task is None or not self._lives.task_handles_errors(task):
                    yield UnreadMap(call, method.name, task, ends_early)

    def _lazy_method(self, call: s.Call) -> ApiMethod | None:
        for kind in self._names.kinds(call.func):
            if isinstance(kind, ApiMethod) and kind.qualified in self._names.catalog.calls["lazy_results"]:
                return kind
        return None

    def _ends_early(self, call: s.Call, method: ApiMethod) -> bool:
        """Whether the call stands in the ``with`` of a pool that neither closes nor joins it."""
        if not method.receiver.type.kind.endswith("_pool") or not isinstance(call.func, s.Attribute):
            return False
        place = self._names.place(call.func.value)
        for parent in s.ancestors(call):
            if isinstance(parent, s.Function):
                return False
            if isinstance(parent, s.With) and any(
                item.target is not None and self._names.place(item.target) == place for item in parent.items
            ):
                return not any(
                    isinstance(node, s.Attribute) and node.attr == "join" and self._names.place(node.value) == place
                    for node in s.walk(parent)
                )
        return False

    def _is_taken_from(self, expr: s.Expr, seen: set[s.Node]) -> bool:
        """Whether somebody takes an item of the iterator, or may: it is given to code that is not followed."""
        if expr in seen:
            return False
        seen.add(expr)
        parent = expr.parent
        if isinstance(parent, (s.ExprStmt, *_TESTS)):
            return False
        if isinstance(parent, s.Assign):
            return any(self._is_read(target, seen) for target in parent.targets)
        if isinstance(parent, s.NamedExpr):
            return self._is_read(parent.target, seen) or self._is_taken_from(parent, seen)
        if isinstance(parent, s.BoolOp):
            return self._is_taken_from(parent, seen)
        if isinstance(parent, s.IfExp):
            return parent.test is not expr and self._is_taken_from(parent, seen)
        if isinstance(parent, s.Clause) and isinstance(parent.parent, s.Comprehension):
            return parent.parent.kind != "generator" or self._is_taken_from(parent.parent, seen)
        if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call) and not parent.star:
            if self._names.qualified(parent.parent.func) in self._names.catalog.calls["lazy_wrappers"]:
                return self._is_taken_from(parent.parent, seen)
        return True

    def _is_read(self, target: s.Expr, seen: set[s.Node]) -> bool:
        if isinstance(target, s.Name):
            found = self._names.scopes.lookup(target.id, target)
            if found is None:
                return True
            return any(self._is_taken_from(load, seen) for load in self._values.loads(found[0], target.id))
        if isinstance(target, s.Attribute):
            if self._names.is_shared_attribute(target):
                return True
            return any(self._is_taken_from(read, seen) for read in self._values.attribute_reads(target.attr))
        return True

    # ---- futures

    def waited_only(self) -> Iterator[WaitedOnly]:
        """Every wait for futures that are asked for their outcome neither there nor anywhere else, once."""
        found: dict[s.Node, WaitedOnly] = {}
        for call in self._names.module.all(s.Call):
            method = self._lives.result_method(call)
            if method is None or self._is_asyncio(call):
                continue
            task = self._lives.task(call, method)
            if task is not None and self._lives.task_handles_errors(task):
                continue
            uses = self._uses(call)
            waits = [use for use in uses if self._only_waits(use)]
            if waits and not any(self._looks(use) for use in uses if use not in waits):
                wait = waits[-1].node
                if isinstance(wait, s.Call):
                    function = waits[-1].name.rpartition(".")[2]
                    found.setdefault(wait, WaitedOnly(wait, function, call, task))
        yield from found.values()

    def _is_asyncio(self, call: s.Call) -> bool:
        return any(isinstance(kind, Instance) and kind.type.api == "asyncio" for kind in self._names.kinds(call))

    def _uses(self, call: s.Call) -> tuple[Use, ...]:
        parent = call.parent
        is_key = (
            (isinstance(parent, s.Comprehension) and parent.key is call)
            or (isinstance(parent, s.DictDisplay) and any(key is call for key in parent.keys))
            or (isinstance(parent, s.Subscript) and parent.index is call)
        )
        return (self._of_keys if is_key else self._values).uses(call)

    def _looks(self, use: Use) -> bool:
        call = use.node
        if use.kind == "argument" and isinstance(call, s.Call) and isinstance(call.func, s.Attribute):
            if call.func.attr in _OF_VALUES and self._names.is_container(call.func.value):
                return False  # what the dict says of the future
        return self._lives.looks_at_result(use)

    def _only_waits(self, use: Use) -> bool:
        return use.kind == "wait" and use.name in self._names.catalog.waits_for_all

    # ---- executors

    def never_shut_down(self) -> Iterator[s.Call]:
        """Every call that makes an executor which is neither left by ``with``, shut down, nor given to anybody.

        One that lives as long as the module is not meant: the interpreter sees to it.
        """
        for call in self._names.module.all(s.Call):
            if self._makes_executor(call) and not self._is_stored_for_others(call):
                if not any(_sees_to(use) for use in self._values.uses(call)):
                    yield call

    def _makes_executor(self, call: s.Call) -> bool:
        made_by = self._names.catalog.made_by
        return any(
            isinstance(kind, External) and kind.name in made_by and made_by[kind.name].kind.endswith("_executor")
            for kind in self._names.kinds(call.func)
        )

    def _is_stored_for_others(self, call: s.Call) -> bool:
        """Whether a module, a class with a base in another file, or an object from there keeps it."""
        parent = call.parent
        for target in parent.targets if isinstance(parent, s.Assign) else ():
            if isinstance(target, s.Name):
                found = self._names.scopes.lookup(target.id, target)
                if found is None or not isinstance(found[0].node, s.Function):
                    return True
            elif isinstance(target, s.Attribute) and self._names.is_shared_attribute(target):
                return True
        return False


def _sees_to(use: Use) -> bool:
    if use.kind == "method":
        return use.name in ("shutdown", "__exit__", "__enter__")
    if use.kind == "attribute":
        return use.name in ("shutdown", "__exit__")
    return use.kind not in ("set", "test", "keep", "dropped")

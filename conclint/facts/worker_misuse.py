"""What is done with workers once they are made: run in place, given attributes they do not have, asked in old ways."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..kinds import ApiMethod, External, Instance, LocalInstance
from .expected import is_expected
from .flow import Flow
from .running import WORKERS
from .values import ValueFlow


class RunHere(NamedTuple):
    """A call of ``run`` that runs a worker's code in the caller."""

    call: s.Call
    receiver: s.Expr
    kind: str
    may_start: bool
    """Whether ``start`` fits in its place: nobody uses a result, and somebody joins the worker."""


class Misnamed(NamedTuple):
    """An attribute set on a worker that has another one, with nearly that name."""

    target: s.Attribute
    kind: str
    near: str
    is_method: bool = False
    """Whether it is a method that is assigned to."""


class Deprecated(NamedTuple):
    """A method or function that another one has replaced."""

    node: s.Expr
    """The call, or what names it where it is not called."""
    access: s.Expr
    """What names it."""
    name: str
    instead: str
    is_property: bool
    """Whether an attribute took the place of a method."""


class WorkerMisuse:
    """Finds them."""

    def __init__(self, flow: Flow, values: ValueFlow) -> None:
        self._flow = flow
        self._names = flow.names
        self._values = values

    # ---- run()

    def run_here(self) -> Iterator[RunHere]:
        """Every ``worker.run()`` that was meant to be ``worker.start()``."""
        for call in self._names.module.all(s.Call):
            func = call.func
            if not isinstance(func, s.Attribute) or func.attr != "run" or call.args:
                continue
            kind = self._kind_run(func.value)
            if (
                kind is not None
                and not self._is_meant(func.value)
                and not is_expected(self._flow, call, any_handler=True)
            ):
                uses = [use for expr in self._made(func.value) for use in self._values.uses(expr)]
                is_joined = any(use.kind == "method" and use.name == "join" for use in uses)
                yield RunHere(call, func.value, kind, is_joined and isinstance(call.parent, s.ExprStmt))

    def _kind_run(self, receiver: s.Expr) -> str | None:
        """The kind of worker that ``receiver`` is, where it is nothing else, nor the object itself."""
        found = set()
        for kind in self._names.kinds(receiver):
            if isinstance(kind, LocalInstance):
                own = [name for info in self._names.mro(kind.node) for name in info.attributes]
                if kind.beyond or "start" in own or (isinstance(receiver, s.Name) and self._is_self(receiver)):
                    return None
            instance = self._names.as_instance(kind)
            found.add(None if instance is None else instance.type.kind)
        kind_name = found.pop() if len(found) == 1 else None
        return kind_name if kind_name in WORKERS else None

    def _is_self(self, name: s.Name) -> bool:
        return self._names.self_of(name) is not None

    def _is_meant(self, receiver: s.Expr) -> bool:
        """Whether to run in place is one of two ways: the same object, or another of its class, is started somewhere.

        The code of an object that is made for it alone, of a class of this file, may be run in place on purpose, in a
        test as in a single-threaded mode; who starts one elsewhere in the same function knows both.
        """
        local = [kind for kind in self._names.kinds(receiver) if isinstance(kind, LocalInstance)]
        uses = [use for expr in self._made(receiver) for use in self._values.uses(expr)]
        if any(use.kind == "method" and use.name == "start" for use in uses):
            return True
        return bool(local)

    def _made(self, receiver: s.Expr) -> list[s.Expr]:
        made = [kind.made_at for kind in self._names.kinds(receiver) if isinstance(kind, Instance)]
        return [node for node in made if isinstance(node, s.Expr)]

    # ---- attributes

    def misnamed(self) -> Iterator[Misnamed]:
        """Every attribute set on a plain worker that it does not have, but for a letter or two."""
        names = self._names
        known = names.catalog.worker_attributes
        for assign in names.module.all(s.Assign):
            for target in assign.targets:
                if not isinstance(target, s.Attribute) or target.attr.startswith("_"):
                    continue
                if not (words := difflib.get_close_matches(target.attr.lower(), known["all"], 1, 0.72)):
                    if target.attr not in known["methods"]:
                        continue
                kinds = names.kinds(target.value)
                if not kinds or not all(isinstance(kind, Instance) and kind.type.kind in WORKERS for kind in kinds):
                    continue
                kind = next(kind.type.kind for kind in kinds if isinstance(kind, Instance))
                if target.attr in known["methods"]:
                    if not isinstance(assign.value, s.Constant):
                        continue
                    yield Misnamed(target, kind, known["methods"][target.attr], is_method=True)
                elif target.attr not in known[kind] and words[0] in known[kind]:
                    if not self._values.attribute_reads(target.attr):
                        yield Misnamed(target, kind, words[0])

    # ---- the old names

    def deprecated(self) -> Iterator[Deprecated]:
        """Every use of a method or function of threading that is deprecated."""
        names = self._names
        table = names.catalog.deprecated
        functions = {name.rpartition(".")[2]: new for name, new in table["functions"].items()}
        methods = {name for kind, found in table.items() if kind != "functions" for name in found}
        for access in names.module.all(s.Attribute):
            if access.attr not in methods and access.attr not in functions:
                continue
            if s.is_assigned(access) or is_expected(self._flow, access, any_handler=True) or self._is_fallback(access):
                continue
            for kind in names.kinds(access):
                if isinstance(kind, External) and kind.name in table["functions"]:
                    yield Deprecated(access, access, access.attr, functions[access.attr], is_property=False)
                    break
                if isinstance(kind, ApiMethod) and kind.receiver.type.api == "threading":
                    instead = table.get(kind.receiver.type.kind, {}).get(kind.name)
                    if instead is not None:
                        is_property = not instead.endswith("()")
                        called = access.parent if isinstance(access.parent, s.Call) else None
                        node: s.Expr = called if called is not None and called.func is access else access
                        yield Deprecated(node, access, kind.name, instead.removesuffix("()"), is_property)
                        break
        for old, new in functions.items():
            for name in names.scopes.named(old):
                if names.qualified(name) not in table["functions"] or is_expected(self._flow, name, any_handler=True):
                    continue
                if not self._is_fallback(name):
                    yield Deprecated(name, name, old, new, is_property=False)

    def _is_fallback(self, node: s.Node) -> bool:
        """Whether ``node`` is what is left where the new name is not there: after a test, or an AttributeError."""
        names = self._names
        for parent in s.ancestors(node):
            if isinstance(parent, s.Function):
                return False
            if isinstance(parent, s.Handler) and parent.type is not None:
                if names.qualified(parent.type) in ("builtins.AttributeError", "builtins.TypeError"):
                    return True
            if isinstance(parent, (s.If, s.IfExp)):
                for part in s.walk(parent.test):
                    if isinstance(part, s.Call) and names.qualified(part.func) == "builtins.hasattr":
                        return True
                    if isinstance(part, s.Attribute) and names.qualified(part) == "sys.version_info":
                        return True
        return False

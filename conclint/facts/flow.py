"""Flow graphs of the functions of a file, and how calls between them behave.

What a call of a function of this file may raise is read off that function's own graph, so that ``self._count()``
which only adds two attributes does not count as likely to raise.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import syntax as s
from ..cfg import Graph, Label, Level, Step, StepKind
from ..cfg_builder import build
from ..cfg_routes import CallBehaviour
from ..dataflow import INTERRUPTED, LIKELY, UNLIKELY, Anything, Budget, explore
from ..exceptions import ANY, EXCEPTION, ExceptionClasses
from ..kinds import ApiMethod, External, Foreign, Kind, LocalClass, LocalFunction, LocalInstance
from ..names import Names

_DEEPEST_CALL = 30
"""How far calls of functions of the file are followed into one another; beyond it nothing is known of them."""


class TrustedHandlers(Anything):
    """What reports an outcome, in a handler or through a queue, is taken not to raise on top of it."""

    def __init__(self, channels: frozenset[str]) -> None:
        self._channels = channels

    def raised(self, step: Step, state: None) -> Iterable[None]:
        if step.kind is StepKind.RAISE:
            return (None,)
        call = step.node
        reports = isinstance(call, s.Call) and isinstance(call.func, s.Attribute) and call.func.attr in self._channels
        return () if step.cleanup or reports else (None,)


class Flow(CallBehaviour):
    """Graphs on demand, each built once."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.classes = ExceptionClasses(names)
        self._graphs: dict[s.Node, Graph] = {}
        self._budgets: dict[s.Node, Budget] = {}
        self._levels: dict[s.Function, Level] = {}
        self._returns: dict[s.Function, bool] = {}
        self._total: dict[s.Function, bool] = {}
        self._call_levels: dict[s.Call, Level] = {}
        self._depth = 0

    def graph(self, scope: s.Scope) -> Graph:
        """The flow graph of a function or of the module's top level."""
        known = self._graphs.get(scope)
        if known is None:
            known = self._graphs[scope] = build(scope, self.names, self.classes, self)
        return known

    def affords(self, scope: s.Scope) -> bool:
        """Whether one more object may be followed through the whole of ``scope``; see :class:`Budget`."""
        if scope not in self._budgets:
            self._budgets[scope] = Budget(self.graph(scope))
        return self._budgets[scope].take()

    # ---- functions

    def function_level(self, function: s.Function) -> Level:
        """How readily a call of ``function`` raises."""
        known = self._levels.get(function)
        if known is not None:
            return known
        if self._depth >= _DEEPEST_CALL:
            return Level.LIKELY
        self._levels[function] = Level.LIKELY  # for recursion
        self._depth += 1
        graph = self.graph(function)
        self._depth -= 1
        level = Level.LIKELY
        if not explore(graph, None, Anything()).at(graph.raise_exit):
            level = Level.INTERRUPT
            if not explore(graph, None, Anything(), INTERRUPTED).at(graph.raise_exit):
                level = Level.UNLIKELY
                if not explore(graph, None, Anything(), UNLIKELY).at(graph.raise_exit):
                    level = Level.NEVER
        self._levels[function] = level
        return level

    def is_total(self, function: s.Function) -> bool:
        """Whether ``function`` handles its own errors: no Exception likely to be raised leaves it.

        What ``except Exception`` lets through may leave it, and handlers are trusted to do what they do without
        raising themselves, unless they say ``raise``.
        """
        known = self._total.get(function)
        if known is None:
            graph = self.graph(function)
            reached = explore(
                graph, None, TrustedHandlers(self.names.catalog.channel_methods), skip=(Label.UNCAUGHT_BASE,)
            )
            known = self._total[function] = not reached.at(graph.raise_exit)
        return known

    def function_returns(self, function: s.Function) -> bool:
        """Whether a call of ``function`` ever returns normally."""
        if function.is_generator or function.is_lambda:
            return True
        known = self._returns.get(function)
        if known is not None:
            return known
        if self._depth >= _DEEPEST_CALL:
            return True
        self._returns[function] = True  # for recursion
        self._depth += 1
        self._returns[function] = self._find_returns(function)
        self._depth -= 1
        return self._returns[function]

    def _find_returns(self, function: s.Function) -> bool:
        returns = True
        if function.returns is not None:
            returns = self.names.qualified(function.returns) not in _NEVER
        if returns and not _is_stub(function):
            graph = self.graph(function)
            returns = bool(explore(graph, None, Anything()).at(graph.exit))
        return returns

    # ---- calls

    def callees(self, call: s.Call) -> list[s.Function]:
        """The functions of this file that ``call`` may run."""
        return self.names.functions(call.func)

    def outcome(self, call: s.Call) -> s.Expr:
        """The expression whose value is what ``call`` gives in the end: the ``await`` around it, where there is one.

        ``await wait_for(call, 1)`` counts as such.
        """
        node: s.Expr = call
        parent = node.parent
        if isinstance(parent, s.Argument) and isinstance(parent.parent, s.Call):
            if self.names.qualified(parent.parent.func) in self.names.catalog.calls["awaiters"]:
                node = parent.parent
                parent = node.parent
        return parent if isinstance(parent, s.Await) else node

    def is_limited(self, node: s.Node, by: frozenset[str] = frozenset()) -> bool:
        """Whether ``node`` stands, in its function, under ``asyncio.timeout()`` or the like, which ends any wait.

        Or among the arguments of a call of one of the functions ``by``.
        """
        deadlines = self.names.catalog.calls["deadlines"]
        for parent in s.ancestors(node):
            if isinstance(parent, s.Function):
                return False
            if isinstance(parent, s.Call) and self.names.is_call_of(parent, by):
                return True
            if isinstance(parent, s.With):
                if any(self.names.is_call_of(item.context, deadlines) for item in parent.items):
                    return True
        return False

    def level(self, call: s.Call) -> Level:
        known = self._call_levels.get(call)
        if known is None:
            self._call_levels[call] = Level.LIKELY  # for recursion
            known = self._level(call)
            if known is Level.INTERRUPT and self.outcome(call) is not call:
                known = Level.NEVER  # it only makes the coroutine; the `await` waits
            self._call_levels[call] = known
        return known

    def _level(self, call: s.Call) -> Level:
        catalog = self.names.catalog
        if isinstance(call.parent, s.Raise):
            return Level.UNLIKELY  # what is about to be raised is made first
        kinds = self.names.kinds(call.func)
        func = call.func
        if isinstance(func, s.Attribute) or not kinds:
            method = self.names.bound_method(func)
            if method is not None:
                if self.is_lock(method.value) and method.attr in catalog.acquire_methods:
                    return Level.INTERRUPT
                if self.is_lock(method.value) and method.attr in catalog.release_methods:
                    return Level.NEVER
                if method.attr in catalog.harmless_of["condition"] and self.is_lock(method.value):
                    return Level.UNLIKELY
        for kind in kinds:
            if isinstance(kind, External):
                if kind.name in catalog.calls["suppressors"] or kind.name in catalog.calls["nullcontexts"]:
                    return Level.NEVER
                if kind.name in catalog.harmless_functions or kind.name in catalog.log_functions:
                    return Level.UNLIKELY
            elif isinstance(kind, ApiMethod):
                if kind.receiver.type.kind in catalog.lock_kinds and kind.name in catalog.acquire_methods:
                    return Level.INTERRUPT
                if kind.receiver.type.kind in catalog.lock_kinds and kind.name in catalog.release_methods:
                    return Level.NEVER
                if kind.name in catalog.harmless_of.get(kind.receiver.type.kind, ()):
                    return Level.UNLIKELY
            elif isinstance(kind, LocalFunction):
                function = kind.function
                if function.is_async or function.is_generator:
                    return Level.UNLIKELY  # the body does not run yet
                if kind.receiver is not None and self._is_hook(function):
                    return Level.LIKELY  # whatever a subclass puts there
                bodies = [function, *self.names.overrides(function, kind.receiver)]
                if self.names.place(call) is not None and all(self._only_hands_back(body) for body in bodies):
                    return Level.UNLIKELY
                levels = {self.function_level(body) for body in bodies}
                return next((level for level in (Level.LIKELY, Level.INTERRUPT) if level in levels), Level.UNLIKELY)
            elif isinstance(kind, LocalClass):
                return self._constructor_level(kind.node)
        if isinstance(func, s.Attribute):
            if func.attr in catalog.harmless_of["collection"] and self.names.is_container(func.value):
                return Level.UNLIKELY
            if func.attr == "pop" and len(call.args) == 2:  # a dict's, with a default
                return Level.UNLIKELY
            if not kinds and func.attr in catalog.harmless_methods:
                return Level.UNLIKELY
            if self.is_log_call(call):
                return Level.UNLIKELY
        is_harmless = _is_harmless(call, catalog.harmless_if.get(self.names.qualified(func) or ""))
        return Level.UNLIKELY if is_harmless or catalog.says_exception(s.last_name(func)) else Level.LIKELY

    def _constructor_level(self, node: s.ClassDef) -> Level:
        constructor = self.names.method(node, "__init__")
        if constructor is not None:
            return max(Level.UNLIKELY, self.function_level(constructor))
        if self.names.method(node, "__new__") is not None:
            return Level.LIKELY
        is_known = not self.names.is_open(node) or self.names.catalog.says_exception(node.name)
        return Level.UNLIKELY if is_known else Level.LIKELY

    def _only_hands_back(self, function: s.Function) -> bool:
        """Whether a function that hands back an attribute does nothing likely to fail, except make a lock first."""
        for node in s.own_nodes(function):
            if isinstance(node, (s.Raise, s.Await)):
                return False
            if isinstance(node, s.Call) and self.level(node) in LIKELY and not self._makes_lock(node):
                return False
        return True

    def _makes_lock(self, call: s.Call) -> bool:
        """Whether ``call`` makes a lock: one of Python's, or of a class of this file whose name says so."""
        for kind in self.names.kinds(call):
            if isinstance(kind, LocalInstance) and self.names.catalog.says_lock(kind.node.name):
                return True
            instance = self.names.as_instance(kind)
            if instance is not None and instance.type.kind in self.names.catalog.lock_kinds:
                return True
        return False

    def _is_hook(self, function: s.Function) -> bool:
        """Whether a method is there to be overridden: abstract, or with nothing in it."""
        return _is_stub(function) or self.names.decorated(function, {"abc.abstractmethod"})

    def is_lock(self, expr: s.Expr) -> bool:
        """Whether ``expr`` is a lock: by its kind, or, where nothing is known of it, by its name."""
        kinds = self.names.kinds(expr)
        for kind in kinds:
            instance = self.names.as_instance(kind)
            if instance is not None:
                return instance.type.kind in self.names.catalog.lock_kinds
        if any(not isinstance(kind, (External, Foreign)) or _is_foreign_class(kind) for kind in kinds):
            return False
        if self._is_made_from_text(expr):
            return False
        identifier = s.last_name(expr)
        if isinstance(expr, s.Subscript):
            return self.is_lock(expr.value)
        return bool(identifier) and self.names.catalog.says_lock(identifier)

    def _is_made_from_text(self, expr: s.Expr) -> bool:
        """Whether ``expr`` was made by a call with a string among its arguments: no lock of Python's takes one.

        Locks of services (``client.Lock("/path", "me")``) have names that say lock, and rules of their own.
        """
        value = self.names.sole_value(expr) if isinstance(expr, s.Name) else None
        return isinstance(value, s.Call) and any(
            isinstance(argument.value, s.Constant) and isinstance(argument.value.value, str) for argument in value.args
        )

    def is_log_call(self, call: s.Call) -> bool:
        """Whether ``call`` writes to a log: by kind, or by name where the receiver's kind is not known."""
        catalog = self.names.catalog
        func = call.func
        for kind in self.names.kinds(func):
            if isinstance(kind, External) and kind.name in catalog.log_functions:
                return True
            if isinstance(kind, ApiMethod):
                return kind.receiver.type.kind == "logger" and kind.name in catalog.log_methods
            if isinstance(kind, LocalFunction):
                return False
        if isinstance(func, s.Attribute) and func.attr in catalog.log_methods:
            receiver = func.value.func if isinstance(func.value, s.Call) else func.value
            return catalog.says_logger(s.last_name(receiver))
        return False

    def returns(self, call: s.Call) -> bool:
        name = self.names.qualified(call.func)
        calls = self.names.catalog.calls
        if name in calls["exits"] or name in calls["raises"] or name in calls["ends"]:
            return False
        if name in calls["never_return"]:
            return False
        callees = self.callees(call)
        if isinstance(call.parent, s.Await) or not any(f.is_async for f in callees):
            return not callees or any(self.function_returns(f) for f in callees)
        return True

    def raised(self, call: s.Call) -> str | None:
        name = self.names.qualified(call.func)
        calls = self.names.catalog.calls
        if name in calls["ends"]:
            return None
        if name in calls["exits"]:
            return "SystemExit"
        return EXCEPTION if name in calls["raises"] else ANY

    def is_interruptible(self, call: s.Call) -> bool:
        if self.callees(call):
            return self.level(call) is Level.INTERRUPT
        method = self.names.bound_method(call.func)
        lock = None if method is None else self.names.instance(method.value)
        return (
            method is not None
            and lock is not None
            and lock.type.kind in self.names.catalog.lock_kinds
            and method.attr in self.names.catalog.acquire_methods
        )


_NEVER = frozenset({"typing.NoReturn", "typing.Never", "typing_extensions.NoReturn", "typing_extensions.Never"})


def _is_foreign_class(kind: Kind) -> bool:
    """Whether the object was made by a class of another library: its kind is known, and it is none of ours."""
    if not isinstance(kind, Foreign) or kind.maker.startswith("."):
        return False
    return kind.maker.rpartition(".")[2].lstrip("_")[:1].isupper()


def _is_harmless(call: s.Call, condition: str | None) -> bool:
    """Whether a function does not fail on the arguments of ``call``: ``condition`` is what the catalogue says of it."""
    first = call.positional(0)
    if condition == "number":
        return isinstance(first, s.Constant) and isinstance(first.value, (int, float)) and len(call.args) == 1
    return condition == "default" and len(call.args) == 3 and not call.has_star


def _is_stub(function: s.Function) -> bool:
    """Whether the body only says that a subclass must provide one."""
    body = [node for node in function.body if not _is_docstring(node)]
    return all(isinstance(node, (s.Pass, s.Raise)) or _is_docstring(node) for node in body)


def _is_docstring(node: s.Stmt) -> bool:
    return isinstance(node, s.ExprStmt) and isinstance(node.value, s.Constant)

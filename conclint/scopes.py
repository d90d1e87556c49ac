"""Who binds which name: namespaces, bindings, and the lookup that Python would do.

One walk over the lowered tree collects every binding. Comprehensions have their own namespace, so that
``[t.join() for t in ts]`` does not rebind the ``t`` outside it. Control flow plays no part here: a name has
all its bindings everywhere in its scope.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from . import syntax as s


class BindingKind(Enum):
    """How a name or attribute comes by a value."""

    ASSIGN = auto()
    ELEMENT = auto()  # an item of `value`: for-target, starred or unpacked
    CONTEXT = auto()  # `with value as name`
    IMPORT = auto()
    FUNCTION = auto()
    CLASS = auto()
    PARAMETER = auto()
    ANNOTATION = auto()  # annotated without a value
    OPAQUE = auto()  # except, del, augmented, match capture: a value nobody can tell


class Binding(NamedTuple):
    """One place that gives a name a value."""

    kind: BindingKind
    node: s.Node
    """The statement, parameter, clause or definition that binds."""
    value: s.Expr | None = None
    annotation: s.Expr | None = None
    imported: str = ""
    """For imports, the dotted name that is bound; relative ones start with a dot."""
    position: int = -1
    """For parameters their position; for items unpacked from a tuple theirs in it, -1 where unknown."""


class ScopeInfo:
    """One namespace."""

    __slots__ = ("bindings", "globals", "is_global", "node", "nonlocals", "parent", "stars")

    def __init__(self, node: s.Node, parent: ScopeInfo | None) -> None:
        self.node = node
        self.parent = parent
        self.is_global = parent is None
        """Whether this is the namespace of a module."""
        self.bindings: dict[str, list[Binding]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.stars: list[str] = []
        """Modules whose names a star import brought in."""

    def add(self, name: str, binding: Binding) -> None:
        self.bindings.setdefault(name, []).append(binding)


_BINDING = frozenset({
    s.Assign, s.For, s.Clause, s.WithItem, s.NamedExpr, s.AugAssign, s.Handler, s.Case, s.FunctionDef, s.Import,
    s.ImportFrom, s.Scoping,
})  # fmt: skip
"""What :meth:`Scopes._bind` knows."""

_INERT = frozenset({s.Name, s.Constant})
"""What neither binds anything nor holds anything: more than half of a tree."""


class Scopes:
    """All namespaces of a module, and of what is linked to it."""

    def __init__(self, module: s.Module) -> None:
        self.module = module
        self._by_identifier: dict[str, list[s.Name]] | None = None
        self._infos: dict[s.Node, ScopeInfo] = {}
        self._around: dict[s.Stmt, ScopeInfo] = {}
        """For statements the namespace around them, where that was asked for."""
        self._alike: dict[tuple[ScopeInfo, str], s.Name] = {}
        self.top = self._open(module, None)
        self._links = module.links
        self._collect(module, self.top)
        for part in () if module.links is None else module.links.slices:
            top = self._open(part.module, None)
            for name in part.hidden:
                top.add(name, Binding(BindingKind.OPAQUE, part.module))
            for statement in part.statements:
                self._collect(statement, top)

    def named(self, identifier: str) -> list[s.Name]:
        """Every name that reads ``identifier``, in whatever namespace, bound or loaded, in source order."""
        if self._by_identifier is None:
            self._by_identifier = {}
            for name in self.module.all(s.Name):
                self._by_identifier.setdefault(name.id, []).append(name)
        return self._by_identifier.get(identifier, [])

    def info(self, scope: s.Node) -> ScopeInfo:
        """The namespace that a module, class, function or comprehension opens."""
        return self._infos[scope]

    def scope_of(self, node: s.Node) -> ScopeInfo:
        """The namespace in which the names of ``node`` are looked up first."""
        child = node
        parent = node.parent
        passed = None
        while parent is not None:
            if parent in self._infos and self._inside(parent, child):
                found = self._infos[parent]
                break
            if isinstance(parent, s.Stmt):
                known = self._around.get(parent)
                if known is not None:
                    return known
                passed = passed or parent
            child, parent = parent, parent.parent
        else:
            found = self._infos.get(child, self.top)
        if passed is not None:
            self._around[passed] = found
        return found

    def alike(self, name: s.Name) -> s.Name:
        """The same name for all that read alike and are looked up from one namespace on."""
        return self._alike.setdefault((self.scope_of(name), name.id), name)

    def lookup(self, name: str, at: s.Node) -> tuple[ScopeInfo, list[Binding]] | None:
        """The namespace that ``name`` belongs to when used at ``at``, and its bindings there.

        ``None`` for builtins and names that no binding explains.
        """
        first = scope = self.scope_of(at)
        while True:
            if name in scope.globals:
                scope = _root(scope)
            elif name in scope.nonlocals and scope.parent is not None:
                scope = scope.parent
                continue
            if name in scope.bindings and (scope is first or not isinstance(scope.node, s.ClassDef)):
                return scope, scope.bindings[name]
            if scope.parent is None:
                return None
            scope = scope.parent

    # ---- collecting

    def _open(self, node: s.Node, parent: ScopeInfo | None) -> ScopeInfo:
        info = self._infos[node] = ScopeInfo(node, parent)
        return info

    @staticmethod
    def _inside(scope: s.Node, child: s.Node) -> bool:
        """Whether ``child``, a direct child of ``scope``, is evaluated in the namespace of ``scope``."""
        if isinstance(scope, s.Function):
            return not isinstance(child, s.Param) and child is not scope.returns and child not in scope.decorators
        if isinstance(scope, s.ClassDef):
            return not isinstance(child, s.Argument) and child not in scope.decorators
        return True

    def _collect(self, top: s.Node, around: ScopeInfo) -> None:
        stack: list[tuple[s.Node, ScopeInfo]] = [(top, around)]
        while stack:
            node, scope = stack.pop()
            if isinstance(node, s.Function):
                inner = self._open(node, scope)
                for index, param in enumerate(node.params):
                    binding = Binding(BindingKind.PARAMETER, param, param.default, param.annotation, position=index)
                    inner.add(param.name, binding)
            elif isinstance(node, (s.ClassDef, s.Comprehension)):
                inner = self._open(node, scope)
                if isinstance(node, s.ClassDef):
                    self._owner(self._binder(scope), node.name).add(node.name, Binding(BindingKind.CLASS, node))
            else:
                inner = scope
                if node.__class__ in _BINDING:
                    self._bind(node, scope)
            for child in reversed(s.children(node)):
                if child.__class__ in _INERT:
                    continue
                inside = inner if inner is scope or self._inside(node, child) else scope
                if isinstance(node, s.Clause) and child is node.iter and self._is_first(node):
                    inside = scope.parent or scope
                stack.append((child, inside))

    @staticmethod
    def _is_first(clause: s.Clause) -> bool:
        return isinstance(clause.parent, s.Comprehension) and clause.parent.clauses[0] is clause

    @staticmethod
    def _binder(scope: ScopeInfo) -> ScopeInfo:
        """Where a statement or walrus in ``scope`` binds: never in a comprehension."""
        while isinstance(scope.node, s.Comprehension) and scope.parent is not None:
            scope = scope.parent
        return scope

    def _owner(self, scope: ScopeInfo, name: str) -> ScopeInfo:
        """The namespace that a binding of ``name`` in ``scope`` goes to: the module's where it is declared global."""
        return _root(scope) if name in scope.globals else scope

    def _bind(self, node: s.Node, scope: ScopeInfo) -> None:
        if isinstance(node, s.Assign):
            for target in node.targets:
                if node.value is None:
                    self._target(target, Binding(BindingKind.ANNOTATION, node, None, node.annotation), scope)
                else:
                    self._target(target, Binding(BindingKind.ASSIGN, node, node.value, node.annotation), scope)
        elif isinstance(node, (s.For, s.Clause)):
            self._target(node.target, Binding(BindingKind.ELEMENT, node, node.iter), scope)
        elif isinstance(node, s.WithItem):
            if node.target is not None:
                self._target(node.target, Binding(BindingKind.CONTEXT, node, node.context), scope)
        elif isinstance(node, s.NamedExpr):
            self._target(node.target, Binding(BindingKind.ASSIGN, node, node.value), self._binder(scope))
        elif isinstance(node, s.AugAssign):
            self._target(node.target, Binding(BindingKind.OPAQUE, node), scope)
        elif isinstance(node, s.Handler):
            if node.name is not None:
                scope.add(node.name, Binding(BindingKind.OPAQUE, node))
        elif isinstance(node, s.Case):
            for name in node.captures:
                scope.add(name, Binding(BindingKind.OPAQUE, node))
        elif isinstance(node, s.FunctionDef):
            name = node.function.name
            self._owner(scope, name).add(name, Binding(BindingKind.FUNCTION, node.function))
        elif isinstance(node, s.Import):
            for module, alias in node.names:
                imported = module if alias else module.partition(".")[0]
                bound = alias or imported
                self._owner(scope, bound).add(bound, Binding(BindingKind.IMPORT, node, imported=imported))
        elif isinstance(node, s.ImportFrom):
            prefix = self._imported_from(node, scope)
            for name, alias in node.names:
                if name == "*":
                    scope.stars.append(prefix)
                else:
                    joint = "" if prefix.endswith(".") or not prefix else "."
                    bound = alias or name
                    binding = Binding(BindingKind.IMPORT, node, imported=f"{prefix}{joint}{name}")
                    self._owner(scope, bound).add(bound, binding)
        elif isinstance(node, s.Scoping):
            (scope.globals if node.is_global else scope.nonlocals).update(node.names)

    def _imported_from(self, node: s.ImportFrom, scope: ScopeInfo) -> str:
        """The dotted name of the module; where nobody knows what a relative one starts from, it begins with dots."""
        top = _root(scope).node
        package = self._links.packages.get(top) if self._links is not None and isinstance(top, s.Module) else None
        return absolute_name(node, package)

    def _target(self, target: s.Expr, binding: Binding, scope: ScopeInfo) -> None:
        if isinstance(target, s.Name):
            self._owner(scope, target.id).add(target.id, binding)
        elif isinstance(target, s.Starred):
            self._target(target.value, binding._replace(kind=BindingKind.OPAQUE), scope)
        elif isinstance(target, s.Display):
            for index, element in enumerate(target.elements):
                self._target(element, unpacked(binding, target, index), scope)


def _root(scope: ScopeInfo) -> ScopeInfo:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def absolute_name(node: s.ImportFrom, package: str | None) -> str:
    """The dotted name of the module that ``node`` imports from, in a module that lies in ``package``.

    Without one, or where the import goes beyond it, the name begins with dots.
    """
    if not node.level:
        return node.module
    parts = package.split(".") if package else []
    if node.level > len(parts):
        return "." * node.level + node.module
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def unpacked(binding: Binding, target: s.Display, index: int) -> Binding:
    """What item ``index`` of a tuple target is bound to.

    ``a, b = x, y`` binds one to one; ``a, b = f()`` binds an item of the value at that index.
    """
    value = binding.value
    plain = not any(isinstance(element, s.Starred) for element in target.elements)
    if binding.kind is BindingKind.ASSIGN and isinstance(value, s.Display) and plain:
        if len(value.elements) == len(target.elements):
            item = value.elements[index]
            if not isinstance(item, s.Starred):
                return binding._replace(value=item)
    if binding.kind is BindingKind.ASSIGN:
        return binding._replace(kind=BindingKind.ELEMENT, position=index)
    return binding  # `for a, b in pairs`: an item of an item, which containers do not tell apart

"""What a module has at its top level, as other modules see it: definitions, imports, and what each of these names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import syntax as s
from .modules import Modules
from .scopes import absolute_name


class Definitions:
    """What the file at ``path``, whose tree is ``module``, has at module level."""

    def __init__(self, module: s.Module, path: str, modules: Modules) -> None:
        self.module = module
        self.path = path
        self.package = modules.package_of(path)
        self.definitions: dict[str, list[s.Stmt]] = {}
        """The statements at module level that bind a name."""
        self.import_statements: list[s.Stmt] = []
        for statement in _top_statements(module.body):
            for name in _bound(statement):
                self.definitions.setdefault(name, []).append(statement)
            if isinstance(statement, (s.Import, s.ImportFrom)):
                self.import_statements.append(statement)
        self.imports: dict[str, list[str]] = {}
        """The absolute dotted names that names of the file may have been imported from, at whatever level."""
        self.stars: list[str] = []
        for node in module.index.get(s.Import, ()):
            for dotted, alias in node.names if isinstance(node, s.Import) else ():
                imported = dotted if alias else dotted.partition(".")[0]
                self.imports.setdefault(alias or imported, []).append(imported)
        for node in module.index.get(s.ImportFrom, ()):
            if isinstance(node, s.ImportFrom):
                self._import_from(node)
        self._names: dict[s.Node, tuple[str, ...]] = {}
        self._identifiers: dict[s.Node, frozenset[str]] = {}

    def _import_from(self, node: s.ImportFrom) -> None:
        prefix = absolute_name(node, self.package)
        for name, alias in node.names:
            if name == "*":
                self.stars.append(prefix)
            else:
                self.imports.setdefault(alias or name, []).append(f"{prefix}.{name}" if prefix else name)

    def names(self, statement: s.Node) -> tuple[str, ...]:
        """The names and dotted chains of names that ``statement`` (or the module) reads, each once, in order."""
        if statement not in self._names:
            found: dict[str, None] = {}
            nodes: Iterable[s.Node]
            if isinstance(statement, s.Module):
                nodes = [*statement.index.get(s.Attribute, ()), *statement.index.get(s.Name, ())]
            else:
                nodes = s.walk(statement)
            for node in nodes:
                if isinstance(node, s.Name):
                    if not isinstance(node.parent, s.Attribute):
                        found[node.id] = None
                elif isinstance(node, s.Attribute) and not isinstance(node.parent, s.Attribute):
                    dotted = s.dotted(node)
                    if dotted is not None:
                        found[dotted] = None
            self._names[statement] = tuple(found)
        return self._names[statement]

    def absolute(self, dotted: str) -> Iterator[str]:
        """The absolute names that ``dotted``, which begins with an imported name, may stand for."""
        head, _, rest = dotted.partition(".")
        for prefix in self.imports.get(head, ()):
            yield f"{prefix}.{rest}" if rest else prefix

    def identifiers(self, statement: s.Node) -> frozenset[str]:
        """The identifiers of the names and attributes in ``statement``."""
        if statement not in self._identifiers:
            self._identifiers[statement] = frozenset(
                node.attr if isinstance(node, s.Attribute) else node.id
                for node in s.walk(statement)
                if isinstance(node, (s.Attribute, s.Name))
            )
        return self._identifiers[statement]


def bases(statement: s.Node) -> list[s.Expr]:
    """What a class derives from; nothing for all else."""
    if not isinstance(statement, s.ClassDef):
        return []
    values = [argument.value for argument in statement.bases if argument.keyword is None and not argument.star]
    return [value.value if isinstance(value, s.Subscript) else value for value in values]


def _top_statements(body: list[s.Stmt]) -> Iterator[s.Stmt]:
    """The statements that run when the module does, of compound ones those inside."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, (s.ClassDef, s.FunctionDef)):
            continue
        inner: list[s.Stmt] = []
        for child in s.children(statement):
            if isinstance(child, s.Stmt):
                inner.append(child)
            elif isinstance(child, (s.Handler, s.Case)):
                inner.extend(child.body)
        stack.extend(reversed(inner))


def _bound(statement: s.Stmt) -> Iterator[str]:
    if isinstance(statement, s.FunctionDef):
        yield statement.function.name
    elif isinstance(statement, s.ClassDef):
        yield statement.name
    elif isinstance(statement, s.Import):
        for dotted, alias in statement.names:
            yield alias or dotted.partition(".")[0]
    elif isinstance(statement, s.ImportFrom):
        for name, alias in statement.names:
            if name != "*":
                yield alias or name
    elif isinstance(statement, s.Assign):
        for target in statement.targets:
            yield from _target_names(target)
    elif isinstance(statement, s.For):
        yield from _target_names(statement.target)
    elif isinstance(statement, s.With):
        for item in statement.items:
            if item.target is not None:
                yield from _target_names(item.target)


def _target_names(target: s.Expr) -> Iterator[str]:
    if isinstance(target, s.Name):
        yield target.id
    elif isinstance(target, s.Display):
        for element in target.elements:
            yield from _target_names(element)
    elif isinstance(target, s.Starred):
        yield from _target_names(target.value)

"""What the analysis of a file looks at in other files: the definitions that it imports and that can matter.

A file is analysed together with *slices* of the modules that its imports mean. Linked are

- the classes that its classes derive from, and theirs, where one of them has to do with concurrency,
- the classes of workers, locks and the like,
- the variables that hold such objects,
- the functions that use them, and what calls these at module level, which is how a script runs,
- of a lock that several files know, all that takes it,

and what these definitions name in turn. All else of another file stays unknown, as all other files do where one is
checked alone: it may do anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from . import catalog
from . import syntax as s
from .definitions import Definitions, bases
from .modules import Modules

T = TypeVar("T")

DEPTH = 3
"""How many definitions may lie between a file and one that is linked to it; bases of classes do not count."""

MOST_NODES = 40_000
"""So many nodes of other files are looked at, those named first; it is what 3,000 lines hold."""

_MOST_MODULES = 200
_MOST_IMPORTS = 8
"""How often a name may be imported from a module that imported it."""

_IDLE_KINDS = frozenset({"collection", "logger", "socket", "http_session", "exit_stack"})
_VERBS = frozenset({"acquire", "release", "notify", "notify_all", "task_done", "terminate", "fork", "run_in_executor"})


class Linked(NamedTuple):
    """The links of a file and what they hang on."""

    links: s.Links | None
    files: frozenset[str]
    """The paths of the files that were looked at."""
    asked: tuple[tuple[str, str, tuple[str, ...]], ...]
    """For files and names of theirs, which files were told to may import these."""


class _Target(NamedTuple):
    """Something at module level of a file."""

    path: str
    name: str


class _Reference(NamedTuple):
    """A name in a file, and what defines it."""

    dotted: str
    """The absolute name of something in another module, empty where it is of the same."""
    target: _Target


class Linker:
    """Links files of one run. ``load`` gives the tree of the file at a path, ``None`` where it has none."""

    def __init__(
        self,
        modules: Modules,
        load: Callable[[str], s.Module | None],
        importers: Callable[[str, str], Iterable[str]] = lambda path, name: (),
    ) -> None:
        """``importers`` gives the paths of the files that may import what the file at a path has by some name."""
        self.modules = modules
        self.importers = importers
        self._load = load
        self._known: dict[str, Definitions | None] = {}
        self._matters: dict[_Target, tuple[bool, frozenset[str]]] = {}
        self._looks: dict[_Target, tuple[bool, tuple[_Target, ...], frozenset[str]]] = {}
        self._read: set[str] = set()
        """The files that were looked at for what is being found out."""
        known = catalog.load()
        self._lock_makers = frozenset(
            name.rpartition(".")[2]
            for name, made in known.made_by.items()
            if made.kind in known.lock_kinds and made.api == "threading"
        )
        self._makers = frozenset(name for name, made in known.made_by.items() if made.kind not in _IDLE_KINDS)
        self._words = frozenset(name.rpartition(".")[2] for name in (*self._makers, *known.runs)) | _VERBS

    def link(self, module: s.Module, path: str) -> Linked:
        """What the file at ``path``, whose tree is ``module``, gets to see of others."""
        kept = self._known.get(path)
        own = Definitions(module, path, self.modules) if kept is None or kept.module is not module else kept
        linking = _Linking(self, own)
        links, files = self._reading(linking.run)
        return Linked(links, files, tuple(linking.asked))

    def tree(self, path: str) -> s.Module | None:
        """The tree of the file at ``path`` if it is one of those that are kept."""
        kept = self._known.get(path)
        return None if kept is None else kept.module

    def keep(self, module: s.Module, path: str) -> None:
        """Keeps the tree of the file at ``path``, for other files that import it."""
        if self.tree(path) is not module:
            self._keep(path, Definitions(module, path, self.modules))

    def _reading(self, find: Callable[[], T]) -> tuple[T, frozenset[str]]:
        """What ``find`` finds, and the files that were looked at for it."""
        before, self._read = self._read, set()
        try:
            return find(), frozenset(self._read)
        finally:
            self._read |= before

    def known(self, path: str) -> Definitions | None:
        """What is at module level of the file at ``path``; the modules used last are kept."""
        self._read.add(path)
        if path in self._known:
            known = self._known.pop(path)
        else:
            module = self._load(path)
            known = None if module is None else Definitions(module, path, self.modules)
        self._keep(path, known)
        return known

    def _keep(self, path: str, known: Definitions | None) -> None:
        self._known.pop(path, None)
        self._known[path] = known
        if len(self._known) > _MOST_MODULES:
            del self._known[next(iter(self._known))]

    def defining(self, target: _Target) -> Iterator[tuple[Definitions, s.Stmt]]:
        """The statements that bind what is at ``target``, with the module that they stand in."""
        known = self.known(target.path)
        if known is not None:
            for statement in known.definitions.get(target.name, ()):
                yield known, statement

    def references(self, known: Definitions, node: s.Node) -> Iterator[_Reference]:
        """What ``node`` names at module level, of its own module and of others."""
        for dotted in known.names(node):
            head = dotted.partition(".")[0]
            if head in known.imports:
                for name in known.absolute(dotted):
                    yield from self.resolve(name, known.path)
            elif head in known.definitions:
                yield _Reference("", _Target(known.path, head))
            else:
                for prefix in known.stars:
                    yield from self.resolve(f"{prefix}.{head}", known.path)

    def resolve(self, dotted: str, importer: str) -> Iterator[_Reference]:
        """The first thing in a module that ``dotted`` leads to."""
        found = self.modules.find(dotted, importer)
        if found is not None and found.rest:
            yield _Reference(f"{found.module}.{found.rest[0]}", _Target(found.path, found.rest[0]))

    def definition(self, target: _Target) -> _Target | None:
        """Where what is at ``target`` is defined, which a module may have imported from elsewhere."""
        for _ in range(_MOST_IMPORTS):
            known = self.known(target.path)
            if known is None:
                return None
            statements = known.definitions.get(target.name, ())
            prefixes = known.imports.get(target.name, []) if statements else known.stars
            if statements and not any(isinstance(each, (s.Import, s.ImportFrom)) for each in statements):
                return target
            names = prefixes if statements else [f"{prefix}.{target.name}" for prefix in prefixes]
            found = next((each.target for name in names for each in self.resolve(name, target.path)), None)
            if found is None:
                return None
            target = found
        return None

    def matters(self, target: _Target) -> bool:
        """Whether the definition at ``target`` is of an object of a catalogued type, or uses one."""
        if target not in self._matters:
            self._matters[target] = self._reading(lambda: self._comes_to_object(target))
        found, files = self._matters[target]
        self._read |= files
        return found

    def _comes_to_object(self, target: _Target) -> bool:
        seen = {target}
        pending = [target]
        while pending:
            is_object, leads = self._look(pending.pop())
            if is_object:
                return True
            pending += [each for each in leads if each not in seen]
            seen.update(leads)
        return False

    def _look(self, target: _Target) -> tuple[bool, tuple[_Target, ...]]:
        """Whether the definition at ``target`` says itself that it matters, and else by what classes and variables."""
        if target not in self._looks:
            found, files = self._reading(lambda: self._look_at(target))
            self._looks[target] = *found, files
        is_object, leads, files = self._looks[target]
        self._read |= files
        return is_object, leads

    def _look_at(self, target: _Target) -> tuple[bool, tuple[_Target, ...]]:
        leads: dict[_Target, None] = {}
        for known, statement in self.defining(target):
            is_class = isinstance(statement, s.ClassDef)
            if self.has_words(known, statement) and (not is_class or self._is_catalogued(known, statement)):
                return True, ()
            for node in bases(statement) if is_class else [statement]:
                for reference in self.references(known, node):
                    found = self.definition(reference.target)
                    if found is not None and found != target and self._is_class_or_variable(found):
                        leads[found] = None
        return False, tuple(leads)

    def _is_class_or_variable(self, target: _Target) -> bool:
        statements = [statement for _, statement in self.defining(target)]
        return bool(statements) and all(isinstance(each, (s.ClassDef, s.Assign)) for each in statements)

    def _is_catalogued(self, known: Definitions, statement: s.Stmt) -> bool:
        """Whether a class derives from a catalogued type itself."""
        return any(
            name in self._makers
            for base in bases(statement)
            for dotted in known.names(base)
            for name in known.absolute(dotted)
        )

    def lock_names(self, known: Definitions) -> list[str]:
        """The variables of a module that hold locks, and that other files may know."""
        return [name for name in known.definitions if self.is_lock(known, name)]

    def is_lock(self, known: Definitions, name: str) -> bool:
        """Whether ``name`` is such a variable."""
        statements = () if name.startswith("_") else known.definitions[name]
        return any(self._makes_lock(known, statement) for statement in statements)

    def _makes_lock(self, known: Definitions, statement: s.Stmt) -> bool:
        return isinstance(statement, s.Assign) and not self._lock_makers.isdisjoint(known.identifiers(statement))

    def has_words(self, known: Definitions, statement: s.Node) -> bool:
        """Whether ``statement`` itself has an identifier that has to do with concurrency."""
        return not self._words.isdisjoint(known.identifiers(statement))


class _Linking:
    """The links of one file."""

    def __init__(self, linker: Linker, own: Definitions) -> None:
        self._linker = linker
        self._own = own
        self._exports: dict[str, tuple[s.Module, str]] = {}
        self._slices: dict[str, dict[s.Stmt, Sequence[s.Node]]] = {}
        """By the paths of modules, the statements that are linked, and all nodes of each."""
        self._knowns: dict[str, Definitions] = {}
        self._pending: deque[tuple[_Target, int]] = deque()
        self._seen: set[_Target] = set()
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self._nodes = 0

    def run(self) -> s.Links | None:
        own, module = self._own, self._own.module
        derived = dict.fromkeys(base for node in module.classes for base in bases(node))
        for base in derived:
            for reference in self._linker.references(own, base):
                self._want(reference, 0, as_base=True)
        for statement in module.body:
            if isinstance(statement, s.ExprStmt):
                for reference in self._linker.references(own, statement):
                    self._want(reference, 0, calls=2)
        for reference in self._linker.references(own, module):
            self._want(reference, 0)
        for name in self._linker.lock_names(own):
            self._want_users(_Target(own.path, name), 0)
        while self._pending and self._nodes < MOST_NODES:
            self._admit(*self._pending.popleft())
        return self._links() if self._slices else None

    def _links(self) -> s.Links:
        module = self._own.module
        paths = {module: self._own.path}
        packages = {module: self._own.package or ""}
        nodes = {kind: list(found) for kind, found in module.index.items()}
        slices = []
        for path, statements in self._slices.items():
            known = self._knowns[path]
            paths[known.module] = path
            packages[known.module] = known.package or ""
            hidden = frozenset(
                name for name, bound in known.definitions.items() if not any(each in statements for each in bound)
            )
            slices.append(s.Slice(known.module, tuple(statements), hidden))
            for found in statements.values():
                for node in found:
                    nodes.setdefault(type(node), []).append(node)
        # What came after the limit was reached is unknown, wherever it is named.
        exports = {dotted: found for dotted, found in self._exports.items() if found[0] in paths}
        return s.Links(tuple(slices), exports, paths, packages, nodes)

    def _want(self, reference: _Reference, depth: int, *, as_base: bool = False, calls: int = 0) -> None:
        """Links what ``reference`` leads to if it matters: as a base of a class, or called so many ``calls`` away."""
        target = self._linker.definition(reference.target)
        if target is None:
            return
        if target.path == self._own.path:
            if reference.dotted:
                self._exports.setdefault(reference.dotted, (self._own.module, target.name))
            return
        if not (self._linker.matters(target) or (as_base and self._has_words(target)) or self._calls(target, calls)):
            return
        if reference.dotted:
            self._export(reference, target)
        self._add(target, depth)

    def _want_users(self, lock: _Target, depth: int) -> None:
        """Links what else takes the ``lock`` that a module has: in the module itself, and in files that import it."""
        importers = tuple(self._linker.importers(lock.path, lock.name))
        self.asked.append((lock.path, lock.name, importers))
        for path in dict.fromkeys([lock.path, *importers]):
            known = None if path == self._own.path else self._known(path)
            if known is None:
                continue
            for name, statements in known.definitions.items():
                for statement in statements:
                    if not isinstance(statement, (s.FunctionDef, s.ClassDef)):
                        continue
                    if lock.name in known.identifiers(statement) and self._names(known, statement, lock):
                        self._add(_Target(path, name), depth + 1)

    def _names(self, known: Definitions, statement: s.Stmt, target: _Target) -> bool:
        return any(
            self._linker.definition(reference.target) == target
            for reference in self._linker.references(known, statement)
            if reference.target.name == target.name
        )

    def _add(self, target: _Target, depth: int) -> None:
        if target not in self._seen:
            self._seen.add(target)
            self._pending.append((target, depth))

    def _export(self, reference: _Reference, target: _Target) -> None:
        known = self._known(target.path)
        if known is not None:
            self._exports.setdefault(reference.dotted, (known.module, target.name))

    def _known(self, path: str) -> Definitions | None:
        """As the linker's, but one tree a file however often it is read again meanwhile."""
        if path not in self._knowns:
            known = self._linker.known(path)
            if known is None:
                return None
            self._knowns[path] = known
        return self._knowns[path]

    def _has_words(self, target: _Target) -> bool:
        """Whether a class, or one that it derives from, has to do with concurrency anywhere in its body."""
        pending, seen = [target], {target}
        while pending:
            for known, statement in self._linker.defining(pending.pop()):
                if self._linker.has_words(known, statement):
                    return True
                for base in bases(statement):
                    for reference in self._linker.references(known, base):
                        found = self._linker.definition(reference.target)
                        if found is not None and found not in seen:
                            seen.add(found)
                            pending.append(found)
        return False

    def _calls(self, target: _Target, steps: int) -> bool:
        """Whether a function comes to one that matters in so many ``steps``."""
        for known, statement in self._linker.defining(target) if steps else ():
            if isinstance(statement, s.FunctionDef):
                for reference in self._linker.references(known, statement):
                    found = self._linker.definition(reference.target)
                    if found is not None and (self._linker.matters(found) or self._calls(found, steps - 1)):
                        return True
        return False

    def _admit(self, target: _Target, depth: int) -> None:
        known = self._known(target.path)
        if known is None:
            return
        part = self._slices.setdefault(target.path, {each: [each] for each in known.import_statements})
        for statement in known.definitions[target.name]:
            if statement in part:
                continue
            part[statement] = list(s.walk(statement))
            if self._linker.is_lock(known, target.name):
                self._want_users(target, depth)
            self._nodes += len(part[statement])
            for base in bases(statement):
                for reference in self._linker.references(known, base):
                    self._want(reference, depth, as_base=True)
            if depth < DEPTH:
                for reference in self._linker.references(known, statement):
                    self._want(reference, depth + 1, calls=1)

"""The lowered syntax tree: what the model needs of a Python file, and nothing of its formatting.

:mod:`conclint.tree` makes it from libcst in one walk, and :mod:`conclint.quick` makes the same from Python's own
``ast``. It is close to that in shape, with fewer kinds of node: operators, f-strings and slices are one
:class:`Operation`, since no analysis tells them apart. Every node knows its parent, and the node of libcst it came
from, so that a position can be found on demand.

Children are listed in evaluation order where Python defines one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, Union, cast


class Node:
    """Base of all nodes. Compared and hashed by identity."""

    __slots__ = ("origin", "parent")

    origin: object
    """The libcst node this one was lowered from; what was lowered from ``ast`` has none."""
    parent: Node | None

    def set_origin(self, origin: object) -> None:
        """Say which libcst node this one was lowered from."""
        self.origin = origin


N = TypeVar("N", bound=Node)


class Expr(Node):
    """Base of expressions."""

    __slots__ = ()


class Stmt(Node):
    """Base of statements."""

    __slots__ = ()


# --------------------------------------------------------------------------------------------- expressions


@dataclass(slots=True, eq=False, repr=False)
class Name(Expr):
    id: str


@dataclass(slots=True, eq=False, repr=False)
class Constant(Expr):
    """A literal. ``value`` is the number, string, bytes, bool, ``None`` or ``...`` itself."""

    value: object


@dataclass(slots=True, eq=False, repr=False)
class Attribute(Expr):
    value: Expr
    attr: str


@dataclass(slots=True, eq=False, repr=False)
class Argument(Node):
    """One argument of a call or class statement; ``star`` is ``""``, ``"*"`` or ``"**"``."""

    value: Expr
    keyword: str | None = None
    star: str = ""


@dataclass(slots=True, eq=False, repr=False)
class Call(Expr):
    func: Expr
    args: list[Argument]

    def positional(self, index: int) -> Expr | None:
        """The positional argument at ``index``, ``None`` where it is absent or hidden behind a ``*``."""
        for position, argument in enumerate(self.args):
            if argument.star or argument.keyword is not None:
                return None
            if position == index:
                return argument.value
        return None

    def keyword(self, name: str) -> Expr | None:
        """The value of the keyword argument ``name``, if it is given."""
        for argument in self.args:
            if argument.keyword == name:
                return argument.value
        return None

    def argument(self, index: int, name: str) -> Expr | None:
        """The argument that fills the parameter at ``index`` called ``name``, however it is passed."""
        found = self.keyword(name)
        return found if found is not None else self.positional(index)

    @property
    def has_star(self) -> bool:
        """Whether ``*args`` or ``**kwargs`` hide some of the arguments."""
        return any(argument.star for argument in self.args)


@dataclass(slots=True, eq=False, repr=False)
class Subscript(Expr):
    value: Expr
    index: Expr


@dataclass(slots=True, eq=False, repr=False)
class Await(Expr):
    value: Expr


@dataclass(slots=True, eq=False, repr=False)
class Yield(Expr):
    value: Expr | None
    is_from: bool


@dataclass(slots=True, eq=False, repr=False)
class BoolOp(Expr):
    """``and`` / ``or`` of two operands; chains nest to the left, as they are evaluated."""

    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False, repr=False)
class Not(Expr):
    operand: Expr


@dataclass(slots=True, eq=False, repr=False)
class Compare(Expr):
    """``left op right``; a chained comparison keeps all its operators and operands."""

    left: Expr
    ops: list[str]
    rights: list[Expr]


@dataclass(slots=True, eq=False, repr=False)
class IfExp(Expr):
    test: Expr
    body: Expr
    orelse: Expr


@dataclass(slots=True, eq=False, repr=False)
class NamedExpr(Expr):
    target: Expr
    value: Expr


@dataclass(slots=True, eq=False, repr=False)
class Starred(Expr):
    value: Expr


@dataclass(slots=True, eq=False, repr=False)
class Display(Expr):
    """A list, tuple or set display; ``kind`` is ``"list"``, ``"tuple"`` or ``"set"``."""

    kind: str
    elements: list[Expr]


@dataclass(slots=True, eq=False, repr=False)
class DictDisplay(Expr):
    """A dict display; a key of ``None`` stands for ``**value``."""

    keys: list[Expr | None]
    values: list[Expr]


@dataclass(slots=True, eq=False, repr=False)
class Clause(Node):
    """One ``for target in iter if ...`` of a comprehension."""

    target: Expr
    iter: Expr
    ifs: list[Expr]
    is_async: bool


@dataclass(slots=True, eq=False, repr=False)
class Comprehension(Expr):
    """``kind`` is ``"list"``, ``"set"``, ``"dict"`` or ``"generator"``; a dict has the key in ``key``."""

    kind: str
    clauses: list[Clause]
    key: Expr | None
    element: Expr


@dataclass(slots=True, eq=False, repr=False)
class Operation(Expr):
    """Anything else that is computed from operands: arithmetic, f-strings, slices.

    ``op`` is the operator's text, ``"f"`` for a formatted string, ``":"`` for a slice.
    """

    op: str
    operands: list[Expr]


@dataclass(slots=True, eq=False, repr=False)
class Lambda(Expr):
    function: Function


# ---------------------------------------------------------------------------------------------- statements


@dataclass(slots=True, eq=False, repr=False)
class ExprStmt(Stmt):
    value: Expr


@dataclass(slots=True, eq=False, repr=False)
class Assign(Stmt):
    """``a = b = value``, also an annotated assignment (then ``value`` may be absent)."""

    value: Expr | None
    targets: list[Expr]
    annotation: Expr | None = None


@dataclass(slots=True, eq=False, repr=False)
class AugAssign(Stmt):
    target: Expr
    op: str
    value: Expr


@dataclass(slots=True, eq=False, repr=False)
class Delete(Stmt):
    targets: list[Expr]


@dataclass(slots=True, eq=False, repr=False)
class Return(Stmt):
    value: Expr | None


@dataclass(slots=True, eq=False, repr=False)
class Raise(Stmt):
    exc: Expr | None
    cause: Expr | None


@dataclass(slots=True, eq=False, repr=False)
class Assert(Stmt):
    test: Expr
    message: Expr | None


@dataclass(slots=True, eq=False, repr=False)
class Import(Stmt):
    """``import a.b as c``: pairs of dotted module name and bound name (``None``: the first component)."""

    names: list[tuple[str, str | None]]


@dataclass(slots=True, eq=False, repr=False)
class ImportFrom(Stmt):
    """``from ..module import a as b``; ``names`` of ``[("*", None)]`` is a star import."""

    module: str
    level: int
    names: list[tuple[str, str | None]]


@dataclass(slots=True, eq=False, repr=False)
class Scoping(Stmt):
    """``global`` or ``nonlocal``."""

    is_global: bool
    names: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Pass(Stmt):
    pass


@dataclass(slots=True, eq=False, repr=False)
class Break(Stmt):
    pass


@dataclass(slots=True, eq=False, repr=False)
class Continue(Stmt):
    pass


@dataclass(slots=True, eq=False, repr=False)
class If(Stmt):
    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


@dataclass(slots=True, eq=False, repr=False)
class While(Stmt):
    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


@dataclass(slots=True, eq=False, repr=False)
class For(Stmt):
    iter: Expr
    target: Expr
    body: list[Stmt]
    orelse: list[Stmt]
    is_async: bool


@dataclass(slots=True, eq=False, repr=False)
class Handler(Node):
    """``except type as name:``; a bare ``except:`` has no type."""

    type: Expr | None
    name: str | None
    body: list[Stmt]


@dataclass(slots=True, eq=False, repr=False)
class Try(Stmt):
    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]
    is_star: bool


@dataclass(slots=True, eq=False, repr=False)
class WithItem(Node):
    context: Expr
    target: Expr | None


@dataclass(slots=True, eq=False, repr=False)
class With(Stmt):
    items: list[WithItem]
    body: list[Stmt]
    is_async: bool


@dataclass(slots=True, eq=False, repr=False)
class Case(Node):
    """One ``case``: the names its pattern binds, the expressions it evaluates, its guard.

    ``irrefutable`` says that the pattern itself always matches (``case _``, ``case name``).
    """

    captures: list[str]
    values: list[Expr]
    guard: Expr | None
    body: list[Stmt]
    irrefutable: bool
    is_constant: bool = False
    """Whether the pattern is ``True``, ``False`` or ``None`` alone, which is then the only one of ``values``."""


@dataclass(slots=True, eq=False, repr=False)
class Match(Stmt):
    subject: Expr
    cases: list[Case]


@dataclass(slots=True, eq=False, repr=False)
class Param(Node):
    """A parameter; ``kind`` is ``"posonly"``, ``"normal"``, ``"kwonly"``, ``"*"`` or ``"**"``."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


@dataclass(slots=True, eq=False, repr=False)
class Function(Node):
    """A ``def``, ``async def`` or ``lambda`` (named ``"<lambda>"``, its body one :class:`Return`)."""

    name: str
    params: list[Param]
    decorators: list[Expr]
    returns: Expr | None
    body: list[Stmt]
    is_async: bool
    is_generator: bool = False

    @property
    def is_lambda(self) -> bool:
        return self.name == "<lambda>"


@dataclass(slots=True, eq=False, repr=False)
class FunctionDef(Stmt):
    function: Function


@dataclass(slots=True, eq=False, repr=False)
class ClassDef(Stmt):
    name: str
    decorators: list[Expr]
    bases: list[Argument]
    body: list[Stmt]


@dataclass(slots=True, eq=False, repr=False)
class Module(Node):
    body: list[Stmt]
    own_functions: list[Function] = field(default_factory=list)
    """Every function of the file, lambdas included, outer before inner, in source order."""
    own_classes: list[ClassDef] = field(default_factory=list)
    """Every class of the file, in source order."""
    index: dict[type[Node], list[Node]] = field(default_factory=dict)
    links: Links | None = None
    """What is known of other files while this one is analysed."""

    @property
    def functions(self) -> list[Function]:
        """Every function of the file, and of the definitions that are linked to it."""
        return self.own_functions if self.links is None else self.all(Function)

    @property
    def classes(self) -> list[ClassDef]:
        """Every class of the file, and of the definitions that are linked to it."""
        return self.own_classes if self.links is None else self.all(ClassDef)

    def all(self, kind: type[N]) -> list[N]:
        """Every node of class ``kind`` (not of its subclasses), in source order, linked definitions last."""
        index = self.index if self.links is None else self.links.nodes
        return cast("list[N]", index.get(kind, []))


class Slice(NamedTuple):
    """The part of another file that the analysis of a file looks at."""

    module: Module
    statements: tuple[Stmt, ...]
    """Of the statements at module level those that count here: definitions and all imports."""
    hidden: frozenset[str]
    """Names that other statements bind, of which nothing is to be known."""


class Links(NamedTuple):
    """What the analysis of a file knows of other files."""

    slices: tuple[Slice, ...]
    exports: dict[str, tuple[Module, str]]
    """For the dotted name of something imported, the module that defines it and the name that it has there."""
    paths: dict[Module, str]
    """The files of the modules, the file's own included."""
    packages: dict[Module, str]
    """The dotted name of the package that relative imports of a module start from, without a dot at its end."""
    nodes: dict[type[Node], list[Node]]
    """The nodes of the file and, after these, of all definitions in the slices, by class."""


Scope = Union[Module, ClassDef, Function]
"""What opens a namespace (comprehensions are handled where names are resolved)."""


_LEAVES = frozenset({"str", "bool", "int", "object", "str | None", "list[str]", "list[tuple[str, str | None]]"})


def _child_fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a class of node that hold nodes."""
    if kind is Module:
        return ("body",)
    return tuple(name for name, annotation in kind.__annotations__.items() if annotation not in _LEAVES)


def _children_of(kind: type[Node]) -> Callable[[Any], Sequence[Node]]:
    """What gives the children of a node of ``kind``: as little as its fields allow, since it is asked all the time."""
    names = _child_fields(kind)
    if not names:
        return lambda node: ()
    annotations = [kind.__annotations__[name] for name in names]
    get: Callable[[Any], Any] = attrgetter(*names)
    if len(names) == 1 and annotations[0].startswith("list["):
        return get
    if not any(annotation.startswith("list[") or annotation.endswith("None") for annotation in annotations):
        return get if len(names) > 1 else lambda node: (get(node),)
    values = get if len(names) > 1 else lambda node: (get(node),)

    def mixed(node: Any) -> Sequence[Node]:
        below: list[Node] = []
        for value in values(node):
            if value.__class__ is list:
                below += value
            elif value is not None:
                below.append(value)
        return below

    if kind is DictDisplay:
        return lambda node: [*filter(None, mixed(node))]
    return mixed


_CHILDREN: dict[type[Node], Callable[[Any], Sequence[Node]]] = {
    kind: _children_of(kind)
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, Node) and kind not in (Node, Expr, Stmt)
}


def children(node: Node) -> Sequence[Node]:
    """The direct children of ``node``, in evaluation order."""
    return _CHILDREN[node.__class__](node)


def walk(node: Node, *, into_functions: bool = True) -> Iterator[Node]:
    """``node`` and everything below it, in source order, without recursion.

    With ``into_functions=False`` the bodies of nested functions are passed over: what is left is what runs
    when ``node`` runs (a class body does). The nested :class:`Function` nodes themselves are yielded, and so
    are their decorators and defaults.
    """
    return _walk([node], None if into_functions else node)


def _walk(stack: list[Node], whole: Node | None) -> Iterator[Node]:
    """What is on ``stack``, last first, and everything below, but for the bodies of functions other than ``whole``.

    Where ``whole`` is ``None``, all functions are walked into.
    """
    while stack:
        current = stack.pop()
        yield current
        if whole is not None and current.__class__ is Function and current is not whole:
            below = [*current.decorators, *(p.default for p in current.params if p.default is not None)]
            stack += below[::-1]
        else:
            stack += _CHILDREN[current.__class__](current)[::-1]


def own_nodes(scope: Scope) -> Iterator[Node]:
    """What runs when the body of ``scope`` does, nested functions left out, in source order."""
    return _walk([*reversed(scope.body)], scope)


def last_name(expr: Expr) -> str:
    """The last identifier of a name or attribute (``lock`` of ``self.lock``), ``""`` for anything else."""
    if isinstance(expr, Attribute):
        return expr.attr
    return expr.id if isinstance(expr, Name) else ""


def link(module: Module) -> None:
    """Set every ``parent`` and index the nodes by class; iterative, so that deep trees are no risk."""
    _adopt(None, module)
    found: defaultdict[type[Node], list[Node]] = defaultdict(list)
    stack: list[Node] = [module]
    while stack:
        node = stack.pop()
        kind = node.__class__
        found[kind].append(node)
        below = _CHILDREN[kind](node)
        if below:
            for child in below:
                child.parent = node
            stack += below[::-1]
    module.index.update(found)


def _adopt(parent: Node | None, child: Node) -> None:
    child.parent = parent


def ancestors(node: Node) -> Iterator[Node]:
    """The parents of ``node``, nearest first, the module last."""
    current = node.parent
    while current is not None:
        yield current
        current = current.parent


def statement_of(node: Node) -> Node:
    """The statement (or handler, or case) that ``node`` stands in; ``node`` itself where it is one."""
    current: Node = node
    while not isinstance(current, (Stmt, Handler, Case, Module)):
        if current.parent is None:
            return current
        current = current.parent
    return current


def enclosing_function(node: Node) -> Function | None:
    """The innermost function whose body ``node`` stands in."""
    child = node
    for parent in ancestors(node):
        if isinstance(parent, Function) and not _outside_body(parent, child):
            return parent
        child = parent
    return None


def enclosing_scope(node: Node) -> Function | Module:
    """The innermost function whose body ``node`` stands in, or else the module, which every node hangs on."""
    return enclosing_function(node) or root_of(node)


def root_of(node: Node) -> Module:
    """The module that ``node`` stands in."""
    root = node
    while root.parent is not None:
        root = root.parent
    assert isinstance(root, Module)
    return root


def enclosing_class(node: Node) -> ClassDef | None:
    """The innermost class around ``node``, functions between them included."""
    for parent in ancestors(node):
        if isinstance(parent, ClassDef):
            return parent
    return None


def _outside_body(function: Function, child: Node) -> bool:
    """Whether ``child`` is a decorator, parameter or annotation: evaluated where the function is defined."""
    return isinstance(child, Param) or child is function.returns or any(child is d for d in function.decorators)


def is_nothing(expr: Expr | None) -> bool:
    """Whether an argument or value is not given, or is ``None``."""
    return expr is None or (isinstance(expr, Constant) and expr.value is None)


def is_assigned(expr: Expr) -> bool:
    """Whether ``expr`` is itself what an assignment assigns to."""
    return isinstance(expr.parent, Assign) and any(target is expr for target in expr.parent.targets)


def symbol_of(node: Node) -> str:
    """The dotted name of the functions and classes around ``node``, ``""`` at module level."""
    names = [
        parent.name
        for parent in (node, *ancestors(node))
        if isinstance(parent, ClassDef) or (isinstance(parent, Function) and not parent.is_lambda)
    ]
    return ".".join(reversed(names))


def dotted(expr: Expr) -> str | None:
    """``a.b.c`` for a chain of names and attributes, ``None`` for anything else."""
    parts: list[str] = []
    while isinstance(expr, Attribute):
        parts.append(expr.attr)
        expr = expr.value
    if not isinstance(expr, Name):
        return None
    parts.append(expr.id)
    return ".".join(reversed(parts))

"""The classes of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, Union, cast


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

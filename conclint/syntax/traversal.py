"""Ways through a tree: to what lies below a node, and to what lies around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from . import nodes
from .nodes import (
    Assign,
    Attribute,
    Call,
    Case,
    ClassDef,
    Constant,
    DictDisplay,
    Display,
    Expr,
    Function,
    Handler,
    Module,
    Name,
    Node,
    Param,
    Scope,
    Starred,
    Stmt,
)

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
    for kind in vars(nodes).values()
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


def is_never_empty(expr: Expr) -> bool:
    """Whether iterating over ``expr`` plainly gives something: ``(a, b)``, ``range(3)``."""
    if isinstance(expr, Display):
        return any(not isinstance(element, Starred) for element in expr.elements)
    if not isinstance(expr, Call) or not isinstance(expr.func, Name) or expr.func.id != "range" or expr.has_star:
        return False
    bounds = [argument.value.value for argument in expr.args if isinstance(argument.value, Constant)]
    if len(bounds) != len(expr.args) or not 1 <= len(bounds) <= 2:
        return False
    start, stop = bounds if len(bounds) == 2 else (0, bounds[0])
    return isinstance(start, int) and isinstance(stop, int) and start < stop


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

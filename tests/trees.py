"""Comparing two lowered trees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from conclint import syntax as s

_LINKS = {"functions", "classes", "index"}


def differences(left: s.Module, right: s.Module) -> Iterator[str]:
    """Where two trees differ: the path to what is not the same, and what it is on either side."""
    stack: list[tuple[str, Any, Any]] = [("module", left, right)]
    while stack:
        path, one, other = stack.pop()
        if type(one) is not type(other):
            yield f"{path}: {_shown(one)} is not {_shown(other)}"
        elif isinstance(one, s.Node):
            fields = [field.name for field in dataclasses.fields(one) if field.name not in _LINKS]  # type: ignore[arg-type]
            stack += [(f"{path}.{name}", getattr(one, name), getattr(other, name)) for name in reversed(fields)]
        elif isinstance(one, list):
            if len(one) != len(other):
                yield f"{path}: {len(one)} are not {len(other)}"
            stack += [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(one, other, strict=False))][::-1]
        elif repr(one) != repr(other):
            yield f"{path}: {one!r} is not {other!r}"
    if _links(left) != _links(right):
        yield "module: the same nodes in another order"


def _links(module: s.Module) -> list[object]:
    """What the module lists besides its body, and the parents, as numbers of nodes from the start of the module."""
    nodes = list(s.walk(module))
    numbers: dict[s.Node | None, int] = {node: number for number, node in enumerate(nodes)}
    lists = {kind: [numbers[node] for node in found] for kind, found in module.index.items()}
    functions, classes = ([numbers[node] for node in found] for found in (module.functions, module.classes))
    return [lists, functions, classes, [numbers.get(node.parent) for node in nodes]]


def _shown(value: object) -> str:
    return type(value).__name__ if isinstance(value, s.Node) else repr(value)

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
            stack += [
                (f"{path}.{name}", getattr(one, name), getattr(other, name)) for name in reversed(fields)
            ]
        elif isinstance(one, list):
            if len(one) != len(other):
                yield f"{path}: {len(one)} are not {len(other)}"
            stack += [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(one, other, strict=False))][::-1]
        elif repr(one) != repr(other):
            yield f"{path}: {one!r} is not {other!r}"
    for name in ("functions", "classes"):
        if _numbered(left, getattr(left, name)) != _numbered(right, getattr(right, name)):
            yield f"module.{name}: not in the same order"
    if {kind: _numbered(left, nodes) for kind, nodes in left.index.items()} != {
        kind: _numbered(right, nodes) for kind, nodes in right.index.items()
    }:
        yield "module.index"
    if _numbered(left, [node.parent for node in s.walk(left)]) != _numbered(right, [node.parent for node in s.walk(right)]):
        yield "parents"


def _numbered(module: s.Module, nodes: Any) -> list[int | None]:
    """Which nodes these are, counted from the start of the module."""
    numbers: dict[s.Node | None, int] = {node: number for number, node in enumerate(s.walk(module))}
    return [numbers.get(node) for node in nodes]


def _shown(value: object) -> str:
    return type(value).__name__ if isinstance(value, s.Node) else repr(value)

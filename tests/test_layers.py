"""Imports go one way: a module imports only those above it in ``LAYERS``, and libcst stays behind ``tree``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    "model", "options", "target", "source", "suppressions", "catalog", "modules", "relevance", "syntax", "quick",
    "tree", "kinds", "questions", "scopes", "definitions", "linking", "classes", "places", "parameters",
    "annotations", "results", "names", "exceptions", "cfg", "cfg_routes", "cfg_expressions", "cfg_builder",
    "dataflow", "rule", "facts", "rewrite", "registry", "config", "gitignore", "excludes", "discovery", "parsing",
    "project", "replacing", "context", "comment_rules", "engine", "cache", "workers", "checking", "fix", "baseline",
    "add_noqa", "report", "config_files", "configuration", "show", "pages", "accepting", "output", "progress",
    "command", "arguments", "cli", "lsp", "flake8_plugin", "__main__",
)  # fmt: skip
SEEN_BY_RULES = {"model", "rule", "facts", "syntax", "kinds", "catalog"}
SEEN_BY_REPORTS = {"model", "report"}

MODULES = sorted(path for path in (ROOT / "conclint").rglob("*.py") if path != ROOT / "conclint" / "__init__.py")


def layer(path: Path) -> str:
    return path.relative_to(ROOT / "conclint").with_suffix("").parts[0]


def imports(path: Path, package: str) -> Iterator[str]:
    """The full names of the modules that a file of ``package`` imports, also late, but not only for type checkers."""
    stack: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            stack += node.orelse
            continue
        stack += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported_layers(path: Path) -> set[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    parts = (name.split(".") for name in imports(path, package))
    return {found[1] for found in parts if found[0] == "conclint" and len(found) > 1 and found[1] in LAYERS}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_those_above_it(path: Path) -> None:
    own = LAYERS.index(layer(path))
    is_package = (ROOT / "conclint" / layer(path)).is_dir()
    for name in imported_layers(path):
        below = LAYERS.index(name) > own or (name == layer(path) and not is_package)
        assert not below, f"{path.name} imports {name}"


def test_every_module_has_its_layer() -> None:
    assert {layer(path) for path in MODULES} == set(LAYERS)


@pytest.mark.parametrize("folder", ["facts", "lsp", "quick", "report", "rewrite", "syntax", "tree"])
def test_inside_a_package_there_are_no_circles(folder: str) -> None:
    package = f"conclint.{folder}"
    left = {
        f"{package}.{path.stem}".removesuffix(".__init__"): set(imports(path, package))
        for path in (ROOT / "conclint" / folder).glob("*.py")
    }
    # The package itself gives its modules the common types, or gathers them: either way is fine, both are not.
    while left:
        free = [name for name, wanted in left.items() if not (wanted & left.keys()) - {name, package}]
        free = free or [name for name, wanted in left.items() if not (wanted & left.keys()) - {name}]
        assert free, f"circular imports among {sorted(left)}"
        for name in free:
            del left[name]


def test_only_tree_imports_libcst() -> None:
    importers = {
        layer(path) for path in MODULES if any(name.split(".")[0] == "libcst" for name in imports(path, "conclint"))
    }
    assert importers == {"tree"}


def test_reports_see_plain_data_only() -> None:
    for path in MODULES:
        if layer(path) == "report":
            assert imported_layers(path) <= SEEN_BY_REPORTS, path.name


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.py")), ids=lambda path: path.stem)
def test_a_rule_sees_facts_only(path: Path) -> None:
    names = [name.split(".") for name in imports(path, "conclint.rules")]
    assert {name[1] for name in names if name[0] == "conclint" and len(name) > 1 and name[1] in LAYERS} <= SEEN_BY_RULES
    assert not {"os", "sys", "pathlib", "subprocess", "libcst"} & {name[0] for name in names}

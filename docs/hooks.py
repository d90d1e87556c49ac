"""What mkdocs calls while it builds the site: adds the pages that are made of something else, and orders all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).resolve().parent.parent

# The pages are made of this checkout, whatever else is installed. mkdocs executes this file, and does not import it.
sys.path.insert(0, str(ROOT))

from conclint import pages  # noqa: E402
from conclint.registry import rules  # noqa: E402


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the rules under their families."""
    families: dict[str, list[dict[str, str]]] = {}
    for rule in rules():
        entry = {f"{rule.code} {rule.name}": f"rules/{rule.name}.md"}
        families.setdefault(pages.family(rule), []).append(entry)
    listed: list[Any] = ["rules/index.md", *({family: entries} for family, entries in families.items())]
    config.nav = [
        {"conclint": "README.md"},
        {"Rules": listed},
        {"Configuration": "configuration.md"},
        {"Editors": "editors.md"},
        {"Contributing": "CONTRIBUTING.md"},
        {"Changes": "CHANGELOG.md"},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is no file in ``docs``."""
    for path, content in generated():
        files.append(File.generated(config, path, content=content))
    return files


def generated() -> Iterator[tuple[str, str]]:
    """The generated pages: where they are in the site, and their Markdown."""
    readme = (ROOT / "README.md").read_text("utf-8")
    before, _, rest = readme.partition(pages.BEGIN)
    _, _, after = rest.partition(pages.END)
    yield "README.md", f"{before}They are listed [by family](rules/index.md).{after}".replace("](docs/", "](")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "action.yml"):
        yield name, (ROOT / name).read_text("utf-8").replace("](docs/", "](")
    yield "rules/index.md", pages.overview()
    for rule in rules():
        yield f"rules/{rule.name}.md", pages.document(rule)

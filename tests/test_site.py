"""The site: built strictly, and made of the pages that --explain prints."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import pages
from conclint.registry import find, rules
from conclint.report import FORMATS

if TYPE_CHECKING:
    from tests.conftest import RunCli


def test_the_page_on_the_site_is_the_page_of_the_rule() -> None:
    for rule in rules():
        title, rest = pages.page(rule).split("\n", 1)
        document = pages.document(rule)
        start, summary, facts, text = re.fullmatch(r"(.*)\n\n(.*)\n\n(\*.*\*)\n(.*)", document, re.DOTALL).groups()  # type: ignore[union-attr]
        assert (start, summary) == (title, f"{rule.summary}.")
        assert ("on by default" in facts) == rule.default
        assert re.sub(r"\[([a-z-]+ \(CNC\d+\))\]\([a-z-]+\.md\)", r"\1", text) == rest


def test_rules_named_on_a_page_are_links() -> None:
    assert "[lock-not-released (CNC101)](lock-not-released.md)" in pages.document(find("CNC102"))
    assert "(lock-not-released.md)" not in pages.document(find("CNC101"))


def test_every_rule_is_in_the_overview_of_its_family() -> None:
    families = re.split(r"^## (.+)\n", pages.overview(), flags=re.MULTILINE)
    tables = dict(zip(families[1::2], families[2::2], strict=True))
    for rule in rules():
        assert f"| {rule.code} | [{rule.name}]({rule.name}.md) |" in tables[pages.family(rule)]
    assert all(table.count("\n| CNC") for table in tables.values())


def test_what_is_explained_is_the_docstring(root: Path, run_cli: RunCli) -> None:
    for code in ("CNC101", "CNC900"):
        source = (root / "rules" / f"{find(code).name.replace('-', '_')}.py").read_text("utf-8")
        page = run_cli("--explain", code, cwd=root).stdout
        assert source.startswith('"""' + page.removesuffix("\n"))


def test_what_sarif_says_to_help_is_the_page(tmp_path: Path, run_cli: RunCli) -> None:
    if "sarif" not in FORMATS:
        pytest.skip("there is no such format")
    (tmp_path / "app.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    document = json.loads(run_cli("--output-format", "sarif", "--select", "ALL", cwd=tmp_path).stdout)
    for told in document["runs"][0]["tool"]["driver"]["rules"]:
        assert told["help"]["markdown"].strip() == pages.page(find(told["id"])).strip()
        assert told["shortDescription"]["text"].removesuffix(".") == find(told["id"]).summary


@pytest.mark.slow
def test_the_site_builds_strictly_and_has_all_pages(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("material")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=root,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    for rule in rules():
        text = (tmp_path / "rules" / rule.name / "index.html").read_text("utf-8")
        plain = html.unescape(re.sub(r"<[^>]+>", "", text))
        for line in pages.page(rule).splitlines():
            if line.startswith("#") and "`" not in line:
                assert line.lstrip("# ") in plain
    for path in ("index.html", "rules/index.html", "editors/index.html", "CHANGELOG/index.html"):
        text = (tmp_path / path).read_text("utf-8")
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', text)
        assert loaded == [], f"{path} loads something from elsewhere"

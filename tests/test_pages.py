"""The pages of the rules: complete, and true where they can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conclint import pages
from conclint.config import resolve
from conclint.engine import check_bytes
from conclint.model import FixAvailability, Rule
from conclint.registry import rules

SECTIONS = ["What it finds", "Why it matters", "Bad", "Good", "When it stays silent"]
# A name says what is wrong, so that "allow NAME" reads well; these prefixes say what to do about it.
BANNED = ("no-", "avoid-", "use-", "prefer-", "do-not-", "dont-")

every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)


def sections(rule: Rule) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", pages.page(rule), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def snippets(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def codes(snippet: str) -> set[str]:
    report = check_bytes(snippet.encode(), "page.py", resolve(select=["ALL"], isolated=True))
    assert not report.problems
    return {finding.code for finding in report.findings}


@every_rule
def test_a_page_has_its_title_and_sections_in_order(rule: Rule) -> None:
    assert pages.page(rule).startswith(f"# {rule.name} ({rule.code})\n\n## ")
    expected = list(SECTIONS)
    if not rule.default:
        expected.append("Why it is not on by default")
    if rule.fix is not FixAvailability.NONE:
        expected.append("Fix")
    assert list(sections(rule)) == expected
    assert all(text.strip() for text in sections(rule).values())


@every_rule
def test_every_bad_example_is_found_by_this_rule_alone(rule: Rule) -> None:
    bad = snippets(sections(rule)["Bad"])
    assert bad
    for snippet in bad:
        assert codes(snippet) == {rule.code}, snippet


@every_rule
def test_every_good_example_is_silent(rule: Rule) -> None:
    good = snippets(sections(rule)["Good"])
    assert good
    for snippet in good + snippets(sections(rule)["When it stays silent"]):
        compile(snippet, "page.py", "exec", dont_inherit=True)
        assert codes(snippet) == set(), snippet


@every_rule
def test_names_and_summaries_keep_to_the_conventions(rule: Rule, root: Path) -> None:
    assert re.fullmatch(r"CNC\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert not rule.name.startswith(BANNED)
    assert (root / "rules" / f"{rule.name.replace('-', '_')}.py").is_file()
    assert rule.summary
    assert rule.summary == " ".join(rule.summary.split())
    assert len(rule.summary) <= 100
    assert not rule.summary.endswith(".")
    assert rule.since == "unreleased" or re.fullmatch(r"\d+\.\d+\.\d+", rule.since)


def test_the_table_in_the_readme_is_fresh(root: Path) -> None:
    assert pages.main(["--check", str(root / "README.md")]) == 0


def test_a_stale_table_is_told_and_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{pages.BEGIN}\nthis row is stale\n{pages.END}\nafter\n")
    assert pages.main(["--check", str(file)]) == 1
    assert "stale" in capsys.readouterr().err
    assert pages.main(["--write", str(file)]) == 0
    assert pages.main(["--check", str(file)]) == 0
    text = file.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "this row is stale" not in text
    assert "| CNC900 | syntax-error | on |" in text


def test_a_file_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="rules: begin"):
        pages.with_table("no markers here")

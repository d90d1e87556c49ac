"""What is written of the rules anywhere but in their own files: ``--explain``, ``--rules``, README's table, the site.

``python -m conclint.pages --write README.md`` puts the table between its markers, ``--check`` tells whether it is
there already.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .model import FixAvailability, Rule
from .registry import rules

BEGIN = "<!-- rules: begin, written by python -m conclint.pages --write -->"
END = "<!-- rules: end -->"

FAMILIES = {
    "CNC1": "Locks",
    "CNC2": "Conditions, events, queues and barriers",
    "CNC3": "Threads and workers",
    "CNC4": "Processes and pools",
    "CNC5": "Executors and futures",
    "CNC9": "Files and comments",
}
"""What the rules whose codes begin like this are about."""

_FIXES = {FixAvailability.NONE: "", FixAvailability.SAFE: "fix", FixAvailability.UNSAFE: "fix?"}


def page(rule: Rule) -> str:
    """The page of ``rule`` in Markdown: the docstring of its file, which ``-OO`` cannot strip from the source."""
    import ast
    from importlib import resources

    source = resources.files("conclint.rules").joinpath(_file(rule)).read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "") + "\n"


def address(rule: Rule) -> str:
    """Where a program that shows findings can open the page of ``rule``: the installed file, which opens with it.

    It is there without a network, and is the page of this very version.
    """
    from importlib import resources
    from pathlib import Path

    return Path(str(resources.files("conclint.rules"))).joinpath(_file(rule)).resolve().as_uri()


def listing() -> str:
    """All rules in columns for a terminal: code, name, on or opt, fix, summary."""
    rows = [("code", "name", "", "fix", "finds"), *map(_row, rules())]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]).rstrip() + "\n"
        for row in rows
    )


def table() -> str:
    """All rules as a table in Markdown."""
    rows = [("code", "name", "", "fix", "finds"), ("---", "---", "---", "---", "---"), *map(_row, rules())]
    return "".join(map(_cells, rows))


def family(rule: Rule) -> str:
    """What rules like ``rule`` are about, as a heading."""
    return FAMILIES[rule.code[:4]]


def document(rule: Rule) -> str:
    """The page of ``rule`` for the site: below the title what its declaration says, and the rules it names as links."""
    import re

    title, _, rest = page(rule).partition("\n")
    facts = ["on by default" if rule.default else f"only when selected: `--extend-select {rule.code}`"]
    facts.append(f"severity: {rule.severity.value}")
    if rule.fix is not FixAvailability.NONE:
        facts.append(f"has {'a safe' if rule.fix is FixAvailability.SAFE else 'an unsafe'} fix")
    known = {(other.name, other.code) for other in rules() if other != rule}

    def linked(match: re.Match[str]) -> str:
        named = (match["name"], match["code"]) in known
        return f"[{match[0]}]({match['name']}.md)" if named else match[0]

    name_and_code = r"\b(?P<name>[a-z]+(?:-[a-z]+)+) \((?P<code>CNC\d{3})\)"
    code_or_mention = re.compile(rf"^```.*?^```$|`[^`]*`|{name_and_code}", re.DOTALL | re.MULTILINE)
    return f"{title}\n\n{rule.summary}.\n\n*{' · '.join(facts)}*\n{code_or_mention.sub(linked, rest)}"


def overview() -> str:
    """All rules for the site, a table a family, each with a link to its page."""
    text = "# Rules\n\n**on**: in the default set. **opt**: only when selected. **fix**: has a safe automatic fix, "
    text += "**fix?**: one to look at first.\n"
    for heading in FAMILIES.values():
        text += f"\n## {heading}\n\n| code | name |  | fix | finds |\n| --- | --- | --- | --- | --- |\n"
        for rule in rules():
            if family(rule) == heading:
                code, name, *rest = _row(rule)
                text += _cells((code, f"[{name}]({name}.md)", *rest))
    return text


def with_table(document: str) -> str:
    """``document`` with the table of rules between its markers. Raises ``ValueError`` where they are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no {BEGIN} ... {END}")
    return f"{before}{begin}\n\n{table()}\n{end}{after}"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m conclint.pages``; the exit status is 1 where ``--check`` finds a stale file."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m conclint.pages", description="Keep the table of rules fresh.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail where the file is stale")
    mode.add_argument("--write", action="store_true", help="rewrite the file")
    parser.add_argument("file", nargs="?", default="README.md")
    options = parser.parse_args(argv)
    with open(options.file, encoding="utf-8", newline="") as file:
        old = file.read()
    new = with_table(old)
    if options.write and new != old:
        with open(options.file, "w", encoding="utf-8", newline="") as file:
            file.write(new)
    if options.check and new != old:
        print(f"{options.file}: the table of rules is stale; run python -m conclint.pages --write", file=sys.stderr)
        return 1
    return 0


def _file(rule: Rule) -> str:
    return rule.name.replace("-", "_") + ".py"


def _cells(row: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in row) + " |\n"


def _row(rule: Rule) -> tuple[str, str, str, str, str]:
    return rule.code, rule.name, "on" if rule.default else "opt", _FIXES[rule.fix], rule.summary


if __name__ == "__main__":
    raise SystemExit(main())

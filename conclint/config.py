"""Settings: what the options say, resolved against the rules and frozen before the first file is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .model import Rule
from .registry import ALL, matching, rules

SYNTAX_ERROR = "CNC900"


class Settings(NamedTuple):
    """Everything a run depends on besides its files."""

    rules: tuple[Rule, ...]
    """The rules that run, sorted by code."""


def resolve(
    select: Iterable[str] | None = None, extend_select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> Settings:
    """Settings from selectors (codes, beginnings of codes, names, ``ALL``); ``select`` defaults to the default rules.

    The more specific selector wins (``CNC101`` over ``CNC1`` over ``ALL``), and of two that are equally specific
    the one that ignores. A file that cannot be read must not pass for clean, so ``CNC900`` needs no selecting: only
    ``ignore`` switches it off. Raises :class:`registry.UnknownRuleError`.
    """
    wanted = _specificity(extend_select)
    if select is None:
        for rule in rules():
            if rule.default:
                wanted.setdefault(rule.code, 0)
    else:
        for code, weight in _specificity(select).items():
            wanted[code] = max(weight, wanted.get(code, 0))
    wanted.setdefault(SYNTAX_ERROR, 0)
    unwanted = _specificity(ignore)
    return Settings(
        rules=tuple(rule for rule in rules() if rule.code in wanted and wanted[rule.code] > unwanted.get(rule.code, -1))
    )


def _specificity(selectors: Iterable[str]) -> dict[str, int]:
    """For each code that some selector means, the length of the longest prefix that does."""
    found: dict[str, int] = {}
    for selector in selectors:
        for rule in matching(selector):
            named = selector.strip().lower() == rule.name
            weight = 0 if selector.strip().upper() == ALL else len(rule.code) if named else len(selector.strip())
            found[rule.code] = max(weight, found.get(rule.code, 0))
    return found

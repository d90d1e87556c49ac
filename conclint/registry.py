"""The rules: loaded once, found by code, by name, by the beginning of a code, or all of them."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable

from .model import Rule

ALL = "ALL"


class UnknownRuleError(ValueError):
    """A selector that fits no rule; its text names the selector and the nearest valid one."""


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule, sorted by code."""
    # In a source checkout the rules lie outside this folder, so no import statement can name them for a type
    # checker; see the note in conclint/__init__.py.
    loaded: tuple[Rule, ...] = importlib.import_module("conclint.rules").RULES
    return loaded


def find(code_or_name: str) -> Rule:
    """The one rule with this code or name, in any case. Raises :class:`UnknownRuleError`."""
    wanted = code_or_name.strip().lower()
    for rule in rules():
        if wanted in (rule.code.lower(), rule.name):
            return rule
    raise _unknown(code_or_name, [])


def meant(selector: str) -> tuple[Rule, ...]:
    """The rules a selector means: a code, the beginning of one, a name, or ``ALL``; none where it fits no rule."""
    wanted = selector.strip().upper()
    if wanted == ALL:
        return rules()
    return tuple(rule for rule in rules() if (wanted and rule.code.startswith(wanted)) or rule.name.upper() == wanted)


def matching(selector: str) -> tuple[Rule, ...]:
    """As :func:`meant`, where somebody has to be told of what fits no rule: raises :class:`UnknownRuleError`."""
    found = meant(selector)
    if not found:
        raise _unknown(selector, [ALL])
    return found


def nearest(word: str, valid: Iterable[str]) -> str:
    """The one of ``valid`` that ``word`` was most likely meant to be; of equals the first."""
    import difflib

    wanted = word.strip().lower()
    return max(valid, key=lambda known: difflib.SequenceMatcher(None, wanted, known.lower()).ratio())


def nearest_rule(selector: str, also: Iterable[str] = ()) -> str:
    """The code or name that ``selector`` was most likely meant to be; ``also`` are other words that it could be."""
    # The first of equals is the lowest code.
    return nearest(selector, [*(rule.code for rule in rules()), *(rule.name for rule in rules()), *also])


def _unknown(selector: str, also: Iterable[str]) -> UnknownRuleError:
    return UnknownRuleError(f"unknown rule {selector.strip()!r}; did you mean {nearest_rule(selector, also)!r}?")

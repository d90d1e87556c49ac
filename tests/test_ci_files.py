"""What CI systems read: valid by their own schemas, and run where it can be."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.conftest import RunCli

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"


def snippet(root: Path, heading: str) -> str:
    """The YAML under a heading of the README."""
    text = (root / "README.md").read_text("utf-8").split(f"\n### {heading}\n")[1]
    found = re.search(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def validate(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("heading", "schema"), [("GitHub Actions", "github-workflows"), ("GitLab CI", "gitlab-ci")])
def test_the_snippets_of_the_readme_are_valid(root: Path, tmp_path: Path, heading: str, schema: str) -> None:
    file = tmp_path / "snippet.yml"
    file.write_text(snippet(root, heading))
    validate(schema, file)


def test_the_action_is_valid(root: Path) -> None:
    validate("github-actions", root / "action.yml")


def test_the_snippets_use_what_there_is(root: Path) -> None:
    inputs = yaml.safe_load((root / "action.yml").read_text())["inputs"]
    steps = yaml.safe_load(snippet(root, "GitHub Actions"))["jobs"]["conclint"]["steps"]
    assert steps[1]["with"].keys() <= inputs.keys()
    hooks = {hook["id"] for hook in yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())}
    used = snippet(root, "pre-commit")
    assert {hook["id"] for hook in yaml.safe_load(used)["repos"][0]["hooks"]} <= hooks
    assert set(re.findall(r"\bconclint[-\w]*(?=   #|, which)", used)) == hooks


def test_no_script_of_the_action_holds_what_comes_from_outside(root: Path) -> None:
    for step in yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


class Action:
    """Runs the step of the action that checks, as the runner does, in ``folder``."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        (self.step,) = [
            step
            for step in yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
            if step.get("id") == "check"
        ]
        self.command = folder / "conclint.sh"
        self.command.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {shlex.quote(sys.executable)} -m conclint "$@"\n')
        self.command.chmod(0o755)

    def run(self, **inputs: str) -> tuple[int, str, str]:
        """The exit status, what was printed, and the outputs."""
        environment: dict[str, Any] = {
            "PATHS": ".",
            "ARGS": "",
            "FORMAT": "concise",
            "SARIF_FILE": "out.sarif",
            **inputs,
        }
        assert set(self.step["env"]) == {*environment, "CONCLINT"}
        outputs = self.folder / "outputs"
        outputs.write_text("")
        result = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.step["run"]],
            cwd=self.folder,
            env={**os.environ, **environment, "CONCLINT": str(self.command), "GITHUB_OUTPUT": str(outputs)},
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout + result.stderr, outputs.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the command is a shell script")
def test_the_action_checks_and_tells_the_status(root: Path, tmp_path: Path) -> None:
    action = Action(root, tmp_path)
    (tmp_path / "two words; touch gone").mkdir()
    (tmp_path / "two words; touch gone" / "leak.py").write_text(LEAK)
    (tmp_path / "clean.py").write_text("")
    status, printed, outputs = action.run()
    assert (status, outputs) == (1, "status=1\n")
    assert "CNC101" in printed
    assert action.run(PATHS="clean.py\n\n")[0] == 0
    assert action.run(PATHS="clean.py\ntwo words; touch gone")[0] == 1
    assert action.run(ARGS="--ignore CNC1 $(touch gone)`touch gone`")[0] == 2
    assert action.run(ARGS="--ignore CNC1\n-q")[0] == 0
    assert action.run(PATHS="--exit-zero")[0] == 2
    assert not (tmp_path / "gone").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the command is a shell script")
def test_the_action_writes_the_report_before_it_fails(root: Path, tmp_path: Path) -> None:
    from conclint.report import FORMATS

    if "sarif" not in FORMATS:
        pytest.skip("there is no such format")
    action = Action(root, tmp_path)
    (tmp_path / "leak.py").write_text(LEAK)
    assert action.run(FORMAT="sarif")[::2] == (0, "status=1\n")
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "CNC101"
    assert action.run(FORMAT="sarif", ARGS="--no-such-option")[::2] == (2, "status=2\n")


def in_pre_commit(hook: str, root: Path, folder: Path) -> tuple[int, str]:
    """The exit status and what is printed where the hook of this checkout runs on all files of the repository."""
    result = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(root), hook, "--all-files"],
        cwd=folder,
        env={**os.environ, "PRE_COMMIT_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.slow
def test_pre_commit_installs_and_runs_the_hooks(root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    pytest.importorskip("pre_commit")
    (tmp_path / "vendored").mkdir()
    for name in ("leak.py", "known.py", "vendored/leak.py"):
        (tmp_path / name).write_text(LEAK)
    (tmp_path / "old.py").write_text("import threading\n\nthreading.currentThread()\n")
    run_cli("--write-baseline=baseline.json", "known.py", cwd=tmp_path)
    (tmp_path / "conclint.toml").write_text('extend-exclude = ["vendored/"]\nbaseline = "baseline.json"\n')
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)

    status, printed = in_pre_commit("conclint", root, tmp_path)
    assert status == 1, printed
    assert "Found 1 error and 1 warning in 2 files (3 checked)." in printed
    assert "1 finding of baseline.json is not shown." in printed
    assert "vendored" not in printed
    assert "files were modified by this hook" not in printed

    (tmp_path / "leak.py").write_text("")
    status, printed = in_pre_commit("conclint-fix", root, tmp_path)
    assert status == 1, printed
    assert "files were modified by this hook" in printed
    assert "Fixed 1 finding. No findings in 3 files." in printed
    assert (tmp_path / "old.py").read_text() == "import threading\n\nthreading.current_thread()\n"
    assert (tmp_path / "vendored" / "leak.py").read_text() == LEAK

    status, printed = in_pre_commit("conclint-fix", root, tmp_path)
    assert status == 0, printed

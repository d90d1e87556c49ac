"""The README's example is run and its output compared; its commands are those that the tests are run with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import RunCli


def test_the_example_prints_what_the_readme_says(
    root: Path, tmp_path: Path, run_cli: RunCli, request: pytest.FixtureRequest
) -> None:
    readme = (root / "README.md").read_text("utf-8")
    source = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    output = re.search(r"^```text\n\$ conclint (\S+)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert source
    assert output
    (tmp_path / output[1]).write_text(source[1])
    printed = run_cli(output[1], cwd=tmp_path).stdout
    if request.config.getoption("--update"):
        (root / "README.md").write_text(readme[: output.start(2)] + printed + readme[output.end(2) :], "utf-8")
    else:
        assert printed == output[2]
    assert {"CNC101", "CNC302"} <= set(re.findall(r"\[(CNC\d+)", printed))


def test_the_test_command_is_the_one_ci_runs(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    ci = (root / ".ci" / "run").read_text("utf-8")
    command = "python -m pip install -e '.[dev]'"
    assert f"{command} && python -m pytest" in readme
    assert command in ci


def test_nothing_names_a_version_that_is_not_supported(root: Path) -> None:
    project = (root / "pyproject.toml").read_text("utf-8")
    oldest = re.search(r'requires-python = ">=(3\.\d+)"', project)
    assert oldest
    assert f"Python {oldest[1]}" in (root / "README.md").read_text("utf-8")
    assert f"Python :: {oldest[1]}" in project

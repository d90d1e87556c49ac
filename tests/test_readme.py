"""The README's example is run and its output compared; its commands are those that the tests are run with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint.arguments import parser
from conclint.catalog import load
from conclint.config_files import read
from conclint.options import Functions, Options
from conclint.report import FORMATS

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


def rows(text: str, heading: str) -> list[str]:
    """The first cell of each row of the table under ``heading``, without its backquotes."""
    _, found, below = text.partition(f"\n{heading}\n")
    assert found
    table = re.search(r"^\| --- .*\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert table
    return [row.split("|")[1].replace("`", "").strip() for row in table[1].splitlines()]


def test_the_table_of_formats_has_all(root: Path) -> None:
    assert rows((root / "README.md").read_text("utf-8"), "### Output formats") == list(FORMATS)


def test_all_that_may_be_set_is_in_the_tables(root: Path) -> None:
    text = (root / "docs" / "configuration.md").read_text("utf-8")
    assert rows(text, "## Files of options") == list(Options.__annotations__)
    assert rows(text, "## Functions") == list(Functions.__annotations__)
    told = re.findall(r"(?<![\w-])-[-\w]+", " ".join(rows(text, "## The command line")))
    assert sorted(told) == sorted(option for action in parser()._actions for option in action.option_strings)
    kinds = re.search(r"^The kinds are ([^.]*)\.$", text, re.MULTILINE)
    assert kinds
    assert re.findall(r"`(\w+)`", kinds[1]) == sorted(load().kinds)


def test_flake8_has_the_options_that_are_told_of(root: Path) -> None:
    from flake8.options.manager import OptionManager

    from conclint.flake8_plugin import Plugin

    manager = OptionManager(version="", plugin_versions="", parents=[], formatter_names=[])
    Plugin.add_options(manager)
    text = (root / "docs" / "configuration.md").read_text("utf-8")
    ours = [option.long_option_name for option in manager.options]
    assert [f"--{name}" for name in rows(text, "## flake8")] == ours


def test_the_examples_of_options_hold(root: Path, tmp_path: Path) -> None:
    for page in ("README.md", "docs/configuration.md"):
        for number, example in enumerate(
            re.findall(r"^```toml\n(.*?)^```$", (root / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        ):
            file = tmp_path / str(number) / "pyproject.toml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(example)
            assert read(str(file))

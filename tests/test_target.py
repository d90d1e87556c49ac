"""What the code is checked for: the option, the nearest project, and what is said of a project that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint.config import Targets, resolve
from conclint.target import SUPPORTED_VERSIONS, TargetError, from_oldest, parse_version, read_project

if TYPE_CHECKING:
    from tests.conftest import RunCli

LEAK = "import threading\nthreading.Thread(target=print).start()\n"


def project(folder: Path, requires: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nrequires-python = "{requires}"\n')
    return folder


@pytest.mark.parametrize("text", ["3.11", "py311", " PY3.11 "])
def test_a_version_is_written_in_either_way(text: str) -> None:
    assert parse_version(text) == (3, 11)


@pytest.mark.parametrize("text", ["", "3", "2.7", "3.99", "three", "3.11.2"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version of Python between"):
        parse_version(text)


@pytest.mark.parametrize(
    ("requires", "versions"),
    [
        (">=3.11", from_oldest((3, 11))),
        (">=3.10.4", from_oldest((3, 10))),
        ("~=3.9", from_oldest((3, 9))),
        (">=3.8,<3.11", ((3, 8), (3, 9), (3, 10))),
        ("==3.12.*", ((3, 12),)),
        (">=2.7, !=3.7.*", from_oldest((3, 8))),
        (">=4", SUPPORTED_VERSIONS),
    ],
)
def test_requires_python_says_which_versions(requires: str, versions: object, tmp_path: Path) -> None:
    assert read_project(str(project(tmp_path, requires) / "pyproject.toml")).versions == versions


@pytest.mark.parametrize(
    "text", ["", "[tool.black]\n", "project = 3\n", "[project]\nname = 'x'\n", "[project]\ndynamic = ['version']\n"]
)
def test_a_project_that_says_nothing_is_checked_for_what_is_supported(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_project(str(tmp_path / "pyproject.toml")).versions == SUPPORTED_VERSIONS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[project\n", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"[project]\nrequires-python = 3.11\n", "is no text but 3.11"),
        (b"[project]\nrequires-python = 'three'\n", "is no version specifier: 'three'"),
    ],
)
def test_a_project_that_cannot_be_read_is_named_once_and_the_rest_goes_on(
    data: bytes, message: str, tmp_path: Path, run_cli: RunCli
) -> None:
    (tmp_path / "pyproject.toml").write_bytes(data)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(LEAK)
    result = run_cli("--output-format=concise", ".", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout.count("CNC301") == 2
    assert result.stderr.count("pyproject.toml") == 1
    assert message in result.stderr
    with pytest.raises(TargetError, match=message):
        read_project(str(tmp_path / "pyproject.toml"))


@pytest.mark.parametrize(
    ("filters", "strict"),
    [
        ('["error"]', True),
        ('"""\nerror\nignore::DeprecationWarning\n"""', True),
        ('["error::pytest.PytestUnhandledThreadExceptionWarning"]', True),
        ('["error", "ignore::UserWarning"]', False),
        ('["error:some text"]', False),
        ('["error::DeprecationWarning", "default"]', False),
        ("3", False),
    ],
)
def test_pytest_may_hear_of_exceptions_in_threads(filters: str, strict: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\nfilterwarnings = {filters}\n")
    assert read_project(str(tmp_path / "pyproject.toml")).tests_hear_of_threads == strict


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    project(tmp_path, ">=3.8")
    inner = project(tmp_path / "inner", ">=3.12")
    targets = Targets(resolve(start_method="fork"))
    assert targets.of(str(inner / "a.py")).versions == from_oldest((3, 12))
    assert targets.of(str(tmp_path / "a.py")).versions == from_oldest((3, 8))
    assert not targets.of(str(tmp_path / "a.py")).starts_afresh


def test_options_win_over_the_project(tmp_path: Path) -> None:
    path = str(project(tmp_path, ">=3.8") / "a.py")
    assert Targets(resolve(oldest_version=(3, 13))).of(path).versions == from_oldest((3, 13))
    assert Targets(resolve(isolated=True)).of(path).versions == SUPPORTED_VERSIONS


def test_a_wrong_option_is_a_usage_error(tmp_path: Path, run_cli: RunCli) -> None:
    for option in ("--target-version=2.7", "--start-method=clone"):
        result = run_cli(option, cwd=tmp_path)
        assert result.returncode == 2
        assert option.partition("=")[2] in result.stderr

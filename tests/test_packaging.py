"""What is shipped: the rules inside the package however it is installed, and nothing called `rules` beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import __version__
from conclint.registry import rules

if TYPE_CHECKING:
    from tests.conftest import RunCli


def test_every_rule_file_is_in_the_list(root: Path) -> None:
    files = {path.stem for path in (root / "rules").glob("*.py") if not path.stem.startswith("_")}
    assert {rule.name.replace("-", "_") for rule in rules()} == files


def test_every_folder_of_code_is_a_package_that_ships(root: Path) -> None:
    listed = re.search(r"^packages = \[(.*)\]$", (root / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    folders = {path.parent.relative_to(root) for path in (root / "conclint").rglob("*.py")}
    assert listed is not None
    assert set(re.findall(r'"([^"]+)"', listed[1])) == {".".join(path.parts) for path in folders} | {"conclint.rules"}


def test_the_rules_are_part_of_conclint_alone(root: Path, tmp_path: Path) -> None:
    """A project's own folder `rules` must not be imported in place of ours, nor ours twice."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("raise SystemExit('imported the user's own rules')\n")
    (tmp_path / "app.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    code = (
        "import sys; from conclint.cli import main; status = main(['app.py']);"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'rules']; sys.exit(status)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "CNC301" in result.stdout


def test_the_checkout_runs_without_being_installed(root: Path, run_cli: RunCli) -> None:
    for arguments, start in (
        (["--version"], f"conclint {__version__}"),
        (["--rules"], "code "),
        (["--explain", "CNC900"], "# syn"),
    ):
        result = run_cli(*arguments, cwd=root, python=("-S",))
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(start)


@pytest.fixture(scope="module")
def dist(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "conclint"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((root / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(source)], check=True, capture_output=True, timeout=600
    )
    return out


@pytest.mark.slow
def test_the_wheel_holds_the_rules_and_the_data(root: Path, dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {f"conclint/rules/{path.name}" for path in (root / "rules").glob("*.py")}
    ours |= {str(path.relative_to(root)) for path in (root / "conclint").rglob("*.py")}
    ours |= {"conclint/catalog.toml", "conclint/py.typed", "conclint/rules/py.typed"}
    assert ours <= names
    assert {name.split("/")[0] for name in names} == {"conclint", f"conclint-{__version__}.dist-info"}


@pytest.mark.slow
def test_the_source_distribution_can_be_built_from(root: Path, dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {f"rules/{path.name}" for path in (root / "rules").glob("*.py")} <= names
    assert {"LICENSE", "README.md", "pyproject.toml", "conclint/catalog.toml"} <= names


@pytest.mark.slow
def test_the_unpacked_wheel_finds_and_explains(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "app.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    code = "import conclint, sys; sys.exit(conclint.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert str(tmp_path) in where.stderr
    command = [sys.executable, "-m", "conclint"]
    found = subprocess.run(
        [*command, "app.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (1, "")
    assert "CNC301" in found.stdout
    page = subprocess.run(
        [*command, "--explain", "CNC301"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert page.stdout.startswith("# thread-not-joined (CNC301)")

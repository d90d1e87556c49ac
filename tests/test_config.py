"""Options in files: which file counts, what it may say, what wins, and what is said of one that cannot be read."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conclint import config_files
from conclint.config import resolve
from conclint.configuration import Configuration, typed
from conclint.options import Options

if TYPE_CHECKING:
    from tests.conftest import RunCli

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
UNJOINED = "\n\ndef g():\n    threading.Thread(target=print).start()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("app", "app/inner", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "leak.py").write_text(LEAK + UNJOINED)
    return tmp_path


def found(run_cli: RunCli, folder: Path, *arguments: str) -> list[str]:
    """The findings of a run, each as path and code."""
    result = run_cli("--output-format=concise", "-q", *arguments, cwd=folder)
    assert result.stderr == ""
    return [f"{line.partition(':')[0]} {line.split()[1]}" for line in result.stdout.splitlines()]


def refused(run_cli: RunCli, folder: Path, *arguments: str) -> str:
    """What is said of a run that does not begin."""
    result = run_cli(*arguments, cwd=folder)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr


def test_the_file_nearest_to_each_checked_file_counts(project: Path, run_cli: RunCli) -> None:
    (project / "pyproject.toml").write_text("[tool.conclint]\nselect = ['CNC101']\n")
    (project / "app" / "conclint.toml").write_text("select = ['CNC301']\n")
    (project / "app" / "pyproject.toml").write_text("[tool.conclint]\nselect = ['CNC900']\n")
    (project / "app" / "inner" / "pyproject.toml").write_text("[project]\nname = 'conclint-user'\n")
    expected = ["app/inner/leak.py CNC301", "app/leak.py CNC301", "tests/leak.py CNC101"]
    assert found(run_cli, project) == expected
    assert found(run_cli, project / "app") == ["inner/leak.py CNC301", "leak.py CNC301"]
    assert found(run_cli, project / "tests", "../app/leak.py") == ["../app/leak.py CNC301"]
    assert len(found(run_cli, project, "--isolated")) == 6
    assert found(run_cli, project, "--config", "app/pyproject.toml") == []


def test_standard_input_has_the_options_of_the_name_it_is_given(project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text("ignore = ['ALL']\n")
    for name, status in (("app/x.py", 0), ("tests/x.py", 1)):
        assert run_cli("-", "--stdin-filename", name, cwd=project, stdin=LEAK).returncode == status


def test_what_cannot_differ_between_files_is_taken_from_the_current_folder(project: Path, run_cli: RunCli) -> None:
    (project / "conclint.toml").write_text("output-format = 'concise'\nselect = ['CNC101']\n")
    (project / "app" / "conclint.toml").write_text("output-format = 'json'\n")
    assert run_cli("tests", cwd=project).stdout.startswith("tests/leak.py:6:5: CNC101 ")
    assert run_cli("tests", "--output-format=full", cwd=project).stdout.startswith("error[CNC101 ")
    assert run_cli(cwd=project / "app").stdout.startswith("{")
    (project / "app" / "conclint.toml").write_text("output-format = 'junit'\n")
    assert "--statistics needs one of the formats" in run_cli("--statistics", cwd=project / "app").stderr


@pytest.mark.parametrize(
    ("in_file", "arguments", "runs", "does_not"),
    [
        ({"select": ["CNC1"]}, {}, ["CNC101", "CNC900"], ["CNC301"]),
        ({"extend-select": ["CNC103"]}, {}, ["CNC103", "CNC301"], ["CNC109"]),
        ({"ignore": ["CNC1"], "extend-select": ["CNC101"]}, {}, ["CNC101"], ["CNC102"]),
        ({"select": ["CNC1"]}, {"select": ["CNC3"]}, ["CNC301"], ["CNC101"]),
        ({"extend-select": ["CNC103"]}, {"select": ["CNC3"]}, ["CNC301"], ["CNC103"]),
        ({"ignore": ["CNC101"]}, {"select": ["CNC101"]}, ["CNC101"], []),
        ({"ignore": ["CNC101"]}, {"select": ["CNC1"]}, ["CNC102"], ["CNC101"]),
        ({"ignore": ["CNC103"]}, {"extend_select": ["CNC103"]}, ["CNC103"], []),
        ({"ignore": ["CNC101"]}, {"ignore": ["CNC301"]}, ["CNC102"], ["CNC101", "CNC301"]),
        ({"select": ["CNC101"]}, {"ignore": ["CNC1"]}, ["CNC900"], ["CNC101"]),
        ({"select": ["CNC3"], "ignore": ["CNC1"]}, {"extend_select": ["CNC101"]}, ["CNC101", "CNC301"], ["CNC102"]),
        ({"ignore": ["ALL"]}, {}, [], ["CNC101", "CNC900"]),
    ],
)
def test_the_command_line_wins(
    in_file: Options, arguments: dict[str, list[str]], runs: list[str], does_not: list[str]
) -> None:
    codes = {rule.code for rule in resolve(**arguments, in_file=in_file).rules}  # type: ignore[arg-type]
    assert codes >= set(runs)
    assert not codes & set(does_not)


def test_versions_and_start_method_come_from_files_too(project: Path) -> None:
    (project / "conclint.toml").write_text("target-version = '3.13'\nstart-method = 'fork'\n")
    folder = str(project / "app")
    settings = Configuration({}).of(f"{folder}/leak.py")
    assert (settings.oldest_version, settings.start_method) == ((3, 13), "fork")
    settings = Configuration(typed({"target_version": (3, 11)})).of(f"{folder}/leak.py")
    assert (settings.oldest_version, settings.start_method) == ((3, 11), "fork")


def test_rules_are_ignored_by_file(project: Path, run_cli: RunCli) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.conclint]\nselect = ['CNC101', 'CNC301']\n"
        "[tool.conclint.per-file-ignores]\n'tests/' = ['ALL']\n'inner/*.py' = ['CNC1']\n'app/inner/*.py' = ['CNC3']\n"
    )
    expected = ["app/inner/leak.py CNC101", "app/leak.py CNC101", "app/leak.py CNC301"]
    assert found(run_cli, project) == expected
    assert found(run_cli, project / "app") == [line.removeprefix("app/") for line in expected]
    assert found(run_cli, project, "--per-file-ignores=leak.py:CNC101,tests/:ALL,!app/inner/**:CNC301") == [
        "app/inner/leak.py CNC301"
    ]
    # patterns of the command line speak of what is below the current folder, and stand for those of the file
    assert found(run_cli, project / "app", "--per-file-ignores", "/inner/*:lock-not-released,CNC3") == [
        "leak.py CNC101",
        "leak.py CNC301",
    ]


@pytest.mark.parametrize("value", ["CNC101", ":CNC101", "CNC101,a.py:CNC102"])
def test_an_ignore_without_a_pattern_is_a_usage_error(value: str, tmp_path: Path, run_cli: RunCli) -> None:
    assert f"{value!r} is not PATTERN:RULES" in refused(run_cli, tmp_path, "--per-file-ignores", value)


def test_folders_and_files_are_passed_over(project: Path, run_cli: RunCli) -> None:
    (project / "build").mkdir()
    (project / "build" / "leak.py").write_text(LEAK)

    def files(*arguments: str) -> list[str]:
        result = run_cli("--show-files", *arguments, cwd=project)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.splitlines()

    assert files() == ["app/inner/leak.py", "app/leak.py", "tests/leak.py"]
    assert files("--extend-exclude=inner/,tests") == ["app/leak.py"]
    assert files("--exclude", "app", "--exclude", "/tests/*.py") == ["build/leak.py"]
    assert files("--exclude=leak.py,!leak.py") == ["app/inner/leak.py", "app/leak.py", "build/leak.py", "tests/leak.py"]
    # in a file, they speak of what is below its folder
    (project / "app" / "conclint.toml").write_text("exclude = ['/inner']\n")
    (project / "conclint.toml").write_text("extend-exclude = ['/inner', 'tests/leak.py']\n")
    assert files() == ["app/leak.py"]
    assert files("--extend-exclude=app/leak.py") == []
    assert files("--exclude=/nothing") == ["app/inner/leak.py", "app/leak.py", "build/leak.py"]
    # what is named is checked all the same, unless
    named = ["build/leak.py", "app/inner/leak.py", "tests", "app/leak.py"]
    assert files(*named) == ["app/inner/leak.py", "app/leak.py", "build/leak.py"]
    assert files(*named, "--force-exclude") == ["app/leak.py"]
    assert run_cli("-", "--stdin-filename=tests/leak.py", "--force-exclude", cwd=project, stdin=LEAK).returncode == 0


def test_gitignore_need_not_count(project: Path, run_cli: RunCli) -> None:
    (project / ".gitignore").write_text("app\n")
    assert run_cli("--show-files", cwd=project).stdout == "tests/leak.py\n"
    assert run_cli("--show-files", "--no-respect-gitignore", cwd=project).stdout.count("\n") == 3
    (project / "conclint.toml").write_text("respect-gitignore = false\n")
    assert run_cli("--show-files", cwd=project).stdout.count("\n") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = ['CNC1']", "unknown key 'selct'; did you mean 'select'?"),
        ("extend_select = ['CNC1']", "unknown key 'extend_select'; did you mean 'extend-select'?"),
        ("[functions]\njoin = []", "unknown key 'functions.join'; did you mean 'functions.joins'?"),
        ("select = 'CNC1'", "select: expected a list, not text"),
        ("select = ['CNC1', 3]", "select[1]: expected text, not a whole number"),
        ("select = []", "select: names no rule"),
        ("ignore = ['lock-not-relesed']", "unknown rule 'lock-not-relesed'; did you mean 'lock-not-released'?"),
        ("force-exclude = 'yes'", "force-exclude: expected true or false, not text"),
        ("target-version = 3.11", "target-version: expected text, not a number"),
        ("target-version = '2.7'", "target-version: '2.7' is no version of Python between"),
        ("start-method = 'clone'", "start-method: there is no 'clone'; did you mean"),
        ("output-format = 'jsn'", "output-format: there is no 'jsn'; did you mean 'json'?"),
        ("exclude = ['!']", "exclude: '!' is no pattern"),
        ("per-file-ignores = ['a']", "per-file-ignores: expected a table, not a list"),
        ("[per-file-ignores]\n'a b' = 'CNC1'", 'per-file-ignores."a b": expected a list, not text'),
        ("[per-file-ignores]\na = ['CNC999']", "per-file-ignores: unknown rule 'CNC999'; did you mean"),
        ("[types]\n'mylib.Lock' = 'lok'", "types: 'mylib.Lock' cannot be a 'lok'; did you mean 'lock'?"),
        ("[types]\nLock = 'lock'", "types: 'Lock' is no qualified name, such as 'mylib.Lock'"),
        ("[types]\n'mylib.Lock' = 3", 'types."mylib.Lock": expected text, not a whole number'),
        ("functions = 3", "functions: expected a table, not a whole number"),
        ("[functions]\nlogs = ['a b.c']", "functions: 'a b.c' is no qualified name"),
        ("[functions]\nlogs = [1]", "functions.logs[0]: expected text, not a whole number"),
        ("select = ['CNC1'\nignore = []", "is no TOML: Unclosed array (at line 2"),
        (
            "[tool.conclint]\nselect = ['CNC1']",
            "[tool.conclint] is for pyproject.toml; here the options stand at the top",
        ),
        ('"a\\u001b[2Jb" = 1', "unknown key 'a\\x1b[2Jb'"),
        ("a = 1\na = 2", "is no TOML: Cannot overwrite a value"),
    ],
)
def test_a_mistake_is_told_by_file_and_key(text: str, message: str, project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text(text)
    said = refused(run_cli, project)
    assert said.startswith("conclint: app/conclint.toml: ")
    assert message in said
    assert said.count("\n") == 1
    assert found(run_cli, project, "tests", "--select=CNC101") == ["tests/leak.py CNC101"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[tool.conclint\n", "is no TOML: "),
        (b"[tool.conclint]\n# \xe4\n", "is no TOML: not encoded in UTF-8 (at line 2)"),
        (b"[tool]\nconclint = 3\n", "tool.conclint: expected a table, not a whole number"),
        (b"[tool.conclint]\nx = " + b"[" * 5000, "is no TOML: "),
    ],
)
def test_a_broken_pyproject_with_our_table_ends_the_run(
    data: bytes, message: str, project: Path, run_cli: RunCli
) -> None:
    (project / "pyproject.toml").write_bytes(data)
    assert refused(run_cli, project).startswith(f"conclint: pyproject.toml: {message}")


@pytest.mark.parametrize("data", [b"[project\n", b"\xff\xfe", b"[tool.poetry\nconclint = '*'\n", b"tool = 3\n"])
def test_a_broken_pyproject_of_somebody_else_does_not(data: bytes, project: Path, run_cli: RunCli) -> None:
    (project / "conclint.toml").write_text("select = ['CNC101']\n")
    (project / "app" / "pyproject.toml").write_bytes(data)
    result = run_cli("--output-format=concise", "-q", cwd=project)
    assert (result.returncode, result.stdout.count("CNC101"), result.stdout.count("\n")) == (1, 3, 3)


def test_a_named_file_has_to_be_one(project: Path, run_cli: RunCli) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert (
        refused(run_cli, project, "--config=no.toml")
        == "conclint: no.toml: cannot be read: no such file or directory\n"
    )
    assert "there is no [tool.conclint] in it" in refused(run_cli, project, "--config=pyproject.toml")
    assert "cannot be read: is a directory" in refused(run_cli, project, "--config=app")
    assert "--isolated reads no configuration files" in refused(run_cli, project, "--isolated", "--config=a.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_read(project: Path) -> None:
    os.mkfifo(project / "conclint.toml")
    (project / "pyproject.toml").mkdir()
    assert config_files.find(str(project)) is None


DECLARED = """\
import threading
from mylib.locks import DistLock, die, join_all, say, unlock

guard = DistLock("name")
plain = threading.Lock()


def held():
    guard.acquire()
    work()
    guard.release()


def said():
    plain.acquire()
    say("done")
    plain.release()


def helped():
    plain.acquire()
    unlock(plain)


def helped_too_late():
    plain.acquire()
    work()
    unlock(plain)


def ended(x):
    plain.acquire()
    try:
        if x:
            die()
            plain.release()
    finally:
        plain.release()


def made_for_a_call():
    with DistLock("name"):
        work()


def asked(timeout):
    lock = DistLock("name")
    if lock and lock.acquire(wait=timeout):
        lock.release()


def joined():
    threading.Thread(target=print).start()
    join_all()
"""
DECLARATIONS = """\
[tool.conclint.types]
"mylib.locks.DistLock" = "lock"

[tool.conclint.functions]
joins = ["mylib.locks.join_all"]
releases = ["mylib.locks.unlock"]
logs = ["mylib.locks.say"]
never-return = ["mylib.locks.die"]
"""


def lines(run_cli: RunCli, folder: Path, *arguments: str) -> list[tuple[str, str]]:
    result = run_cli("--output-format=concise", "-q", *arguments, cwd=folder)
    return [(line.split(":")[1], line.split()[1]) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("module", ["mylib.locks", "..locks"])
def test_types_and_functions_are_declared(module: str, tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "a.py").write_text(DECLARED.replace("mylib.locks", module))
    (tmp_path / "pyproject.toml").write_text(DECLARATIONS)
    assert lines(run_cli, tmp_path) == [("9", "CNC101"), ("15", "CNC102"), ("26", "CNC101")]
    undeclared = lines(run_cli, tmp_path, "--isolated")
    assert ("9", "CNC101") not in undeclared
    started = DECLARED[: DECLARED.index("threading.Thread(")].count("\n") + 1
    assert {("15", "CNC101"), (str(started), "CNC301")} <= set(undeclared)


def test_a_file_may_hold_nothing_but_a_declared_type(tmp_path: Path, run_cli: RunCli) -> None:
    text = "from mylib import Mutex\n\nm = Mutex()\n\n\ndef f():\n    with m:\n        with m:\n            pass\n"
    (tmp_path / "a.py").write_text(text)
    assert lines(run_cli, tmp_path, ".") == []
    (tmp_path / "conclint.toml").write_text("[types]\n'mylib.Mutex' = 'lock'\n")
    assert lines(run_cli, tmp_path, ".") == [("8", "CNC106")]


def test_a_declared_type_may_be_one_that_is_known(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "a.py").write_text("from mylib import Lock\n\n\ndef f():\n    with Lock():\n        work()\n")
    for kind, expected in (("threading.Lock", [("5", "CNC111")]), ("lock", [])):
        (tmp_path / "conclint.toml").write_text(f"[types]\n'mylib.Lock' = '{kind}'\n")
        assert lines(run_cli, tmp_path) == expected


def test_the_settings_are_shown_with_where_they_come_from(project: Path, run_cli: RunCli) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.conclint]\nselect = ['CNC101']\nextend-exclude = ['x']\n"
        "[tool.conclint.per-file-ignores]\n'a \"b' = ['CNC1']\n"
    )
    (project / "app" / "conclint.toml").write_text("start-method = 'fork'\n")
    result = run_cli("--show-settings", "tests", "app", "app/leak.py", "--ignore=CNC3,CNC4", cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    first, second = result.stdout.split("\n\n")
    assert first.startswith('# tests\nselect = ["CNC101"]  # pyproject.toml\n')
    assert 'per-file-ignores = { "a \\"b" = ["CNC1"] }  # pyproject.toml\n' in first
    assert 'ignore = ["CNC3", "CNC4"]  # the command line\n' in first
    assert "# 2 rules run: CNC101 CNC900" in first
    assert second.startswith("# app, app/leak.py\n# select is not set")
    assert 'start-method = "fork"  # app/conclint.toml\n' in second
    assert "force-exclude = false  # by default\n" in second


def test_looking_for_options_imports_nothing_heavy(project: Path, run_cli: RunCli) -> None:
    for file in project.rglob("leak.py"):
        file.write_text("print()\n")
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    def imported() -> set[str]:
        result = run_cli(cwd=project, python=("-X", "importtime"))
        assert result.returncode == 0
        return {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}

    heavy = {"libcst", "msgspec", "pathspec", "tomllib", "tomli", "conclint.catalog", "conclint.show"}
    assert not imported() & heavy
    (project / "pyproject.toml").write_text("[tool.conclint]\nselect = ['CNC1']\n")
    assert imported() & heavy <= {"msgspec", "tomllib", "tomli"}


def test_a_number_that_python_does_not_read_is_told_by_file(project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text("select = " + "9" * 5000)
    said = refused(run_cli, project)
    assert said.startswith("conclint: app/conclint.toml: ")
    assert said.count("\n") == 1


def test_a_file_may_begin_with_a_byte_order_mark(project: Path, run_cli: RunCli) -> None:
    (project / "conclint.toml").write_bytes(b"\xef\xbb\xbfselect = ['CNC101']\n")
    assert found(run_cli, project, "tests") == ["tests/leak.py CNC101"]


def test_a_mistake_round_standard_input_is_no_internal_error(project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text("selct = []")
    for arguments in (["-"], ["-", "--fix"], ["-", "--diff"]):
        result = run_cli(*arguments, "--stdin-filename=app/new.py", cwd=project, stdin=LEAK)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == "conclint: app/conclint.toml: unknown key 'selct'; did you mean 'select'?\n"


def test_settings_are_shown_for_the_name_of_standard_input(project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text("start-method = 'fork'")
    shown = run_cli("--show-settings", "-", "--stdin-filename=app/new.py", cwd=project).stdout
    assert shown.startswith("# app/new.py\n")
    assert 'start-method = "fork"  # app/conclint.toml\n' in shown


@pytest.mark.parametrize("option", ["fix", "unsafe-fixes", "force-exclude", "respect-gitignore"])
def test_the_command_line_can_say_no_and_yes(option: str, project: Path, run_cli: RunCli) -> None:
    (project / "conclint.toml").write_text(f"{option} = true")
    assert f"{option} = false  # the command line\n" in run_cli("--show-settings", f"--no-{option}", cwd=project).stdout
    (project / "conclint.toml").write_text(f"{option} = false")
    assert f"{option} = true  # the command line\n" in run_cli("--show-settings", f"--{option}", cwd=project).stdout


def test_a_project_whose_file_cannot_be_read_is_checked_all_the_same(project: Path, run_cli: RunCli) -> None:
    (project / "pyproject.toml").write_text("[project")
    result = run_cli("tests", "--select=CNC101", "--output-format=concise", cwd=project)
    assert "Found 1 error in 1 file (1 checked).\n" in result.stdout
    assert result.returncode == 1


def test_what_holds_for_a_whole_run_is_shown_as_it_holds(project: Path, run_cli: RunCli) -> None:
    (project / "app" / "conclint.toml").write_text("fix = true\nbaseline = 'base.json'\nignore = ['CNC1']")
    shown = run_cli("--show-settings", "app", cwd=project).stdout
    assert "fix = false  # by default\n" in shown
    assert "# baseline is not set" in shown
    assert 'ignore = ["CNC1"]  # app/conclint.toml\n' in shown
    assert "fix = true  # conclint.toml\n" in run_cli("--show-settings", cwd=project / "app").stdout


def test_a_broken_file_is_looked_through_in_one_go() -> None:
    began = time.process_time()
    assert config_files._OUR_TABLE.search(b"\n" * 200_000 + b"[tool.conclint]")
    assert time.process_time() - began < 5

"""Which files are checked, and what is said of what is none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from conclint.discovery import Discovery, discover
from conclint.gitignore import IgnoreFile


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(*names: str, text: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def files(*paths: str) -> list[str]:
    return [file.path for file in discover(paths or ["."]).files]


def said(found: Discovery) -> list[tuple[str, str, bool]]:
    return [(problem.path, problem.message, problem.fatal) for problem in found.problems]


def test_folders_are_walked_in_order_for_python_files() -> None:
    put("b.py", "a/z.py", "a/b/c.pyw", "a.py", "a/stub.pyi", "a/notes.txt", "a/.hidden.py", "A.py")
    assert files() == ["A.py", "a.py", "a/.hidden.py", "a/b/c.pyw", "a/z.py", "b.py"]
    assert files("a", "b.py") == files("b.py", "a") == ["a/.hidden.py", "a/b/c.pyw", "a/z.py", "b.py"]


def test_paths_are_shown_below_the_current_folder(tmp_path: Path) -> None:
    put("a/b.py")
    expected = ["a/b.py"]
    for path in ("./a", "a/", "a//b.py", str(tmp_path), str(tmp_path / "a"), "./a/./b.py"):
        assert files(path) == expected
    os.chdir("a")
    assert files("..") == ["../a/b.py"]
    assert files("../a/b.py") == ["../a/b.py"]


def test_folders_that_nobody_wants_are_not_entered_unless_named() -> None:
    put("venv/a.py", ".git/a.py", "x/node_modules/a.py", "build/a.py", "site-packages/a.py", "x/a.py")
    assert files() == ["x/a.py"]
    assert files("venv", "build/a.py") == ["build/a.py", "venv/a.py"]


def test_a_file_meant_twice_is_checked_once() -> None:
    put("a/b.py")
    os.symlink("a", "link")
    os.symlink("a/b.py", "b_link.py")
    found = discover(["a/b.py", "a", ".", "a/b.py", "link", "b_link.py"])
    assert [(file.path, file.named) for file in found.files] == [("a/b.py", True)]
    assert not found.problems


def test_a_named_file_is_checked_whatever_its_suffix() -> None:
    put("script", "a.pyi")
    assert [(file.path, file.named) for file in discover(["script", "a.pyi"]).files] == [
        ("a.pyi", True),
        ("script", True),
    ]


def test_links() -> None:
    put("real/a.py", "tree/b.py")
    os.symlink("../real", "tree/elsewhere")
    os.symlink("../../tree", "real/around")
    os.symlink("../real/a.py", "tree/link.py")
    os.symlink(".", "tree/self")
    os.symlink("nowhere.py", "tree/broken.py")
    os.symlink("ring.py", "tree/ring.py")
    found = discover(["tree"])
    assert [file.path for file in found.files] == ["tree/b.py", "tree/link.py"]
    assert said(found) == [
        ("tree/broken.py", "cannot be read: broken link to nowhere.py", False),
        ("tree/ring.py", "cannot be read: too many levels of symbolic links", False),
        ("tree/self", "not followed: it links to a folder that it lies in", False),
    ]
    assert files("tree/elsewhere") == ["tree/elsewhere/a.py"]


def test_what_is_no_file_is_named_and_never_opened() -> None:
    os.mkfifo("fifo.py")
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket.py")
        os.symlink(os.devnull, "device.py")
        assert said(discover(["."])) == [
            ("device.py", "not checked: it is a device, not a file", False),
            ("fifo.py", "not checked: it is a FIFO, not a file", False),
            ("socket.py", "not checked: it is a socket, not a file", False),
        ]
        assert said(discover(["fifo"])) == [("fifo", "not checked: it is a FIFO, not a file", True)]


def test_what_is_not_there() -> None:
    os.symlink("gone", "link")
    assert said(discover(["no.py", "link", "no/such.py"])) == [
        ("link", "cannot be read: broken link to gone", True),
        ("no.py", "cannot be read: no such file or directory", True),
        ("no/such.py", "cannot be read: no such file or directory", True),
    ]


def test_gitignore_files_count_for_their_folder_and_the_nearest_decides() -> None:
    put("src/gen/a.py", "src/keep/gen.py", "src/main.py", "src/old/x.py", "skip.py", "src/deep/skip.py")
    put(".gitignore", text="gen/\nskip.py\n/src/old\n")
    put("src/deep/.gitignore", text="!skip.py\n")
    assert files() == ["src/deep/skip.py", "src/keep/gen.py", "src/main.py"]


def test_gitignore_files_above_count_inside_a_repository() -> None:
    put("src/pkg/a.py", "src/pkg/skip.py", "src/pkg/old/x.py")
    put(".gitignore", text="skip.py\n")
    put("src/.gitignore", text="/pkg/old/\n")
    assert files("src/pkg") == ["src/pkg/a.py", "src/pkg/old/x.py", "src/pkg/skip.py"]
    put(".git/HEAD")
    assert files("src/pkg") == ["src/pkg/a.py"]


def test_what_is_named_is_checked_though_it_is_ignored() -> None:
    put("out/a.py", "out/sub/b.py", "skip.py", ".git/HEAD")
    put(".gitignore", text="out/\nout/**\nskip.py\n")
    assert files() == []
    assert files("out") == ["out/a.py", "out/sub/b.py"]
    assert files("out/sub", "skip.py", "out/a.py") == ["out/a.py", "out/sub/b.py", "skip.py"]


def test_a_gitignore_that_is_no_file_is_left_alone() -> None:
    put("a.py")
    os.mkfifo(".gitignore")
    assert files() == ["a.py"]


# Left out is what pathspec does not do as git does: named character classes, `***`, backward ranges, `[\]]`.
PATTERNS = [
    "a", "/a", "a/", "a/b", "*.py", "!a.py", "!*.py", "*", "/*", "!/a/", "**/a", "a/**", "a/**/b.py", "**", "?.py",
    "[ab].py", "[!a].py", "[^b]*", "[a-c]", "[]-]", "\\a", "\\!a", "\\#x", "# a", "",
    "a ", "a\\ ", "a/*", "*/b", "a**", "**a", "a**b", "/**/b.py", "a/b/", "*/", "[a", "a\\", "a.p[y]", "/b.py",
    "a.py\r", "[a-]", "a/b.py", "!a", "!b/", "/", "//", "!", "[[:nope:]]", "**/",
    "/**",
]  # fmt: skip
NAMES = ["a", "b", "a.py", "b.py", "!a", "#x", "a ", "c", "1", "]", "-", "aab", "z"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
def test_patterns_mean_what_git_means(tmp_path: Path) -> None:
    """Each pattern alone over a tree of all names, two levels deep."""
    subprocess.run(["git", "init", "-q"], check=True)
    for folder in ("a", "b", "c"):
        put(*(f"{folder}/{name}" for name in NAMES if name != "a"), f"{folder}/a/b.py", f"{folder}/a/a.py")
    put(*(name for name in NAMES if name not in ("a", "b", "c")))
    for pattern in PATTERNS:
        assert ours([pattern]) == gits([pattern]), pattern


def tree() -> list[tuple[str, bool]]:
    """Every path with whether it is a folder, parents first."""
    found = []
    for folder, folders, names in os.walk("."):
        if folder == ".":
            folders.remove(".git")
            names = [name for name in names if name != ".gitignore"]  # noqa: PLW2901
        found += [(os.path.relpath(os.path.join(folder, name)), True) for name in folders]
        found += [(os.path.relpath(os.path.join(folder, name)), False) for name in names]
    return sorted(found)


def ours(patterns: list[str]) -> set[str]:
    ignore = IgnoreFile(patterns)
    ignored: set[str] = set()
    for path, is_folder in tree():
        if os.path.dirname(path) in ignored or ignore.verdict(path, is_folder):
            ignored.add(path)
    return ignored


def gits(patterns: list[str]) -> set[str]:
    Path(".gitignore").write_bytes("\n".join(patterns).encode() + b"\n")
    paths = "\0".join(path for path, _ in tree())
    answer = subprocess.run(
        ["git", "check-ignore", "-z", "--stdin"], input=paths.encode(), capture_output=True, check=False
    )
    assert answer.returncode in (0, 1), answer.stderr
    return set(answer.stdout.decode().split("\0")) - {""}

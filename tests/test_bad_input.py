"""A folder of everything that goes wrong with files: one clear line each, and the one good file is analysed."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import RunCli

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f():\n    lock.acquire()\n    work()\n    lock.release()\n"
HEAD = "import threading\n"
FOUND = {
    "binary.py": "1:1: CNC900 cannot be parsed: source code cannot contain null bytes",
    "bytes.py": "2:6: CNC900 cannot be decoded as utf-8: byte 0xe9",
    "cookie.py": "1:11: CNC900 cannot be decoded: unknown encoding 'klingon'",
    "lying.py": "2:1: CNC900 cannot be decoded as ascii: byte 0xc3",
    "nested.py": "2:205: CNC900 cannot be parsed: too many nested parentheses",
    "null.py": "2:5: CNC900 cannot be parsed: source code cannot contain null bytes",
    "syntax.py": "2:5: CNC900 cannot be parsed: '(' was never closed",
    "utf16.py": "1:1: CNC900 cannot be decoded: the file is UTF-16",
    "good.py": "6:5: CNC101 ",
}
SAID = {
    "broken.py": "cannot be read: broken link to gone.py",
    "fifo.py": "not checked: it is a FIFO, not a file",
    "loop": "not followed: it links to a folder that it lies in",
    "locked.py": "cannot be read: permission denied",
    "locked": "cannot be listed: permission denied",
    "huge.py": "not checked: it is larger than 5 MB",
}
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def obey_permissions() -> None:
    """Makes a child of root obey the permissions of files, as everybody else must."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError("cannot give up the rights of root")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    zoo = tmp_path_factory.mktemp("zoo")
    contents: dict[str, bytes] = {
        "good.py": LEAK.encode(),
        "syntax.py": b"import threading\nx = (1,\n",
        "bytes.py": b"import os\nx = '\xe9'\n",
        "cookie.py": b"# coding: klingon\n",
        "lying.py": b"# coding: ascii\n\xc3\xa9 = 1\n",
        "utf16.py": "x = 1\n".encode("utf-16"),
        "null.py": b"import os\nx = \0\n",
        "binary.py": bytes(range(256)) * 100,
        "nested.py": f"{HEAD}x = {'(' * 2000}1{')' * 2000}\n".encode(),
        "huge.py": f"{HEAD}x = [\n{'    1234567890, 1234567890,' * 750_000}\n]\n".encode(),
        "huge_without_threads.py": f"x = [\n{'    1234567890, 1234567890,' * 750_000}\n]\n".encode(),
        "long.py": (HEAD + "def f():\n" + "    x = g(1, 2)\n" * 10_000).encode(),
        "empty.py": b"",
        "marks.py": b"\xef\xbb\xbfimport threading\r\n\x0c\r\n",
        "locked.py": LEAK.encode(),
    }
    for name, data in contents.items():
        (zoo / name).write_bytes(data)
    (zoo / "sub").mkdir()
    (zoo / "sub" / "good.py").write_text(LEAK)
    os.symlink("..", zoo / "sub" / "loop")
    os.symlink(".", zoo / "loop")
    os.symlink("gone.py", zoo / "broken.py")
    os.mkfifo(zoo / "fifo.py")
    (zoo / "locked").mkdir()
    (zoo / "locked.py").chmod(0)
    (zoo / "locked").chmod(0)
    return zoo


def test_each_has_its_line_and_the_good_file_is_analysed(zoo: Path, run_cli: RunCli) -> None:
    started = time.monotonic()
    result = run_cli("--output-format=concise", cwd=zoo, preexec_fn=obey_permissions)
    taken = time.monotonic() - started
    assert result.returncode == 2
    *findings, counted, fixable = result.stdout.splitlines()
    expected = {**FOUND, "sub/good.py": FOUND["good.py"]}
    assert [line.split(":")[0] for line in findings] == sorted(expected)
    for line in findings:
        path, _, rest = line.partition(":")
        assert rest.startswith(expected[path])
    assert counted == "Found 10 errors in 10 files (14 checked)."
    assert fixable.endswith(" can be fixed with --fix --unsafe-fixes.")
    said = {**SAID, "sub/loop": SAID["loop"]}
    assert sorted(result.stderr.splitlines()) == sorted(f"conclint: {path}: {text}" for path, text in said.items())
    assert taken < 60


def test_the_full_format_shows_them_too(zoo: Path, run_cli: RunCli) -> None:
    result = run_cli(cwd=zoo, preexec_fn=obey_permissions)
    assert result.returncode == 2
    assert " 2 | x = '\\xe9'\n   |      ^\n" in result.stdout
    assert " 2 | x = (1,\n   |     ^\n" in result.stdout
    assert "\0" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 300


@pytest.mark.parametrize("name", sorted(FOUND))
def test_named_alone_each_is_1(name: str, zoo: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format=concise", name, cwd=zoo)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith(f"{name}:{FOUND[name]}")


@pytest.mark.parametrize("name", ["broken.py", "fifo.py", "locked", "locked.py", "huge.py", "missing.py"])
def test_named_alone_each_is_2(name: str, zoo: Path, run_cli: RunCli) -> None:
    result = run_cli("--output-format=concise", name, cwd=zoo, preexec_fn=obey_permissions)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    expected = SAID.get(name, "cannot be read: no such file or directory")
    assert line == f"conclint: {name}: {expected}"


def test_a_file_that_can_hold_no_finding_is_parsed_where_it_is_named(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n")
    (tmp_path / "fine.py").write_text("def f(): ...\n")
    assert run_cli("--output-format=concise", cwd=tmp_path).returncode == 0
    result = run_cli("--output-format=concise", "bad.py", "fine.py", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("bad.py:1:7: CNC900 cannot be parsed: ")


@pytest.mark.parametrize("statement", ["    x = g(1, 2)", "    lock.acquire()\n    g()\n    lock.release()"])
def test_time_is_linear_in_the_file(statement: str, tmp_path: Path, run_cli: RunCli) -> None:
    taken = []
    for lines in (1_500, 12_000):
        body = f"{statement}\n" * (lines // (statement.count("\n") + 1))
        (tmp_path / "long.py").write_text(f"{HEAD}lock = threading.Lock()\n\ndef f():\n{body}")
        started = time.monotonic()
        result = run_cli("--output-format=concise", "-q", "long.py", cwd=tmp_path)
        taken.append(time.monotonic() - started)
        assert result.returncode in (0, 1)
        assert result.stderr == ""
    # Eight times the lines. Twice that leaves room for a busy machine; a square would take sixty-four times.
    assert taken[1] < 16 * taken[0]


def in_a_ring(methods: int) -> str:
    """Methods that each take the lock of their object and call the next."""
    made = "class C:\n    def __init__(self):\n        self._lock = threading.Lock()\n"
    return made + "".join(
        f"    def m{n}(self):\n        with self._lock:\n            self.n{n}()\n"
        f"    def n{n}(self):\n        self.m{(n + 1) % methods}()\n"
        for n in range(methods)
    )


def one_after_the_other(sections: int) -> str:
    """A long function that takes two locks, again and again, in both orders."""
    made = "a = threading.Lock()\nb = threading.Lock()\n\ndef size():\n    with a:\n        return 1\n\ndef f():\n"
    return made + "    with a:\n        g()\n    with b:\n        with a:\n            g()\n        size()\n" * sections


def down_a_chain(functions: int) -> str:
    """Functions that call one another, the last of which takes the lock."""
    made = "lock = threading.Lock()\n\ndef f0():\n    with lock:\n        pass\n"
    calls = "".join(f"def f{n}():\n    f{n - 1}()\n" for n in range(1, functions))
    return f"{made}{calls}def g():\n    with lock:\n        f{functions - 1}()\n"


def all_below_one(classes: int) -> str:
    """Subclasses that override what the base calls under its lock."""
    base = "class Base:\n    _lock = threading.Lock()\n"
    base += "    def go(self):\n        with self._lock:\n            self.hook()\n"
    below = "    def hook(self):\n        with self._lock:\n            self.go()\n"
    return f"{base}    def hook(self): ...\n" + "".join(f"class C{n}(Base):\n{below}" for n in range(classes))


def by_hand(functions: int) -> str:
    """Functions that acquire and release one lock."""
    body = "    lock.acquire()\n    try:\n        g()\n    finally:\n        lock.release()\n"
    return "lock = threading.Lock()\n\n" + "".join(f"def f{n}():\n{body}" for n in range(functions))


@pytest.mark.slow
@pytest.mark.parametrize("made", [by_hand, in_a_ring, one_after_the_other, down_a_chain, all_below_one])
def test_deadlocks_take_time_linear_in_the_file(made: Callable[[int], str], tmp_path: Path, run_cli: RunCli) -> None:
    taken = []
    for count in (150, 1_200):
        (tmp_path / "long.py").write_text(HEAD + made(count))
        started = time.monotonic()
        result = run_cli("--select=CNC106,CNC107", "--output-format=concise", "-q", "long.py", cwd=tmp_path)
        taken.append(time.monotonic() - started)
        assert result.returncode in (0, 1)
        assert result.stderr == ""
    assert taken[1] < 16 * taken[0]


CIRCLES = """
class A(B):
    def f(self):
        with self._lock:
            self.g()

class B(A):
    def __init__(self):
        self._lock = threading.Lock()

    def g(self):
        with self._lock:
            self.f()

class C(C):
    def __init__(self):
        self.lock = self.lock

    @property
    def p(self):
        with self.p:
            return self.p

    def __iter__(self):
        with self.lock:
            for x in self:
                yield x

A = B
B = A
lock = lock

def sync(f):
    @sync
    def w(*args):
        with lock:
            return w(*args)
    return w

@sync
@sync
def f(x=lambda: f()):
    with lock:
        return f(x=f)
"""


def test_what_is_made_of_itself_ends(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "circles.py").write_text(HEAD + CIRCLES)
    result = run_cli("--output-format=concise", "--select=ALL", "circles.py", cwd=tmp_path)
    assert result.returncode in (0, 1)
    assert result.stderr == ""


def test_containers_in_containers_in_containers_end(tmp_path: Path, run_cli: RunCli) -> None:
    """Each holds the one before twice: what is in the last is 2 to the 40th."""
    layers = [f"v{n} = (v{n - 1}, [v{n - 1}])\n" for n in range(1, 40)]
    source = ["import threading\n", "v0 = [threading.Lock()]\n", *layers, "for item in v39:\n    item.acquire()\n"]
    (tmp_path / "nested.py").write_text("".join(source))
    result = run_cli("--select=ALL", "--output-format=concise", "nested.py", cwd=tmp_path)
    assert result.stderr == ""

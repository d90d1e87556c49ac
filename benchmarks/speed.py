"""conclint and its peers side by side, in one run: ``python -m benchmarks.speed [--corpus FOLDER]``.

Prints tables in Markdown: seconds, lines per second, memory and, what counts on a busy machine, ratios to ruff; and how
time and memory grow with the code. The peers come with ``pip install -e '.[bench]'``; one that is missing is left out,
and said to be.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.corpus import fetch

CONCLINT = (sys.executable, "-m", "conclint", "--isolated", "-q", "--exit-zero")
RUFF = (sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--select", "ASYNC,RUF006,PLW2101", "-q")
PYLINT = ("--disable=all", "--enable=consider-using-with,useless-with-lock,bad-thread-instantiation", "-sn")


class Taken(NamedTuple):
    """What a run took."""

    seconds: float
    cpu: float
    megabytes: float
    """Of its largest process at the most."""


class Tool(NamedTuple):
    """One way to check the corpus."""

    name: str
    command: tuple[str, ...]
    module: str
    """What has to be there."""
    prepare: Callable[[], None] = lambda: None
    runs: int = 3


def measure(command: Sequence[str], cwd: Path, runs: int = 1, prepare: Callable[[], None] = lambda: None) -> Taken:
    """The fastest of ``runs``, ``prepare`` being called before each."""
    best: Taken | None = None
    for _ in range(runs):
        prepare()
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in range(32):  # pylint sums up what it found in its status
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
        taken = Taken(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        best = taken if best is None or taken.seconds < best.seconds else best
    assert best is not None
    return best


def count_lines(folder: Path) -> tuple[int, int]:
    """How many Python files there are in ``folder``, and how many lines they have."""
    files = [path for path in folder.rglob("*.py") if path.is_file()]
    return len(files), sum(path.read_bytes().count(b"\n") for path in files)


def side_by_side(corpus: Path, scratch: Path) -> Iterable[str]:
    """The table of conclint and ruff on the whole corpus, line by line."""
    files, lines = count_lines(corpus)
    day, version = time.strftime("%Y-%m-%d"), sys.version.split()[0]
    yield f"{files:,} files, {lines:,} lines; {_cores()} cores; {day}; Python {version}"
    yield ""
    one = Tool("conclint, one process, no cache", (*CONCLINT, "-j1", "--no-cache", str(corpus)), "conclint", runs=1)
    yield from _compared([*_quick(corpus, scratch), one], scratch, lines)
    nothing = scratch / "nothing"
    nothing.mkdir(exist_ok=True)
    (nothing / "module.py").write_text("print('no threads here')\n")
    bare = measure((sys.executable, "-c", "pass"), scratch, 20)
    idle = measure((*CONCLINT, str(nothing)), scratch, 20)
    yield ""
    yield (
        f"Nothing to parse: {idle.seconds * 1000:.0f} ms, {idle.seconds / bare.seconds:.1f} times the "
        f"{bare.seconds * 1000:.0f} ms of `python -c pass`."
    )


def slow_peers(corpus: Path, scratch: Path, at_least: int) -> Iterable[str]:
    """The table of the slow peers, line by line, with conclint and ruff beside them.

    They would take hours on the whole corpus, and get whole packages of it, of so many lines together.
    """
    part = scratch / "part"
    lines = 0
    for package in sorted(corpus.iterdir(), key=lambda path: hashlib.sha256(path.name.encode()).digest()):
        if lines < at_least and package.is_dir() and not package.name.startswith("."):
            shutil.copytree(package, part / package.name)
            lines += count_lines(package)[1]
    folder, files = str(part), sorted(str(path) for path in part.rglob("*.py"))
    python = sys.executable
    pylint = (python, "-m", "pylint", f"-j{_cores()}", "--recursive=y", *PYLINT, folder)
    tools = [
        *_quick(part, scratch / "of-part"),
        Tool("pylint, 3 checks", pylint, "pylint", runs=1),
        # By its own command: in flake8 all other plugins would run beside it, conclint too.
        Tool("flake8-async, one process", (python, "-m", "flake8_async", *files), "flake8_async", runs=1),
        Tool("bandit, one process", (python, "-m", "bandit", "-q", "-r", "--exit-zero", folder), "bandit", runs=1),
    ]
    yield f"{lines:,} lines of it, the packages {', '.join(sorted(path.name for path in part.iterdir()))}"
    yield ""
    yield from _compared(tools, scratch, lines)


def _quick(folder: Path, scratch: Path) -> list[Tool]:
    """Conclint and ruff, without a cache and with one."""
    cache, target = scratch / "cache", str(folder)
    cached = (*CONCLINT, "--cache-dir", str(cache), target)
    return [
        Tool("ruff, no cache", (*RUFF, "--no-cache", target), "ruff"),
        Tool("ruff, cached", (*RUFF, "--cache-dir", str(scratch / "ruff"), target), "ruff", runs=4),
        Tool("conclint, cold", cached, "conclint", lambda: shutil.rmtree(cache, ignore_errors=True), 2),
        Tool("conclint, warm", cached, "conclint"),
    ]


def _compared(tools: Sequence[Tool], scratch: Path, lines: int) -> Iterable[str]:
    """The table of ``tools`` that check so many lines: ruff first, which the others are compared to."""
    yield "| tool | seconds | lines a second | MB, largest process | ratio to ruff |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    cold = warm = math.nan
    for tool in tools:
        if not _is_there(tool.module):
            yield f"| {tool.name} | not installed | | | |"
            continue
        taken = measure(tool.command, scratch, tool.runs, tool.prepare)
        if tool.name == "ruff, no cache":
            cold = taken.seconds
        elif tool.name == "ruff, cached":
            warm = taken.seconds
        base = warm if tool.name in ("ruff, cached", "conclint, warm") else cold
        speed = lines / taken.seconds
        ratio = taken.seconds / base
        yield f"| {tool.name} | {taken.seconds:.2f} | {speed:,.0f} | {taken.megabytes:.0f} | {ratio:.1f} |"


def growth(corpus: Path, scratch: Path, sizes: Sequence[int]) -> Iterable[str]:
    """The table of growth, line by line: copies of files of the corpus that are parsed, up to so many lines.

    Their order has nothing to do with what they are, so that each size is the same mix of them.
    """
    from conclint.source import may_hold_finding

    contents = {path: path.read_bytes() for path in corpus.rglob("*.py") if path.is_file()}
    parsed = [path for path, data in contents.items() if may_hold_finding(data)]
    sources = sorted(parsed, key=lambda path: hashlib.sha256(contents[path]).digest())
    yield "| lines | seconds | lines a second | MB, largest process |"
    yield "| ---: | ---: | ---: | ---: |"
    points: list[tuple[int, Taken]] = []
    for size in sizes:
        folder = scratch / f"lines{size}"
        lines = _copy(sources, folder, size)
        command = (*CONCLINT, "--no-cache", str(folder))
        taken = measure(command, scratch)
        shutil.rmtree(folder)
        points.append((lines, taken))
        yield f"| {lines:,} | {taken.seconds:.2f} | {lines / taken.seconds:,.0f} | {taken.megabytes:.0f} |"
    large = [(lines, taken) for lines, taken in points if lines >= 100_000]
    if len(large) > 1:
        slope = _slope([(lines, taken.cpu) for lines, taken in large])
        yield ""
        yield f"Slope of processor time over lines, both as logarithms, from 100,000 lines on: {slope:.2f}."


SHAPES = {
    "calls": ("import threading\n\n\ndef f(data):\n", "    data.load({n})\n"),
    "`with lock`": (
        "import threading\nlock = threading.Lock()\n\n\ndef f(data):\n",
        "    with lock:\n        data.load({n})\n",
    ),
    "acquire, try, release": (
        "import threading\nlock = threading.Lock()\n\n\ndef f(data):\n",
        "    lock.acquire()\n    try:\n        data.load({n})\n    finally:\n        lock.release()\n",
    ),
    "branches": (
        "import threading\nlock = threading.Lock()\n\n\ndef f(data):\n    lock.acquire()\n",
        "    if data.has({n}):\n        data.load({n})\n    else:\n        data.drop({n})\n",
    ),
}


def one_function(scratch: Path, sizes: Sequence[int]) -> Iterable[str]:
    """The table of single functions of so many lines."""
    yield f"| one function of | {' | '.join(f'{size:,} lines' for size in sizes)} | slope of the last two |"
    yield f"| --- | {' | '.join('---:' for _ in sizes)} | ---: |"
    for name, (head, part) in SHAPES.items():
        points = []
        for size in sizes:
            path = scratch / "function.py"
            count = size // part.count("\n")
            path.write_text(head + "".join(part.format(n=number) for number in range(count)))
            command = (*CONCLINT, "--no-cache", str(path))
            points.append((size, measure(command, scratch).cpu))
        slope = _slope(points[-2:])  # smaller ones are mostly start-up
        yield f"| {name} | {' | '.join(f'{seconds:.2f} s' for _, seconds in points)} | {slope:.2f} |"


def _copy(sources: Sequence[Path], folder: Path, size: int) -> int:
    lines = 0
    number = 0
    while lines < size:
        source = sources[number % len(sources)]
        text = source.read_bytes()
        target = folder / f"p{number // len(sources)}" / f"m{number % len(sources)}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
        lines += text.count(b"\n")
        number += 1
    return lines


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line through the logarithms, by least squares."""
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_there(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("build", "corpus"), help="where the packages are, or go")
    parser.add_argument("--quick", action="store_true", help="leave out the slow peers and the large sizes")
    options = parser.parse_args()
    for each in fetch(options.corpus):
        print(f"not fetched: {each}", file=sys.stderr)
    sizes = [1_000, 10_000, 100_000, 300_000] + ([] if options.quick else [1_000_000, 5_000_000])
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        corpus = options.corpus.resolve()
        for table in (
            side_by_side(corpus, scratch),
            [] if options.quick else slow_peers(corpus, scratch, 200_000),
            growth(corpus, scratch, sizes),
            one_function(scratch, [100, 1_000, 5_000] + ([] if options.quick else [20_000])),
        ):
            for line in table:
                print(line, flush=True)
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

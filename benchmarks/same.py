"""Whether findings are the same however they are asked for: ``python -m benchmarks.same [--corpus FOLDER]``.

Checks the corpus with one, two and four processes, without a cache, with a new and with a full one, and with its
packages named in several orders. Ends with status 1 where two of these runs differ.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.corpus import fetch


def outputs(corpus: Path, cache: Path) -> Iterator[tuple[str, bytes]]:
    """What each way to ask is called, and what it prints."""
    packages = sorted(path.name for path in corpus.iterdir() if not path.name.startswith("."))
    for jobs in (1, 2, 4):
        folder = ("--cache-dir", str(cache / str(jobs)))
        yield f"{jobs} jobs, no cache", _run(corpus, [f"-j{jobs}", "--no-cache", *packages])
        yield f"{jobs} jobs, new cache", _run(corpus, [f"-j{jobs}", *folder, *packages])
        yield f"{jobs} jobs, full cache", _run(corpus, [f"-j{jobs}", *folder, *packages])
    full = ("--cache-dir", str(cache / "1"))
    yield "4 jobs, cache of 1 job", _run(corpus, ["-j4", *full, *packages])
    half = len(packages) // 2
    orders = {
        "from the last": packages[::-1],
        "from the midst": packages[half:] + packages[:half],
        "every other one": packages[::2] + packages[1::2],
    }
    for name, order in orders.items():
        yield f"2 jobs, {name}, no cache", _run(corpus, ["-j2", "--no-cache", *order])
        yield f"2 jobs, {name}, full cache", _run(corpus, ["-j2", *full, *order])


def _run(corpus: Path, arguments: Sequence[str]) -> bytes:
    command = [sys.executable, "-m", "conclint", "--isolated", "--select=ALL", "--exit-zero", "--output-format=json"]
    return subprocess.run([*command, *arguments], cwd=corpus, check=True, stdout=subprocess.PIPE).stdout


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("build", "corpus"), help="where the packages are, or go")
    corpus = parser.parse_args().corpus.resolve()
    for each in fetch(corpus):
        print(f"not fetched: {each}", file=sys.stderr)
    seen = set()
    with tempfile.TemporaryDirectory() as cache:
        for name, output in outputs(corpus, Path(cache)):
            digest = hashlib.sha256(output).hexdigest()[:16]
            print(f"{digest}  {name}", flush=True)
            seen.add(digest)
    print("all the same" if len(seen) == 1 else "they differ")
    return 0 if len(seen) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())

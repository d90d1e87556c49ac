"""The long run: ``python -m tests.lock_oracle --programs 100000 --seed 1``, at the top of the checkout."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from .search import search

_CHUNK = 2_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lock_oracle", description=__doc__)
    parser.add_argument("--programs", type=int, default=100_000, help="how many to make (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="where the choices start (default: %(default)s)")
    arguments = parser.parse_args()
    started = time.monotonic()
    counted: Counter[str] = Counter()
    disagreements = 0
    for number, done in enumerate(range(0, arguments.programs, _CHUNK)):
        seen, wrong = search(min(_CHUNK, arguments.programs - done), arguments.seed * 1_000_003 + number)
        counted += seen
        if wrong is not None:
            disagreements += 1
            print(f"\n{wrong}\n", flush=True)
    for what, times in sorted(counted.items()):
        print(f"{times:9,}  {what}")
    print(f"{disagreements:9,}  disagreements, in {time.monotonic() - started:.0f} s")
    return 1 if disagreements else 0


if __name__ == "__main__":
    raise SystemExit(main())

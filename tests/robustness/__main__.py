"""The long run: ``python -m tests.robustness --inputs 20000 --seed 1 [--corpus FOLDER]``, at the top of the checkout.

What fails is saved below ``build/robustness``, and ``--only NUMBER`` with the same seed and corpus checks it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path

from .guarded import Guarded
from .inputs import Inputs
from .judge import judge
from .search import Failure, search

_TOLD_EVERY = 1_000


def _with_progress(numbers: range, started: float, seconds: float) -> Iterator[int]:
    for number in numbers:
        if time.monotonic() - started > seconds:
            return
        if (done := number - numbers.start) and done % _TOLD_EVERY == 0:
            print(f"{done:,} inputs, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        yield number


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.robustness", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many to check (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="where the choices start (default: %(default)s)")
    parser.add_argument("--corpus", type=Path, help="packages to cut and garble (default: the standard library)")
    parser.add_argument("--minutes", type=float, default=inf, help="check none after that (default: all are checked)")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="the first input (default: %(default)s)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="check this one input")
    parser.add_argument(
        "--again", type=int, default=4, metavar="N", help="check every Nth input twice (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path("build", "robustness"), help="for what fails")
    arguments = parser.parse_args()
    first, count = (arguments.first, arguments.inputs) if arguments.only is None else (arguments.only, 1)
    inputs = Inputs(arguments.seed, arguments.corpus)
    for reason in inputs.skipped():
        print(f"left out: {reason}")
    started = time.monotonic()

    def tell(failure: Failure) -> None:
        saved = failure.save(arguments.output / str(arguments.seed))
        print(f"\n{failure}\n---- saved in {saved}\n", flush=True)

    with closing(Guarded(judge, hash_seed=1)) as check, closing(Guarded(judge, hash_seed=2)) as again:
        numbers = _with_progress(range(first, first + count), started, 60 * arguments.minutes)
        tally, failures = search(inputs, numbers, check, again, arguments.again, tell)
    for title, counts in (("inputs", tally.sources), ("", tally.counted), ("inputs with", tally.codes)):
        for what, times in sorted(counts.items()):
            print(f"{times:11,}  {title} {what}".rstrip())
    print(f"{len(tally.codes):11,}  rules found something")
    share, number = tally.slowest
    print(f"the slowest for its size, {number}, took {share:.0%} of its time")
    print(f"Python {sys.version.split()[0]}, seed {arguments.seed}: {sum(tally.sources.values()):,} inputs")
    print(
        f"{len(failures)} kinds of failure; {tally.seconds:.0f} s of checks, {time.monotonic() - started:.0f} s in all"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

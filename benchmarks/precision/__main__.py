"""Precision by rule, and what is not judged yet: ``python -m benchmarks.precision [--corpus FOLDER]``.

Ends with status 1 where some finding is not judged, and with 2 where conclint did not get to the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import compare
from .findings import BrokenRunError, find, packages
from .labels import LABELS, LabelError, load


def parser(title: str) -> argparse.ArgumentParser:
    """What both commands understand."""
    made = argparse.ArgumentParser(description=title)
    made.add_argument("--corpus", type=Path, default=Path("build", "corpus"), help="where the packages are, or go")
    made.add_argument("--labels", type=Path, default=LABELS, help="the file of judgements")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    options = parser(str(__doc__).splitlines()[0]).parse_args(arguments)
    try:
        labels = load(options.labels)
        folders = packages(options.corpus.resolve())
        found = list(find(folders))
    except (BrokenRunError, LabelError) as error:
        print(error, file=sys.stderr)
        return 2
    for line in compare.table(found, labels):
        print(line)
    print(f"\n{len(folders)} packages, a run each: {compare.summary(found, labels)}.")
    new = list(compare.unlabelled(found, labels))
    for title, lines in (
        ("Short of the goal:", list(compare.short_of_goal(found, labels))),
        ("Judged, and not found any more:", list(compare.stale(found, labels))),
        ("Not judged yet:", new),
    ):
        if lines:
            print(f"\n{title}", *lines, sep="\n")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())

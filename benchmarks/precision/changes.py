"""What a change adds and takes away: ``python -m benchmarks.precision.changes [--base REV] [--corpus FOLDER]``.

Compares the working tree with a revision of the repository, by default the last one that was committed, over the pinned
packages. Ends with status 1 where the change adds what is not judged, and with 2 where conclint did not get to the end.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import compare
from .__main__ import parser
from .findings import ROOT, BrokenRunError, find, packages
from .labels import LabelError, load


@contextmanager
def checked_out(revision: str, repository: Path = ROOT) -> Iterator[Path]:
    """A folder with the files of ``revision``, for as long as the block runs. Raises :class:`BrokenRunError`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "base").resolve()
        _git(repository, "worktree", "add", "--quiet", "--detach", str(folder), revision)
        try:
            yield folder
        finally:
            _git(repository, "worktree", "remove", "--force", str(folder))


def _git(repository: Path, *arguments: str) -> None:
    result = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)  # noqa: S607
    if result.returncode:
        raise BrokenRunError(result.stderr.strip())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    made = parser(str(__doc__).splitlines()[0])
    made.add_argument("--base", default="HEAD", metavar="REV", help="the revision to compare with (default: HEAD)")
    options = made.parse_args(arguments)
    try:
        labels = load(options.labels)
        folders = packages(options.corpus.resolve())
        with checked_out(options.base) as checkout:
            before = list(find(folders, checkout))
        after = list(find(folders))
    except (BrokenRunError, LabelError) as error:
        print(error, file=sys.stderr)
        return 2
    change = compare.compare(before, after)
    for line in compare.review(change, labels):
        print(line)
    print(f"before: {compare.summary(before, labels)}")
    print(f"after:  {compare.summary(after, labels)}")
    return 1 if any(each.key not in labels for each in change.added) else 0


if __name__ == "__main__":
    sys.exit(main())

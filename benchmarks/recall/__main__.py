"""The command: ``python -m benchmarks.recall [--folder FOLDER]``.

Gets both versions of each package under FOLDER, where what is there already stays, and checks them with the command
line of conclint: the file alone where the bug is to be seen in it, else the package. Nothing of theirs is built,
imported or run. Prints a table in Markdown and the totals, and ends with status 1 if a version could not be checked.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks import archives
from benchmarks.recall.judging import Bug, Fit, Found, Verdict, fitting, fixed_places, hit, table, totals

HERE = Path(__file__).parent
ALL = "--select=ALL"


class Report(msgspec.Struct):
    """What conclint prints as JSON."""

    findings: list[Found]


def bugs() -> list[Bug]:
    """Those of ``bugs.jsonl``, in its order."""
    return [msgspec.json.decode(line, type=Bug) for line in HERE.joinpath("bugs.jsonl").read_bytes().splitlines()]


def fits() -> dict[str, Fit]:
    """What ``fits.toml`` says of each class."""
    return msgspec.toml.decode(HERE.joinpath("fits.toml").read_bytes(), type=dict[str, Fit])


def verdicts(folder: Path) -> Iterator[Verdict]:
    """What is said of each bug, as soon as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    fit = fits()
    for bug in bugs():
        try:
            buggy = _root(folder, bug.package, bug.buggy, bug.dist)
            fixed = _root(folder, bug.package, bug.fixed, bug.fixed_dist)
            yield _judged(bug, fit[bug.kind], buggy, fixed)
        except (archives.FetchError, OSError, subprocess.CalledProcessError) as error:
            yield Verdict(bug, None, None, None, f"not checked: {error}")


def _judged(bug: Bug, fit: Fit, buggy: Path, fixed: Path) -> Verdict:
    source = (buggy / bug.path).read_bytes()
    left = _findings(bug, fixed, bug.fixed_path)
    found = hit(bug, fit, source, _findings(bug, buggy, bug.path), left)
    optional = None
    if found is None:
        left_by_all = _findings(bug, fixed, bug.fixed_path, ALL)
        optional = hit(bug, fit, source, _findings(bug, buggy, bug.path, ALL), left_by_all)
    silent = fixed_places(bug, source, (fixed / bug.fixed_path).read_bytes())
    return Verdict(bug, found, optional, fitting(fit, bug.fixed_path, silent, left))


def _root(folder: Path, package: str, version: str, kind: archives.Kind) -> Path:
    """The top folder of what is in a package's archive, which is fetched if it is missing."""
    target = folder / f"{package}-{version}"
    if not target.exists():
        archives.fetch(package, version, target, kind)
    return next(target.iterdir()) if kind == "sdist" else target


def _findings(bug: Bug, root: Path, path: str, *options: str) -> list[Found]:
    """What conclint says of the file, or of all that is in the folder at the top of its path."""
    what = path if bug.single_file else path.split("/", 1)[0]
    command = [
        sys.executable,
        "-m",
        "conclint",
        "--isolated",
        "--no-cache",
        "--no-respect-gitignore",
        "-q",
        "--exit-zero",
    ]
    command += ["--output-format=json", *options, what]
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Report).findings


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build", "recall"), help="where the packages are, or go")
    judged = list(verdicts(parser.parse_args().folder.resolve()))
    for line in table(judged):
        print(line)
    print()
    for line in totals(judged):
        print(f"- {line}")
    return 1 if any(each.trouble for each in judged) else 0


if __name__ == "__main__":
    sys.exit(main())

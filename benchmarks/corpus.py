"""The pinned packages that are measured on: fetched and unpacked, never installed, imported or run.

``python -m benchmarks.corpus FOLDER`` unpacks the Python files of every package of ``packages.txt`` under FOLDER. What
is there already stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import archives

PACKAGES = Path(__file__).with_name("packages.txt")


def pins() -> Iterator[tuple[str, str]]:
    """Names and versions."""
    for line in PACKAGES.read_text("utf-8").splitlines():
        name, equals, version = line.strip().partition("==")
        if equals:
            yield name, version


def fetch(folder: Path) -> list[str]:
    """Unpacks what is missing in ``folder``, and hands back what could not be had: ``name==version``, and why."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for name, version in pins():
        target = folder / name
        if not target.exists():
            try:
                archives.fetch(name, version, target)
            except archives.FetchError as error:
                missing.append(str(error))
    return missing


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    missing = fetch(parser.parse_args().folder)
    for each in missing:
        print(f"not fetched: {each}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

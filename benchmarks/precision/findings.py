"""What a checkout of conclint finds in the pinned packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from benchmarks.corpus import fetch, pins

from .labels import Key

ROOT = Path(__file__).resolve().parents[2]


class BrokenRunError(Exception):
    """conclint did not get to the end of a package; the message is what it says."""


class Found(NamedTuple):
    """A finding, and what a reader needs to find it: ``path`` is inside of the corpus."""

    key: Key
    name: str
    path: str
    line: int
    message: str


def packages(corpus: Path) -> list[Path]:
    """The folder of each pinned package, fetched where it is missing. Raises :class:`BrokenRunError`."""
    missing = fetch(corpus)
    if missing:
        raise BrokenRunError("\n".join(f"not fetched: {each}" for each in missing))
    return [corpus / name for name, _ in sorted(pins())]


def find(folders: Iterable[Path], checkout: Path = ROOT) -> Iterator[Found]:
    """What the conclint in ``checkout`` finds in ``folders``. Raises :class:`BrokenRunError`.

    Each package is a run of its own, as that of its maintainer would be: all of its files are seen together, and those
    of no other package.
    """
    for folder in tqdm(list(folders), unit="package", leave=False, disable=None):
        yield from parse(_run(folder, checkout), folder)


def parse(document: dict[str, Any], folder: Path) -> Iterator[Found]:
    """The findings in what conclint prints as JSON of the package in ``folder``. Raises :class:`BrokenRunError`."""
    if document["errors"]:
        raise BrokenRunError("\n".join(f"{each['path']}: {each['message']}" for each in document["errors"]))
    for each in document["findings"]:
        path = Path(each["path"])
        key = Key(folder.name, path.relative_to(folder).as_posix(), each["symbol"], each["code"], each["fingerprint"])
        yield Found(key, each["name"], path.relative_to(folder.parent).as_posix(), each["line"], each["message"])


def _run(folder: Path, checkout: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "conclint", "--isolated", "--no-cache", "--jobs=1", "--exit-zero"]
    result = subprocess.run(
        [*command, "--output-format=json", str(folder)],
        cwd=checkout,  # not the corpus: nothing of it may be imported
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    try:
        document: dict[str, Any] = json.loads(result.stdout)
    except ValueError:
        raise BrokenRunError(f"{folder.name}: {result.stderr.strip()}") from None
    return document

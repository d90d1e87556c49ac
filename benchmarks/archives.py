"""Archives of packages: found and downloaded by pip, by its own configuration, and never built, installed or run.

``pip download`` runs the ``setup.py`` of a source archive, to learn what else it needs. So only the first half of that
command is made use of: what finds an archive, and the session that gets it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

Kind = Literal["any", "sdist", "wheel"]

_KINDS = {"any": (), "sdist": ("--no-binary=:all:",), "wheel": ("--only-binary=:all:",)}


class FetchError(Exception):
    """An archive could not be had; says which, and why."""


def fetch(name: str, version: str, target: Path, kind: Kind = "any") -> None:
    """Makes ``target`` in one step: a new folder with the Python files of the archive of that package."""
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        part = Path(temporary, "part")
        part.mkdir()
        try:
            unpack(*_archive(name, version, kind), part)
        except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise FetchError(f"{name}=={version}: {error}") from error
        shutil.move(part, target)


def _archive(name: str, version: str, kind: Kind) -> tuple[str, bytes]:
    """The archive's file name and its bytes, which are those whose digest the index gives."""
    from pip._internal.commands import create_command
    from pip._internal.exceptions import PipError
    from pip._vendor.packaging.specifiers import SpecifierSet

    pin = f"{name}=={version}"
    logging.getLogger("pip").setLevel(logging.ERROR)  # not every index has every package
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", *_KINDS[kind], pin])
    try:
        with command.main_context():
            session = command.get_default_session(options)  # type: ignore[attr-defined]
            finder = command._build_package_finder(  # type: ignore[attr-defined]
                options=options, session=session, ignore_requires_python=True
            )
            best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
            if best is None:
                raise FetchError(f"{pin}: no such archive in the package index")
            answer = session.get(best.link.url_without_fragment, headers={"Accept-Encoding": "identity"})
            answer.raise_for_status()
            data: bytes = answer.content
    except PipError as error:
        raise FetchError(f"{pin}: {error}") from error
    if best.link.hash_name and hashlib.new(best.link.hash_name, data).hexdigest() != best.link.hash:
        raise FetchError(f"{pin}: the archive is not the one whose digest the package index gives")
    return best.link.filename, data


def unpack(filename: str, data: bytes, folder: Path) -> None:
    """Unpacks the Python files of the archive that is called ``filename`` and holds ``data``."""
    if filename.endswith((".whl", ".zip")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(folder, [each for each in archive.namelist() if each.endswith(".py")])
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as source:
            files = [each for each in source.getmembers() if each.isfile() and each.name.endswith(".py")]
            source.extractall(folder, files, filter="data")

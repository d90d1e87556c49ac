"""The pinned packages that are measured on: fetched and unpacked, never installed, imported or run.

``python -m benchmarks.corpus FOLDER`` unpacks the Python files of every package of ``packages.txt`` under FOLDER. What
is there already stays.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

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
                _unpack(f"{name}=={version}", target)
            except (OSError, subprocess.CalledProcessError, tarfile.TarError, zipfile.BadZipFile) as error:
                missing.append(f"{name}=={version}: {error}")
    return missing


def _unpack(pin: str, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        archives, part = Path(temporary, "archives"), Path(temporary, "part")
        part.mkdir()
        subprocess.run([*command, "-d", str(archives), pin], check=True, capture_output=True)
        for archive in archives.iterdir():
            if archive.suffix in (".whl", ".zip"):
                with zipfile.ZipFile(archive) as wheel:
                    wheel.extractall(part, [name for name in wheel.namelist() if name.endswith(".py")])
            else:
                with tarfile.open(archive) as source:
                    files = [each for each in source.getmembers() if each.isfile() and each.name.endswith(".py")]
                    source.extractall(part, files, filter="data")
        shutil.move(part, target)


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

"""The patterns of ``.gitignore`` files, read by pathspec.

pathspec is imported when the first such file is met: it costs as much as a small run in which nothing needs parsing.
The walk asks about a folder before it asks about what is in it, so a pattern need never match through an ignored
parent.
"""

from __future__ import annotations

import os
import re
import warnings


class IgnoreFile:
    """The patterns of one ``.gitignore``, which speak of paths below its own folder."""

    def __init__(self, lines: list[str]) -> None:
        from pathspec import GitIgnoreSpec
        from pathspec.patterns.gitignore import GitIgnorePatternError

        valid: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `re`, about odd brackets
            for written in lines:
                # git means what is in the folder, pathspec the folder too; for a walk, what is right below is enough
                line = f"{written.rstrip()[:-3]}/*" if written.rstrip().endswith("/**") else written
                try:
                    GitIgnoreSpec.from_lines([line], backend="simple")
                except (GitIgnorePatternError, re.error):  # git passes over what is no pattern
                    continue
                valid.append(line)
            self._spec = GitIgnoreSpec.from_lines(valid, backend="simple")

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether ``path`` (relative, with ``/``) is ignored; ``None`` where no pattern speaks of it."""
        return self._spec.check_file(f"{path}/" if is_folder else path).include


def read(folder: str) -> IgnoreFile | None:
    """The ``.gitignore`` in ``folder``, or ``None`` where there is none to read."""
    name = os.path.join(folder, ".gitignore")
    if not os.path.isfile(name):  # nor is a FIFO opened, which would wait for ever
        return None
    try:
        with open(name, encoding="utf-8-sig", errors="surrogateescape") as file:
            return IgnoreFile(file.read().split("\n"))
    except OSError:
        return None

"""What several test files share: the option that rewrites goldens, and ways to run conclint."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

collect_ignore = ["fixtures", "projects"]  # some are called test_*.py, as what they show happens in tests

# What a test finds must not hang on what another one left, and most look at what is in their folder afterwards.
os.environ["CONCLINT_NO_CACHE"] = "1"

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="rewrite findings.txt and fixes.txt, the drawings in tests/cfg and the output in README.md",
    )


@pytest.fixture(scope="session")
def run_cli() -> RunCli:
    """Runs ``python -m conclint`` of this checkout in a process of its own, in the folder ``cwd``."""

    def run(
        *arguments: str,
        cwd: Path,
        stdin: str | None = None,
        python: tuple[str, ...] = (),
        module: str = "conclint",
        preexec_fn: Callable[[], None] | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *python, "-m", module, *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONIOENCODING": "utf-8",
                "COLUMNS": "100",
                **(env or {}),
            },
            preexec_fn=preexec_fn,
        )

    return run


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT

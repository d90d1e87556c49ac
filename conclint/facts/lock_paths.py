"""What goes wrong with one lock in one function: paths that leave it held, and releases that reach it unheld."""

from __future__ import annotations

from .lock_leaks import LockLeaks
from .lock_releases import LockReleases


class LockPaths(LockLeaks, LockReleases):
    """What goes wrong with one lock in one function; each question is answered from explorations made once."""

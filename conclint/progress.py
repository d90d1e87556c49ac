"""The bar that shows on a terminal how far a long run is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SHORT = 20
"""So few files take no time worth a bar."""

_DELAY = 1.0
"""Seconds before the bar is shown."""


def watched(items: Iterable[T], total: int) -> Iterable[T]:
    """``items``, with a bar on standard error while they come, if that is a terminal and they take long."""
    if total <= SHORT or sys.stderr is None or not sys.stderr.isatty():
        return items
    return _with_bar(items, total)


def _with_bar(items: Iterable[T], total: int) -> Iterator[T]:
    import threading

    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread beside ours
    tqdm.set_lock(threading.RLock())  # its own would start a process
    yield from tqdm(items, desc="conclint", total=total, unit=" files", delay=_DELAY, leave=False, dynamic_ncols=True)

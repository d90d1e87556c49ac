"""Replacing a file's contents: all of the new or all of the old, never a part, and only what was read before."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
from collections.abc import Iterator


class ChangedError(Exception):
    """The file no longer holds what was read from it."""


def replace(path: str, old: bytes, new: bytes) -> None:
    """Puts ``new`` in the place of ``old`` in the file at ``path``, in one step.

    A link stays, and the file that it leads to is replaced. The file keeps its mode, and its owner and extended
    attributes where the system lets them be given. It becomes a new file: other hard links to it keep the old
    contents, as a snapshot or a package cache that shares its files must. Raises :class:`ChangedError` where the file
    does not hold ``old``, and ``OSError`` where it cannot be replaced; the file is then as it was.
    """
    real = os.path.realpath(path)
    if not os.access(real, os.W_OK) and os.path.exists(real):
        raise PermissionError(
            errno.EACCES, "permission denied"
        )  # its folder would allow it: the mode of the file says no
    was = os.stat(real)
    with _no_signals():
        _replace(path, real, was, old, new)


def write(path: str, data: bytes) -> None:
    """Puts ``data`` into the file at ``path``, whatever it held or whether it existed, in one step.

    A device or a pipe is written to as it is. Raises ``OSError`` where that cannot be; a file is then as it was.
    """
    refuse_unwritable(path)
    was = os.stat(path) if os.path.exists(path) else None
    if was is not None and not stat.S_ISREG(was.st_mode):
        with open(path, "wb") as file:
            file.write(data)
        return
    real = os.path.realpath(path)
    with _no_signals(), _beside(real, data) as temporary:
        if was is None:
            os.chmod(temporary, 0o666 & ~_umask())
        else:
            _like(was, real, temporary)
        os.replace(temporary, real)


def refuse_unwritable(path: str) -> None:
    """Raises ``OSError`` where it is plain that :func:`write` cannot write ``path``."""
    real = os.path.realpath(path)
    needed = [real] if os.path.exists(real) else []
    if os.path.isdir(real):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if not needed or os.path.isfile(real):
        needed.append(os.path.dirname(real))
        os.stat(needed[-1])
    if not all(os.access(place, os.W_OK) for place in needed):
        raise PermissionError(errno.EACCES, "permission denied")


def _replace(path: str, real: str, was: os.stat_result, old: bytes, new: bytes) -> None:
    with _beside(real, new) as temporary:
        _like(was, real, temporary)
        if os.path.realpath(path) != real or _contents(real) != old:
            raise ChangedError
        os.replace(temporary, real)


@contextlib.contextmanager
def _beside(real: str, data: bytes) -> Iterator[str]:
    """A new file in the folder of ``real`` that holds ``data``; it is gone in the end unless it was moved."""
    import tempfile

    handle, temporary = tempfile.mkstemp(prefix=".conclint-", suffix=".tmp", dir=os.path.dirname(real))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    """Makes the signals that end a run wait: they would leave the temporary file behind."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ChangedError from None


def _like(was: os.stat_result, real: str, temporary: str) -> None:
    """Gives ``temporary`` what the file ``real`` has besides its contents, as far as the system allows."""
    mode = stat.S_IMODE(was.st_mode)
    now = os.stat(temporary)
    if hasattr(os, "chown") and (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
        try:
            os.chown(temporary, was.st_uid, was.st_gid)
        except OSError:
            mode &= ~(stat.S_ISUID | stat.S_ISGID)  # they would lend the rights of somebody else
            with contextlib.suppress(OSError):
                os.chown(temporary, -1, was.st_gid)
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(real):
                with contextlib.suppress(OSError):
                    os.setxattr(temporary, name, os.getxattr(real, name))
    os.chmod(temporary, mode)

"""A file is replaced in one step, as what it was: mode, owner, links; or not at all."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from conclint.replacing import ChangedError, replace

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs modes and links")


def only(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@posix
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
def test_the_mode_is_kept_and_nothing_is_left_behind(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    file.chmod(mode)
    replace(str(file), b"old", b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert only(tmp_path) == {"a.py"}


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "a.py"
    file.write_bytes(b"old")
    link = tmp_path / "link.py"
    link.symlink_to(Path("sub", "a.py"))
    replace(str(link), b"old", b"new")
    assert os.readlink(link) == os.path.join("sub", "a.py")
    assert file.read_bytes() == b"new"
    assert only(tmp_path) == {"sub", "link.py"}


@posix
def test_other_hard_links_keep_what_they_had(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    os.link(file, tmp_path / "snapshot.py")
    replace(str(file), b"old", b"new")
    assert (file.read_bytes(), (tmp_path / "snapshot.py").read_bytes()) == (b"new", b"old")


def test_a_file_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_bytes(b"old")
    replace("a.py", b"old", b"new")
    assert Path("a.py").read_bytes() == b"new"


@pytest.mark.parametrize("meanwhile", [b"other", b"", None])
def test_a_file_that_has_changed_is_left_alone(meanwhile: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old" if meanwhile is None else meanwhile)
    with pytest.raises(ChangedError):
        replace(str(file), b"old" if meanwhile is not None else b"older", b"new")
    assert file.read_bytes() == (b"old" if meanwhile is None else meanwhile)
    assert only(tmp_path) == {"a.py"}


def test_a_file_that_has_gone_stays_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace(str(tmp_path / "a.py"), b"old", b"new")
    assert not only(tmp_path)


def test_where_the_last_step_fails_the_old_file_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "chmod", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(OSError, match="No space"):
                replace(str(file), b"old", b"new")
        assert file.read_bytes() == b"old"
        assert only(tmp_path) == {"a.py"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    os.chown(file, 12345, 23456)
    file.chmod(0o640)
    replace(str(file), b"old", b"new")
    now = file.stat()
    assert (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (12345, 23456, 0o640)


@posix
def test_where_the_owner_cannot_be_kept_no_rights_are_lent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"old")
    file.chmod(0o4755)

    def refused(*args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    real = os.stat

    def of_somebody_else(path: str) -> os.stat_result:
        found = list(real(path))
        found[4] += os.path.basename(path) == "a.py"
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", of_somebody_else)
    replace(str(file), b"old", b"new")
    monkeypatch.undo()
    assert stat.S_IMODE(file.stat().st_mode) == 0o755

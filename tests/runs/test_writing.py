from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from shoal.errors import RunError
from shoal.runs.writing import write_atomically, written_beside


def test_makes_the_folder_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_atomically(path, "first")
    assert write_atomically(path, "zweiter: ü\n") == path
    assert path.read_bytes() == "zweiter: ü\n".encode()
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_new_files_get_the_users_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.write_text("")
    assert write_atomically(tmp_path / "ours", b"x").stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = write_atomically(tmp_path / "a.txt", "old")

    def write_half() -> None:
        with written_beside(path) as beside:
            beside.write_text("half of the n")
            raise error("now")

    with pytest.raises(error, match="now"):
        write_half()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_full_disk_is_a_run_error_and_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomically(tmp_path / "a.txt", "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write '.*a\.txt': No space left.*free some space"):
        write_atomically(path, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_write_that_the_system_cuts_off_is_a_run_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(RunError, match=r"cannot write .*File too large"):
            write_atomically(tmp_path / "big", bytes(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write .*Choose another folder"):
        write_atomically(tmp_path / "file" / "a.txt", "new")


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_without_permission_is_a_run_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="You may not write there"):
        write_atomically(tmp_path / "a.txt", "new")

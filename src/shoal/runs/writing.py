"""Writing files so that each is either whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import socket
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shoal.errors import RunError

_MENDING = {
    errno.EACCES: "You may not write there; choose another folder.",
    errno.EPERM: "You may not write there; choose another folder.",
    errno.EROFS: "That disk can only be read; choose another folder.",
    errno.ENOSPC: "The disk is full; free some space or choose another folder.",
    errno.EDQUOT: "Your share of the disk is used up; free some space or choose another folder.",
    errno.EFBIG: "The file would be larger than this system allows; choose another folder.",
    errno.ENOTDIR: "A part of that path is a file, not a folder; choose another folder.",
    errno.ENAMETOOLONG: "The name is too long; choose a shorter one.",
}
_PART = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-(?P<machine>[0-9a-f]{4})[0-9a-f]{4}\.part")
_WRITING: set[Path] = set()  # the temporary files of this process


def cannot_write(path: str | Path, error: OSError) -> RunError:
    """Return the error to raise when writing `path` failed, with what to do about it."""
    reason = error.strerror or str(error)
    mending = _MENDING.get(error.errno or 0, "Choose another folder.")
    return RunError(f"cannot write {str(path)!r}: {reason}. {mending}")


@contextlib.contextmanager
def written_beside(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, renamed to `path` when the block ends well.

    Args:
        path: where the file shall be; its folder is made if it is missing.

    Raises:
        RunError: the folder or the file cannot be written; `path` is then as it was before.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_beside(Path(folder) / "a.txt") as beside:
        ...         _ = beside.write_text("whole")
        ...     sorted(p.name for p in Path(folder).iterdir())
        ['a.txt']
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{_machine()}{secrets.token_hex(2)}.part")
    _WRITING.add(beside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        _to_disk(beside)
        os.replace(beside, path)
    except RunError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        _WRITING.discard(beside)


def write_atomically(path: str | Path, content: bytes | str) -> Path:
    """Write a whole file, or leave what was there untouched.

    Args:
        path: where the file shall be; its folder is made if it is missing.
        content: bytes, or text that is written as UTF-8, its line ends as they are.

    Returns:
        The path.

    Raises:
        RunError: the folder or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder) / "deep" / "a.txt", "whole").read_text()
        'whole'
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with written_beside(path) as beside:
        beside.write_bytes(data)
    return Path(path)


def remove_parts(folder: str | Path, name: str = "", *, alone: bool = False) -> None:
    """Remove the temporary files that killed processes left in a folder; those of processes that live stay.

    Args:
        folder: where they are; a folder that does not exist has none.
        name: of the file that was to be written; by default of any.
        alone: no other machine writes there; else what is of another machine stays.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / f".a.txt.999999999-{_machine()}0123.part").write_text("half")
        ...     remove_parts(folder)
        ...     list(Path(folder).iterdir())
        []
    """
    with contextlib.suppress(OSError):
        for path in list(Path(folder).iterdir()):
            part = _PART.fullmatch(path.name)
            if part is None or name not in ("", part["name"]) or path in _WRITING:
                continue
            pid, here = int(part["pid"]), part["machine"] == _machine()
            if (here and (pid == os.getpid() or not lives(pid))) or (alone and not here):
                path.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Whether a file is a temporary one of `written_beside`."""
    return _PART.fullmatch(path.name) is not None


def _machine() -> str:
    """Return four digits that stand for this machine."""
    return f"{zlib.crc32(socket.gethostname().encode()) & 0xFFFF:04x}"


def lives(pid: Any) -> bool:
    """Whether a process of this machine lives; where that cannot be asked, it may.

    >>> lives(os.getpid()), lives("nonsense")
    (True, False)
    """
    if not isinstance(pid, int) or pid <= 0:
        return False
    if os.name == "nt":  # there, signal 0 ends a process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:  # another system than Linux
        return True
    return state != b"Z"  # dead, but nobody has asked for its exit code


def _to_disk(path: Path) -> None:
    """Make the system write the bytes out, so that a power cut cannot leave an empty file under the name."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_files(files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write files, all of them or none.

    Args:
        files: their contents.
        force: replace those that are there.

    Raises:
        RunError: a file is there, or cannot be written.
    """
    for file in files:
        if file.exists() and not force:
            raise RunError(f"the file {str(file)!r} exists. Choose another, or replace it with --force.")
    for file, contents in files.items():
        write_atomically(file, contents)

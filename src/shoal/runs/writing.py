"""Writing files so that each is either whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from shoal.errors import RunError

_MENDING = {
    errno.EACCES: "You may not write there; choose another folder with --out.",
    errno.EPERM: "You may not write there; choose another folder with --out.",
    errno.EROFS: "That disk can only be read; choose another folder with --out.",
    errno.ENOSPC: "The disk is full; free some space or choose another folder with --out.",
    errno.EDQUOT: "Your share of the disk is used up; free some space or choose another folder with --out.",
    errno.EFBIG: "The file would be larger than this system allows; choose another folder with --out.",
    errno.ENOTDIR: "A part of that path is a file, not a folder; choose another folder with --out.",
    errno.ENAMETOOLONG: "The name is too long; choose a shorter one with --out.",
}


def cannot_write(path: str | Path, error: OSError) -> RunError:
    """Return the error to raise when writing `path` failed, with what to do about it."""
    reason = error.strerror or str(error)
    mending = _MENDING.get(error.errno or 0, "Choose another folder with --out.")
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
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
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


def _to_disk(path: Path) -> None:
    """Make the system write the bytes out, so that a power cut cannot leave an empty file under the name."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Who writes in a run folder: one process at a time, known by a locked file that is there only while it writes.

The system gives a lock back when its process ends, however it ends, so that what a killed process leaves holds nobody
up. Where a disk knows no locks, the file's own words decide: it counts while its process lives, and if it is of another
machine, until somebody deletes it.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.runs.writing import cannot_write, lives

NAME = ".lock"
WAIT_SECONDS = 10.0  # for those that write a number or a figure
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


class Lock:
    """The right to write in a run folder, from `acquire` to `release`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     lock = Lock(folder)
        ...     lock.acquire()
        ...     held = writer(folder) is not None
        ...     lock.release()
        ...     held, writer(folder)
        (True, None)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._handle: int | None = None

    def acquire(self, wait: float = 0.0) -> None:
        """Take the lock, after waiting so many seconds for it at most.

        Raises:
            RunError: another process has it (or another thread of this one), or the folder cannot be written.
        """
        last = time.monotonic() + wait
        while (who := self._attempt()) is not None:
            if time.monotonic() >= last:
                raise busy(self.folder, who)
            time.sleep(0.02)
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat()})
        assert self._handle is not None
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.truncate(self._handle, 0)
            os.write(self._handle, text.encode())

    def _attempt(self) -> str | None:
        """Take the lock, or return who has it."""
        path = self.folder / NAME
        while self._handle is None:
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise cannot_write(path, error) from error
            if not _locked(handle, path):
                who = _holder(path)
                os.close(handle)
                return who
            if _is(handle, path):  # else whoever had it has just removed it
                self._handle = handle
            else:
                os.close(handle)
        return None

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with contextlib.suppress(OSError):
                (self.folder / NAME).unlink()
            os.close(handle)
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                if os.name == "nt":
                    (self.folder / NAME).unlink()

    def __del__(self) -> None:
        self.release()


def busy(folder: Path, who: str) -> RunError:
    """Return the error of a folder in which somebody writes."""
    return RunError(f"{str(folder)!r} is being written by {who}. Wait until that is done, or choose another folder.")


def writer(folder: str | Path) -> str | None:
    """Return which process writes in a folder and since when, None if none does."""
    path = Path(folder) / NAME
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _locked(handle, path) else _holder(path)
    finally:
        os.close(handle)


def writer_pid(folder: str | Path) -> int | None:
    """Return the number of the process of this machine that writes in a folder, None if none does."""
    if writer(folder) is None:
        return None
    content = _content(Path(folder) / NAME)
    pid = content.get("pid")
    return pid if isinstance(pid, int) and content.get("host") == socket.gethostname() else None


@contextlib.contextmanager
def locked(folder: str | Path, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Write in a folder alone for a moment, after others that write for a moment.

    Raises:
        RunError: another process still writes there after `wait` seconds, or the folder cannot be written.
    """
    lock = Lock(folder)
    lock.acquire(wait)
    try:
        yield
    finally:
        lock.release()


def _locked(handle: int, path: Path) -> bool:
    """Lock an open file; whether that went."""
    try:
        _lock(handle)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EDEADLK):  # so says Windows
            return False
        if error.errno not in _NO_LOCKS:
            raise cannot_write(path, error) from error
        return not _may_live(_content(path))
    return True


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond what is in it, which others want to read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _may_live(content: dict[str, Any]) -> bool:
    """Whether the process of a lock file lives; of one on another machine that is not known."""
    if content.get("host") != socket.gethostname():
        return "host" in content
    return lives(content.get("pid"))


def _holder(path: Path) -> str:
    content = _content(path)
    if not {"pid", "host", "since"} <= content.keys():
        return "another process"
    return f"process {content['pid']} on {content['host']} since {content['since']}"

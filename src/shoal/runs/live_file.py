"""`live.curves`: how far a run has come, for other processes, while it trains; it goes when the run is finished.

A log that only grows. It begins with `MAGIC` and 16 bytes that no other file has; then come records: a kind of four
letters, the number of bytes that follow (uint32, little endian), and these. `PIEC`: the number n of pieces of
validation curves, n networks, n epochs before each piece, n lengths (uint32 each), and all losses (float32). `MOVE`: n,
n networks, n places, n statuses (int32 each): a network that runs has sat down in a place, another one left it. `WORD`:
a JSON object of what is told in words and numbers. Readers skip kinds that they do not know, and leave a record that is
not whole yet for later.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import struct
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Unpack

import numpy as np

if TYPE_CHECKING:
    from shoal.training.progress import CurvePiece, Move, Progress, TrainingNews

NAME = "live.curves"
MAGIC = b"shoal live 1\n\0\0\0"
_BEGINNING = len(MAGIC) + 16
EVERY = 0.02  # seconds between two writes at least: thirty pictures a second want no more
_HEAD = struct.Struct("<4sI")
_MOST_AT_ONCE = 32 << 20  # bytes of a file that are read at a time


class LiveFile:
    """A listener that writes the file; a disk that is full ends the writing and nothing else.

    Args:
        folder: of the run.
        progress: another listener, which is told everything as well.

    Example:
        >>> import tempfile
        >>> from shoal.training.progress import CurvePiece, Silent
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     live = LiveFile(folder, Silent())
        ...     live.curves([CurvePiece(3, 0, np.array([0.5, 0.25]))])
        ...     live.ended(True)
        ...     [record.kind for record in LiveTail(folder).read()]
        ['PIEC']
    """

    def __init__(self, folder: str | Path, progress: Progress) -> None:
        self.progress, self.path = progress, Path(folder) / NAME
        self._waiting = [MAGIC, secrets.token_bytes(16)]
        self._written = -float("inf")
        self._file: BinaryIO | None = None
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
            self._file = self.path.open("xb", buffering=0)
        self._write()

    def stage(self, text: str) -> None:
        """Write what is being done now."""
        self.progress.stage(text)
        self._add("WORD", json.dumps({"stage": text}).encode())

    def note(self, text: str) -> None:
        """Hand on a note, which is part of what the run keeps."""
        self.progress.note(text)

    def warn(self, text: str) -> None:
        """Hand on a warning, which is part of what the run keeps."""
        self.progress.warn(text)

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Write how far training is."""
        self.progress.training(**news)
        self._add("WORD", json.dumps({"stage": "", **news}).encode())

    def curves(self, pieces: Iterable[CurvePiece]) -> None:
        """Write what training added to the curves."""
        from shoal.training.progress import show_curves

        kept = list(pieces)
        show_curves(self.progress, kept)
        if kept and self._file is not None:
            networks, before, losses = zip(*kept, strict=True)
            counts = [len(each) for each in losses]
            head = np.array([len(kept), *networks, *before, *counts], "<u4")
            self._add("PIEC", head.tobytes() + np.concatenate(losses).astype("<f4").tobytes())

    def moves(self, moves: Iterable[Move]) -> None:
        """Write who sits down and who leaves."""
        from shoal.training.progress import show_moves

        kept = list(moves)
        show_moves(self.progress, kept)
        if kept:
            columns = np.array([[m.network, m.place, int(m.status)] for m in kept], "<i4").T
            self._add("MOVE", struct.pack("<i", len(kept)) + columns.tobytes())

    def ended(self, well: bool) -> None:  # noqa: ARG002 - whoever reads sees by the run folder how the work ended
        """Write what waits; the file is closed."""
        self._write()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _add(self, kind: str, content: bytes) -> None:
        self._waiting += [_HEAD.pack(kind.encode(), len(content)), content]
        if time.monotonic() - self._written >= EVERY:
            self._write()

    def _write(self) -> None:
        if self._file is not None and self._waiting:
            try:
                self._file.write(b"".join(self._waiting))
            except OSError:
                self._file.close()
                self._file = None
        self._waiting = []
        self._written = time.monotonic()


class LiveRecord(NamedTuple):
    """A record: `PIEC` has `arrays` networks, before, counts and losses, `MOVE` networks, places and statuses."""

    kind: str
    arrays: tuple[np.ndarray, ...] = ()
    words: dict[str, Any] | None = None


class LiveTail:
    """Reads the file of a run as it grows."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / NAME
        self._at, self._next = 0, 0
        self._which = b""
        self._seen: tuple[int, ...] = ()

    def grown(self) -> bool:
        """Whether the file is another or longer than when this was asked last; costs microseconds."""
        try:
            status = self.path.stat()
            now: tuple[int, ...] = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            now = ()
        before, self._seen = self._seen, now
        return now != before

    def changed(self) -> bool:
        """Whether the file that was read is gone or is another one now; what follows is read from its beginning."""
        which = b""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            which = file.read(_BEGINNING)
        if which == self._which:
            return False
        was, self._which, self._at = self._which, which, 0
        return len(was) == _BEGINNING

    def read(self) -> Iterator[LiveRecord]:
        """Give the records that have come since the last time; none of a file that is missing or damaged."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                most = max(_MOST_AT_ONCE, self._next)
                data = file.read(most)
        except OSError:
            return
        if len(data) == most:
            self._seen = ()  # there is more
        at = self._next = 0
        if self._at == 0:
            if len(data) < _BEGINNING or not data.startswith(MAGIC):
                return
            at = _BEGINNING
        while at + _HEAD.size <= len(data):
            kind, size = _HEAD.unpack_from(data, at)
            if at + _HEAD.size + size > len(data):
                self._next = _HEAD.size + size
                break
            record = _decoded(kind, data[at + _HEAD.size : at + _HEAD.size + size])
            at += _HEAD.size + size
            if record is not None:
                yield record
        self._at += at


def _decoded(kind: bytes, content: bytes) -> LiveRecord | None:
    """Return a record, None of one that is of another kind or damaged."""
    try:
        if kind == b"WORD":
            words = json.loads(content)
            return LiveRecord("WORD", words=words if isinstance(words, dict) else {})
        n = struct.unpack_from("<I", content)[0]
        if kind == b"MOVE":
            return LiveRecord("MOVE", tuple(np.frombuffer(content, "<i4", 3 * n, 4).reshape(3, n)))
        if kind == b"PIEC":
            heads = np.frombuffer(content, "<u4", 3 * n, 4).reshape(3, n).astype(np.int64)
            losses = np.frombuffer(content, "<f4", int(heads[2].sum()), 4 + 12 * n)
            return LiveRecord("PIEC", (*heads, losses))
    except (ValueError, struct.error):
        pass
    return None

"""Prepared rows kept in a scratch file, so that files are read, decoded and prepared in the first pass alone."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import numpy as np

from shoal.errors import RunError
from shoal.training.parts import Part, RowsInParts

SHARE = 0.5
"""Of what a disk has free: the most that the file may take."""


class _Place(NamedTuple):
    """Where an array lies: its first byte in the file, or None where all of its values are the one given."""

    shape: tuple[int, ...]
    at: int | None
    value: float


class KeptRows:
    """Gives the rows of pieces as `RowsInParts.read` does, bit for bit, from a file once they were read.

    The file has no name, so that it ends with the process, whatever ends that. Where the disk has no room, or is full
    half-way, all passes read the pieces.

    Args:
        rows: what is read.
        folder: in which the file lies.
        told: hears in a sentence what is kept, or why nothing is.
    """

    def __init__(self, rows: RowsInParts, folder: str | Path, told: Callable[[str], None] = lambda _: None) -> None:
        self.rows, self.folder, self._told = rows, Path(folder), told
        self._file: IO[bytes] | None = None
        self._end, self._begun = 0, False
        self._pieces: dict[int, list[tuple[_Place, ...]]] = {}

    def __call__(self, order: np.ndarray) -> Iterator[Part]:
        """Give the prepared rows in this order of the pieces, few at a time.

        Raises:
            DataError: a file has changed, or cannot be read.
            RunError: the scratch file cannot be read.
        """
        for piece in order.tolist():
            if piece in self._pieces:
                self.rows.check()
                for places in self._pieces[piece]:
                    yield Part(*(self._load(place) for place in places))
            else:
                yield from self._read(piece)

    def close(self) -> None:
        """Give the room on the disk back."""
        self._pieces.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, piece: int) -> Iterator[Part]:
        """Give the rows of a piece and keep them; those of a piece that is left half-way are written over."""
        kept, end = [], self._end
        for part in self.rows.read(np.asarray([piece])):
            try:
                if self._open(part):
                    places = []
                    for array in part:
                        places.append(self._save(array, end))
                        end += 0 if places[-1].at is None else array.nbytes
                    kept.append(tuple(places))
            except OSError as error:
                self.close()
                self._told(f"prepared rows are not kept: {error.strerror or error}. Each pass reads the files again.")
            yield part
        if self._file is not None:
            self._pieces[piece], self._end = kept, end

    def _open(self, part: Part) -> bool:
        """Return whether there is a file; it is made for the first rows, if the disk has room for all."""
        if not self._begun:
            self._begun = True
            needed = self.rows.size * self.rows.per_pass * sum(array.nbytes for array in part) // len(part.x)
            free = shutil.disk_usage(self.folder).free
            if needed > SHARE * free:
                raise OSError(
                    errno.ENOSPC, f"they take {needed / 1e9:.2g} GB, and the disk has {free / 1e9:.2g} GB free"
                )
            self._file = TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115 - it is open until `close`
            self._told(f"prepared rows are kept in a scratch file of up to {needed / 1e9:.2g} GB in the run folder")
        return self._file is not None

    def _save(self, array: np.ndarray, at: int) -> _Place:
        value = array.flat[0] if array.size else 0.0
        if (array == value).all():  # weights of one, for most
            return _Place(array.shape, None, float(value))
        assert self._file is not None
        self._file.seek(at)
        if self._file.write(np.ascontiguousarray(array).data.cast("B")) != array.nbytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return _Place(array.shape, at, 0.0)

    def _load(self, place: _Place) -> np.ndarray:
        if place.at is None:
            return np.full(place.shape, place.value, np.float32)
        array = np.empty(place.shape, np.float32)
        file: Any = self._file
        file.seek(place.at)
        if file.readinto(array.data.cast("B")) != array.nbytes:
            raise RunError(f"the scratch file of prepared rows in {str(self.folder)!r} cannot be read; resume the run")
        return array

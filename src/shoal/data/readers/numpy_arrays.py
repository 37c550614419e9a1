"""The arrays in NumPy's own files, known by their headers before anything is allocated for them."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from shoal.data.readers.room import check_room
from shoal.resources import memory_text

ONLY = ""
"""The name of the array in an NPY file."""


class ArrayHeader(NamedTuple):
    """What the header of an array declares, and the bytes that follow it."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    held: int

    @property
    def declared(self) -> int:
        """The bytes of the array that the header declares."""
        return math.prod(self.shape) * self.dtype.itemsize


def array_headers(path: Path) -> dict[str, ArrayHeader]:
    """Return the header of each array in a file by its name; `ONLY` is that in an NPY file.

    Raises:
        ValueError: it is damaged, among other errors of zipfile and of NumPy's parser.
    """
    if path.suffix.lower() == ".npy":
        with path.open("rb") as stream:
            return {ONLY: _header(stream, path.stat().st_size)}
    with zipfile.ZipFile(path) as archive:
        headers = {}
        for member in archive.infolist():
            if member.filename.endswith(".npy"):
                with archive.open(member) as stream:
                    headers[member.filename.removesuffix(".npy")] = _header(stream, member.file_size)
        return headers


def _header(stream: IO[bytes], size: int) -> ArrayHeader:
    version = np.lib.format.read_magic(stream)
    read: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    header = ArrayHeader(shape, fortran, dtype, size - stream.tell())
    if header.dtype.hasobject:  # whose size nothing tells, and which are never read
        return header
    if min(header.shape, default=0) < 0 or header.declared > header.held:
        raise ValueError(
            f"its header declares an array of shape {header.shape} and type {header.dtype}, "
            f"{memory_text(header.declared)}, but {memory_text(header.held)} follow"
        )
    return header


def check_arrays(path: Path, headers: Mapping[str, ArrayHeader], copies: float) -> None:
    """Refuse arrays that have no room in memory.

    Args:
        path: their file.
        headers: those of the arrays that are to be read.
        copies: bytes of memory that reading takes for each of theirs.
    """
    shapes = ", ".join(f"{name or 'an array'} of shape {header.shape}" for name, header in headers.items())
    needed = copies * sum(header.declared for header in headers.values())
    check_room(needed, f"{path} holds {shapes}", "Save fewer rows, or a smaller number type.")


@contextlib.contextmanager
def opened_array(path: Path, name: str) -> Iterator[tuple[ArrayHeader, IO[bytes]]]:
    """Give the header of an array and the stream of what follows it."""
    with contextlib.ExitStack() as files:
        if name == ONLY:
            stream: IO[bytes] = files.enter_context(path.open("rb"))
            size = path.stat().st_size
        else:
            archive = files.enter_context(zipfile.ZipFile(path))
            stream = files.enter_context(archive.open(f"{name}.npy"))
            size = archive.getinfo(f"{name}.npy").file_size
        header = _header(stream, size)
        if header.dtype.hasobject:
            raise ValueError("it holds Python objects, which could run code; save numbers or text")
        yield header, stream

"""Images and series in NumPy's own files: NPY with X alone, NPZ with X and y."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO

import numpy as np

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.files import first_line
from shoal.data.readers.numpy_arrays import ONLY, ArrayHeader, array_headers, check_arrays, opened_array
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.signals.arrays import INPUTS, TARGETS, array_kind, signals_from_arrays
from shoal.data.readers.signals.pixels import stored_type
from shoal.data.signals import VALUES_AT_ONCE
from shoal.errors import DataError, listing
from shoal.row_view import aligned_empty

_COPIES = 1.5  # images may be brought to another size or number type


class NumpySignalReader(Reader):
    """NPY and NPZ whose X has three or four axes; all others are tables. Nothing is ever unpickled."""

    name = "NumPy"
    extensions = (".npy", ".npz")
    gives_signals = True

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether the header of some array says so; the arrays are not read."""
        if path.suffix.lower() not in self.extensions or not path.is_file():
            return False
        try:
            headers = array_headers(path)
        except Exception:  # the reader of tables says what is wrong with a damaged file
            return False
        most = max((len(header.shape) for header in headers.values()), default=0)
        return most >= 3 or (most == 2 and options.kind in ("images", "series"))

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return images or series with their targets, read straight into one array."""
        try:
            return self._read(path, options)
        except DataError:
            raise
        except Exception as error:  # zipfile and NumPy's header parser raise nearly anything on damaged bytes
            reason = first_line(error)
            raise DataError(f"{path} is no readable NumPy file ({reason}). Save it again with numpy.savez.") from error

    def _read(self, path: Path, options: ReadOptions) -> Content:
        headers = array_headers(path)
        arrays = listing(f"{name} {header.shape}" for name, header in headers.items())
        x = ONLY if ONLY in headers else next((name for name in INPUTS if name in headers), None)
        y = next((name for name in TARGETS if name in headers), None)
        if x is None and len(headers) == 1:
            x = next(iter(headers))
        if x is None or (len(headers) > 1 and y is None):
            raise DataError(
                f"{path} holds {arrays}; expected the images or series as {' or '.join(INPUTS)} and their targets as "
                f"{' or '.join(TARGETS)}. Save it again with numpy.savez(file, X=…, y=…)"
            )
        kind = array_kind(headers[x].shape, headers[x].dtype, options, str(path))
        check_arrays(path, {name: headers[name] for name in (x, y) if name is not None}, _COPIES)
        with opened_array(path, x) as (header, stream):
            values = _read_array(header, stream, kind)
        targets = None
        if y is not None:
            with opened_array(path, y) as (header, stream):
                targets = _read_targets(header, stream)
        read = signals_from_arrays(values, targets, options, str(path))
        others = [name for name in headers if name not in (x, y)]
        note = f"Of the arrays in {path.name}, {x} and {y} are used; left out: {listing(others)}."
        return read._replace(notes=(note, *read.notes)) if others else read


def _read_targets(header: ArrayHeader, stream: IO[bytes]) -> np.ndarray:
    """Return an array as it is."""
    flat = np.frombuffer(stream.read(header.declared), header.dtype)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _read_array(header: ArrayHeader, stream: IO[bytes], kind: str) -> np.ndarray:
    """Return an array in the type in which it is kept, a few rows at a time, so that it is in memory once only."""
    shape, fortran, dtype, _ = header
    row = math.prod(shape[1:])
    ordered = (row, shape[0]) if fortran else (shape[0], row)  # columns first: what follows is the transpose
    values = aligned_empty(shape[::-1] if fortran else shape, stored_type(dtype, kind))
    flat, at = values.reshape(-1), 0
    while at < math.prod(ordered):
        count = min(VALUES_AT_ONCE // 4, flat.size - at)
        some = stream.read(count * dtype.itemsize)
        if len(some) < count * dtype.itemsize:
            raise ValueError("it ends too early")
        flat[at : at + count] = np.frombuffer(some, dtype)
        at += count
    return values.T if fortran else values

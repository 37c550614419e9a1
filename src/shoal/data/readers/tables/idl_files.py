"""Files that IDL saves, by SciPy."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line, load_raw
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room, free_room
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.variables import NESTED, content_of_variables, of_cells
from shoal.errors import DataError
from shoal.resources import memory_text

_COMPRESSED = b"SR\x00\x06"
_HEAD, _END_MARKER = 16, 6
_COPIES = 8  # entries of structs are objects of Python
_ONCE = 1 << 20


class IdlReader(TableReader):
    """The arrays with as many rows as each other, or the fields of an array of structures."""

    name = "IDL"
    extensions = (".sav",)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, that of the structure or first array that is named."""
        data = load_raw(path)
        if not data.startswith(b"SR"):
            raise DataError(f"{path} is named .sav, but begins neither as files of IDL nor of SPSS do. Save it again.")
        size = _expanded(data)
        check_room(_COPIES * size, f"{path} holds at least {memory_text(size)}", "Save fewer rows, or fewer variables.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            variables, fault = _load(path)
        if fault:
            raise DataError(f"{path} is no readable IDL file ({fault}). Save it again.")
        return content_of_variables(variables, path, options.table)


def _load(path: Path) -> tuple[dict[str, Any], str]:
    """Return the variables, and what is wrong; an error would keep open the file that SciPy leaves so."""
    from scipy.io import readsav

    try:
        return {name: _plain(value) for name, value in readsav(path, python_dict=True).items()}, ""
    except Exception as error:  # SciPy raises nearly anything on damaged bytes
        return {}, first_line(error)


def _expanded(data: bytes) -> int:
    """Return the bytes of all records when they are decompressed, as far as there is room for them."""
    if not data.startswith(_COMPRESSED):
        return len(data)
    at, size, most = len(_COMPRESSED), 0, free_room()
    while at + _HEAD <= len(data) and size <= most:
        kind, low, high = struct.unpack_from(">iII", data, at)
        end = low + (high << 32)
        if kind == _END_MARKER or end <= at:
            break
        inflate, rest = zlib.decompressobj(), data[at + _HEAD : end]
        try:
            while rest and not inflate.eof and size <= most:
                size, rest = size + len(inflate.decompress(rest, _ONCE)), inflate.unconsumed_tail
        except zlib.error:  # which reading tells
            break
        at = end
    return size


def _plain(value: Any) -> Any:
    """Return a variable as an array with its rows first, or a dict of those of a structure."""
    if value is None:
        return "a pointer to nothing"
    array = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value).reshape(1)
    if array.dtype.names:
        if array.ndim != 1:
            return NESTED
        fields = {name.lower(): array[name] for name in array.dtype.names}
        if len(array) > 1:
            return {name: _field(values) for name, values in fields.items()}
        return {name: _plain(values[0]) for name, values in fields.items()}
    return _field(array)


def _field(values: np.ndarray) -> Any:
    if values.dtype.kind != "O":
        return values
    cells = [np.zeros(0) if value is None else np.asarray(value) for value in values.ravel()]
    if (
        len(cells) > 1
        and len({cell.shape for cell in cells}) == 1
        and cells[0].ndim == 1
        and cells[0].dtype.kind in "iuf"
    ):
        return np.stack(cells)
    return of_cells([cell.reshape(-1) for cell in cells], values.shape)

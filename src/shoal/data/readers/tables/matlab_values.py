"""Variables of MATLAB files: arrays with their rows first, structs as dicts; a text says why one is not read."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.files import load_raw
from shoal.data.readers.hdf5_layout import opened
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.grid_values import text_of
from shoal.data.readers.tables.variables import NESTED, of_cells
from shoal.resources import memory_text

_COPIES = 3  # as stored, the array, and the columns
_COMPRESSED = 15
_HDF5, _USER_BLOCK = b"\x89HDF", 512
_OBJECT = "an object of MATLAB; save a table by table2struct(T, 'ToScalar', true)"


def variables_of_mat(path: Path) -> dict[str, Any]:
    """Return the variables of a file by name.

    Raises:
        DataError: it has no room in memory.
    """
    with path.open("rb") as file:
        start = file.read(_USER_BLOCK + 4)
        if _HDF5 in (start[:4], start[_USER_BLOCK:]):
            with opened(path, "MATLAB") as hdf5:
                named = {name: node for name, node in hdf5.items() if not name.startswith("#")}
                return {name: _of_hdf5(node, hdf5, path) for name, node in named.items()}
    from scipy.io import loadmat, whosmat

    size = _expanded(load_raw(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        size = max(size, 8 * sum(math.prod(shape) for _, shape, _ in whosmat(path)))
        check_room(_COPIES * size, f"{path} holds {memory_text(size)}", "Save fewer rows, or fewer variables.")
        loaded = loadmat(path)
    return {name: _of_scipy(value) for name, value in loaded.items() if not name.startswith("__")}


def _expanded(data: bytes) -> int:
    """Return the bytes of all variables of a file of version 5 when they are decompressed, as they declare."""
    order, at, size = "<" if data[126:128] == b"IM" else ">", 128, 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind == _COMPRESSED:
            head = zlib.decompressobj().decompress(data[at + 8 : at + 8 + length], 8)
            size += struct.unpack(f"{order}II", head)[1] if len(head) == 8 else 0
        at, size = at + 8 + length, size + length
    return size


def _of_scipy(value: Any, *, deep: bool = True) -> Any:
    if hasattr(value, "toarray"):
        needed = 8 * math.prod(value.shape)
        check_room(_COPIES * needed, f"a sparse matrix of shape {value.shape}", "Save it as fewer columns.")
        return value.toarray()
    if type(value) is not np.ndarray:
        return _OBJECT
    if value.dtype.names:
        entries = list(value.ravel(order="F"))
        if len(entries) == 1 and deep:
            return {name: _of_scipy(entries[0][name]) for name in value.dtype.names}
        return {name: of_cells([_of_scipy(e[name], deep=False) for e in entries], (-1,)) for name in value.dtype.names}
    if value.dtype.kind != "O":
        return np.char.rstrip(value) if value.dtype.kind == "U" else value
    cells = [_of_scipy(cell, deep=False) for cell in value.ravel()]
    return of_cells(cells, value.shape) if deep else NESTED


def _of_hdf5(node: Any, file: Any, path: Path, *, deep: bool = True) -> Any:
    attributes = node.attrs
    if "MATLAB_sparse" in attributes or "MATLAB_object_decode" in attributes:
        return "a sparse matrix" if "MATLAB_sparse" in attributes else _OBJECT
    if not hasattr(node, "dtype"):
        return {name: _of_hdf5(child, file, path) for name, child in node.items()} if deep else NESTED
    kind = text_of(attributes.get("MATLAB_class"))
    if "MATLAB_empty" in attributes or node.shape is None:
        return np.zeros((0, 0))
    what = f"{path} holds an array of shape {node.shape[::-1]}"
    check_room(_COPIES * 8 * math.prod(node.shape), what, "Save fewer rows, or fewer variables.")
    if node.dtype.kind == "O":  # references to cells, or to the fields of a struct array
        if not deep:
            return NESTED
        values = node[()].T
        return of_cells([_of_hdf5(file[cell], file, path, deep=False) for cell in values.ravel()], values.shape)
    values = node[()].T if node.dtype.names is None else None
    if values is None or kind not in ("char", "logical"):
        return "complex numbers" if values is None else values
    if kind == "logical":
        return values.astype(bool)
    rows = np.atleast_2d(values).astype("<u2")
    return np.array([row.tobytes().decode("utf-16-le", "replace").rstrip() for row in rows])

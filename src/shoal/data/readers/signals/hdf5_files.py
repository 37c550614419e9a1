"""Images and series in HDF5 files: a dataset X and a dataset y, also under other usual names."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.hdf5_layout import HDF5, holds_a_table_alone, opened
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.signals.arrays import INPUTS, TARGETS, array_kind, signals_from_arrays
from shoal.data.readers.signals.pixels import stored_type
from shoal.data.signals import VALUES_AT_ONCE
from shoal.errors import DataError, listing
from shoal.row_view import aligned_empty

_COPIES = 1.5  # images may be brought to another size or number type


class Hdf5Reader(Reader):
    """HDF5 with images or series and their targets; needs h5py."""

    name = "HDF5"
    extensions = HDF5
    gives_signals = True

    def takes(self, path: Path, options: ReadOptions) -> bool:  # noqa: ARG002 (tables are not read from HDF5)
        """Return whether the name is that of an HDF5 file, which does not hold a table alone."""
        return path.suffix.lower() in self.extensions and path.is_file() and not holds_a_table_alone(path, INPUTS)

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return images or series with their targets, read straight into one array."""
        with opened(path) as file:
            return _read(file, path, options)


def _read(file: Any, path: Path, options: ReadOptions) -> Content:
    arrays: dict[str, Any] = {}
    file.visititems(lambda name, node: arrays.__setitem__(name, node) if hasattr(node, "dtype") else None)
    x, y = (next((name for name in names if name in arrays), None) for names in (INPUTS, TARGETS))
    if x is None or (y is None and len(arrays) > 1):
        datasets = listing(f"{name} {node.shape}" for name, node in arrays.items()) or "no datasets"
        raise DataError(
            f"{path} has {datasets}; expected the images or series as {' or '.join(INPUTS)} and their targets as "
            f"{' or '.join(TARGETS)}. Rename them, with h5py: file.move('old', 'X')"
        )
    used = {name: arrays[name] for name in (x, y) if name is not None}
    shapes = ", ".join(f"{name} of shape {node.shape}" for name, node in used.items())
    needed = _COPIES * sum(math.prod(node.shape) * node.dtype.itemsize for node in used.values())
    check_room(needed, f"{path} holds {shapes}", "Save fewer rows, or a smaller number type.")
    kind = array_kind(arrays[x].shape, arrays[x].dtype, options, f"{path}, dataset {x}")
    values = _read_array(arrays[x], kind)
    targets = None if y is None else arrays[y][()]
    read = signals_from_arrays(values, targets, options, str(path))
    others = [name for name in arrays if name not in (x, y)]
    note = f"Of the datasets in {path.name}, {x} and {y} are used; left out: {listing(others)}."
    return read._replace(notes=(note, *read.notes)) if others else read


def _read_array(dataset: Any, kind: str) -> np.ndarray:
    values = aligned_empty(dataset.shape, stored_type(dataset.dtype, kind))
    once = max(1, VALUES_AT_ONCE // 4 // max(1, math.prod(dataset.shape[1:])))
    for i in range(0, len(values), once):
        values[i : i + once] = dataset[i : i + once]
    return values

"""Tables in HDF5 files: compound datasets, groups whose datasets are columns, and those of pandas."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.hdf5_layout import HDF5, opened, tables_in
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import counted

_COPIES = 3


class Hdf5TableReader(TableReader):
    """One table of an HDF5 file, by its path in the file."""

    name = "HDF5"
    extensions = HDF5

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, the one that is named."""
        with opened(path) as file:
            return _read(file, path, options)


def _read(file: Any, path: Path, options: ReadOptions) -> Content:
    tables = tables_in(file)
    described = {
        name: f"{_rows(columns):,} rows, {counted(len(columns), 'column')}" for name, columns in tables.items()
    }
    wanted = None if options.table is None else options.table.strip("/") or "/"
    name = chosen_table(path, described, wanted)
    columns, units = tables[name], {}
    check_columns(len(columns), path)
    needed = _COPIES * sum(_bytes(*column) for column in columns.values())
    check_room(needed, f"{path} holds {_rows(columns):,} rows in {name}", "Write fewer rows or columns.")
    made = ColumnsOfArrays()
    for column, (dataset, part) in columns.items():
        values = dataset[:, part] if isinstance(part, int) else dataset[()] if part is None else dataset[part]
        unit = dataset.attrs.get("units", dataset.attrs.get("unit", "")) if part is None else ""
        units[column] = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)
        made.add(column, values)
    return Content(plain_table(made.table(), str(path)), notes=made.notes(), units=made.units(units))


def _rows(columns: dict[str, Any]) -> int:
    return int(next(iter(columns.values()))[0].shape[0])


def _bytes(dataset: Any, part: Any) -> int:
    """Return how many bytes a column takes."""
    kind = dataset.dtype[part] if isinstance(part, str) else dataset.dtype
    values = dataset.shape[0] if part is not None else math.prod(dataset.shape)
    return values * max(int(np.dtype(kind).itemsize), 8)

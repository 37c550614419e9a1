"""MATLAB files: versions 4 to 7 by SciPy, 7.3, which is HDF5, by h5py (`shoal[science]`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import MOST_COLUMNS, TableReader
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.data.readers.tables.matlab_values import variables_of_mat
from shoal.errors import DataError, counted, listing


class MatlabReader(TableReader):
    """The variables with as many rows as each other, or the fields of a struct; the columns of matrices are columns."""

    name = "MATLAB"
    extensions = (".mat",)
    contents = (".h5",)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, that of the struct or first variable that is named."""
        try:
            variables = variables_of_mat(path)
        except DataError:
            raise
        except Exception as error:  # SciPy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable MATLAB file ({first_line(error)}). Save it again.") from error
        unread = {name: why for name, why in variables.items() if isinstance(why, str)}
        tables = dict(_tables(variables))
        if any(_rows(table) > 1 for table in tables.values()):  # those of one row are parameters
            tables = {name: table for name, table in tables.items() if _rows(table) > 1}
        described = {name: f"{counted(_rows(table), 'row')}: {listing(table)}" for name, table in tables.items()}
        others = listing(f"{name} ({why})" for name, why in unread.items())
        columns = ColumnsOfArrays(most=MOST_COLUMNS)
        for name, values in tables[chosen_table(path, described, options.table, others)].items():
            columns.add(name, values, what="a matrix")
        for name, why in unread.items():
            columns.leave_out(name, why)
        return Content(plain_table(columns.table(), str(path)), notes=columns.notes())


def _tables(variables: Mapping[str, Any], struct: str = "") -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Give the arrays with equally many rows, called after their struct or the first of them."""
    groups: dict[int, dict[str, np.ndarray]] = {}
    for name, value in variables.items():
        if isinstance(value, np.ndarray) and value.size:
            values = value.reshape(-1) if value.ndim == 2 and 1 in value.shape else value
            groups.setdefault(len(values), {})[name] = values
    if len(groups) > 1:
        groups.pop(1, None)  # parameters
    for group in groups.values():
        first = next(iter(group))
        yield (f"{struct}.{first}" if struct and len(groups) > 1 else struct or first), group
    for name, value in variables.items():
        if isinstance(value, dict):
            yield from _tables(value, f"{struct}.{name}" if struct else name)


def _rows(table: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(table.values())))

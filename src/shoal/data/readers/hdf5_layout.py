"""Which tables an HDF5 file holds, beside or instead of arrays of images and series."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoal.data.readers.files import first_line
from shoal.data.readers.packages import check_package
from shoal.errors import DataError

HDF5 = (".h5", ".hdf5", ".hdf")
"""The extensions."""


@contextmanager
def opened(path: Path, format: str = "HDF5") -> Iterator[Any]:
    """Give an open file; what h5py cannot read is a DataError.

    Raises:
        DataError: h5py is missing, or the file is damaged.
    """
    check_package("h5py", "science", f"{path}: {format}")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except Exception as error:  # h5py raises nearly anything on damaged bytes
        raise DataError(f"{path} is no readable {format} file ({first_line(error)}). Write it again.") from error


def holds_a_table_alone(path: Path, arrays: tuple[str, ...]) -> bool:
    """Return whether a file holds columns, and no array of images or series, which are called by one of some names."""
    if importlib.util.find_spec("h5py") is None:
        return False
    import h5py

    shapes: list[int] = []
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda _, node: shapes.append(node.ndim) if hasattr(node, "dtype") else None)
            return max(shapes, default=0) < 3 and not any(name in file for name in arrays) and bool(tables_in(file))
    except Exception:  # damaged bytes, which reading tells
        return False


def tables_in(file: Any) -> dict[str, dict[str, Any]]:
    """Return the tables of an open file by their paths: for each the datasets, or fields of one, by column.

    A compound dataset `(rows,)` is a table, and so is a group whose datasets have equal lengths, or one that pandas
    wrote in its fixed format.
    """
    tables: dict[str, dict[str, Any]] = {}

    def look(name: str, node: Any) -> None:
        if hasattr(node, "dtype"):
            if node.dtype.names and node.ndim == 1:
                tables[name] = {field: (node, field) for field in node.dtype.names}
            return
        columns = _pandas_columns(node) if "axis0" in node else _group_columns(node)
        if columns:
            tables[name or "/"] = columns

    look("", file)
    file.visititems(look)
    return tables


def _group_columns(group: Any) -> dict[str, Any]:
    """Return the datasets of a group as columns if there are two or more of one length, else nothing."""
    columns = {name: node for name, node in group.items() if hasattr(node, "dtype") and node.ndim in (1, 2)}
    columns = {name: node for name, node in columns.items() if node.dtype.names is None}
    lengths = {node.shape[0] for node in columns.values()}
    flat = [node for node in columns.values() if node.ndim == 1]
    return (
        {name: (node, None) for name, node in columns.items()}
        if len(columns) > 1 and len(lengths) == 1 and flat
        else {}
    )


def _pandas_columns(group: Any) -> dict[str, Any]:
    """Return the columns of a data frame that pandas has written in its fixed format."""
    columns: dict[str, Any] = {}
    for items in (name for name in group if name.startswith("block") and name.endswith("_items")):
        values = group.get(items.replace("_items", "_values"))
        if values is not None and values.ndim == 2 and values.dtype.kind in "biuf":
            names = [
                name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in group[items][()]
            ]
            columns |= {name: (values, i) for i, name in enumerate(names)}
    return columns

"""Variables of a workspace, as MATLAB and IDL save them, as tables: those of equal length belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import MOST_COLUMNS
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import counted, listing

NESTED = "arrays in cells, pointers or structs"


def content_of_variables(variables: Mapping[str, Any], path: Path, wanted: str | None) -> Content:
    """Return the table of variables with as many rows as each other, or of the fields of a struct.

    Args:
        variables: arrays with their rows first, structs as dicts, and texts that say why one is not read.
        path: their file.
        wanted: the struct, or the first of the variables of equal length; None: the only table.

    Raises:
        DataError: there is no such table, or several.
    """
    unread = dict(_unread(variables))
    tables = dict(_tables(variables))
    if any(_rows(table) > 1 for table in tables.values()):
        tables = {name: table for name, table in tables.items() if _rows(table) > 1}
    described = {name: f"{counted(_rows(table), 'row')}: {listing(table)}" for name, table in tables.items()}
    others = listing(f"{name} ({why})" for name, why in unread.items())
    columns = ColumnsOfArrays(most=MOST_COLUMNS)
    for name, values in tables[chosen_table(path, described, wanted, others)].items():
        columns.add(name, values, what="a matrix")
    for name, why in unread.items():
        columns.leave_out(name, why)
    return Content(plain_table(columns.table(), str(path)), notes=columns.notes())


def of_cells(cells: list[Any], shape: tuple[int, ...]) -> Any:
    """Return cells with one number or text each as an array, empty ones as missing; a text says why they are none.

    Example:
        >>> of_cells([np.array([1.5]), np.array([])], (2,)).tolist()
        [1.5, nan]
    """
    values = [None if isinstance(cell, np.ndarray) and not cell.size else cell for cell in cells]
    if any(value is not None and (isinstance(value, str | dict) or value.size > 1) for value in values):
        return next((value for value in values if isinstance(value, str)), NESTED)
    plain = [None if value is None else value.reshape(-1)[0] for value in values]
    plain = [value.item() if isinstance(value, np.generic) else value for value in plain]
    if all(value is None or isinstance(value, int | float) for value in plain):
        return np.array([np.nan if value is None else value for value in plain], np.float64).reshape(shape)
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in plain]
    return np.array([None if text is None else str(text).rstrip() for text in texts], dtype=object).reshape(shape)


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


def _unread(variables: Mapping[str, Any], struct: str = "") -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if isinstance(value, dict):
            yield from _unread(value, f"{struct}{name}.")
        elif isinstance(value, str):
            yield f"{struct}{name}", value


def _rows(table: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(table.values())))

"""Variables on named dimensions, as NetCDF, Zarr and xarray hold them, as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.base import check_columns
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.data.readers.tables.grid_values import decoded, text_of, unit_of
from shoal.errors import DataError, counted

_COPIES = 4  # as read, as decoded, spread over the rows, and as a column


@dataclass(frozen=True)
class GridVariable:
    """A variable of a file, before its values are read.

    Attributes:
        dims: names of its dimensions.
        shape: values along each of them.
        dtype: of a value as it is stored.
        attributes: what the file says about it: units, fill values, scale.
        load: gives the values.
        fills: values that stand for none, beside those that the attributes name.
        coordinate: whether it is known to say where the values of others lie.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: Mapping[str, Any]
    load: Callable[[], Any]
    fills: tuple[float, ...] = ()
    coordinate: bool = False


def content_of_grid(variables: Mapping[str, GridVariable], path: Path, wanted: str | None) -> Content:
    """Return the table of the variables over the same dimensions: a row for each place, with its coordinates.

    Args:
        variables: by name.
        path: the file, for messages.
        wanted: dimensions of the table, `time,lat`; None: those of the only one.

    Raises:
        DataError: there is no such table, or it has no room in memory.
    """
    coordinates, beside = _coordinates(variables), _beside(variables)
    tables: dict[str, list[str]] = {}
    for name, variable in variables.items():
        if variable.dims and name not in coordinates | beside:
            tables.setdefault(",".join(variable.dims), []).append(name)
    if not tables:  # a list of places
        tables = {",".join(v.dims): [name] for name, v in variables.items() if v.dims and name not in beside}
    described = {
        dims: f"{_rows(variables[names[0]])}, {counted(len(names), 'variable')}" for dims, names in tables.items()
    }
    chosen = chosen_table(path, described, None if wanted is None else wanted.replace(" ", ""))
    dims, shape = variables[tables[chosen][0]].dims, variables[tables[chosen][0]].shape
    along = [n for n in variables if n in coordinates and variables[n].dims and set(variables[n].dims) <= set(dims)]
    names = [*along, *(name for name in tables[chosen] if name not in along)]
    check_columns(len(names), path)
    width = sum(max(8, variables[name].dtype.itemsize) for name in names)
    what = f"{path} declares {math.prod(shape):,} rows of {counted(len(names), 'variable')} along {chosen}"
    check_room(_COPIES * math.prod(shape) * width, what, "Write a part of it.")
    columns, units = ColumnsOfArrays(), {}
    for name in names:
        values, missing, unit = _spread(variables[name], dims, shape, f"{path}: variable {name!r}")
        columns.add(name, values, missing)
        units[name] = unit
    return Content(plain_table(columns.table(), str(path)), notes=columns.notes(), units=columns.units(units))


def _rows(variable: GridVariable) -> str:
    return f"{counted(math.prod(variable.shape), 'row')} ({' × '.join(map(str, variable.shape))})"


def _coordinates(variables: Mapping[str, GridVariable]) -> set[str]:
    """Return the names of variables that are called like a dimension, or that others name as their coordinates."""
    named = {word for v in variables.values() for word in text_of(v.attributes.get("coordinates")).split()}
    dims = {name for variable in variables.values() for name in variable.dims}
    return {name for name, v in variables.items() if v.coordinate or name in named | dims}


def _beside(variables: Mapping[str, GridVariable]) -> set[str]:
    """Return the names of the bounds of coordinates."""
    return {
        text_of(v.attributes[key])
        for v in variables.values()
        for key in ("bounds", "climatology")
        if key in v.attributes
    }


def _spread(
    variable: GridVariable, dims: tuple[str, ...], shape: tuple[int, ...], where: str
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return a variable's value at each place `(rows,)`, whether it is missing, and its unit."""
    values, missing, unit = decoded(np.asarray(variable.load()), variable.attributes, variable.fills)
    sizes = dict(zip(dims, shape, strict=True))
    if values.shape != tuple(sizes[name] for name in variable.dims) or len(set(variable.dims)) < len(variable.dims):
        raise DataError(f"{where} has the shape {values.shape}, which its dimensions do not have. Write it again.")
    order = np.argsort([dims.index(name) for name in variable.dims])
    full = tuple(sizes[name] if name in variable.dims else 1 for name in dims)
    spread = [np.broadcast_to(each.transpose(order).reshape(full), shape).ravel() for each in (values, missing)]
    return spread[0], spread[1], unit_of(variable.attributes) if unit is None else unit

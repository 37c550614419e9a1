"""Tables as HDF5 and NetCDF, by h5py (`shoal[science]`), and SQLite."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
import polars as pl

from shoal.data.output import Output, array_of, plain_names, with_nan
from shoal.data.readers.tables.chosen_table import quoted

_LETTERS = "_ -+[]()%^*°²³·"  # no dots and strokes, which name places in HDF5
_DIMENSION = "row"
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.%10d"
_NO_INTEGER, _NO_TRUTH = -9223372036854775806, -127


def hdf5_file(output: Output) -> bytes:
    """Return HDF5 with a dataset for each column in the group `predictions`; missing numbers are NaN, texts empty.

    A dataset has its unit as `units`, and as `long_name` the name of a column that HDF5 does not take; the group has
    where the numbers come from as attributes.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        group = file.create_group("predictions")
        group.attrs.update(output.provenance)
        for name, place in plain_names(output.table.columns, _LETTERS).items():
            values = with_nan(output.table.get_column(name))
            dataset = group.create_dataset(place, data=values.astype(object) if values.dtype.kind == "U" else values)
            dataset.attrs.update(_attributes(output, name, place))
    return content.getvalue()


def netcdf_file(output: Output) -> bytes:
    """Return NetCDF-4 with a variable for each column along `row`, with units, fill values and global attributes."""
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, text in {"Conventions": "CF-1.11", **output.provenance}.items():
            file.attrs[name if name == "Conventions" else f"shoal_{name.replace(' ', '_')}"] = text
        scale = _dimension(file, _DIMENSION, output.table.height)
        for name, place in plain_names(output.table.columns, _LETTERS, (_DIMENSION,)).items():
            values, attributes = _variable(output.table.get_column(name))
            variable = file.create_dataset(place, data=values)
            variable.dims[0].attach_scale(scale)
            if values.ndim > 1:
                variable.dims[1].attach_scale(_dimension(file, f"{place}_point", values.shape[1]))
            variable.attrs.update({**_attributes(output, name, place), **attributes})
    return content.getvalue()


def _dimension(file: Any, name: str, length: int) -> Any:
    scale = file.create_dataset(name, data=np.zeros(length, np.float32))
    scale.make_scale(_NO_VARIABLE % length)
    return scale


def _attributes(output: Output, name: str, place: str) -> dict[str, str]:
    unit = output.units.get(name)
    return {**({"units": unit} if unit else {}), **({"long_name": name} if name != place else {})}


def _variable(series: pl.Series) -> tuple[np.ndarray, dict[str, Any]]:
    """Return a column as NetCDF holds it: dates as microseconds, truths as bytes, and what stands for no value."""
    if series.dtype.is_temporal() and series.dtype in (pl.Date, pl.Datetime):
        values = series.cast(pl.Datetime("us")).cast(pl.Int64).fill_null(_NO_INTEGER).to_numpy()
        return values, {"units": "microseconds since 1970-01-01", "_FillValue": np.int64(_NO_INTEGER)}
    values, missing = array_of(series)
    if values.dtype.kind == "b":
        numbers = np.where(missing, _NO_TRUTH, values).astype(np.int8)
        return numbers, {"dtype": "bool", **({"_FillValue": np.int8(_NO_TRUTH)} if missing.any() else {})}
    if values.dtype.kind in "iu":
        return np.where(missing, _NO_INTEGER, values.astype(np.int64)), {"_FillValue": np.int64(_NO_INTEGER)}
    if values.dtype.kind == "f":
        return values, {"_FillValue": values.dtype.type(np.nan)}
    return values.astype(object), {}


def sqlite_file(output: Output) -> bytes:
    """Return a database with the table `predictions`, units in `shoal_units` and where numbers come from in
    `shoal_provenance`.
    """
    kinds = {name: _sqlite_type(kind) for name, kind in output.table.schema.items()}
    columns = [
        series.cast(pl.String)
        if series.dtype.is_temporal()
        else series.fill_nan(None)
        if series.dtype.is_float()
        else series
        for series in output.table.get_columns()
    ]
    with closing(sqlite3.connect(":memory:")) as database:
        declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
        database.execute(f"CREATE TABLE predictions ({declared})")
        places = ", ".join("?" * len(kinds))
        database.executemany(f"INSERT INTO predictions VALUES ({places})", pl.DataFrame(columns).iter_rows())
        units = {name: unit for name, unit in output.units.items() if unit and name in kinds}
        for table, pairs in (("shoal_units", units), ("shoal_provenance", output.provenance)):
            database.execute(f"CREATE TABLE {table} (name TEXT, value TEXT)")
            database.executemany(f"INSERT INTO {table} VALUES (?, ?)", pairs.items())
        database.commit()
        return database.serialize()


def _sqlite_type(kind: pl.DataType) -> str:
    if kind == pl.Boolean:
        return "BOOLEAN"
    return "INTEGER" if kind.is_integer() else "REAL" if kind.is_numeric() else "TEXT"

"""From what Python programs hold (data frames, dicts, arrays) to the one kind of table that shoal uses."""

from __future__ import annotations

import decimal
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import tidy_column
from shoal.errors import DataError, listing

_ACCEPTED = (
    "a data frame (pandas, polars, pyarrow or any other with the Arrow interface), "
    "a dict of columns, a 1-d or 2-d array, or (X, y)"
)
_INDEX = "Unnamed: 0"  # as pandas calls it


def default_names(count: int, prefix: str = "x") -> list[str]:
    """Return the names of columns that came without: x1, x2, ...

    Example:
        >>> default_names(2)
        ['x1', 'x2']
    """
    return [f"{prefix}{i + 1}" for i in range(count)]


def check_names(names: Sequence[str], where: str) -> None:
    """Raise a DataError that names the column for empty and repeated names.

    Example:
        >>> check_names(["a", "b"], "table.csv")
    """
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(
                f"{where}: column {number} of {len(names)} has no name. Name it; if it is a data frame's "
                "index, write the file without it."
            )
    if len(set(names)) < len(names):
        twice = next(n for n in names if list(names).count(n) > 1)
        places = listing(str(i) for i, n in enumerate(names, 1) if n == twice)
        raise DataError(f"{where}: the name {twice!r} occurs in columns {places}; each column needs its own name.")


def with_named_index(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return names in which a first column without one, as data frames write their index, is `Unnamed: 0`.

    The second value says so. Other empty names stay, and are refused later.

    Example:
        >>> with_named_index(["", "mass"])[0], with_named_index(["mass", ""])[0]
        (['Unnamed: 0', 'mass'], ['mass', ''])
    """
    names = list(names)
    if len(names) < 2 or names[0].strip() or not all(name.strip() for name in names[1:]) or _INDEX in names:
        return names, ()
    return [_INDEX, *names[1:]], (
        f"The first column has no name, as the index of a data frame; it is {_INDEX!r} here.",
    )


def plain_table(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return the table with plain types: Int64, Float64, String, Boolean, dates; NaN is null.

    Returns:
        A table of the same shape.

    Raises:
        DataError: A column holds lists, structs or bytes, or has no name.

    Example:
        >>> plain_table(pl.DataFrame({"a": [float("nan"), 1.5]}), "table")["a"].to_list()
        [None, 1.5]
    """
    check_names(table.columns, source)
    return pl.DataFrame([_plain(column, source) for column in table.get_columns()])


def _plain(column: pl.Series, source: str) -> pl.Series:
    kind = column.dtype
    if kind.is_numeric():
        return tidy_column(column)
    if kind in (pl.String, pl.Boolean, pl.Date) or isinstance(kind, pl.Datetime):
        return column
    if isinstance(kind, pl.Categorical | pl.Enum) or kind in (pl.Time, pl.Null):
        return column.cast(pl.String)
    if isinstance(kind, pl.Duration):
        return column.dt.total_microseconds() / 1e6
    raise DataError(
        f"{source}: column {column.name!r} holds values of type {kind}; expected numbers, text, "
        "booleans or dates. Give each entry its own column, or remove it."
    )


def from_python(data: Any, *, source: str = "data") -> pl.DataFrame:
    """Return a polars table from a data frame, a dict of columns, an array, or (X, y).

    Columns of arrays are called x1, x2, ...; y becomes the column "y", or y1, y2, ... for several.

    Args:
        data: pandas, polars, pyarrow or another frame with `__arrow_c_stream__`; a mapping from name to
            values; an array (rows,) or (rows, columns); a tuple (X, y); a list of dicts.
        source: What the data are called in messages.

    Returns:
        A table with plain types (see `plain_table`), at least one row and one column.

    Raises:
        DataError: The data have another type or shape, no rows, or columns of different lengths.

    Example:
        >>> from_python(([[1.0, 2.0], [3.0, 4.0]], ["a", "b"])).columns
        ['x1', 'x2', 'y']
    """
    if is_pair(data):
        if len(data) != 2:
            raise DataError(f"{source}: a tuple must be (X, y), got {len(data)} entries.")
        table = x_y_table(data[0], data[1], source)
    else:
        table = _table(data, source)
    if not table.width or not table.height:
        raise DataError(f"{source} has {table.height} rows and {table.width} columns; expected a table with data.")
    return table


def is_pair(data: Any) -> bool:
    """Return whether data are meant as `(X, y)`."""
    return isinstance(data, tuple) and not hasattr(data, "_fields")


def pair_targets(table: pl.DataFrame) -> list[str]:
    """Return the names of the targets in the table of `(X, y)`, which are its last columns.

    Example:
        >>> pair_targets(x_y_table(np.zeros((2, 1)), np.ones((2, 2)), "data"))
        ['y1', 'y2']
    """
    last = table.columns[-1]
    if last == "y":
        return ["y"]
    return default_names(int(last[1:]), "y") if re.fullmatch(r"y\d+", last) else []


def x_y_table(x: Any, y: Any, source: str, names: Sequence[Any] | None = None) -> pl.DataFrame:
    """Return one table of the features X (rows, columns) and the targets y (rows,) or (rows, targets).

    Example:
        >>> x_y_table(np.zeros((2, 1)), np.ones(2), "data").columns
        ['x1', 'y']
    """
    features = _table(x, source)
    if names is not None:
        if len(names) != features.width:
            raise DataError(f"{source}: {len(names)} feature_names for the {features.width} columns of X.")
        check_names([str(n) for n in names], f"{source}, feature_names")
        features.columns = [str(n) for n in names]
    if y is None:
        return features
    targets = _table(y, source)
    targets.columns = ["y"] if targets.width == 1 else default_names(targets.width, "y")
    if features.height != targets.height:
        raise DataError(f"{source}: X has {features.height} rows and y has {targets.height}; they must be equal.")
    both = set(features.columns) & set(targets.columns)
    if both:
        raise DataError(f"{source}: X already has the column {min(both)!r}, which is the name for y. Rename it.")
    return pl.concat([features, targets], how="horizontal")


def _table(data: Any, source: str) -> pl.DataFrame:
    module = type(data).__module__.split(".")[0]
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.Series):
        data = data.alias(data.name or "x1").to_frame()
    if isinstance(data, pl.DataFrame):
        return plain_table(data, source)
    if module == "pandas":
        return _from_pandas(data, source)
    if hasattr(data, "__arrow_c_stream__"):
        return _from_arrow(data, source)
    if isinstance(data, Mapping):
        return _from_columns([(str(name), values) for name, values in data.items()], source)
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        names = dict.fromkeys(name for row in data for name in row)
        return _from_columns([(str(n), [row.get(n) for row in data]) for n in names], source)
    if isinstance(data, list | np.ndarray) or hasattr(data, "__array__"):
        return array_table(_array(data, source), source)
    raise DataError(f"{source} has the type {type(data).__name__}; expected {_ACCEPTED}.")


def _from_arrow(data: Any, source: str) -> pl.DataFrame:
    names = [str(n) for n in getattr(data, "column_names", [])]
    check_names(names, source)
    try:
        table = pl.DataFrame(data)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError) as error:
        raise DataError(f"{source}: this {type(data).__name__} cannot be read as a table ({error}).") from error
    return plain_table(table, source)


def _from_pandas(data: Any, source: str) -> pl.DataFrame:
    """Column by column, so that pyarrow is not needed and a bad column can be named."""
    if not hasattr(data, "columns"):
        data = data.to_frame("x1" if data.name is None else data.name)
    names = [str(n) if not isinstance(n, tuple) else " ".join(map(str, n)) for n in data.columns]
    check_names(names, source)
    columns = []
    for index, name in enumerate(names):
        series = data.iloc[:, index]
        missing = series.isna().to_numpy()
        if series.dtype.kind in "biuf" and not missing.any():
            columns.append((name, series.to_numpy(dtype=series.to_numpy().dtype)))
        elif series.dtype.kind == "M" and getattr(series.dt, "tz", None) is None:
            columns.append((name, series.to_numpy(dtype="datetime64[us]")))
        else:
            values = series.tolist()
            columns.append((name, [None if m else v for m, v in zip(missing.tolist(), values, strict=True)]))
    return _from_columns(columns, source)


def _array(data: Any, source: str) -> np.ndarray:
    try:
        if isinstance(data, np.ma.MaskedArray):
            # `filled(None)` would mean NumPy's default filling, not None.
            values = np.array(data.data, dtype=object)
            values[np.ma.getmaskarray(data)] = None
            return values
        values = np.asarray(data)
        # NumPy would make the text "nan" of a NaN among texts.
        return np.asarray(data, dtype=object) if isinstance(data, list) and values.dtype.kind == "U" else values
    except Exception as error:
        raise DataError(f"{source} cannot become an array ({str(error)[:150]}); expected {_ACCEPTED}.") from error


def array_table(array: np.ndarray, source: str) -> pl.DataFrame:
    """Return the table of an array (rows,), (rows, columns), or with named fields.

    Example:
        >>> array_table(np.zeros((3, 2)), "data").columns
        ['x1', 'x2']
    """
    if array.dtype.names:
        if array.ndim != 1:
            raise DataError(f"{source}: a structured array must be one-dimensional, got shape {array.shape}.")
        return _from_columns([(name, array[name]) for name in array.dtype.names], source)
    if array.ndim not in (1, 2):
        raise DataError(f"{source}: expected an array (rows,) or (rows, columns), got shape {array.shape}.")
    columns = array.reshape(len(array), -1).T if array.size else array.reshape(len(array), 0).T
    return _from_columns(list(zip(default_names(len(columns)), columns, strict=True)), source)


def _from_columns(columns: Sequence[tuple[str, Any]], source: str) -> pl.DataFrame:
    check_names([name for name, _ in columns], source)
    series = [_series(name, values, source) for name, values in columns]
    for other in series[1:]:
        if other.len() != series[0].len():
            raise DataError(
                f"{source}: column {series[0].name!r} has {series[0].len()} values and column {other.name!r} "
                f"{other.len()}; all columns must have the same length."
            )
    return plain_table(pl.DataFrame(series), source)


def _series(name: str, values: Any, source: str) -> pl.Series:
    if isinstance(values, pl.Series):
        return values.alias(name)
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise DataError(f"{source}: column {name!r} is a single {type(values).__name__}; expected one value per row.")
    array = values if isinstance(values, list) else _array(values, source)
    if isinstance(array, np.ndarray):
        if array.ndim != 1:
            raise DataError(f"{source}: column {name!r} has shape {array.shape}; expected one value per row.")
        if array.dtype.kind in "biuf":
            native = array.astype(array.dtype.newbyteorder("="), copy=False)
            return pl.Series(name, native.astype(np.float64) if native.dtype.kind == "f" else native)
        if array.dtype.kind == "M":
            return pl.Series(name, array.astype("datetime64[us]"))
        if array.dtype.kind not in "OUST":
            raise DataError(f"{source}: column {name!r} holds values of type {array.dtype}; expected numbers or text.")
        array = array.tolist()
    return _from_list(name, array, source)


def _from_list(name: str, values: list[Any], source: str) -> pl.Series:
    values = [_scalar(v) for v in values]
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float, decimal.Decimal} and kinds != {int}:
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    if str in kinds and kinds <= {str, int, float, bool}:
        # A number among texts (NaN for "missing" aside) is a category that happens to look like a number.
        return pl.Series(name, [None if v is None or v != v else str(v) for v in values], dtype=pl.String)
    try:
        return pl.Series(name, values, strict=True)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        types = listing(sorted(k.__name__ for k in kinds))
        raise DataError(
            f"{source}: column {name!r} holds values of the types {types}; expected all numbers, all text or all dates."
        ) from error


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

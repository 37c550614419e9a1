"""What is written as a file: a table with units and where its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Output:
    """What is written.

    Attributes:
        table: all columns.
        new: the names of those that are not the reader's own, such as predictions.
        units: of columns, as far as they are known.
        provenance: where the numbers come from: run, checksum, versions, command.
    """

    table: pl.DataFrame
    new: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


def array_of(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as an array without nulls, and which values are missing; dates are texts, vectors have two axes.

    Example:
        >>> array_of(pl.Series([1, None]))
        (array([1, 0]), array([False,  True]))
    """
    missing = series.is_null().to_numpy()
    if isinstance(series.dtype, pl.Array):
        known = series.drop_nulls().to_numpy()
        values = np.full((len(series), series.dtype.size), np.nan, known.dtype)
        values[~missing] = known
        return values, missing
    if series.dtype.is_temporal():
        series = series.cast(pl.String)
    if series.dtype == pl.Boolean:
        return series.fill_null(value=False).to_numpy(), missing
    if series.dtype.is_float():
        return series.fill_null(float("nan")).to_numpy(), missing
    if series.dtype.is_numeric():
        return series.fill_null(0).to_numpy(), missing
    return np.array(series.cast(pl.String).fill_null("").to_list(), dtype=np.str_), missing


def with_nan(series: pl.Series) -> np.ndarray:
    """Return a column as an array in which missing numbers and truths are NaN, and missing texts empty.

    Example:
        >>> with_nan(pl.Series([1, None])).tolist()
        [1.0, nan]
    """
    values, missing = array_of(series)
    if missing.any() and values.dtype.kind in "biu":
        return np.where(missing, np.nan, values.astype(np.float64))
    return values


def plain_names(names: list[str], letters: str, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Return names as a format takes them, each different from others and from `taken`.

    Args:
        names: of columns.
        letters: what a name may hold beside letters and digits; all else becomes `_`.
        taken: names that something else has.

    Example:
        >>> plain_names(["p / Pa", "E [GeV]"], "_ []")
        {'p / Pa': 'p _ Pa', 'E [GeV]': 'E [GeV]'}
    """
    plain: dict[str, str] = {}
    for name in names:
        new = "".join(letter if letter.isalnum() or letter in letters else "_" for letter in name).strip() or "_"
        while new in plain.values() or new in taken:
            new += "_"
        plain[name] = new
    return plain


def joined(table: pl.DataFrame, predicted: pl.DataFrame) -> pl.DataFrame:
    """Return a table with the columns of predictions beside its own.

    A column of predictions whose name the table has already is named `shoal_<name>`, so that none is lost.
    """
    taken = set(table.columns)
    names = {}
    for name in predicted.columns:
        free = name
        while free in taken:
            free = f"shoal_{free}"
        taken.add(free)
        names[name] = free
    return table.hstack(predicted.rename(names).get_columns())

"""Rows along one or two columns of a table, with all others held: a cross section of what an ensemble says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import to_days, to_numbers, to_truth
from shoal.data.encoders import CategoryEncoder, NumberEncoder
from shoal.data.labels import label_name
from shoal.data.units import full_name
from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.explanation.subject import ColumnFeatures, Subject
from shoal.prediction.predictor import Predictor

MARGIN = 0.05
"""Of the range of the rows, beyond them on either side."""


@dataclass(frozen=True)
class CrossSection:
    """Rows of a grid.

    Attributes:
        columns: one or two, along which the rows differ.
        grids: the values of each, evenly spaced; dates in days since 1970.
        held: the value of every other column.
        table: all combinations, the last column fastest.
    """

    columns: tuple[ColumnFeatures, ...]
    grids: tuple[np.ndarray, ...]
    held: Mapping[str, Any]
    table: pl.DataFrame


def cross_section(
    predictor: Predictor,
    names: Sequence[str],
    at: Mapping[str, Any] | None = None,
    rows: pl.DataFrame | None = None,
    points: int = 81,
) -> CrossSection:
    """Return rows along columns from their least to their largest value.

    Others are held at what `at` says, else at the median of the training rows, or their most frequent category.

    Args:
        predictor: an ensemble on a table.
        names: of one or two columns of numbers or dates.
        at: values of other columns.
        rows: whose range is covered; None: that of the training rows.
        points: of each grid.

    Raises:
        SettingError: a column that is not there, holds neither numbers nor dates or has one value only; a value that
            its column cannot have.
    """
    subject = Subject(predictor, np.zeros((0, 0), np.float32))
    columns = tuple(subject.column(name) for name in names)
    for column in columns:
        if column.kind not in ("number", "date"):
            what = "truth values" if column.kind == "boolean" else "categories"
            numbers = [each.name for each in subject.columns if each.kind in ("number", "date")]
            raise SettingError(
                f"column {column.name!r} holds {what}, but a cross section runs along numbers or dates: "
                f"{listing(numbers) or 'this run has none'}. Hold it at a value instead (at)"
            )
    if len({column.name for column in columns}) < len(columns):
        raise SettingError(f"two different columns are needed, got {columns[0].name!r} twice")
    given = _given(subject, columns, at or {})
    rest = [column for column in subject.columns if column not in columns]
    held = {each.name: given[each.name] if each.name in given else _usual(predictor, each) for each in rest}
    grids = tuple(_grid(predictor, column, rows, points) for column in columns)
    mesh = [values.ravel() for values in np.meshgrid(*grids, indexing="ij")]
    series = [column.series(values) for column, values in zip(columns, mesh, strict=True)]
    constant = [column.series([held[column.name]]).new_from_index(0, len(mesh[0])) for column in rest]
    return CrossSection(columns, grids, held, pl.DataFrame([*series, *constant]))


def _given(subject: Subject, columns: Sequence[ColumnFeatures], at: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values at which columns are held on request."""
    given = {}
    for name, value in at.items():
        column = subject.column(name)
        if column in columns:
            raise SettingError(f"at: column {column.name!r} is one that the cross section runs along; hold others")
        given[column.name] = _checked(column, value)
    return given


def _checked(column: ColumnFeatures, value: Any) -> Any:
    """Return a value of a column as `ColumnFeatures.series` takes it.

    Raises:
        SettingError: it is none that the column can have.
    """
    encoder = column.encoder
    if isinstance(encoder, CategoryEncoder):
        text = label_name(value)
        levels = [*encoder.levels, *encoder.rare]
        if text not in levels:
            raise SettingError(
                f"at: column {column.name!r} has no category {value!r}; it has {listing(levels)}."
                f"{suggest(str(value), levels)}"
            )
        return text
    read, what = {
        "number": (to_numbers, "a number"),
        "date": (to_days, "a date such as 2024-05-31"),
        "boolean": (to_truth, "true or false"),
    }[column.kind]
    series = pl.Series([value])
    number = read(series)[0] if column.kind != "date" or series.dtype in (pl.String, pl.Date, pl.Datetime) else None
    if number is None or not np.isfinite(number):
        raise SettingError(f"at: column {column.name!r} needs {what}, got {value!r}")
    return float(number)


def _usual(predictor: Predictor, column: ColumnFeatures) -> Any:
    """Return the median of a column over the training rows, or the most frequent category.

    Raises:
        SettingError: the run does not know it.
    """
    if not isinstance(column.encoder, CategoryEncoder):
        return column.encoder.fill
    levels = column.encoder.levels
    if predictor.region is None or not levels:
        raise SettingError(f"the run does not keep the most frequent category of {column.name!r}; give a value (at)")
    shares = predictor.region.centre[column.features][: len(levels)]
    return levels[int(np.argmax(shares))]


def _grid(predictor: Predictor, column: ColumnFeatures, rows: pl.DataFrame | None, points: int) -> np.ndarray:
    """Return evenly spaced values from the least to the largest and a little beyond.

    Raises:
        SettingError: there is one value only, or the run does not know the range.
    """
    values = values_of(column, training_rows(predictor) if rows is None else rows)
    if not len(values) and isinstance(column.encoder, NumberEncoder) and column.encoder.low is not None:
        values = np.asarray([column.encoder.low, column.encoder.high], np.float64)
    present = values[np.isfinite(values)]
    if not len(present):
        raise SettingError(f"the range of column {column.name!r} is not known; give rows (data)")
    low, high = float(present.min()), float(present.max())
    if low == high:
        raise SettingError(f"column {column.name!r} has the value {low:g} only in these rows; give others (data)")
    return np.linspace(low - MARGIN * (high - low), high + MARGIN * (high - low), points)


def values_of(column: ColumnFeatures, rows: pl.DataFrame) -> np.ndarray:
    """Return the values of a column in rows, none where they lack the column."""
    name = full_name(column.name, rows.columns)
    if name not in rows.columns:
        return np.zeros(0)
    return column.values(rows.rename({name: column.name}))


def training_rows(predictor: Predictor) -> pl.DataFrame:
    """Return the training rows that the predictor keeps, two thousand at most, or none where it keeps none."""
    region, preparation = predictor.region, predictor.preparation
    if region is None:
        return pl.DataFrame()
    features = region.rows * region.scale + region.centre
    table = preparation.inverse(features)
    subject = Subject(predictor, features)
    for column in subject.columns:
        numbers = features[:, column.features]
        if column.kind == "date":
            table = table.with_columns(column.series(table.get_column(column.name).to_numpy()))
        if isinstance(column.encoder, NumberEncoder) and column.encoder.marker:  # the median stands in for nothing
            missing = pl.Series(numbers[:, 1] > 0.5)
            table = table.with_columns(pl.when(missing).then(None).otherwise(pl.col(column.name)).alias(column.name))
    return table

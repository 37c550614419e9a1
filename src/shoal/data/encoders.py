"""How one raw column becomes one or several numeric features; one class per kind of column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from shoal.codec import PlainRecord
from shoal.data.columns import MOST_LEVELS
from shoal.data.conversion import check_read, is_date, is_truth, to_days, to_labels, to_numbers, to_truth
from shoal.data.feature_scaling import FeatureScaling, get_scaling
from shoal.errors import DataError

MISSING = -2
_LARGEST = 1e30  # normalised values beyond it would overflow in float32


def rare_below(rows: int) -> int:
    """Return the number of training rows that a category needs to be told apart: 2, or 0.1 % of all rows."""
    return max(2, -(-rows // 1000))


@dataclass(frozen=True)
class NumberEncoder(PlainRecord):
    """A number, or a date in days, normalised; the median where missing, marked if training rows miss it.

    `low` and `high` are the range of the training rows, where it is known.
    """

    tag = "kind"
    kind = "number"
    column: str
    dates: bool
    fill: float
    marker: bool
    normalization: FeatureScaling
    low: float | None = None
    high: float | None = None

    @classmethod
    def fit(cls, series: pl.Series, normalization: str, *, dates: bool) -> NumberEncoder:
        """Fit median and normalisation on the training rows of a column."""
        read = to_days(series) if dates else to_numbers(series)
        values = read.drop_nulls().to_numpy()
        fill = float(np.median(values)) if len(values) else 0.0
        marker = 0 < read.null_count() < len(series)
        # a number that is the same in all training rows stays 0 later: nothing was learnt about other values
        way = get_scaling("quantile" if len(values) and np.ptp(values) == 0 else normalization)
        ends = (float(values.min()), float(values.max())) if len(values) else (None, None)
        return cls(series.name, dates, fill, marker, way.fit(values), *ends)

    @property
    def names(self) -> tuple[str, ...]:
        """The features made of the column."""
        return (self.column, f"{self.column} is missing") if self.marker else (self.column,)

    def encode(self, series: pl.Series, out: np.ndarray) -> None:
        """Write the features into `out`, `(features, rows)`."""
        if self.dates:
            if series.null_count() < len(series) and not (is_date(series) or series.dtype == pl.String):
                numbers = "numbers" if series.dtype.is_numeric() else "something else"
                held = "truth values" if is_truth(series) else numbers
                raise DataError(f"column {self.column!r} must hold dates, as in training, not {held}")
            read = to_days(series) if series.dtype != pl.Boolean else series.cast(pl.Float64)
            check_read(series, read, "dates in ISO form, as in training")
        else:
            if series.dtype in (pl.Date, pl.Datetime):
                raise DataError(f"column {self.column!r} must hold numbers, as in training, but holds dates")
            read = to_numbers(series)
            check_read(series, read, "numbers, as in training")
        given = read.to_numpy()  # null as NaN
        missing = np.isnan(given)
        values = self.normalization(np.where(missing, self.fill, given))
        out[0] = np.clip(values, -_LARGEST, _LARGEST)
        if self.marker:
            out[1] = missing

    def decode(self, features: np.ndarray) -> pl.Series:
        """Return the column that has these features `(features, rows)`: numbers, or dates in days since 1970."""
        return pl.Series(self.column, self.normalization.inverse(np.asarray(features[0], np.float64)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the encoder that `to_dict` described."""
        scaling = data["normalization"]
        return super().from_dict({**data, "normalization": get_scaling(scaling["name"]).from_dict(scaling)})


@dataclass(frozen=True)
class BooleanEncoder(PlainRecord):
    """A truth value as 0 or 1, the more frequent one where missing; a marker if training rows missed it."""

    tag = "kind"
    kind = "boolean"
    column: str
    fill: float
    marker: bool

    @classmethod
    def fit(cls, series: pl.Series) -> BooleanEncoder:
        """Fit the more frequent value on the training rows of a column."""
        read = to_truth(series)
        mean = read.mean()
        fill = float(isinstance(mean, float) and mean > 0.5)
        return cls(series.name, fill, 0 < read.null_count() < len(series))

    @property
    def names(self) -> tuple[str, ...]:
        """The features made of the column."""
        return (self.column, f"{self.column} is missing") if self.marker else (self.column,)

    def encode(self, series: pl.Series, out: np.ndarray) -> None:
        """Write the features into `out`, `(features, rows)`."""
        if series.dtype in (pl.Date, pl.Datetime):
            raise DataError(f"column {self.column!r} must hold true or false, as in training, not dates")
        read = to_truth(series)
        check_read(series, read, "true or false, as in training")
        out[0] = read.fill_null(self.fill).to_numpy()
        if self.marker:
            out[1] = read.is_null().to_numpy()

    def decode(self, features: np.ndarray) -> pl.Series:
        """Return the column that is nearest to these features `(features, rows)`."""
        return pl.Series(self.column, np.asarray(features[0]) > 0.5)


@dataclass(frozen=True)
class CategoryEncoder(PlainRecord):
    """A category as one 0/1 feature per level; rare levels, and unknown ones later, share `other`.

    Without rare levels in training there is no `other`, and an unknown level is 0 everywhere.
    """

    tag = "kind"
    kind = "category"
    column: str
    levels: tuple[str, ...]
    rare: tuple[str, ...]
    marker: bool

    @classmethod
    def fit(cls, series: pl.Series) -> CategoryEncoder:
        """Fit the levels on the training rows of a column."""
        text = to_labels(series)
        counts = text.drop_nulls().value_counts()
        names, count = counts.to_series(0), counts.to_series(1)
        order = pl.DataFrame({"name": names, "count": count}).sort(["count", "name"], descending=[True, False])
        frequent = order.filter(pl.col("count") >= rare_below(len(series))).head(MOST_LEVELS)
        levels = tuple(sorted(frequent.get_column("name").to_list()))
        rare = tuple(sorted(set(names.to_list()) - set(levels)))
        return cls(series.name, levels, rare, text.null_count() > 0)

    @property
    def names(self) -> tuple[str, ...]:
        """The features made of the column."""
        other = "other" if "other" not in self.levels else "any other"
        rest = [f"{self.column}={other}"] * bool(self.rare) + [f"{self.column} is missing"] * self.marker
        return (*(f"{self.column}={level}" for level in self.levels), *rest)

    def codes(self, series: pl.Series) -> np.ndarray:
        """Return `(rows,)` positions of the levels; -1 where other or unknown, `MISSING` where missing."""
        text = to_labels(series)
        index = (
            text.replace_strict(list(self.levels), list(range(len(self.levels))), default=-1, return_dtype=pl.Int32)
            if self.levels
            else pl.Series([-1], dtype=pl.Int32).new_from_index(0, len(text))
        )
        return index.zip_with(text.is_not_null(), pl.Series([MISSING], dtype=pl.Int32)).to_numpy()

    def count_unknown(self, series: pl.Series) -> int:
        """Return the number of rows with a category that no training row had."""
        text = to_labels(series).drop_nulls()
        return int((~text.is_in([*self.levels, *self.rare])).sum())

    def encode(self, series: pl.Series, out: np.ndarray) -> None:
        """Write the features into `out`, `(features, rows)`."""
        codes = self.codes(series)
        k = len(self.levels)
        known = np.flatnonzero(codes >= 0)
        out[:k] = 0.0
        out[codes[known], known] = 1.0
        if self.rare:
            out[k] = codes == -1
        if self.marker:
            out[-1] = codes == MISSING

    def decode(self, features: np.ndarray) -> pl.Series:
        """Return the level whose feature is the largest of these `(features, rows)`; null for other and missing."""
        levels = [*self.levels, *[None] * (len(features) - len(self.levels))]
        return pl.Series(self.column, [levels[i] for i in np.argmax(features, axis=0)], dtype=pl.String)


Encoder = NumberEncoder | BooleanEncoder | CategoryEncoder
ENCODERS: dict[str, type[Encoder]] = {
    encoder.kind: encoder for encoder in (NumberEncoder, BooleanEncoder, CategoryEncoder)
}

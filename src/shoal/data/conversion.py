"""From whatever a column holds to numbers, truth values and labels, without loops over cells."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from shoal.errors import DataError, listing, suggest

_DAY = 86400.0
_DATE = r"^(\d{4}[-/]\d{2}[-/]\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s?(Z|[+-]\d{2}:?\d{2})?)?$"
_TRUTH = {"true": True, "false": False, "yes": True, "no": False}


def tidy(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with few types (numbers, text, truth values, dates); NaN and "" are missing."""
    return pl.DataFrame([tidy_column(series) for series in table.get_columns()])


def tidy_column(series: pl.Series) -> pl.Series:
    """Return one column in one of the few types (lists and structures stay as they are)."""
    dtype = series.dtype
    if dtype.is_float() or dtype.is_decimal():
        return _nan_as_null(series.cast(pl.Float64))
    if dtype.is_integer():
        integers = series.cast(pl.Int64, strict=False)
        return integers if integers.null_count() == series.null_count() else series.cast(pl.Float64)
    if dtype in (pl.Categorical, pl.Enum, pl.Null, pl.String):
        text = series.cast(pl.String)
        return text.set(text == "", None)
    if dtype == pl.Duration:
        return series.dt.total_microseconds().cast(pl.Float64) / (1e6 * _DAY)
    if dtype == pl.Time:
        return series.cast(pl.Int64).cast(pl.Float64) / (1e9 * _DAY)
    return series


def is_plain(series: pl.Series) -> bool:
    """Whether a tidied column holds one number, text, truth value or date per row."""
    return series.dtype in (pl.Float64, pl.Int64, pl.String, pl.Boolean, pl.Date, pl.Datetime)


def to_labels(series: pl.Series) -> pl.Series:
    """Return each value as text, whole numbers without a decimal point, so that 1, 1.0 and "1" agree.

    >>> to_labels(pl.Series([1.0, 2.0])).to_list()
    ['1', '2']
    """
    if series.dtype == pl.Float64 and is_integer(series):
        series = series.cast(pl.Int64)
    return series.cast(pl.String)


def is_integer(series: pl.Series) -> bool:
    """Whether a numeric column holds whole numbers only."""
    if series.dtype == pl.Int64:
        return True
    if series.dtype != pl.Float64:
        return False
    present = series.drop_nulls()
    return bool(((present == present.round()) & (present.abs() < 2.0**53)).all())


def is_truth(series: pl.Series) -> bool:
    """Whether a column is Boolean, or text that says true/false or yes/no only."""
    if series.dtype == pl.Boolean:
        return True
    if series.dtype != pl.String or series.null_count() == len(series):
        return False
    return _says_truth(series.head(50)) and _says_truth(series)


def _says_truth(series: pl.Series) -> bool:
    words = set(series.str.to_lowercase().unique().drop_nulls().to_list())
    return words <= {"true", "false"} or words <= {"yes", "no"}


def is_date(series: pl.Series) -> bool:
    """Whether a column holds dates, or text in ISO form (2024-05-31, 2024-05-31T12:00:00Z)."""
    if series.dtype in (pl.Date, pl.Datetime):
        return True
    if series.dtype != pl.String or series.null_count() == len(series):
        return False
    present = series.drop_nulls()
    if not present.head(20).str.contains(_DATE).all():
        return False
    return _days_of_text(present).null_count() == 0


def to_days(series: pl.Series) -> pl.Series:
    """Return dates as days since 1970-01-01 (UTC if a zone is known); unreadable text becomes null."""
    if series.dtype == pl.Date:
        return series.to_physical().cast(pl.Float64)
    if series.dtype == pl.Datetime:
        return series.dt.epoch("us").cast(pl.Float64) / (1e6 * _DAY)
    return _days_of_text(series)


def _days_of_text(series: pl.Series) -> pl.Series:
    parts = series.str.extract_groups(_DATE).struct.unnest()
    day, hour, minute, second, zone = (parts.to_series(i) for i in range(5))
    days = day.str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False).to_physical().cast(pl.Float64)
    seconds = sum(
        part.cast(pl.Float64).fill_null(0.0) * unit for part, unit in ((hour, 3600.0), (minute, 60.0), (second, 1.0))
    )
    digits = zone.str.replace_all("[:Z]", "").cast(pl.Float64, strict=False).fill_null(0.0)
    hours = (digits.abs() / 100).floor()
    offset = digits.sign() * (hours * 3600.0 + (digits.abs() - 100 * hours) * 60.0)
    return days + (seconds - offset) / _DAY


def to_numbers(series: pl.Series) -> pl.Series:
    """Return numbers as Float64; truth values become 0 and 1; unreadable text becomes null."""
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    return _nan_as_null(series.cast(pl.Float64, strict=False))


def _nan_as_null(series: pl.Series) -> pl.Series:
    """Return the numbers with NaN as null; a look with NumPy spares a few rows the engine of polars."""
    if series.null_count() == 0 and not np.isnan(series.to_numpy()).any():
        return series
    return series.fill_nan(None)


def to_times(series: pl.Series) -> pl.Series:
    """Return dates as days since 1970-01-01, and anything else as numbers."""
    return to_days(series) if is_date(series) else to_numbers(series)


def to_truth(series: pl.Series) -> pl.Series:
    """Return truth values as 0.0 and 1.0; anything else becomes null."""
    if series.dtype == pl.String:
        lower = series.str.to_lowercase()
        words = lower.replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean).cast(pl.Float64)
        return words.zip_with(words.is_not_null(), _zero_or_one(lower.cast(pl.Float64, strict=False)))
    if series.dtype == pl.Boolean:
        return series.cast(pl.Float64)
    return _zero_or_one(series.cast(pl.Float64, strict=False))


def _zero_or_one(series: pl.Series) -> pl.Series:
    return series.set((series != 0) & (series != 1), None)


def first_row(mask: pl.Series | np.ndarray, rows: np.ndarray | None = None) -> int:
    """Return the number of the first data row, counted from 1, where the mask is true."""
    position = int(np.argmax(np.asarray(mask, bool)))
    return (position if rows is None else int(rows[position])) + 1


def check_columns(table: pl.DataFrame, names: Iterable[str], why: str = "", *, data: str = "the data") -> None:
    """Raise a DataError that names the columns that a table lacks; `why` says what for, as a clause after a comma."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        raise DataError(
            f"{data} have no {columns} {listing(map(repr, missing))}{why}; their columns are: {listing(table.columns)}."
            + suggest(missing[0], table.columns)
        )


def check_read(series: pl.Series, read: pl.Series, what: str, rows: np.ndarray | None = None) -> None:
    """Check that nothing present was lost in reading, and that no number is infinite.

    Args:
        series: the column as given.
        read: the same column after `to_numbers`, `to_days` or `to_truth`.
        what: e.g. "numbers"; how the message says what was expected.
        rows: positions of the rows in the file, where some were left out.

    Raises:
        DataError: names the column, the first such row and what it holds.
    """
    lost = series.is_not_null() & read.is_null() if read.null_count() else None
    if lost is not None and lost.any():
        value = series.filter(lost)[0]
        raise DataError(
            f"column {series.name!r} must hold {what}, but row {first_row(lost, rows)} holds {value!r}; "
            "mend the value or leave it empty"
        )
    check_finite(series.name, read, rows)


def check_finite(name: str, read: pl.Series, rows: np.ndarray | None = None) -> None:
    """Check that no number is infinite.

    Raises:
        DataError: names the column and the first row with an infinity.
    """
    if read.dtype == pl.Float64:
        infinite = np.isinf(read.to_numpy())
        if infinite.any():
            raise DataError(
                f"column {name!r} is infinite in row {first_row(infinite, rows)}; "
                "give a finite number, or leave it empty if it is not known"
            )

"""The rows of a table as steps in time: in the order of series and time, with the distance between them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from shoal.data.conversion import check_columns, check_read, is_date, to_numbers, to_times
from shoal.data.series.recipe import Recipe
from shoal.errors import DataError

_REGULAR = 0.9  # of all steps in time, how many must be alike for a longer one to be a gap


@dataclass(frozen=True, eq=False)
class Steps:
    """The rows of a table in the order of series and time.

    Attributes:
        table: in that order.
        rows: `(steps,)` position in the table as it was given.
        run: `(steps,)` number of the series, counting up.
        times: `(steps,)` time, or number of the step within its series from 1 on.
        part: `(steps,)` as in `Cut`.
        notes: what was done, in sentences.
    """

    table: pl.DataFrame
    rows: np.ndarray
    run: np.ndarray
    times: np.ndarray
    part: np.ndarray
    notes: tuple[str, ...]

    @property
    def begins(self) -> np.ndarray:
        """The first step of each series."""
        return np.flatnonzero(np.diff(self.run, prepend=-1))

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each series."""
        return np.diff(self.begins, append=len(self.run))

    def numbers(self, name: str) -> np.ndarray:
        """Return `(steps,)` float64 values of a column, NaN where one is missing.

        Raises:
            DataError: a value that is no finite number; the message names the row.
        """
        series = self.table.get_column(name)
        read = to_numbers(series)
        check_read(series, read, "numbers", self.rows)
        return read.fill_null(float("nan")).to_numpy()

    def spacing(self) -> float | None:
        """Return the usual time between two steps of a series, or None where they differ too much."""
        same = np.diff(self.run) == 0
        gaps = np.diff(self.times)[same]
        if not len(gaps):
            return None
        usual = float(np.median(gaps))
        alike = np.abs(gaps - usual) <= 0.5 * usual
        return usual if usual > 0 and alike.mean() >= _REGULAR else None


def in_order(table: pl.DataFrame, recipe: Recipe, part: np.ndarray | None = None) -> Steps:
    """Return the rows of a tidied table in the order of series and time.

    Args:
        table: has the columns of the recipe.
        recipe: which columns name the series and the time.
        part: `(rows,)`; rows of different parts are different series.

    Raises:
        DataError: a column is missing, a row has no time or no series, or two rows of a series the same time.
    """
    needed = [name for name in (recipe.time, recipe.series, *recipe.channels) if name is not None]
    check_columns(table, needed, ", which series are made of")
    rows = table.height
    part = np.zeros(rows, np.int64) if part is None else part
    names, run = _runs(table, recipe, part)
    if recipe.time is None:
        order = np.argsort(run, kind="stable")
        place = np.arange(rows)
        begins = np.flatnonzero(np.diff(run[order], prepend=-1))
        times = (place - np.repeat(begins, np.diff([*begins, rows])) + 1).astype(np.float64)
        return Steps(table[order], order, run[order], times, part[order], ())
    times = read_times(table.get_column(recipe.time))
    order = np.lexsort((times, run))
    steps = Steps(table[order], order, run[order], times[order], part[order], ())
    _check_times(steps, recipe, names)
    given = np.argsort(run, kind="stable")
    moved = bool((np.diff(times[given])[np.diff(run[given]) == 0] < 0).any())
    return replace(steps, notes=(f"The rows were sorted by {recipe.time!r}.",)) if moved else steps


def read_times(series: pl.Series) -> np.ndarray:
    """Return `(rows,)` float64 times, in days since 1970 for dates.

    Raises:
        DataError: a time is missing or no finite number; the message names the row.
    """
    read = to_times(series)
    check_read(series, read, "numbers or dates")
    if read.null_count():
        row = int(read.is_null().arg_max() or 0) + 1
        raise DataError(f"column {series.name!r} must hold times, but row {row} holds nothing; mend it or drop the row")
    return read.to_numpy()


def times_like(times: np.ndarray, series: pl.Series) -> pl.Series:
    """Return times as a column of the kind of another: whole numbers, numbers, days or moments."""
    name = series.name
    if is_date(series):
        moments = pl.Series(name, np.round(times * 86400e6).astype(np.int64)).cast(pl.Datetime("us"))
        return moments.cast(pl.Date) if (times == np.floor(times)).all() else moments
    integers = series.dtype == pl.Int64 and bool((times == np.round(times)).all())
    return pl.Series(name, times.astype(np.int64) if integers else times)


def _runs(table: pl.DataFrame, recipe: Recipe, part: np.ndarray) -> tuple[pl.Series | None, np.ndarray]:
    """Return the names of the series, if they have any, and the number of the series of each row, in first order."""
    if recipe.series is None:
        return None, part.astype(np.int64)
    names = table.get_column(recipe.series)
    if names.null_count():
        row = int(names.is_null().arg_max() or 0) + 1
        raise DataError(f"column {names.name!r} must name the series of each row, but row {row} holds nothing")
    number = names.cast(pl.String).rank("dense").cast(pl.Int64).to_numpy() + part * (table.height + 1)
    _, first, run = np.unique(number, return_index=True, return_inverse=True)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return names, place[run]


def _check_times(steps: Steps, recipe: Recipe, names: pl.Series | None) -> None:
    twice = np.flatnonzero((np.diff(steps.run) == 0) & (np.diff(steps.times) == 0))
    if not len(twice):
        return
    at = int(twice[0])
    a, b = sorted(int(row) + 1 for row in steps.rows[at : at + 2])
    held = steps.table.get_column(recipe.time or "")[at]
    where = f" of series {names[a - 1]!r}" if names is not None else ""
    mend = "drop one" if names is not None else "drop one, or name the column that tells series apart (--series)"
    raise DataError(f"column {recipe.time!r} holds {str(held)!r} in rows {a} and {b}{where}; {mend}")

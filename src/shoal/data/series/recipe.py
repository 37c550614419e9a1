"""How the rows of a table become series: what the training data settled, so that other tables are cut alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import check_read, is_date, to_days, to_numbers
from shoal.errors import DataError, SettingError, listing, suggest

_REGULAR = 0.9  # of all steps in time, how many must be alike for a longer one to be a gap


@dataclass(frozen=True)
class Recipe:
    """How the rows of a table become series.

    Attributes:
        target: the columns to predict.
        channels: the columns that make a series, in their order.
        time: the column that orders the rows; None: they are in order.
        series: the column that says to which series a row belongs; None: there is one.
        window: steps in a window; None: each series is one row, with one label.
        horizon: how many values of each target a window predicts.
        spacing: time between steps, in days for dates; None: there is no time, or steps are not alike.
        season: steps after which the targets repeat, if the user said so.
        per_step: whether each step of a series has its own label.
    """

    target: tuple[str, ...]
    channels: tuple[str, ...]
    time: str | None = None
    series: str | None = None
    window: int | None = None
    horizon: int = 1
    spacing: float | None = None
    season: int | None = None
    per_step: bool = False

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise SettingError(f"window must be at least 1 step, got {self.window}")
        if self.horizon < 1:
            raise SettingError(f"horizon must be at least 1 step, got {self.horizon}")
        if self.season is not None and self.window is not None and not 1 <= self.season <= self.window:
            raise SettingError(
                f"season must be from 1 to the window's {self.window} steps, got {self.season}; "
                "a window must reach back a whole season"
            )

    @property
    def time_name(self) -> str:
        """The column of the table of windows that holds the time of the first predicted value."""
        return self.time or ("step" if "step" not in self.target else "step number")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Recipe:
        """Return the recipe that `to_dict` described."""
        given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in d.items()}
        return cls(**given)


@dataclass(frozen=True, eq=False)
class Cut:
    """Where the series of a dataset come from, one entry for each.

    Attributes:
        recipe: how they were cut.
        first: `(rows,)` place, among all steps in order, of the first value that the target is made of.
        last: `(rows,)` place of the last one.
        since: `(rows,)` the time of the first.
        until: `(rows,)` the time of the last.
        part: `(rows,)` 1 where it comes from a table of test rows of its own, else 0.
    """

    recipe: Recipe
    first: np.ndarray
    last: np.ndarray
    since: np.ndarray
    until: np.ndarray
    part: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Cut:
        times = self.since[rows], self.until[rows]
        return Cut(self.recipe, self.first[rows], self.last[rows], *times, self.part[rows])

    def outside_of(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return those of `rows` whose targets hold no value that the targets of `others` hold."""
        ends = np.zeros(int(self.last.max()) + 2, np.int64)
        np.add.at(ends, self.first[others], 1)
        np.add.at(ends, self.last[others] + 1, -1)
        covered = np.concatenate([[0], np.cumsum(np.cumsum(ends) > 0)])
        return rows[covered[self.last[rows] + 1] == covered[self.first[rows]]]


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
    _check_columns(table, recipe)
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
    notes = (f"The rows were sorted by {recipe.time!r}.",) if moved else ()
    return Steps(steps.table, order, steps.run, steps.times, steps.part, notes)


def read_times(series: pl.Series) -> np.ndarray:
    """Return `(rows,)` float64 times, in days since 1970 for dates.

    Raises:
        DataError: a time is missing or no finite number; the message names the row.
    """
    dates = is_date(series)
    read = to_days(series) if dates else to_numbers(series)
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
    whole = series.dtype == pl.Int64 and bool((times == np.round(times)).all())
    return pl.Series(name, times.astype(np.int64) if whole else times)


def _check_columns(table: pl.DataFrame, recipe: Recipe) -> None:
    wanted = [name for name in (recipe.time, recipe.series, *recipe.channels) if name is not None]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise DataError(
            f"the data have no column {listing(map(repr, missing))}, which series are made of; "
            f"their columns are: {listing(table.columns)}." + suggest(missing[0], table.columns)
        )


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

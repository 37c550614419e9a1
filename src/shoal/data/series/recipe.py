"""How the rows of a table become series: what the training data settled, so that other tables are cut alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import PlainRecord
from shoal.errors import SettingError


@dataclass(frozen=True)
class Recipe(PlainRecord):
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

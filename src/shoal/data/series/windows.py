"""Windows cut from one long series, or several: so many steps predict the next values of the target."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from shoal.data.conversion import tidy
from shoal.data.roles import Roles
from shoal.data.series.interpolation import fill_short_gaps
from shoal.data.series.recipe import Cut, Recipe
from shoal.data.series.steps import Steps, in_order, times_like
from shoal.data.signals import Signals
from shoal.errors import DataError, counted, listing

SHORT_GAP = 3
"""So many missing values in a row are filled in."""


class CutTable(NamedTuple):
    """What became of a table: one row for each series, the roles of its columns, the series, where they come from."""

    table: pl.DataFrame
    roles: Roles
    signals: Signals
    cut: Cut
    notes: tuple[str, ...]


def step_names(name: str, horizon: int) -> list[str]:
    """Return the names of the next values of a column.

    Example:
        >>> step_names("level", 2), step_names("level", 1)
        (['level +1', 'level +2'], ['level'])
    """
    return [name] if horizon == 1 else [f"{name} +{k}" for k in range(1, horizon + 1)]


def cut_windows(table: pl.DataFrame, roles: Roles, recipe: Recipe, part: np.ndarray | None = None) -> CutTable:
    """Cut windows whose targets are all known from a tidied table.

    Short gaps of missing values are filled in linearly, but never in the last step of a window and never in a
    target: the value behind the gap lies in the future of such a window.

    Args:
        table: one row for each step.
        roles: of its columns; weight, group and errors of a window are those of the values that it predicts.
        recipe: how to cut; its spacing is found here.
        part: `(rows,)`; rows of different parts are different series.

    Raises:
        DataError: no window fits, or the columns cannot be used; see `in_order`.

    Example:
        >>> table = pl.DataFrame({"y": [1.0, 2.0, 4.0, 8.0]})
        >>> cut = cut_windows(table, Roles(target=["y"]), Recipe(("y",), ("y",), window=2))
        >>> cut.signals.values[:, :, 0].tolist(), cut.table["y"].to_list()
        ([[1.0, 2.0], [2.0, 4.0]], [4.0, 8.0])
    """
    steps = in_order(table, recipe, part)
    recipe = replace(recipe, spacing=steps.spacing() if recipe.time else None)
    grid = _Grid(steps, recipe)
    starts = grid.starts(known=True)
    if not len(starts):
        raise DataError(grid.none_fits(known=True))
    columns, roles = _carried(steps, roles, recipe, starts + grid.window)
    errors = [column for name in roles.y_err for column in _ahead(steps, name, recipe, starts)]
    targets = grid.targets(starts)
    made = pl.DataFrame([*columns, grid.times(starts), *targets, *errors])
    named, y_err = ([column.name for column in some] for some in (targets, errors))
    roles = replace(roles, target=named, y_err=y_err, time=recipe.time_name)
    return CutTable(made, roles, grid.signals(starts), grid.cut(starts), (*steps.notes, *grid.notes(starts)))


def windows_of(table: pl.DataFrame, recipe: Recipe, *, known: bool = False) -> tuple[pl.DataFrame, Signals]:
    """Return every window of another table, also those at the end whose targets are not known yet.

    Args:
        table: has the columns of the recipe; times in any order.
        recipe: as stored with a model.
        known: only windows whose targets are all known.

    Returns:
        A table with series, time of the first predicted value and targets (null where unknown), and the windows.

    Raises:
        DataError: a column is missing, or no window fits.

    Example:
        >>> recipe = Recipe(("y",), ("y",), window=2)
        >>> made, signals = windows_of(pl.DataFrame({"y": [1.0, 2.0, 4.0]}), recipe)
        >>> made.rows(), len(signals)
        ([(3, 4.0), (4, None)], 2)
    """
    steps = in_order(tidy(table), recipe)
    grid = _Grid(steps, recipe)
    starts = grid.starts(known=known)
    if not len(starts):
        raise DataError(grid.none_fits(known=known))
    columns = []
    if recipe.series is not None:
        columns = [steps.table.get_column(recipe.series).gather(starts)]
    return pl.DataFrame([*columns, grid.times(starts), *grid.targets(starts)]), grid.signals(starts)


class _Grid:
    """All steps with their values, and which windows can be cut from them."""

    def __init__(self, steps: Steps, recipe: Recipe) -> None:
        self.steps, self.recipe = steps, recipe
        self.window, self.horizon = recipe.window or 1, recipe.horizon
        self.values = np.stack([steps.numbers(name) for name in recipe.channels], axis=1)
        self.measured = ~np.isnan(self.values)
        self.filled = self.values.copy()
        ends = [*steps.begins.tolist(), len(self.values)]
        for begin, end in pairwise(ends):
            self.filled[begin:end] = fill_short_gaps(self.values[begin:end], SHORT_GAP)
        behind = np.diff(steps.run, prepend=-1) != 0
        if recipe.spacing is not None:
            behind |= np.diff(steps.times, prepend=np.inf) > 1.5 * recipe.spacing
        self.stretch = np.cumsum(behind)
        self.at = [recipe.channels.index(name) for name in recipe.target]

    def starts(self, *, known: bool) -> np.ndarray:
        """Return the first step of every window that can be used."""
        starts, last = self._fitting(self.stretch, known=known)
        usable = ~_any(np.isnan(self.filled).any(axis=1), starts, last) & self.measured[last].all(axis=1)
        if known:
            gone = ~self.measured[:, self.at].all(axis=1)
            usable &= ~_any(gone, last + 1, last + self.horizon)
        return starts[usable]

    def _fitting(self, stretch: np.ndarray, *, known: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return first and last steps of the windows that lie within one stretch, with their targets if known."""
        steps = self.window + (self.horizon if known else 0)
        starts = np.arange(max(0, len(stretch) - steps + 1))
        starts = starts[stretch[starts] == stretch[starts + steps - 1]]
        return starts, starts + self.window - 1

    def signals(self, starts: np.ndarray) -> Signals:
        windows = np.lib.stride_tricks.sliding_window_view(self.filled, self.window, axis=0)
        return Signals("series", windows[starts].transpose(0, 2, 1), self.recipe.channels)

    def times(self, starts: np.ndarray) -> pl.Series:
        """Return the time of the first predicted value, beyond the last step by the usual spacing."""
        last = starts + self.window - 1
        following = np.minimum(last + 1, len(self.stretch) - 1)
        there = (following > last) & (self.stretch[following] == self.stretch[last])
        spacing = self.recipe.spacing or self._usual_step()
        times = np.where(there, self.steps.times[following], self.steps.times[last] + spacing)
        name = self.recipe.time
        like = pl.Series(self.recipe.time_name, [0]) if name is None else self.steps.table.get_column(name)
        return times_like(times, like)

    def _usual_step(self) -> float:
        gaps = np.diff(self.steps.times)[np.diff(self.steps.run) == 0]
        return float(np.median(gaps)) if len(gaps) else 1.0

    def targets(self, starts: np.ndarray) -> list[pl.Series]:
        """Return the next values of every target, null where they are not known."""
        last = starts + self.window - 1
        columns = []
        for name, channel in zip(self.recipe.target, self.at, strict=True):
            for k, title in enumerate(step_names(name, self.horizon), 1):
                place = np.minimum(last + k, len(self.stretch) - 1)
                there = (last + k == place) & (self.stretch[place] == self.stretch[last])
                values = np.where(there, self.values[place, channel], np.nan)
                columns.append(pl.Series(title, values).fill_nan(None))
        return columns

    def cut(self, starts: np.ndarray) -> Cut:
        first = starts + self.window
        last = first + self.horizon - 1
        times = self.steps.times
        return Cut(self.recipe, first, last, times[first], times[last], self.steps.part[starts])

    def notes(self, starts: np.ndarray) -> list[str]:
        """Say how many windows there are, and which were left out."""
        within = len(self._fitting(self.stretch, known=True)[0])
        spanning = len(self._fitting(self.steps.run, known=True)[0]) - within
        notes = [self._summary(len(starts))]
        if spanning:
            notes.append(f"Left out {counted(spanning, 'window')} that would span a gap in {self.recipe.time!r}.")
        if self.recipe.time is not None and self.recipe.spacing is None:
            notes.append(f"The steps of {self.recipe.time!r} are not alike: rows count as steps, whatever the time.")
        filled = int((~self.measured & ~np.isnan(self.filled)).sum())
        if filled:
            notes.append(
                f"Filled in {counted(filled, 'missing value')} linearly, where {SHORT_GAP} or fewer follow each other."
            )
        if within > len(starts):
            notes.append(f"Left out {counted(within - len(starts), 'window')} with missing values.")
        return notes

    def _summary(self, count: int) -> str:
        number = len(self.steps.begins)
        of = "" if number == 1 else f" from {number:,} series"
        values = "the next value" if self.horizon == 1 else f"the next {self.horizon} values"
        target = listing(map(repr, self.recipe.target))
        return (
            f"Cut {counted(count, 'window')} of {counted(self.window, 'step')}{of}; each predicts {values} of {target}."
        )

    def none_fits(self, *, known: bool) -> str:
        """Say why there is no window."""
        longest = int(np.bincount(self.stretch).max()) if len(self.stretch) else 0
        behind = f" and the {self.horizon} behind it" if known else ""
        if longest < self.window + (self.horizon if known else 0):
            return (
                f"no window of {self.window} steps{behind} fits: the longest series has {longest} rows without a gap; "
                "choose a shorter window"
            )
        return f"every window of {self.window} steps{behind} holds missing values; fill them in or choose a shorter one"


def _any(marks: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return for each pair of places whether a mark is set from the first to the last."""
    count = np.concatenate([[0], np.cumsum(marks)])
    return np.asarray(count[last + 1] > count[first])


def _ahead(steps: Steps, name: str, recipe: Recipe, starts: np.ndarray) -> list[pl.Series]:
    values, first = steps.numbers(name), starts + (recipe.window or 1)
    titles = step_names(name, recipe.horizon)
    return [pl.Series(title, values[first + k]).fill_nan(None) for k, title in enumerate(titles)]


def _carried(steps: Steps, roles: Roles, recipe: Recipe, places: np.ndarray) -> tuple[list[pl.Series], Roles]:
    """Return the columns that a window takes from the first row that it predicts, and all roles but target and time."""
    if len(roles.y_err) == 1 and len(roles.target) > 1:
        raise DataError(f"windows need a column of errors for each target, got {roles.y_err[0]!r} for several")
    names = [name for name in (recipe.series, roles.group, roles.weight, roles.id) if name is not None]
    columns = [steps.table.get_column(name).gather(places) for name in dict.fromkeys(names)]
    series = recipe.series
    ignored = [] if series is None or series in (roles.group, roles.id) else [series]
    return columns, replace(roles, features=None, ignored=ignored)

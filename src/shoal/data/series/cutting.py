"""From a table whose rows are steps in time to series: the choice of channels, and which way to cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from shoal.data.roles import Roles
from shoal.data.series.long_tables import gather_series, series_of
from shoal.data.series.recipe import Recipe
from shoal.data.series.windows import CutTable, cut_windows, windows_of
from shoal.data.signals import Signals
from shoal.errors import DataError, SettingError, listing, suggest

_NUMBERS = (pl.Float64, pl.Int64, pl.Boolean)


@dataclass(frozen=True)
class Cutting:
    """How the user wants the rows of a table to become series.

    Attributes:
        window: steps in a window; None: one row for each whole series.
        horizon: how many next values of each target a window predicts.
        series: the column that says to which series a row belongs.
        season: steps after which the targets repeat.
        per_step: whether each step of a whole series has its own label; None: in arrays, their shapes tell.

    Raises:
        SettingError: a horizon or a season without a window, or labels of steps with one.
    """

    window: int | None = None
    horizon: int = 1
    series: str | None = None
    season: int | None = None
    per_step: bool | None = None

    def __post_init__(self) -> None:
        if self.per_step and self.window is not None:
            raise SettingError("per_step labels every step of whole series; leave out either it or the window")
        for name, given in (("horizon", self.horizon != 1), ("season", self.season is not None)):
            if given and self.window is None:
                raise SettingError(
                    f"{name} needs a window: how many steps the next values are predicted from (--window)"
                )

    @property
    def wanted(self) -> bool:
        """Whether rows shall become series at all."""
        return self.window is not None or self.series is not None


def cut_table(table: pl.DataFrame, roles: Roles, cutting: Cutting, part: np.ndarray | None = None) -> CutTable:
    """Return the series of a tidied table whose rows are steps, and what is to be predicted from each.

    Args:
        table: one row for each step.
        roles: of its columns; the targets are named.
        cutting: how.
        part: `(rows,)`; rows of different parts are different series.

    Raises:
        DataError: a target that windows shall forecast holds no numbers; no column can be a channel.
        SettingError: a window or horizon below 1, a season longer than the window.
    """
    channels, notes = _channels(table, roles, cutting)
    recipe = Recipe(
        tuple(roles.target),
        channels,
        time=roles.time,
        series=cutting.series,
        window=cutting.window,
        horizon=cutting.horizon,
        season=cutting.season,
        per_step=bool(cutting.per_step),
    )
    cut = (gather_series if recipe.window is None else cut_windows)(table, roles, recipe, part)
    return cut._replace(notes=(*cut.notes, *notes))


def cut_again(table: pl.DataFrame, recipe: Recipe, *, known: bool = False) -> tuple[pl.DataFrame, Signals]:
    """Return the series of another table, cut as those that a model was trained on.

    Args:
        table: one row for each step, as read.
        recipe: as stored with the model.
        known: only series whose targets are known.
    """
    return (series_of if recipe.window is None else windows_of)(table, recipe, known=known)


def _channels(table: pl.DataFrame, roles: Roles, cutting: Cutting) -> tuple[tuple[str, ...], list[str]]:
    """Return the columns of a series, targets first where they are forecast, and sentences on what was left out."""
    _check_series(table, roles, cutting.series)
    forecast = list(roles.target) if cutting.window is not None else []
    for name in forecast:
        if table.get_column(name).dtype not in _NUMBERS:
            raise DataError(
                f"a window predicts the next numbers of its target, but column {name!r} holds text or dates; "
                "name another target, or give --series without --window to classify whole series"
            )
    taken = {name for _, name in roles.pairs()} | {cutting.series}
    notes = []
    asked = bool(roles.features)
    free = [name for name in (roles.features or table.columns) if name not in taken]
    text = [name for name in free if table.get_column(name).dtype not in _NUMBERS]
    if text and asked:
        raise DataError(f"column {text[0]!r} holds text or dates; the channels of a series are numbers")
    same = [name for name in free if name not in text and table.get_column(name).drop_nulls().n_unique() < 2]
    if text:
        notes.append(f"Left out {listing(map(repr, text))}: no numbers, which the channels of a series are.")
    if same:
        notes.append(f"Left out {listing(map(repr, same))}: the same in every row.")
    channels = (*forecast, *(name for name in free if name not in text and name not in same))
    if not channels:
        raise DataError("no column of numbers is left to make a series of, beside the target and other roles")
    return channels, notes


def _check_series(table: pl.DataFrame, roles: Roles, series: str | None) -> None:
    if series is not None and series not in table.columns:
        raise DataError(
            f"no column {series!r} for the series; the columns are: {listing(table.columns)}."
            + suggest(series, table.columns)
        )
    role = next((role for role, name in roles.pairs() if name == series and role not in ("group", "id")), None)
    if role is not None:
        raise DataError(f"column {series!r} is given as {role} and as series; give it one role")

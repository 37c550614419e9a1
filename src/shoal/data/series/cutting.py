"""From a table whose rows are steps in time to series: the choice of channels, and which way to cut."""

from __future__ import annotations

import numpy as np
import polars as pl

from shoal.data.roles import Roles
from shoal.data.series.long_tables import gather_series, series_of
from shoal.data.series.recipe import Recipe
from shoal.data.series.windows import CutTable, cut_windows, windows_of
from shoal.data.signals import Signals
from shoal.errors import DataError, SettingError, listing, suggest

_NUMBERS = (pl.Float64, pl.Int64, pl.Boolean)


def cut_table(
    table: pl.DataFrame,
    roles: Roles,
    *,
    window: int | None = None,
    horizon: int = 1,
    series: str | None = None,
    season: int | None = None,
    part: np.ndarray | None = None,
    per_step: bool = False,
) -> CutTable:
    """Return the series of a tidied table whose rows are steps, and what is to be predicted from each.

    Args:
        table: one row for each step.
        roles: of its columns; the targets are named.
        window: steps in a window; None: one row for each whole series.
        horizon: how many next values of each target a window predicts.
        series: the column that says to which series a row belongs.
        season: steps after which the targets repeat.
        part: `(rows,)`; rows of different parts are different series.
        per_step: whether each step of a whole series has its own label.

    Raises:
        DataError: a target that windows shall forecast holds no numbers; no column can be a channel.
        SettingError: a window or horizon below 1, a season longer than the window.
    """
    notes: list[str] = []
    channels = _channels(table, roles, window, series, notes)
    recipe = Recipe(
        tuple(roles.target), channels, roles.time, series, window, horizon, season=season, per_step=per_step
    )
    cut = (gather_series if window is None else cut_windows)(table, roles, recipe, part)
    return cut._replace(notes=(*cut.notes, *notes))


def cut_again(table: pl.DataFrame, recipe: Recipe, *, known: bool = False) -> tuple[pl.DataFrame, Signals]:
    """Return the series of another table, cut as those that a model was trained on.

    Args:
        table: one row for each step, as read.
        recipe: as stored with the model.
        known: only series whose targets are known.
    """
    return (series_of if recipe.window is None else windows_of)(table, recipe, known=known)


def check_cutting(window: int | None, horizon: int, season: int | None, per_step: bool | None = None) -> None:
    """Refuse a horizon or a season without a window, and labels of steps with one.

    Raises:
        SettingError: says which is missing, or too much.
    """
    if per_step and window is not None:
        raise SettingError("per_step labels every step of whole series; leave out either it or the window")
    for name, given in (("horizon", horizon != 1), ("season", season is not None)):
        if given and window is None:
            raise SettingError(f"{name} needs a window: how many steps the next values are predicted from (--window)")


def _channels(
    table: pl.DataFrame, roles: Roles, window: int | None, series: str | None, notes: list[str]
) -> tuple[str, ...]:
    """Return the columns of a series: the targets first where they are forecast, then all others with numbers."""
    _check_series(table, roles, series)
    if window is not None:
        for name in roles.target:
            _check_target(table.get_column(name))
    taken = {name for _, name in roles.pairs()} | {series}
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
    others = tuple(name for name in free if name not in text and name not in same)
    channels = (*(roles.target if window is not None else ()), *others)
    if not channels:
        raise DataError("no column of numbers is left to make a series of, beside the target and other roles")
    return channels


def _check_series(table: pl.DataFrame, roles: Roles, series: str | None) -> None:
    if series is not None and series not in table.columns:
        raise DataError(
            f"no column {series!r} for the series; the columns are: {listing(table.columns)}."
            + suggest(series, table.columns)
        )
    role = next((role for role, name in roles.pairs() if name == series and role not in ("group", "id")), None)
    if role is not None:
        raise DataError(f"column {series!r} is given as {role} and as series; give it one role")


def _check_target(target: pl.Series) -> None:
    if target.dtype not in _NUMBERS:
        raise DataError(
            f"a window predicts the next numbers of its target, but column {target.name!r} holds text or dates; "
            "name another target, or give --series without --window to classify whole series"
        )

"""Long tables: one row for each step of many series become one row for each series, labelled whole or step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from shoal.data.conversion import tidy
from shoal.data.roles import Roles
from shoal.data.series.recipe import Cut, Recipe
from shoal.data.series.step_targets import StepTargets, rows_or_nothing
from shoal.data.series.steps import Steps, in_order
from shoal.data.series.windows import CutTable
from shoal.data.signals import Signals
from shoal.errors import DataError, counted


def gather_series(table: pl.DataFrame, roles: Roles, recipe: Recipe, part: np.ndarray | None = None) -> CutTable:
    """Return one row for each series of a tidied table; shorter series are padded.

    Args:
        table: one row for each step.
        roles: of its columns; targets, weight, group and errors must be the same in all rows of a series, but for the
            targets of a recipe with a label for each step.
        recipe: names the columns of series, time and channels.
        part: `(rows,)`; rows of different parts are different series.

    Raises:
        DataError: a target changes within a series (its rows are named), each step has a label and an error, or see
            `in_order`.

    Example:
        >>> table = pl.DataFrame({"run": ["a", "a", "b"], "v": [1.0, 2.0, 3.0], "kind": ["x", "x", "y"]})
        >>> made = gather_series(table, Roles(target=["kind"]), Recipe(("kind",), ("v",), series="run"))
        >>> made.table.rows(), made.signals.lengths.tolist()
        ([('a', 'x'), ('b', 'y')], [2, 1])
    """
    if recipe.per_step and roles.y_err:
        raise DataError(
            f"the targets of single steps can have no measured errors yet; leave out y_err={roles.y_err[0]!r}"
        )
    steps = in_order(table, recipe, part)
    answers = [] if recipe.per_step else [*roles.target, *roles.y_err]
    names = [recipe.series, roles.group, roles.weight, roles.id, *answers]
    columns = [_constant(steps, name, recipe) for name in dict.fromkeys(n for n in names if n is not None)]
    roles = _roles_of_series(roles, recipe)
    begins = steps.begins
    last = begins + steps.lengths - 1
    cut = Cut(recipe, begins, last, steps.times[begins], steps.times[last], steps.part[begins])
    signals = _signals(steps, recipe, known=recipe.per_step)
    shortest, longest = int(steps.lengths.min()), int(steps.lengths.max())
    of = counted(longest, "step") if shortest == longest else f"{shortest} to {longest} steps"
    notes = (*steps.notes, f"Gathered {len(begins):,} series of {of} by {recipe.series!r}.")
    return CutTable(pl.DataFrame(columns), roles, signals, cut, notes)


def _roles_of_series(roles: Roles, recipe: Recipe) -> Roles:
    """Return the roles of a table of series: the column of series names its rows, unless it groups them."""
    roles = replace(roles, features=None, ignored=[], time=None)
    if recipe.series in (roles.group, roles.id):
        return roles
    role = {"id": recipe.series} if roles.id is None else {"ignored": [recipe.series]}
    return replace(roles, **role)


def series_of(table: pl.DataFrame, recipe: Recipe, *, known: bool = False) -> tuple[pl.DataFrame, Signals]:
    """Return each series of another table, with its targets if they are wanted.

    Raises:
        DataError: a column is missing; with `known`, a target changes within a series.
    """
    steps = in_order(tidy(table), recipe)
    with_targets = known and not recipe.per_step
    names = [recipe.series or "", *(recipe.target if with_targets else ())]
    columns = [_constant(steps, name, recipe) for name in names if name in table.columns]
    return pl.DataFrame(columns), _signals(steps, recipe, known=known and recipe.per_step)


def steps_of(table: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Return the steps of a table in the order of series and time, which is that of their predictions."""
    return in_order(tidy(table), recipe).table


def _constant(steps: Steps, name: str, recipe: Recipe) -> pl.Series:
    """Return the value that a column has in every series."""
    column, begins = steps.table.get_column(name), steps.begins
    expected = column.gather(np.repeat(begins, steps.lengths))
    odd = (~column.eq_missing(expected)).to_numpy()
    if odd.any():
        at = int(odd.argmax())
        begin = int(begins[steps.run[at] - steps.run[0]])
        which = steps.table.get_column(recipe.series or "")[at]
        raise DataError(
            f"column {name!r} must hold one value for each series, but of series {which!r} row "
            f"{int(steps.rows[begin]) + 1} holds {column[begin]!r} and row {int(steps.rows[at]) + 1} {column[at]!r}; "
            "to predict a label for each step, say so with per_step (--per-step); to predict the next values of a "
            "series, give a window"
        )
    return column.gather(begins)


def _signals(steps: Steps, recipe: Recipe, *, known: bool) -> Signals:
    """Return the series, with the targets of their steps if those are known."""
    begins, lengths = steps.begins, steps.lengths
    values = np.zeros((len(begins), int(lengths.max()), len(recipe.channels)))
    row = np.repeat(np.arange(len(begins)), lengths)
    place = np.arange(len(steps.run)) - np.repeat(begins, lengths)
    for i, name in enumerate(recipe.channels):
        values[row, place, i] = steps.numbers(name)
    ends = lengths if np.ptp(lengths) else None
    if not known:
        return Signals("series", values, recipe.channels, ends)
    at = np.full(values.shape[:2], -1)
    at[row, place] = np.arange(len(steps.run))
    targets = StepTargets.of(rows_or_nothing(steps.table.select(recipe.target), at.reshape(-1)), values.shape[1])
    return Signals("series", values, recipe.channels, ends, targets)

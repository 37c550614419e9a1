"""The rows on which a finished run is looked at again: its own test rows, or others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data import ReadOptions
from shoal.data.raw import Raw, read_any
from shoal.data.roles import Roles
from shoal.errors import DataError, RunError
from shoal.evaluation.reuse import holds_test_rows
from shoal.evaluation.scoring import Rows, best_guess
from shoal.run import Run
from shoal.settings import kept_settings
from shoal.steps import read


@dataclass(frozen=True)
class ChosenRows:
    """Labelled rows of a table, and where they stand in the data of the fit.

    Attributes:
        table: the rows as read.
        what: they are called.
        own: whether they are the test rows of the run.
        places: `(rows,)` positions in the data of the fit, from 0; None for other rows.
        known: positions there of all rows that have a target, and `truth`, their targets; None for other rows.
        groups: `(rows,)` number of the group of each row, from 0; None where there are no groups.
    """

    table: pl.DataFrame
    what: str
    own: bool = False
    places: np.ndarray | None = None
    known: np.ndarray | None = None
    truth: np.ndarray | None = None
    groups: np.ndarray | None = None


def choose_rows(run: Run, data: Any, options: ReadOptions | None) -> ChosenRows:
    """Return the test rows of a run, read again from its source, or the rows of other data.

    Data that are those of the fit give its test rows, too.

    Raises:
        RunError: the source is gone, has changed, or was in Python.
        DataError: the data cannot be used.
    """
    if data is None:
        return test_rows(run)
    raw = read_any(data, options or ReadOptions())
    if raw.signals is not None:
        raise DataError(f"{raw.source} holds {raw.signals.kind}, but the run predicts from the columns of a table")
    chosen = ChosenRows(raw.table, f"rows of {raw.source!r}" if raw.source != "python" else "rows given")
    column = run.folder.config["settings"].get("group")
    if column in raw.table.columns:
        chosen = ChosenRows(chosen.table, chosen.what, groups=group_numbers(raw.table.get_column(column)))
    return _own_among(run, chosen)


def test_rows(run: Run) -> ChosenRows:
    """Return the test rows of a run, read again from where the fit read them.

    Raises:
        RunError: the source is gone or has changed, or the data were in Python.
    """
    config = run.folder.config
    source = run.folder.source
    if source is None:
        raise RunError(f"{run.name} was fitted on data in Python, which it does not keep; give them, or other rows")
    try:
        dataset, split = read(source, kept_settings(config["settings"]))
    except DataError as error:
        raise RunError(
            f"the test rows of {run.name} are read again from its source, but {error} Give other rows instead"
        ) from None
    if dataset.sha256 != config["data"]["sha256"]:
        raise RunError(f"the data in {source!r} have changed since {run.name} was fitted; give other rows instead")
    column = dataset.roles.group
    table = dataset.table[split.test]
    return ChosenRows(
        table,
        f"test rows of {run.name}",
        own=True,
        places=dataset.kept[split.test],
        known=dataset.kept,
        truth=dataset.y(),
        groups=None if column is None else group_numbers(table.get_column(column)),
    )


def _own_among(run: Run, chosen: ChosenRows) -> ChosenRows:
    """Return the test rows of the run, where rows are those or all of its data; others as they are."""
    if not run.folder.has_scored:
        return chosen
    kept = run.folder.scored("test")
    rows = labelled(run, chosen.table)
    guess = best_guess(run.predictor.predict_features(rows.x))
    if not holds_test_rows(kept, run.predictor.preparation.task, rows.y, guess):
        return chosen
    what = f"test rows of {run.name}"
    if len(rows.y) == len(kept.rows):
        return ChosenRows(chosen.table, what, own=True, groups=chosen.groups)
    groups = None if chosen.groups is None else np.unique(chosen.groups[kept.rows], return_inverse=True)[1]
    return ChosenRows(chosen.table[kept.rows], what, True, kept.rows, np.arange(len(rows.y)), rows.y, groups)


def labelled(run: Run, table: pl.DataFrame) -> Rows:
    """Return the rows of a table as `Run.labelled` does."""
    return run.labelled(Raw("data", "python", table, Roles()))


def same_events(run: Run, chosen: ChosenRows, other: pl.DataFrame) -> pl.DataFrame:
    """Return the part of another table that holds the chosen rows once more, where it is a copy of all data of the fit.

    A copy is a table whose targets are those of the fit, row by row; of others all rows are returned.
    """
    if chosen.places is None or chosen.known is None or other.height <= chosen.known.max():
        return other
    if other.height == chosen.table.height:
        return other
    try:
        truth = run.predictor.preparation.target_values(other[chosen.known])
    except DataError:
        return other
    return other[chosen.places] if chosen.truth is not None and np.array_equal(truth, chosen.truth) else other


def group_numbers(column: pl.Series) -> np.ndarray:
    """Return the number of the group of each row, counted from 0."""
    return (column.cast(pl.String).rank("dense").cast(pl.Int64) - 1).fill_null(0).to_numpy().copy()

"""The rows whose inputs are varied, as they are: the test rows of a finished run, or other labelled rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.after.rows_of_fit import Refusals, read_rows_of_fit
from shoal.data import ReadOptions
from shoal.data.conversion import to_labels
from shoal.data.new_rows import read_new
from shoal.data.raw import Raw
from shoal.data.roles import Roles
from shoal.errors import DataError
from shoal.evaluation.reuse import holds_test_rows
from shoal.evaluation.scoring import Rows, best_guess
from shoal.run import Run

REFUSALS = Refusals(
    not_kept="{run} was fitted on data in Python, which it does not keep; give them, or other rows",
    unreadable="the test rows of {run} are read again from its source, but {error} Give other rows instead",
    changed="the data in {source!r} have changed since {run} was fitted; give other rows instead",
)


@dataclass(frozen=True)
class PlacesInData:
    """Where rows stand in the data of the fit.

    Attributes:
        rows: `(rows,)` positions, from 0.
        labelled: positions of all rows that have a target.
        truth: the targets of these.
    """

    rows: np.ndarray
    labelled: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class NominalRows:
    """Labelled rows of a table.

    Attributes:
        table: the rows as read.
        what: they are called.
        groups: `(rows,)` number of the group of each row, from 0; None where there are no groups.
        of_test: whether they are the test rows of the run.
        places: where they stand in the data of the fit; None where that is not known.
        passed: `(rows,)`, which of them pass the cuts of the fit, where others are among them; None: all do.
    """

    table: pl.DataFrame
    what: str
    groups: np.ndarray | None = None
    of_test: bool = False
    places: PlacesInData | None = None
    passed: np.ndarray | None = None


def nominal_rows(run: Run, data: Any, options: ReadOptions | None) -> NominalRows:
    """Return the test rows of a run, read again from its source, or the rows of other data.

    Data that are those of the fit give its test rows, too.

    Raises:
        RunError: the source is gone, has changed, or was in Python.
        DataError: the data cannot be used.
    """
    run.folder.check_test_opened()
    if data is None:
        return _test_rows(run)
    raw = read_new(data, run.predictor.preparation, options)
    raw.check_passed()
    if raw.signals is not None:
        raise DataError(f"{raw.source} holds {raw.signals.kind}, but the run predicts from the columns of a table")
    groups = run.groups(raw.table)
    what = f"rows of {raw.source!r}" if raw.source != "python" else "rows given"
    table = run.predictor.preparation.reading.read_table(raw.table)
    rows = _test_rows_among(run, NominalRows(table, what, groups))
    return rows if rows.of_test else _with_those_cut_away(run, raw, rows)


def _with_those_cut_away(run: Run, raw: Raw, rows: NominalRows) -> NominalRows:
    """Return rows with those of known target that fail the cuts of the fit, since they may pass when varied."""
    preparation, refined = run.preparation, raw.refined
    if refined is None or refined.passed is None or refined.passed.all():
        return rows
    table, known = preparation.reading.read_table(refined.table), refined.passed.copy()
    for target in preparation.targets:
        column = table.get_column(target)
        of_target = to_labels(column).is_in(preparation.classes) if preparation.classes else column.is_not_null()
        known |= of_target.fill_null(False).to_numpy()
    passed = refined.passed[known]
    return replace(rows, table=table.filter(known), groups=run.groups(table.filter(known)), passed=passed)


def _test_rows(run: Run) -> NominalRows:
    """Return the test rows of a run, read again from where the fit read them."""
    fit = read_rows_of_fit(run, REFUSALS)
    dataset, test = fit.dataset, fit.split.test
    places = PlacesInData(dataset.kept[test], dataset.kept, dataset.y())
    return NominalRows(dataset.table[test], f"test rows of {run.name}", fit.groups(test), of_test=True, places=places)


def _test_rows_among(run: Run, rows: NominalRows) -> NominalRows:
    """Return the test rows of the run, where rows are those or all of its data; others as they are."""
    if not run.folder.has_scored:
        return rows
    kept = run.folder.scored("test")
    labelled = labelled_rows(run, rows.table)
    guess = best_guess(run.predictor.predict_features(labelled.x))
    if not holds_test_rows(kept, run.predictor.preparation.task, labelled.y, guess):
        return rows
    what = f"test rows of {run.name}"
    if len(labelled.y) == len(kept.rows):
        return replace(rows, what=what, of_test=True)
    groups = None if rows.groups is None else np.unique(rows.groups[kept.rows], return_inverse=True)[1]
    places = PlacesInData(kept.rows, np.arange(len(labelled.y)), labelled.y)
    return NominalRows(rows.table[kept.rows], what, groups, of_test=True, places=places)


def labelled_rows(run: Run, table: pl.DataFrame) -> Rows:
    """Return the rows of a table as `Run.labelled` does."""
    return run.labelled(Raw("data", "python", table, Roles()))


def same_events(run: Run, nominal: NominalRows, other: pl.DataFrame) -> pl.DataFrame:
    """Return the part of another table that holds the nominal rows once more, if it is a copy of all data of the fit.

    A copy is a table whose targets are those of the fit, row by row; of others all rows are returned.
    """
    places = nominal.places
    if places is None or other.height <= places.labelled.max() or other.height == nominal.table.height:
        return other
    try:
        truth = run.predictor.preparation.target_values(other[places.labelled])
    except DataError:
        return other
    return other[places.rows] if np.array_equal(truth, places.truth) else other

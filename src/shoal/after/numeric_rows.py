"""The rows of the fit of a finished run as numbers, on which formulas are found and scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.after.rows_of_fit import Refusals, RowsOfFit, read_rows_of_fit
from shoal.data.conversion import tidy_column, to_numbers
from shoal.evaluation.formula.formulas import ScoringRows, as_guess
from shoal.evaluation.formula.sample import ensemble_answer
from shoal.run import Run

REFUSALS = Refusals(
    not_kept="{run} was fitted on data from Python, which are not kept; hand them over again",
    unreadable="the rows of {run} cannot be read again: {error} If they are elsewhere now, name the file: shoal "
    "formula RUN DATA",
    changed="{run} was fitted on other data than those in {source!r} (their checksums differ); a formula is found on "
    "the rows of the fit",
)


@dataclass(frozen=True)
class NumericRows:
    """The rows of the fit, and their columns as numbers `(rows, columns)`, NaN where missing."""

    fit: RowsOfFit
    x: np.ndarray

    def known(self) -> np.ndarray:
        """Return the training and validation rows without missing values, `(rows, columns)`."""
        rows = self.x[np.union1d(self.fit.split.train, self.fit.split.validation)]
        return rows[np.isfinite(rows).all(axis=1)]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the rows."""
        missing = int((~np.isfinite(self.x)).any(axis=1).sum())
        notes = [f"{missing:,} rows with a missing value are left out"] if missing else []
        if self.fit.folds is not None:
            notes.append(
                "The networks have learned from the validation rows in other folds, and the formula from the "
                "networks: scores on these rows flatter it"
            )
        return tuple(notes)

    def part(self, run: Run, number: int, name: str) -> ScoringRows:
        """Return the validation or test rows, with what the ensemble says of them of one target or class."""
        rows, answering = (self.fit.split.test, None) if name == "test" else self.fit.validation(run.predictor)
        complete = np.isfinite(self.x[rows]).all(axis=1)
        answering = None if answering is None else answering[:, complete]
        rows = rows[complete]
        x, y = self.x[rows], self.fit.dataset.y()[rows]
        truth = (y == number).astype(np.int64) if self.fit.dataset.classes else y[:, number : number + 1]
        answers, _, _ = ensemble_answer(run.predictor, number, x, answering)
        guess = as_guess(run.predictor.preparation.task, answers)
        return ScoringRows(name, x, truth, guess, self.fit.weights(rows), self.fit.groups(rows))


def numeric_rows(run: Run, data: Any = None) -> NumericRows:
    """Return the rows of the fit of a run that predicts from numbers.

    Raises:
        RunError: they cannot be read again, or are no longer the same.
    """
    fit = read_rows_of_fit(run, REFUSALS, data)
    names = run.predictor.preparation.input_columns
    columns = [to_numbers(tidy_column(fit.dataset.table.get_column(name))).fill_null(np.nan) for name in names]
    return NumericRows(fit, np.stack([column.cast(float).to_numpy() for column in columns], axis=1))

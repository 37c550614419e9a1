"""Whether rows that a run is asked about are its own test rows, so that the use can be counted."""

from __future__ import annotations

import numpy as np

from shoal.evaluation.predicted_rows import PredictedRows
from shoal.prediction.scored import Scored
from shoal.results import Task


def holds_test_rows(kept: PredictedRows, task: Task, y: np.ndarray, guess: np.ndarray) -> bool:
    """Return whether rows are the test rows of a run, or all rows of its data in their order.

    Other rows do not have the same targets and the same predictions, all of them.

    Args:
        kept: the test rows as the run keeps them.
        task: of the run.
        y: targets of the rows in question, as `Dataset.y` has them.
        guess: what the run predicts for them.

    Example:
        >>> kept = PredictedRows(np.array([1]), np.array([[2.0]]), np.array([[2.5]]))
        >>> y, guess = np.array([[1.0], [2.0]]), np.array([[1.5], [2.5]])
        >>> holds_test_rows(kept, Task.REGRESSION, y, guess), holds_test_rows(kept, Task.REGRESSION, y[:1], guess[:1])
        (True, False)
    """
    return any(_same(kept, task, y[rows], guess[rows]) for rows in _parts(kept, len(y)))


def _parts(kept: PredictedRows, rows: int) -> list[np.ndarray]:
    """Return which rows could be the test rows: all of them, or those at their places in the data."""
    at_places = [kept.rows] if rows > kept.rows.max() else []
    return [np.arange(rows), *at_places] if rows >= len(kept.rows) else at_places


def _same(kept: PredictedRows, task: Task, y: np.ndarray, guess: np.ndarray) -> bool:
    scored = Scored.of(task, y, None)
    predicted = scored.taken(guess)
    if scored.truth.shape != kept.truth.shape or predicted.shape != kept.guess.shape:
        return False
    return bool(np.array_equal(scored.truth, kept.truth) and np.allclose(predicted, kept.guess, rtol=1e-3, atol=1e-6))

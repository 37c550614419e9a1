"""What scores are taken over: all rows, or all steps of series that have a target."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.results import Task
from shoal.training.problem import steps_present


@dataclass(frozen=True)
class Scored:
    """Truth and weights, one entry for each row or each step with a target.

    Attributes:
        truth: class numbers `(entries,)`, or values `(entries, targets)`.
        weights: `(entries,)` or None.
        series: `(entries,)` number of the series of each step, counted from 0; None where entries are rows. Intervals
            draw whole series, since steps of one are no independent measurements.
        present: `(rows, time)`, which steps are entries; None where rows are.
    """

    truth: np.ndarray
    weights: np.ndarray | None
    series: np.ndarray | None = None
    present: np.ndarray | None = None

    @classmethod
    def of(cls, task: Task, y: np.ndarray, weights: np.ndarray | None) -> Scored:
        """Return what is scored, from targets as `Dataset.y` has them and weights of rows, or `(rows, time)` of steps.

        Example:
            >>> scored = Scored.of(Task.CLASSIFICATION, np.array([[0, 1], [1, -1]]), np.array([1.0, 2.0]))
            >>> scored.truth.tolist(), scored.weights.tolist(), scored.series.tolist()
            ([0, 1, 1], [1.0, 1.0, 2.0], [0, 0, 1])
        """
        present = steps_present(task, y)
        if present is None:
            return cls(y, weights)
        rows, _ = np.nonzero(present)
        _, series = np.unique(rows, return_inverse=True)
        if weights is not None:
            weights = weights[present] if np.ndim(weights) == 2 else np.asarray(weights)[rows]
        return cls(y[present], weights, series, present)

    def weighed_by_class(self, class_weight: np.ndarray) -> Scored:
        """Return entries that also count as their classes do, `(classes,)`."""
        weights = class_weight[self.truth] * (1.0 if self.weights is None else self.weights)
        return replace(self, weights=weights)

    def taken(self, values: np.ndarray) -> np.ndarray:
        """Return predictions `(rows, ...)`, or `(rows, time, ...)` of steps, for the entries."""
        return values if self.present is None else values[self.present]

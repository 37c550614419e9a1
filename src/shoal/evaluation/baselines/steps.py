"""What simple methods reach where each step of a series has a target.

They are those for tables: most frequent class or mean, logistic or ridge regression, and gradient boosting, which see
each step with its `NEIGHBOURS` neighbours on both sides; beyond the ends of a series stand zeros, the mean. They learn
from `MOST_STEPS` steps at most, drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.evaluation.baselines.series import Learned, split_padding
from shoal.prediction.scored import Scored
from shoal.results import Task

NEIGHBOURS = 3
MOST_STEPS = 20_000
PLAIN = ("most_frequent", "mean")
"""Methods that look at no neighbours."""


def learn_step_baselines(
    task: Task, x: np.ndarray, y: np.ndarray, weights: Any, seed: int, learn: Callable[..., Learned]
) -> Learned:
    """Fit simple methods on single steps and return the function that predicts for all steps of other series.

    Args:
        task: classification or regression.
        x: prepared series `(rows, time, channels)`.
        y: classes `(rows, time)`, -1 where there is none; or values `(rows, time, targets)`, NaN there.
        weights: of the series, `(rows,)` or None.
        seed: of the steps that are drawn.
        learn: `(features, y, weights) -> learned`, the methods for tables.

    Returns:
        From series to name and `(rows, time, classes)` probabilities or `(rows, time, targets)` values.
    """
    scored = Scored.of(task, np.asarray(y), weights)
    assert scored.present is not None
    rows, steps = np.nonzero(scored.present)
    taken = np.arange(len(rows))
    if len(taken) > MOST_STEPS:
        taken = np.sort(np.random.default_rng(seed).choice(taken, MOST_STEPS, replace=False))
    features = neighbourhoods(x, rows[taken], steps[taken])
    learned = learn(features, scored.truth[taken], None if scored.weights is None else scored.weights[taken])

    def predict(others: np.ndarray) -> dict[str, np.ndarray]:
        size = others.shape[:2]
        places = np.divmod(np.arange(size[0] * size[1]), size[1])
        answers = learned(neighbourhoods(others, *places))
        return {
            name if name in PLAIN else f"{name}_on_neighbours": values.reshape(*size, -1)
            for name, values in answers.items()
        }

    return predict


def neighbourhoods(x: np.ndarray, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return what stands at some steps of prepared series and beside them, `(steps, channels × 7)`.

    Example:
        >>> neighbourhoods(np.arange(1.0, 5.0).reshape(1, 4, 1), np.array([0]), np.array([1])).tolist()
        [[0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0]]
    """
    values, _ = split_padding(np.asarray(x))
    padded = np.pad(values, ((0, 0), (NEIGHBOURS, NEIGHBOURS), (0, 0)))
    around = np.arange(2 * NEIGHBOURS + 1)
    return padded[rows[:, None], steps[:, None] + around].reshape(len(rows), -1)

"""What a row costs when it is predicted, and when it is guessed: the measure of whether anything was learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.paired import paired_difference
from shoal.results import Interval, Task
from shoal.statistics.metrics import row_losses
from shoal.statistics.weighted import weighted_mean

_COSTS = {
    Task.CLASSIFICATION: "log-loss",
    Task.REGRESSION: "mean squared error in units of the target's variance",
    Task.RECONSTRUCTION: "mean squared error in units of the inputs' variance",
}


def cost_name(task: Task, truth: np.ndarray) -> str:
    """Return what the mean cost of rows is called, for targets `(rows, targets)`.

    Example:
        >>> cost_name(Task.REGRESSION, np.zeros((5, 2)))
        "mean squared error in units of each target's variance"
    """
    several = task is Task.REGRESSION and np.ndim(truth) > 1 and np.shape(truth)[-1] > 1
    return _COSTS[task].replace("the target's", "each target's") if several else _COSTS[task]


def constant_guess(task: Task, truth: np.ndarray, weights: Any, classes: int) -> np.ndarray:
    """Return what someone predicts who knows only these truths: the shares of the classes, or the means.

    Args:
        task: what is learned.
        truth: class numbers `(entries,)` or values `(entries, targets)`.
        weights: of the entries, or None.
        classes: how many there are.
    """
    return weighted_mean(np.eye(classes)[truth] if task is Task.CLASSIFICATION else np.asarray(truth, float), weights)


def variances(truth: np.ndarray, weights: Any) -> np.ndarray:
    """Return the variance of each target over rows, `(targets,)`, by which `row_costs` divides."""
    truth = np.asarray(truth, np.float64)
    return weighted_mean((truth - weighted_mean(truth, weights)) ** 2, weights)


def row_costs(task: Task, truth: Any, prediction: Any, variance: Any = None) -> np.ndarray:
    """Return the cost of each row `(entries,)`: its log-loss, or the mean over targets of squared error over variance.

    Args:
        task: what is learned.
        truth: class numbers `(entries,)` or values `(entries, targets)`.
        prediction: probabilities `(entries, classes)` or values; a single guess for all rows is repeated.
        variance: of each target, `(targets,)`; None for ones. A target without any does not count beside others.

    Example:
        >>> row_costs(Task.REGRESSION, [[1.0], [3.0]], np.array([1.0]), np.array([2.0])).tolist()
        [0.0, 2.0]
    """
    prediction = np.asarray(prediction)
    if prediction.ndim < 2:
        prediction = np.broadcast_to(prediction, (len(truth), len(prediction)))
    losses = row_losses(task, truth, prediction)
    if losses.ndim == 1:
        return losses
    if task is Task.RECONSTRUCTION or variance is None or not (np.asarray(variance) > 0).any():
        return np.asarray(losses.mean(axis=1))
    varies = np.asarray(variance) > 0
    return np.asarray((losses[:, varies] / np.asarray(variance)[varies]).mean(axis=1))


def difference(first: Interval, second: Interval) -> Interval:
    """Return `first - second` of independent rows, with errors added in quadrature."""
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, float(low), float(high), "bootstrap of both")


@dataclass(frozen=True)
class Costs:
    """What rows cost when the networks predict them, and when someone guesses; `drawing` is that of their intervals."""

    networks: np.ndarray
    guess: np.ndarray
    weights: Any
    drawing: dict[str, Any]

    @property
    def mean(self) -> Interval:
        """The mean cost of what the networks predict."""
        return paired_difference(np.zeros(len(self.networks)), self.networks, self.weights, **self.drawing)

    @property
    def mean_of_guess(self) -> float:
        """The mean cost of guessing."""
        return float(weighted_mean(self.guess, self.weights))

    @property
    def skill(self) -> Interval:
        """By which share the cost lies below that of guessing; NaN where guessing costs nothing."""
        usual = self.mean_of_guess
        if not usual > 0:
            return Interval(float("nan"), float("nan"), float("nan"), "none")
        gain = paired_difference(self.networks, self.guess, self.weights, **self.drawing)
        return Interval(gain.value / usual, gain.low / usual, gain.high / usual, gain.method)

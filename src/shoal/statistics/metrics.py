"""Metrics in NumPy, for one vector of row weights or for thousands of them at once.

Why own code, when scikit-learn has every one of these metrics: an interval needs the same metric under
2,000 resamples of the rows. Written as sums over rows, a metric under all resamples is one matrix product,
and the ROC area sorts once instead of 2,000 times. Measured with 2,000 rows, three classes and 2,000
resamples, in processor time: all four classification metrics 0.3 s here, 41 s by calling scikit-learn for
each resample; the three of regression 0.02 s against 8 s. The tests hold each one equal to scikit-learn's.

Weights may have any sign. A ratio whose denominator is zero is NaN, never an error: a resample may lack a
class. Classification takes class numbers `(rows,)` and probabilities `(rows, classes)`; regression and
reconstruction take truth and prediction, both `(rows, targets)` or `(rows,)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from shoal.results import Task

Function = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
OfWeights = Callable[[np.ndarray], np.ndarray]
OfRows = Callable[[np.ndarray, np.ndarray], np.ndarray]
Prepared = Callable[[np.ndarray, np.ndarray], OfWeights]


@dataclass(frozen=True)
class Metric:
    """A number that says how good a prediction is, e.g. `METRICS["accuracy"](y, probabilities)`.

    Call it with weights `(rows,)` for one number, or `(resamples, rows)` for one number each.

    Attributes:
        name, label: in files, and as people read it.
        task: what it judges; None for a function of the user, which says so itself.
        greater_is_better: None where that is not known.
        best: the value of a perfect prediction.
        function: truth, prediction and weights to the metric, of numbers for each target.
        power: that of the target's unit in which it is.
        takes: what it looks at: the most probable class, probabilities, or numbers.
        rows: truth and prediction to a value of each row (and target), where the metric is their weighted mean.
        prepared: truth and prediction to the metric as a function of weights, where much of it does not depend on them.
        weighted: whether rows may weigh; where not, weights `(rows,)` are ignored, and `(resamples, rows)` are counts.
        signed: whether it may be negative although `best` is 1.
        two_classes: whether it judges the second of two classes, and more make no sense.
        bounded: whether the bootstrap tells its uncertainty; it does not for the largest of all errors.

    Example:
        >>> METRICS["rmse"]([1.0, 2.0], [1.0, 4.0], [3.0, 1.0])
        1.0
    """

    name: str
    label: str
    task: Task | None
    greater_is_better: bool | None
    best: float
    function: Function = field(repr=False)
    power: int = 0
    takes: Literal["labels", "probabilities", "values"] = "values"
    rows: OfRows | None = field(default=None, repr=False)
    prepared: Prepared | None = field(default=None, repr=False)
    weighted: bool = True
    signed: bool = False
    two_classes: bool = False
    bounded: bool = True

    @property
    def share(self) -> bool:
        """Whether it is a share of rows or like one: from 0 to 1, the best."""
        return self.task is Task.CLASSIFICATION and self.best == 1.0 and not self.signed

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the metric: a float, or `(resamples,)` if the weights are `(resamples, rows)`.

        With several targets it is the mean over the targets.

        Raises:
            ValueError: if the rows of truth, prediction and weights do not agree.
        """
        values = self.per_target(y_true, y_pred, sample_weight)
        value = values.mean(axis=-1) if self.task is Task.REGRESSION else values
        return float(value) if value.ndim == 0 else value

    def per_target(self, y_true: Any, prediction: Any, weights: Any = None) -> np.ndarray:
        """Return a regression metric for each target, `(targets,)` or `(resamples, targets)`.

        For other tasks it is the metric itself.
        """
        truth, predicted = self.checked(y_true, prediction)
        weights = weights if self.weighted or np.ndim(weights) == 2 else None
        weights = _checked_weights(weights, len(truth))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.function(truth, predicted, weights)

    def of_weights(self, y_true: Any, y_pred: Any) -> Callable[[np.ndarray], np.ndarray]:
        """Return the metric as a function of weights `(resamples, rows)`, in which the rest is worked out once."""
        truth, predicted = self.checked(y_true, y_pred)
        given: OfWeights
        if self.rows is not None:
            given = partial(average, self.rows(truth, predicted))
        elif self.prepared is not None:
            given = self.prepared(truth, predicted)
        else:
            given = partial(self.function, truth, predicted)

        def value(weights: np.ndarray) -> np.ndarray:
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                values = given(_checked_weights(weights, len(truth)))
            return values.mean(axis=-1) if self.task is Task.REGRESSION else values

        return value

    def checked(self, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return truth and prediction as arrays whose shapes fit together.

        Classes may also be one-hot, `(rows, classes)`; predictions the probability of the second of two classes,
        `(rows,)` or `(rows, 1)`, or class numbers where the metric looks at no more.

        Raises:
            ValueError: they do not fit together.
        """
        truth, predicted = np.asarray(y_true), np.asarray(y_pred)
        if self.task is Task.CLASSIFICATION:
            truth = truth if truth.ndim != 2 else truth.argmax(axis=1) if truth.shape[1] > 1 else truth[:, 0]
            predicted = predicted[:, 0] if predicted.ndim == 2 and predicted.shape[1] == 1 else predicted
            if predicted.ndim == 1 and truth.ndim == 1 and len(truth):
                predicted = self._probabilities(predicted, int(truth.max()))
        return _checked(self.task or Task.REGRESSION, truth, predicted)

    def _probabilities(self, second: np.ndarray, last: int) -> np.ndarray:
        """Return class numbers, or the probability of the second class, as probabilities of all classes."""
        if not np.issubdtype(second.dtype, np.integer):
            return np.stack([1.0 - second, second], axis=1)
        if self.takes != "labels":
            raise ValueError(f"{self.name} needs probabilities (rows, classes), got class numbers")
        return np.eye(max(last, int(second.max()), 1) + 1)[second]


def _checked(task: Task, y_true: Any, prediction: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and prediction as arrays whose shapes fit together."""
    truth, predicted = np.asarray(y_true), np.asarray(prediction)
    if not np.issubdtype(predicted.dtype, np.floating):
        predicted = predicted.astype(np.float64)
    if task is Task.CLASSIFICATION:
        if truth.ndim != 1 or predicted.ndim != 2 or len(truth) != len(predicted):
            raise ValueError(
                f"expected class numbers (rows,) and probabilities (rows, classes), "
                f"got {truth.shape} and {predicted.shape}"
            )
        if len(truth) and not 0 <= truth.min() <= truth.max() < predicted.shape[1]:
            raise ValueError(
                f"expected class numbers from 0 to {predicted.shape[1] - 1}, got {truth.min()} to {truth.max()}"
            )
        return truth.astype(np.int64), predicted
    if truth.shape != predicted.shape or truth.ndim not in (1, 2):
        raise ValueError(
            f"expected truth and prediction of one shape, (rows,) or (rows, targets), "
            f"got {truth.shape} and {predicted.shape}"
        )
    rows = len(truth)
    return truth.astype(np.float64).reshape(rows, -1), predicted.astype(np.float64).reshape(rows, -1)


def _checked_weights(weights: Any, rows: int) -> np.ndarray:
    """Return weights as float64, ones if there are none."""
    weights = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    if weights.ndim not in (1, 2) or weights.shape[-1] != rows:
        raise ValueError(f"expected weights ({rows},) or (resamples, {rows}), got {weights.shape}")
    return weights


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return `above / below`, NaN where `below` is zero."""
    return np.where(below != 0, above / below, np.nan)


def average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean over rows of `(rows,)` or `(rows, k)`, for each vector of weights."""
    total = weights.sum(axis=-1)
    return ratio(weights @ values, total if values.ndim == 1 else total[..., None])


def mean_of(rows: OfRows) -> Function:
    """Return the function of a metric that is the weighted mean of a value of each row (and target)."""
    return lambda truth, predicted, weights: average(rows(truth, predicted), weights)


def mean_of_finite(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is not NaN."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


def row_losses(task: Task, y_true: Any, prediction: Any) -> np.ndarray:
    """Return each row's loss: `-log p(true class)`, `(rows,)`; or the squared error, `(rows, targets)`, of a
    reconstruction the mean over its numbers, `(rows, 1)`.

    Probabilities are clipped to `[eps, 1 - eps]` of their own precision, as scikit-learn does.

    Example:
        >>> row_losses(Task.REGRESSION, [1.0, 2.0], [1.0, 4.0]).tolist()
        [[0.0], [4.0]]
    """
    truth, predicted = _checked(task, y_true, prediction)
    if task is Task.REGRESSION:
        return (predicted - truth) ** 2
    if task is Task.RECONSTRUCTION:
        return np.mean((predicted - truth) ** 2, axis=1, keepdims=True)
    eps = np.finfo(predicted.dtype).eps
    chosen = predicted[np.arange(len(truth)), truth]
    return -np.log(np.clip(chosen, eps, 1 - eps).astype(np.float64))


def _right(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return (probabilities.argmax(axis=1) == truth).astype(np.float64)


def _surprise(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return row_losses(Task.CLASSIFICATION, truth, probabilities)


def _balanced_accuracy(truth: np.ndarray, probabilities: np.ndarray) -> OfWeights:
    """Mean recall of the classes that are present."""
    member = np.eye(probabilities.shape[1])[truth]
    right = member * (probabilities.argmax(axis=1) == truth)[:, None]
    return lambda weights: mean_of_finite(ratio(weights @ right, weights @ member))


def _roc_auc(truth: np.ndarray, probabilities: np.ndarray) -> OfWeights:
    """Two classes: area of the second; more: mean of each against the rest, over the classes present."""
    return mean_over_classes(_area, truth, probabilities)


def mean_over_classes(
    of_class: Callable[[np.ndarray, np.ndarray], OfWeights], truth: np.ndarray, probabilities: np.ndarray
) -> OfWeights:
    """Return the mean of what each class against the rest gives, of two classes the second, as a function of weights.

    Args:
        of_class: whether a row is of the class, and its score, to a function of vectors of weights.
        truth: numbers of classes, `(rows,)`.
        probabilities: `(rows, classes)`.
    """
    several = probabilities.shape[1] > 2
    classes = range(probabilities.shape[1]) if several else [probabilities.shape[1] - 1]
    areas = [of_class(truth == k, probabilities[:, k]) for k in classes]

    def of_weights(weights: np.ndarray) -> np.ndarray:
        vectors = np.atleast_2d(weights)
        each = mean_of_finite(np.stack([area(vectors) for area in areas], axis=-1))
        return each if weights.ndim == 2 else np.asarray(each[0])

    return of_weights


AT_ONCE = 16_384
"""Weights of resamples that are worked on together: as many as stay in the cache."""


def _area(positive: np.ndarray, score: np.ndarray) -> OfWeights:
    """Return the area under the ROC curve as a function of vectors of weights: `P(score+ > score-)`, ties 1/2."""
    if not np.isfinite(score).all() or positive.all() or not positive.any():
        return lambda vectors: np.full(len(vectors), np.nan)
    order = np.argsort(score, kind="stable")
    above, below = order[positive[order]], order[~positive[order]]
    first = np.searchsorted(score[below], score[above], side="left")
    last = np.searchsorted(score[below], score[above], side="right")
    tied = bool((first != last).any())
    block = max(1, AT_ONCE // len(score))

    def of_weights(vectors: np.ndarray) -> np.ndarray:
        area = np.empty(len(vectors))
        for start in range(0, len(vectors), block):
            part = vectors[start : start + block]
            passed = np.zeros((len(part), len(below) + 1))  # sums of the negatives' weights in order of score
            np.cumsum(part.take(below, axis=1), axis=1, out=passed[:, 1:])
            lower = passed.take(first, axis=1)
            if tied:
                lower = 0.5 * (lower + passed.take(last, axis=1))
            weight = part.take(above, axis=1)
            products = (weight[:, None, :] @ lower[:, :, None])[:, 0, 0]
            area[start : start + block] = ratio(products, weight.sum(axis=1) * passed[:, -1])
        return area

    return of_weights


def _rmse(truth: np.ndarray, predicted: np.ndarray) -> OfWeights:
    squares = (predicted - truth) ** 2
    return lambda weights: np.sqrt(average(squares, weights))


def _away(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.abs(predicted - truth)


def _r2(truth: np.ndarray, predicted: np.ndarray) -> OfWeights:
    """Share of the variance that is explained; NaN (scikit-learn: 0 or 1) where the truth has no variance."""
    centred = truth - truth.mean(axis=0)  # keeps the difference of squares below exact enough
    squared, errors = centred**2, (predicted - truth) ** 2

    def of_weights(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=-1)[..., None]
        squares = weights @ squared
        spread = squares - ratio((weights @ centred) ** 2, total)
        spread = np.where(np.abs(spread) > 1e-12 * np.abs(squares), spread, 0.0)
        return 1.0 - ratio(weights @ errors, spread)

    return of_weights


def _reconstruction_error(truth: np.ndarray, predicted: np.ndarray) -> OfWeights:
    return partial(average, row_losses(Task.RECONSTRUCTION, truth, predicted)[:, 0])


def _explained_variance(truth: np.ndarray, predicted: np.ndarray) -> OfWeights:
    """Share of the variance of all numbers together; the mean of R² would let a nearly constant one decide."""
    error = _reconstruction_error(truth, predicted)
    centred = truth - truth.mean(axis=0)
    squared = np.mean(centred**2, axis=1)

    def of_weights(weights: np.ndarray) -> np.ndarray:
        offset = np.mean(average(centred, weights) ** 2, axis=-1)
        return 1.0 - ratio(error(weights), average(squared, weights) - offset)

    return of_weights


def prepared_metric(name: str, label: str, task: Task, best: float, prepared: Prepared, **options: Any) -> Metric:
    """Return a metric that is worked out once but for the weights."""

    def function(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return prepared(truth, predicted)(weights)

    return Metric(name, label, task, best == 1.0, best, function, prepared=prepared, **options)


_C, _R, _A = Task.CLASSIFICATION, Task.REGRESSION, Task.RECONSTRUCTION

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", _C, True, 1.0, mean_of(_right), takes="labels", rows=_right),
        prepared_metric("balanced_accuracy", "balanced accuracy", _C, 1.0, _balanced_accuracy, takes="labels"),
        Metric("log_loss", "log-loss", _C, False, 0.0, mean_of(_surprise), takes="probabilities", rows=_surprise),
        prepared_metric("roc_auc", "ROC AUC", _C, 1.0, _roc_auc, takes="probabilities"),
        prepared_metric("rmse", "RMSE", _R, 0.0, _rmse, power=1),
        Metric("mae", "MAE", _R, False, 0.0, mean_of(_away), power=1, rows=_away),
        prepared_metric("r2", "R²", _R, 1.0, _r2),
        prepared_metric("reconstruction_error", "reconstruction error", _A, 0.0, _reconstruction_error),
        prepared_metric("explained_variance", "variance explained", _A, 1.0, _explained_variance),
    )
}


def metrics_for(task: Task) -> tuple[Metric, ...]:
    """Return the metrics of a task, in the order in which they are shown.

    Example:
        >>> [metric.name for metric in metrics_for(Task.REGRESSION)]
        ['rmse', 'mae', 'r2']
    """
    return tuple(metric for metric in METRICS.values() if metric.task is Task(task))


def confusion_matrix(y_true: Any, probabilities: Any, weights: Any = None) -> np.ndarray:
    """Return the counts (or sums of weights) of true class by predicted class, `(classes, classes)`.

    Example:
        >>> confusion_matrix([0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).tolist()
        [[1, 0], [1, 1]]
    """
    truth, predicted = _checked(Task.CLASSIFICATION, y_true, probabilities)
    classes = predicted.shape[1]
    cell = truth * classes + predicted.argmax(axis=1)
    if weights is not None:
        weights = _checked_weights(weights, len(truth))
    return np.bincount(cell, weights=weights, minlength=classes**2).reshape(classes, classes)

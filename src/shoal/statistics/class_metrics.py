"""More metrics of classes, as `shoal.statistics.metrics` has them: of many vectors of weights at once.

Those that judge one class judge the second of two, as scikit-learn does by default. Where a class is neither among the
truth nor among the predictions, it has no part in a mean over classes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from shoal.results import Task
from shoal.statistics.metrics import (
    AT_ONCE,
    Metric,
    OfRows,
    OfWeights,
    mean_of,
    mean_of_finite,
    mean_over_classes,
    prepared_metric,
    ratio,
)

_C = Task.CLASSIFICATION
Sums = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each class, `(..., classes)`: the weights of rows rightly called so, of rows that are so, of rows called so."""


def _sums(truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> Sums:
    unit = np.eye(probabilities.shape[1])
    true, called = unit[truth], unit[probabilities.argmax(axis=1)]
    return weights @ (true * called), weights @ true, weights @ called


def _share(above: np.ndarray, below: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return shares, 0 where nothing was there to be right about, NaN of classes that are not present."""
    return np.where(present, np.nan_to_num(ratio(above, below)), np.nan)


def _precision(sums: Sums) -> np.ndarray:
    right, true, called = sums
    return _share(right, called, (true != 0) | (called != 0))


def _recall(sums: Sums) -> np.ndarray:
    right, true, called = sums
    return _share(right, true, (true != 0) | (called != 0))


def _f1(sums: Sums) -> np.ndarray:
    right, true, called = sums
    return _share(2.0 * right, true + called, (true != 0) | (called != 0))


def _jaccard(sums: Sums) -> np.ndarray:
    right, true, called = sums
    return _share(right, true + called - right, (true != 0) | (called != 0))


ByClass = Callable[[Sums], np.ndarray]


def _second(by_class: ByClass, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if probabilities.shape[1] != 2:
        raise ValueError(f"this metric judges the second of two classes, got {probabilities.shape[1]} classes")
    return np.nan_to_num(by_class(_sums(truth, probabilities, weights))[..., 1])


def _macro(by_class: ByClass, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return mean_of_finite(by_class(_sums(truth, probabilities, weights)))


def _micro(by_class: ByClass, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    right, true, called = (part.sum(axis=-1) for part in _sums(truth, probabilities, weights))
    return by_class((right, true, called))


def _by_weight(by_class: ByClass, truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    sums = _sums(truth, probabilities, weights)
    return ratio((np.nan_to_num(by_class(sums)) * sums[1]).sum(axis=-1), sums[1].sum(axis=-1))


def _matthews_corrcoef(truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlation of truth and prediction (Gorodkin, Comput. Biol. Chem. 28, 367, 2004); 0 where one is constant."""
    right, true, called = _sums(truth, probabilities, weights)
    total = true.sum(axis=-1)
    above = right.sum(axis=-1) * total - (true * called).sum(axis=-1)
    spreads = (total**2 - (true**2).sum(axis=-1)) * (total**2 - (called**2).sum(axis=-1))
    return np.nan_to_num(ratio(above, np.sqrt(spreads)))


def _cohen_kappa(truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`(p - e) / (1 - e)`, p the accuracy and e what chance gives (Cohen, Educ. Psychol. Meas. 20, 37, 1960)."""
    right, true, called = _sums(truth, probabilities, weights)
    total = true.sum(axis=-1)
    chance = ratio((true * called).sum(axis=-1), total**2)
    return ratio(ratio(right.sum(axis=-1), total) - chance, 1.0 - chance)


def _brier(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Squared error of the probabilities, of two classes that of the second (Brier, Mon. Weather Rev. 78, 1, 1950)."""
    classes = probabilities.shape[1]
    away = probabilities.astype(np.float64) - np.eye(classes)[truth]
    return away[:, 1] ** 2 if classes == 2 else (away**2).sum(axis=1)


def _in_top(k: int, truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Whether fewer than k classes are more probable than the true one; of equal ones the later count as more."""
    of_true = probabilities[np.arange(len(truth)), truth][:, None]
    later = np.arange(probabilities.shape[1]) > truth[:, None]
    ahead = (probabilities > of_true) | ((probabilities == of_true) & later)
    return (ahead.sum(axis=1) < k).astype(np.float64)


def _average_precision(truth: np.ndarray, probabilities: np.ndarray) -> OfWeights:
    """Two classes: that of the second; more: mean of each against the rest, over the classes present."""
    return mean_over_classes(_area_of_precision, truth, probabilities)


def _area_of_precision(positive: np.ndarray, score: np.ndarray) -> OfWeights:
    """Return `Σ (R_i - R_{i-1}) P_i` over the thresholds i, falling, as a function of vectors of weights."""
    if not np.isfinite(score).all() or not positive.any():
        return lambda vectors: np.full(len(vectors), np.nan)
    order = np.argsort(-score, kind="stable")
    is_end = np.append(np.diff(score[order]) != 0, True)
    ends = None if is_end.all() else np.flatnonzero(is_end)  # of equal scores all are taken at once
    right_in_order, block = positive[order], max(1, AT_ONCE // len(score))

    def of_weights(vectors: np.ndarray) -> np.ndarray:
        area = np.empty(len(vectors))
        for start in range(0, len(vectors), block):
            part = vectors[start : start + block].take(order, axis=1)
            right, taken = np.cumsum(part * right_in_order, axis=1), np.cumsum(part, axis=1)
            if ends is not None:
                right, taken = right[:, ends], taken[:, ends]
            gained = np.diff(right, axis=1, prepend=0.0)
            area[start : start + block] = ratio((gained * np.nan_to_num(ratio(right, taken))).sum(axis=1), right[:, -1])
        return area

    return of_weights


def _score(name: str, label: str, by_class: ByClass) -> tuple[Metric, ...]:
    """Return a score of one class for the second of two, and its means over classes."""

    def metric(ending: str, words: str, combine: Callable[..., np.ndarray], two: bool = False) -> Metric:
        function = partial(combine, by_class)
        return Metric(name + ending, label + words, _C, True, 1.0, function, takes="labels", two_classes=two)

    return (
        metric("", "", _second, two=True),
        metric("_macro", " (mean over classes)", _macro),
        metric("_micro", " (of all rows together)", _micro),
        metric("_weighted", " (classes by their shares)", _by_weight),
    )


def _mean(name: str, label: str, greater: bool, rows: OfRows) -> Metric:
    return Metric(name, label, _C, greater, float(greater), mean_of(rows), takes="probabilities", rows=rows)


CLASS_METRICS: tuple[Metric, ...] = (
    *_score("f1", "F1", _f1),
    *_score("precision", "precision", _precision),
    *_score("recall", "recall", _recall),
    *_score("jaccard", "Jaccard index", _jaccard),
    Metric("matthews_corrcoef", "Matthews correlation", _C, True, 1.0, _matthews_corrcoef, takes="labels", signed=True),
    Metric("cohen_kappa", "Cohen's kappa", _C, True, 1.0, _cohen_kappa, takes="labels", signed=True),
    prepared_metric("average_precision", "average precision", _C, 1.0, _average_precision, takes="probabilities"),
    _mean("brier_score", "Brier score", False, _brier),
    _mean("top_k_accuracy", "top-2 accuracy", True, partial(_in_top, 2)),
    _mean("top_5_accuracy", "top-5 accuracy", True, partial(_in_top, 5)),
)

"""More metrics of numbers, as `shoal.statistics.metrics` has them: of many vectors of weights at once."""

from __future__ import annotations

import numpy as np

from shoal.results import Task
from shoal.statistics.metrics import Metric, OfRows, average, mean_of, ratio


def _squared_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return (predicted - truth) ** 2


def _squared_log_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return (np.log1p(predicted) - np.log1p(truth)) ** 2


def _relative_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.abs(predicted - truth) / np.maximum(np.abs(truth), np.finfo(np.float64).eps)


def _pinball(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return 0.5 * np.abs(truth - predicted)


def _poisson_deviance(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """`2 (y log(y / f) - y + f)`; NaN where a count is negative or what is expected not positive."""
    logs = np.where(truth > 0, truth * np.log(np.where(truth > 0, truth, 1.0) / predicted), 0.0)
    return np.where((truth >= 0) & (predicted > 0), 2.0 * (logs - truth + predicted), np.nan)


def _gamma_deviance(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """`2 (log(f / y) + y / f - 1)`; NaN where one of them is not positive."""
    positive = (truth > 0) & (predicted > 0)
    return np.where(positive, 2.0 * (np.log(predicted / truth) + truth / predicted - 1.0), np.nan)


def _root_mean_squared_log_error(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(average(_squared_log_error(truth, predicted), weights))


def _median_absolute_error(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted median, between two rows where the weight up to the first is just half; no sense in negative weights."""
    vectors = np.atleast_2d(weights)
    medians = np.full((len(vectors), truth.shape[1]), np.nan)
    for target, errors in enumerate(np.abs(predicted - truth).T):
        if not np.isfinite(errors).all():
            continue
        order = np.argsort(errors)
        medians[:, target] = [_median(errors[order], vector[order]) for vector in vectors]
    return medians if weights.ndim == 2 else medians[0]


def _redshift_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """`(f - y) / (1 + y)`; NaN where `1 + y` is not positive."""
    return np.where(truth > -1.0, (predicted - truth) / (1.0 + truth), np.nan)


def _is_outlier(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Whether a redshift is wrong beyond 0.15 (Ilbert et al., A&A 457, 841, 2006)."""
    error = np.abs(_redshift_error(truth, predicted))
    return np.where(np.isnan(error), np.nan, error > 0.15)


def _nmad(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`1.4826 median |d - median d|` of `d = (f - y) / (1 + y)`, medians as above: the standard deviation where d is
    normal, whatever the outliers (of redshifts Brammer et al., ApJ 686, 1503, 2008).
    """
    vectors = np.atleast_2d(weights)
    widths = np.full((len(vectors), truth.shape[1]), np.nan)
    for target, errors in enumerate(_redshift_error(truth, predicted).T):
        if not np.isfinite(errors).all():
            continue
        order = np.argsort(errors)
        widths[:, target] = [1.4826 * _median_deviation(errors[order], vector[order]) for vector in vectors]
    return widths if weights.ndim == 2 else widths[0]


def _median_deviation(rising: np.ndarray, weights: np.ndarray) -> float:
    distances = np.abs(rising - _median(rising, weights))
    order = np.argsort(distances, kind="stable")  # merges the two runs, falling and rising
    return _median(distances[order], weights[order])


def _median(rising: np.ndarray, weights: np.ndarray) -> float:
    if (weights < 0).any() or not weights.any():
        return float("nan")
    rising, weights = rising[weights > 0], weights[weights > 0]
    passed = np.cumsum(weights)
    half = 0.5 * passed[-1]
    place = int(np.searchsorted(passed, half))
    after = place if passed[place] - half > np.finfo(np.float64).eps else min(place + 1, len(rising) - 1)
    return float(0.5 * (rising[place] + rising[after]))


def _max_error(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    errors = np.abs(predicted - truth)
    vectors = np.atleast_2d(weights)
    largest = np.stack([errors[vector > 0].max(axis=0, initial=0.0) for vector in vectors])
    return largest if weights.ndim == 2 else largest[0]


def _explained_variance(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """R² of predictions less their mean error; NaN (scikit-learn: 0 or 1) where the truth has no variance."""
    return 1.0 - ratio(_variance(predicted - truth, weights), _variance(truth, weights))


def _variance(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    squares = average(centred**2, weights)
    spread = squares - average(centred, weights) ** 2
    return np.where(np.abs(spread) > 1e-12 * np.abs(squares), spread, 0.0)


def _mean(name: str, label: str, rows: OfRows, power: int = 0) -> Metric:
    return Metric(name, label, Task.REGRESSION, False, 0.0, mean_of(rows), power, rows=rows)


_R = Task.REGRESSION
NUMBER_METRICS: tuple[Metric, ...] = (
    _mean("mse", "MSE", _squared_error, power=2),
    _mean("mean_squared_log_error", "mean squared log error", _squared_log_error),
    Metric("root_mean_squared_log_error", "root mean squared log error", _R, False, 0.0, _root_mean_squared_log_error),
    _mean("mean_absolute_percentage_error", "mean absolute relative error", _relative_error),
    Metric("median_absolute_error", "median absolute error", _R, False, 0.0, _median_absolute_error, power=1),
    Metric("nmad", "σ_NMAD of (f − y) / (1 + y)", _R, False, 0.0, _nmad),
    _mean("outlier_fraction", "share of |f − y| / (1 + y) > 0.15", _is_outlier),
    Metric("max_error", "largest error", _R, False, 0.0, _max_error, power=1, weighted=False, bounded=False),
    Metric("explained_variance", "variance explained", _R, True, 1.0, _explained_variance),
    _mean("mean_pinball_loss", "mean pinball loss (median)", _pinball, power=1),
    _mean("mean_poisson_deviance", "mean Poisson deviance", _poisson_deviance),
    _mean("mean_gamma_deviance", "mean gamma deviance", _gamma_deviance),
)

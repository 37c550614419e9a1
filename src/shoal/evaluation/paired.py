"""Differences of losses on the same rows, so that rows that are hard for both cancel."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.results import Interval
from shoal.statistics.bootstrap import normal_quantile, percentiles, resampled_weights, resamples_for


def paired_difference(
    losses: Any,
    other: Any,
    weights: Any = None,
    *,
    seed: int = 0,
    resamples: int = 2000,
    block: int = 1,
    groups: np.ndarray | None = None,
) -> Interval:
    """Return the mean of `other - losses` over rows, with the bootstrap interval of the pairs.

    Both predictions are scored on the same resampled rows, so that rows that are hard for both cancel.

    Example:
        >>> paired_difference([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).as_dict()["low"]
        1.0
    """
    difference = np.asarray(other, np.float64) - np.asarray(losses, np.float64)
    weights = np.ones(len(difference)) if weights is None else np.asarray(weights, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(np.divide(weights @ difference, weights.sum()))
        if len(difference) < 2 or not np.isfinite(value):
            return Interval(value, float("nan"), float("nan"), "paired bootstrap")
        count = resamples_for(len(difference), resamples)
        draws = resampled_weights(len(difference), weights, count, seed, block, groups)
        drawn = [(w @ difference) / w.sum(axis=1) for w in draws]
    values = np.concatenate(drawn)
    low, high = percentiles(values)
    if count < min(resamples, 400):
        half = normal_quantile(0.95) * float(np.nanstd(values, ddof=1))
        low, high = value - half, value + half
    return Interval(value, low, high, "paired bootstrap")

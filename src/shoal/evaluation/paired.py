"""Differences of losses on the same rows, so that rows that are hard for both cancel.

An interval is the wider one of two, since each is too narrow where the other is not:

* Hall's corrected t, `T + γ T²/3 + γ² T³/27 + γ/6` with γ the skewness of the mean (Hall, J. Roy. Stat. Soc. B 54, 221,
  1992). Losses are skewed: a network that is seldom, but surely wrong looks good on few rows.
* The percentile bootstrap with widened levels (`widened_percentile`).

Where another method is the best of several on these rows, that choice was a look, too. The lower end then is that of
the difference to whichever is best on each resample: it is above zero only if all of them are beaten (Berger,
Technometrics 24, 295, 1982). The upper end divides its error probability by their number (Bonferroni).

Measured with 30 rows and a method that is equally good: it is "clearly" beaten in 1 to 3 % of the cases, and in 4 %
where losses are log-normal and the other's are constant; the percentile bootstrap did so in 4 and 12 %. With ten rows
it was 3 to 4 %, but 8 to 15 % where the loss of one row in a hundred decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shoal.results import Interval
from shoal.statistics.bootstrap import FEWEST, resampled, resampled_weights, resamples_for, widened_percentile
from shoal.statistics.metrics import Metric
from shoal.statistics.weighted import effective_number


def paired_difference(
    losses: Any,
    other: Any,
    weights: Any = None,
    *,
    seed: int = 0,
    resamples: int = 2000,
    block: int = 1,
    groups: np.ndarray | None = None,
    level: float = 0.95,
) -> Interval:
    """Return the mean of `other - losses` over rows, with its interval.

    Args:
        losses: `(rows,)`.
        other: of another method, `(rows,)`, or of several `(methods, rows)`: then of the best of them.
        weights: of the rows, `(rows,)`, any sign; None for ones.
        seed: of the resamples.
        resamples: fewer for many rows, see `resamples_for`.
        block: how many neighbouring rows count as one.
        groups: `(rows,)` group of each row, counted from 0, whose rows count as one; None: there are none.
        level: probability of the interval.

    Returns:
        The difference; its ends are NaN for fewer than six independent rows, or weights that add up to nothing.

    Example:
        >>> paired_difference(np.arange(6.0), np.arange(6.0) + 1.0).as_dict()["low"]
        1.0
    """
    differences = np.atleast_2d(np.asarray(other, np.float64)) - np.asarray(losses, np.float64)
    sums, totals = unit_sums(differences, weights, block, groups)
    method, units = "paired bootstrap", effective_number(totals)
    means = sums.sum(axis=1) / totals.sum() if totals.sum() > 0 else np.full(len(sums), np.nan)
    if not np.isfinite(means).any():
        return Interval(float("nan"), float("nan"), float("nan"), method)
    best = int(np.nanargmin(means))
    value = float(means[best])
    known = np.isfinite(means)
    if units < FEWEST:
        return Interval(value, float("nan"), float("nan"), method)
    drawn = resampled_means(sums[known], totals, seed, resamples)
    of_best = drawn[:, int(known[:best].sum())]
    tails = (1.0 - level) / 2.0, (1.0 - level) / (2.0 * len(sums))
    skewed = _skewed_t(sums[best], totals, units)
    low = min(value, skewed(tails[0]), widened_percentile(drawn.min(axis=1), tails[0], units))
    high = max(value, skewed(1.0 - tails[1]), widened_percentile(of_best, 1.0 - tails[1], units))
    return Interval(value, low, high, method)


def paired_gain(
    metric: Metric,
    truth: np.ndarray,
    guess: np.ndarray,
    others: Sequence[np.ndarray],
    weights: Any = None,
    *,
    seed: int = 0,
    block: int = 1,
    groups: np.ndarray | None = None,
) -> Interval:
    """Return by how much a guess is better than the best of others by a metric, on the same resampled rows.

    Where the metric is a mean over rows, it is their `paired_difference`; else the ends are those of the percentile
    bootstrap, widened and corrected for the choice as there. Of two methods that are equally good, one was "clearly"
    better by F1 in 7 % of the cases with 30 rows and in 5 % with 100, by average precision in 3 and 1 %.

    Args:
        metric: of which it is known whether larger is better.
        truth: as the metric takes it.
        guess: alike.
        others: guesses of other methods.
        weights: as for `paired_difference`, as are the rest.
        seed: of the resamples.
        block: how many neighbouring rows count as one.
        groups: whose rows count as one.
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    if metric.rows is not None:
        of_rows = [metric.rows(*metric.checked(truth, each)) for each in (guess, *others)]
        costs = [-sign * (values if values.ndim == 1 else values.mean(axis=1)) for values in of_rows]
        return paired_difference(costs[0], costs[1:], weights, seed=seed, block=block, groups=groups)
    method, level = "paired bootstrap", 0.95
    units = effective_number(unit_sums(np.ones((1, len(truth))), weights, block, groups)[1])
    values = sign * np.array([metric(truth, guess, weights) - metric(truth, other, weights) for other in others])
    best = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
    if units < FEWEST or not np.isfinite(values[best]):
        return Interval(float(values[best]), float("nan"), float("nan"), method)
    drawn, done = [], 0
    given = [metric.of_weights(truth, each) for each in (guess, *others)]
    for counts in resampled_weights(len(truth), None, resamples_for(len(truth)), seed, block, groups):
        first, *rest = (resampled(metric, each, weights, counts, done) for each in given)
        drawn.append(sign * (first - np.stack(rest)))
        done += len(counts)
    gains, tail = np.concatenate(drawn, axis=1), (1.0 - level) / 2.0
    low = widened_percentile(np.fmin.reduce(gains, axis=0), tail, units)
    high = widened_percentile(gains[best], 1.0 - tail / len(others), units)
    return Interval(float(values[best]), min(float(values[best]), low), max(float(values[best]), high), method)


def unit_sums(
    values: np.ndarray, weights: Any = None, block: int = 1, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted sums of values `(methods, rows)` over what is drawn together, and the sums of the weights.

    Example:
        >>> [part.tolist() for part in unit_sums(np.array([[1.0, 2.0, 3.0]]), block=2)]
        [[[3.0, 3.0]], [2.0, 1.0]]
    """
    rows = values.shape[1]
    w = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    if groups is None and block > 1:
        groups = np.arange(rows) // block
    if groups is None:
        return values * w, w
    return np.array([np.bincount(groups, row * w) for row in values]), np.bincount(groups, w)


def resampled_means(sums: np.ndarray, totals: np.ndarray, seed: int = 0, resamples: int = 2000) -> np.ndarray:
    """Return the means `(resamples, methods)` of units that are drawn anew with replacement.

    Args:
        sums: `(methods, units)` as `unit_sums` returns them.
        totals: `(units,)`, their weights.
        seed: of the resamples.
        resamples: how many at most.
    """
    units = len(totals)
    draws = resampled_weights(units, None, resamples_for(units, resamples), seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([(drawn @ sums.T) / (drawn @ totals)[:, None] for drawn in draws])


def _skewed_t(sums: np.ndarray, totals: np.ndarray, units: float) -> Callable[[float], float]:
    """Return the quantile function of the mean by Hall's transformation of t."""
    from scipy.special import stdtrit

    mean = float(sums.sum() / totals.sum())
    away = (sums - mean * totals) / totals.mean()
    second, third = float(np.mean(away**2)), float(np.mean(away**3))
    error = np.sqrt(second / (units - 1.0))
    skewness = third / second**1.5 / np.sqrt(units) if second > 0.0 else 0.0

    def quantile(level: float) -> float:
        t = float(stdtrit(units - 1.0, 1.0 - level))
        if abs(skewness) > 1e-6:
            t = 3.0 / skewness * (float(np.cbrt(1.0 + skewness * (t - skewness / 6.0))) - 1.0)
        return mean - float(error) * t

    return quantile

"""Intervals of metrics by resampling the rows (the percentile bootstrap; Efron and Tibshirani, 1993, ch. 13).

The interval says how much a score would vary had other rows of the same kind been measured; it holds the
trained networks fixed. The choices:

* When every resample gives the same number (all rows right, or all wrong), the bootstrap would claim
  certainty. Accuracy, balanced accuracy and ROC area then get Wilson's score interval instead (Wilson,
  1927); the ROC area counts the pairs of rows that are independent, as many as the rarer side has rows.
* Rows that follow each other in time, such as the windows of one series, resemble their neighbours: with `block` they
  are drawn in blocks (the circular block bootstrap; Politis and Romano, 1992), or the intervals would be too narrow.
* Rows of one group, or steps of one series, are no independent measurements: with `groups` these are drawn (the cluster
  bootstrap; Field and Welsh, 2007), and levels are widened for their small number (`widened_percentile`). Measured with
  6, 12 and 40 groups of six rows whose errors are alike, 92, 93 and 96 % of the intervals hold the true mean absolute
  error; without widening 87, 89 and 95 %, with rows drawn one by one 64, 68 and 64 %.
* With negative weights a score can leave its range, such as an accuracy above one. The true one cannot, so that the
  interval ends at the limits of the range, or at the value where that lies beyond.
* Many rows get fewer resamples, to bound the time: 2,000 up to 5,000 rows, then 10 million rows drawn in
  all, but at least 50 resamples. Below 400 resamples (above 25,000 rows, where scores are as good as normal)
  the interval is the value and 1.96 standard deviations of the resamples: steadier than their 2.5 %
  quantile, which would hang on a handful of them. Measured: 100,000 rows of three classes take 1.4 s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from shoal.results import Interval, Task
from shoal.statistics.metrics import Metric, metrics_for
from shoal.statistics.weighted import effective_number

DRAWS = 10_000_000
"""Rows drawn over all resamples, at most, while there are at least 50 resamples."""
NORMAL_BELOW = 400
"""With fewer resamples than this, for want of time, their standard deviation is used, not their quantiles."""
CALLS = 400
"""How often a user's function is called for resamples."""
FEWEST = 6
"""Independent rows or groups below which nothing is clear: five lie all on one side by chance in 3 % of the cases."""
CHUNK = 250_000
"""Weights held in memory at a time (8 bytes each)."""


def resamples_for(rows: int, resamples: int = 2000) -> int:
    """Return how many resamples are drawn for so many rows.

    Example:
        >>> resamples_for(30), resamples_for(100_000)
        (2000, 100)
    """
    return min(resamples, max(50, DRAWS // max(rows, 1)))


def block_length(rows: int, least: int = 1) -> int:
    """Return how many neighbouring rows of a series are drawn together: the third root of their number, or `least`.

    Example:
        >>> block_length(1000), block_length(1000, least=24)
        (10, 24)
    """
    return max(1, min(rows, max(least, round(rows ** (1 / 3)))))


def resampled_weights(
    rows: int, weights: np.ndarray | None, resamples: int, seed: int, block: int = 1, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield weights `(chunk, rows)`: how often each row was drawn, times its own weight.

    The numbers depend on rows, block and seed only, so that scores of one table are resampled together. With a block
    that many neighbours are drawn together, the last row followed by the first.
    """
    if groups is not None:
        number = int(groups.max()) + 1
        for counts in resampled_weights(number, None, resamples, seed):
            for part in np.array_split(counts, -(-counts.shape[0] * rows // CHUNK)):
                yield part[:, groups] * (1.0 if weights is None else weights)
        return
    kept = DRAWS // 10 < rows * resamples <= 2 * DRAWS  # few take no time, many too much memory
    for counts in _kept_counts(rows, resamples, seed, block) if kept else _counts(rows, resamples, seed, block):
        yield counts * (1.0 if weights is None else weights)


@lru_cache(maxsize=3)  # of training, validation and test rows
def _kept_counts(rows: int, resamples: int, seed: int, block: int) -> list[np.ndarray]:
    """Return what `_counts` yields, in a byte each: every score of the same rows asks for the same ones."""
    return [counts.astype(np.min_scalar_type(counts.max())) for counts in _counts(rows, resamples, seed, block)]


def _counts(rows: int, resamples: int, seed: int, block: int) -> Iterator[np.ndarray]:
    """Yield how often each row was drawn, `(chunk, rows)`."""
    random = np.random.default_rng([seed, rows])
    chunk = max(1, CHUNK // max(rows, 1))
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        drawn: np.ndarray
        if block == 1:
            drawn = random.integers(rows, size=(count, rows), dtype=np.int32)
        else:
            starts = random.integers(rows, size=(count, -(-rows // block), 1), dtype=np.int32)
            drawn = (starts + np.arange(block, dtype=np.int32)).reshape(count, -1)[:, :rows] % rows
        drawn += (np.arange(count, dtype=np.int32) * rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows)


def percentiles(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the middle `level` of the finite values, NaN and NaN if there are none.

    Example:
        >>> percentiles(np.array([0.0, 1.0, 2.0, np.nan]), level=0.5)
        (0.5, 1.5)
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def percentile_interval(value: float, drawn: np.ndarray, method: str = "bootstrap") -> Interval:
    """Return a value with the 95 % interval of its resamples, which holds the value.

    Example:
        >>> print(percentile_interval(0.0, np.array([1.0, 2.0])))
        0 [0, 1.98]
    """
    value, (low, high) = float(value), percentiles(drawn)
    return Interval(value, min(low, value), max(high, value), method)


def widened_percentile(drawn: np.ndarray, level: float, units: float) -> float:
    """Return the quantile of resampled values at a level that `sqrt(n / (n - 1)) t(n - 1)` widens for few units.

    Args:
        drawn: values of resamples; those that are not finite are left out.
        level: the level, 0 to 1.
        units: how many were drawn anew, more than one (Hesterberg, Am. Stat. 69, 371, 2015).
    """
    from scipy.special import ndtr, stdtrit

    finite = drawn[np.isfinite(drawn)]
    if not len(finite):
        return float("nan")
    z = np.sqrt(units / (units - 1.0)) * stdtrit(units - 1.0, level)
    if len(finite) < NORMAL_BELOW:
        return float(finite.mean() + z * finite.std(ddof=1))
    return float(np.quantile(finite, ndtr(z)))


def normal_quantile(level: float) -> float:
    """Return z so that a standard normal variable lies in [-z, z] with probability `level`.

    Example:
        >>> round(normal_quantile(0.95), 3)
        1.96
    """
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(share: float, rows: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a share seen in `rows` rows (an effective number is fine).

    Example:
        >>> [round(x, 3) for x in wilson(1.0, 30)]
        [0.886, 1.0]
    """
    if not rows > 0:
        return 0.0, 1.0
    z2 = normal_quantile(level) ** 2
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = np.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    low = 0.0 if share == 0 else float(centre - half)
    return max(0.0, low), 1.0 if share == 1 else min(1.0, float(centre + half))


def with_intervals(
    task: Task,
    y: Any,
    prediction: Any,
    *,
    weights: Any = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    block: int = 1,
    groups: np.ndarray | None = None,
    chosen: Sequence[Metric] = (),
    only: Collection[str] = (),
) -> dict[str, Interval]:
    """Return the chosen metrics and every usual one of the task, each with its interval.

    Args:
        task: classification or regression.
        y: class numbers `(rows,)`, or values `(rows, targets)`.
        prediction: probabilities `(rows, classes)`, or values `(rows, targets)`.
        weights: of the rows, `(rows,)`, any sign; None for ones.
        resamples: bootstrap resamples, 2000; fewer for more than 5,000 rows (`resamples_for`).
        seed: of the resamples; the same seed gives the same intervals.
        level: probability of the interval, 0.95.
        block: how many neighbouring rows are drawn together.
        groups: `(rows,)` group of each row, counted from 0; whole groups are drawn. None: single rows or blocks.
        chosen: metrics beside those of the task, which come first.
        only: names of those that are wanted; none: all.

    Returns:
        Metric name to value and interval. The interval always holds the value. Resamples for which a
        metric is not defined (a class is absent) are left out; with fewer than two rows or six groups (as many as
        weights count) the ends are NaN.

    Example:
        >>> truth = [0, 1] * 15
        >>> scores = with_intervals(Task.CLASSIFICATION, truth, np.eye(2)[truth])
        >>> print(scores["accuracy"], scores["accuracy"].method)
        1 [0.886, 1] wilson
    """
    y, prediction = np.asarray(y), np.asarray(prediction)
    weights = None if weights is None else np.asarray(weights, np.float64)
    names = [metric.name for metric in chosen]
    metrics = (*chosen, *(metric for metric in metrics_for(task) if metric.name not in names))
    metrics = tuple(metric for metric in metrics if not only or metric.name in only)
    drawn: dict[str, list[np.ndarray]] = {metric.name: [] for metric in metrics}
    given = {metric.name: metric.of_weights(y, prediction) for metric in metrics}
    if len(y) > 1 and (groups is None or groups.max() > 0):
        done = 0
        for counts in resampled_weights(len(y), None, resamples_for(len(y), resamples), seed, block, groups):
            for metric in metrics:
                drawn[metric.name].append(resampled(metric, given[metric.name], weights, counts, done))
            done += len(counts)
    intervals = {}
    for metric in metrics:
        value = metric(y, prediction, weights)
        values = np.concatenate(drawn[metric.name]) if drawn[metric.name] else np.empty(0)
        intervals[metric.name] = _interval(metric, value, values, y, weights, level, block, groups)
    return intervals


def resampled(
    metric: Metric,
    given: Callable[[np.ndarray], np.ndarray],
    weights: np.ndarray | None,
    counts: np.ndarray,
    done: int,
) -> np.ndarray:
    """Return a metric of resamples that count rows `(resamples, rows)`, after so many that are `done`.

    `given` is the metric as a function of weights. A function of the user is called for each resample, and no more
    often than `CALLS` in all.
    """
    if metric.task is None:
        counts = counts[: max(0, CALLS - done)]
    drawn = counts if weights is None or not metric.weighted else counts * weights
    return np.asarray(given(drawn))


def _interval(
    metric: Metric,
    value: float,
    values: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    level: float,
    block: int,
    groups: np.ndarray | None,
) -> Interval:
    """Return the middle of the resamples, or Wilson's interval where they are all alike."""
    value = float(value)
    low, high = percentiles(values, level)
    if metric.share and min(abs(value), abs(1 - value)) < 1e-12 and not high - low > 1e-12:
        value = float(round(value))
        return Interval(value, *wilson(value, _independent_rows(metric, y, weights, groups), level), "wilson")
    if not np.isfinite([value, low, high]).all() or not metric.bounded or (metric.signed and low == high == 1.0):
        return Interval(value, float("nan"), float("nan"))
    method = "bootstrap" if block == 1 else "block bootstrap"
    if groups is not None:
        units, method = effective_number(np.bincount(groups, weights)), "cluster bootstrap"
        if units < FEWEST:
            return Interval(value, float("nan"), float("nan"), method)
        low, high = (widened_percentile(values, tail, units) for tail in ((1 - level) / 2, (1 + level) / 2))
    elif len(y) * NORMAL_BELOW > DRAWS:
        half = normal_quantile(level) * float(np.nanstd(values, ddof=1))
        low, high, method = value - half, value + half, "bootstrap, normal"
    least, most = _range(metric)
    return Interval(value, min(max(least, low), value), max(min(most, high), value), method)


def _range(metric: Metric) -> tuple[float, float]:
    """Return the least and the largest value that a score of positive weights can have."""
    least = 0.0 if metric.best == 0.0 or metric.share else -1.0 if metric.signed else -np.inf
    return least, 1.0 if metric.best == 1.0 else np.inf


def _independent_rows(
    metric: Metric, y: np.ndarray, weights: np.ndarray | None, series: np.ndarray | None = None
) -> float:
    """Return the effective number of independent trials behind a score that is 0 or 1.

    With weights n rows count as `(sum w)^2 / sum w^2`. Balanced accuracy averages one share per class, so
    that the inverse numbers average; ROC area: as many disjoint pairs as the rarest class has rows. The steps of one
    series count as one row together.
    """
    weights = np.ones(len(y)) if weights is None else weights
    groups = [np.ones(len(y), bool)] if metric.rows is not None else [y == k for k in np.unique(y)]
    each = [weights[g] if series is None else np.bincount(series[g], weights[g]) for g in groups]
    squares = [float((w**2).sum()) for w in each]
    rows = [float(w.sum()) ** 2 / s if s > 0 else 0.0 for w, s in zip(each, squares, strict=True)]
    if min(rows) == 0:
        return 0.0
    if metric.name == "balanced_accuracy":
        return len(rows) ** 2 / sum(1 / r for r in rows)
    return min(rows)

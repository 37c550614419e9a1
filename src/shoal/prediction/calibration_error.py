"""How far probabilities are from coming true as often as they say."""

from __future__ import annotations

import numpy as np

from shoal.results import Interval
from shoal.statistics.bootstrap import percentiles, resampled_weights, resamples_for

MOST_BINS = 15
ROWS_IN_A_BIN = 10
ECE = (
    "expected calibration error: rows in up to 15 groups of equal size by the probability of the predicted class; the "
    "mean over the groups, by their weight, of |share that was right − mean probability|"
)


def calibration_error(
    probabilities: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray | None = None,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Interval:
    """Return the expected calibration error with its interval.

    `ECE = sum over groups of |sum of w (right - probability)| / sum of w`, where rows are grouped by the probability of
    the predicted class into up to 15 groups of equal size, ten rows in each at least (Naeini, Cooper and Hauskrecht,
    AAAI 2015; Guo et al. 2017). A sum of absolute values is never below zero, so that a few rows show an error even
    where probabilities are right. For the same reason errors of resamples lie too high, by about as much as the value
    itself does; the interval is therefore the basic bootstrap, `[2 value - high, 2 value - low]` (Davison and Hinkley
    1997), never below zero, and always holds the value.

    Args:
        probabilities: `(rows, classes)`.
        truth: class numbers `(rows,)`.
        weights: of the rows, any sign, or None.
        seed: of the resamples.
        groups: `(rows,)`, counted from 0; whole groups are drawn.
    """
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    place = groups_of_equal_size(sure)
    spread = (place[:, None] == np.arange(place.max(initial=0) + 1)) * (right - sure)[:, None]

    def error(vectors: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.abs(vectors @ spread).sum(axis=-1) / vectors.sum(axis=-1)

    value = float(error(weights))
    if len(truth) < 2 or (groups is not None and groups.max() == 0):
        return Interval(value, float("nan"), float("nan"))
    drawn = resampled_weights(len(truth), weights, resamples_for(len(truth)), seed, 1, groups)
    low, high = percentiles(np.concatenate([error(chunk) for chunk in drawn]))
    ends = max(0.0, min(value, 2 * value - high)), max(value, 2 * value - low)
    return Interval(value, *ends, "basic bootstrap" if groups is None else "basic cluster bootstrap")


def groups_of_equal_size(probabilities: np.ndarray) -> np.ndarray:
    """Return the group of each row by its probability, `(rows,)`, counted from 0; equal ones stay together.

    Example:
        >>> np.bincount(groups_of_equal_size(np.linspace(0.5, 1.0, 40))).tolist()
        [10, 10, 10, 10]
    """
    bins = int(np.clip(len(probabilities) // ROWS_IN_A_BIN, 1, MOST_BINS))
    ordered = np.sort(probabilities)
    edges = np.unique(ordered[[len(ordered) * k // bins for k in range(1, bins)]])
    return np.unique(np.searchsorted(edges, probabilities, side="right"), return_inverse=True)[1]

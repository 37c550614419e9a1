"""Sums over weighted rows: how many they count as, their histograms, and how two samples of them differ.

Weights may have any sign. A sum of weights has the variance `sum w²`, whatever their signs, since that is the sum of
the squares of what each row may or may not add (Barlow and Beeston, 1993; Bohm and Zech, "Introduction to Statistics
and Data Analysis for Physicists", ch. 3.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored


def effective_number(weights: Any) -> float:
    """Return how many equal rows weighted ones count as, `(sum w)² / sum w²` (Kish, 1965); 0 if they are all zero.

    Example:
        >>> effective_number([1.0, 1.0, 1.0, -1.0]), effective_number([2.0, 2.0])
        (1.0, 2.0)
    """
    w = np.asarray(weights, np.float64)
    largest = np.abs(w).max(initial=0.0)
    if not largest > 0:
        return 0.0
    w = w / largest
    return float(w.sum() ** 2 / (w @ w))


def weighted_mean(values: np.ndarray, weights: Any = None, axis: int = 0) -> np.ndarray:
    """Return the mean along an axis by weights of any sign, None for ones; NaN where they add up to nothing.

    Example:
        >>> weighted_mean(np.array([1.0, 4.0]), [2.0, 1.0]).tolist()
        2.0
    """
    if weights is None:
        return np.asarray(values.mean(axis=axis))
    w = np.asarray(weights, np.float64)
    if w.sum() == 0.0:
        return np.full(np.delete(values.shape, axis), np.nan)
    return np.asarray(np.tensordot(values, w / w.sum(), axes=([axis], [0])))


def negative_fraction(weights: Any) -> float:
    """Return the share of the rows that have a negative weight.

    Example:
        >>> negative_fraction([1.0, -1.0])
        0.5
    """
    w = np.asarray(weights, np.float64)
    return float((w < 0).mean()) if w.size else 0.0


def histogram(values: Any, edges: Any, weights: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the weights in each bin and its error, `sqrt(sum w²)`.

    Args:
        values: `(rows,)`; those outside the edges are not counted.
        edges: `(bins + 1,)`, rising.
        weights: `(rows,)`, any sign; None for ones.

    Example:
        >>> sums, errors = histogram([0.1, 0.2, 0.9], [0.0, 0.5, 1.0], [3.0, 4.0, 1.0])
        >>> sums.tolist(), errors.tolist()
        ([7.0, 1.0], [5.0, 1.0])
    """
    values = np.asarray(values, np.float64)
    w = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    sums = np.histogram(values, edges, weights=w)[0]
    return sums, np.sqrt(np.histogram(values, edges, weights=w**2)[0])


@stored("kolmogorov_smirnov")
@dataclass(frozen=True)
class KolmogorovSmirnov:
    """How far two weighted samples differ.

    Attributes:
        statistic: `D = max |F1(x) - F2(x)|` of the weighted shares F of rows up to x.
        p: probability of a D at least as large where both come from one distribution.
        first, second: the effective numbers of rows of the two samples.
    """

    statistic: float
    p: float
    first: float
    second: float

    @property
    def formula(self) -> str:
        """How the numbers were computed, in words."""
        return (
            "D = max |F₁(x) − F₂(x)|, F(x) = Σ w[score ≤ x] / Σ w; p = Q(λ) = 2 Σₖ (−1)ᵏ⁻¹ exp(−2 k² λ²) with "
            "λ = (√n + 0.12 + 0.11/√n) D, n = n₁ n₂ / (n₁ + n₂) and n₁, n₂ = (Σ w)² / Σ w² (Stephens 1970)"
        )


def kolmogorov_smirnov(first: Any, second: Any, weights: Any = None, other_weights: Any = None) -> KolmogorovSmirnov:
    """Return the two-sample Kolmogorov-Smirnov test of weighted rows, unbinned.

    With unit weights D is that of `scipy.stats.ks_2samp`. The p-value takes weights to be independent of the values;
    with negative ones, or values that repeat, it is a rough one.

    Args:
        first: `(rows,)` values.
        second: `(other rows,)` values.
        weights: of the first, any sign with a positive sum; None for ones.
        other_weights: of the second.

    Returns:
        The test; NaN where a sample is empty or its weights do not add up to more than zero.

    Example:
        >>> test = kolmogorov_smirnov([1.0, 2.0, 3.0, 4.0], [3.5, 4.5, 5.5, 6.5])
        >>> test.statistic, test.first
        (0.75, 4.0)
    """
    from scipy.special import kolmogorov

    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    w = np.ones(len(a)) if weights is None else np.asarray(weights, np.float64)
    v = np.ones(len(b)) if other_weights is None else np.asarray(other_weights, np.float64)
    n1, n2 = effective_number(w), effective_number(v)
    if not (len(a) and len(b) and w.sum() > 0 and v.sum() > 0):
        return KolmogorovSmirnov(float("nan"), float("nan"), n1, n2)
    at = np.unique(np.concatenate([a, b]))
    distance = float(np.abs(_shares(a, w, at) - _shares(b, v, at)).max())
    root = np.sqrt(n1 * n2 / (n1 + n2))
    return KolmogorovSmirnov(distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance)), n1, n2)


def _shares(values: np.ndarray, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the weighted share of values up to each place."""
    order = np.argsort(values, kind="stable")
    passed = np.concatenate([[0.0], np.cumsum(weights[order])])
    return passed[np.searchsorted(values[order], at, side="right")] / passed[-1]

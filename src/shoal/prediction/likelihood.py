"""How likely the test values are in view of what was predicted."""

from __future__ import annotations

import numpy as np

LOG_2_PI = float(np.log(2.0 * np.pi))


def negative_log_likelihood(
    truth: np.ndarray, mean: np.ndarray, std: np.ndarray, covariance: np.ndarray | None = None, *, counts: bool = False
) -> np.ndarray:
    """Return the negative log-likelihood of the targets of each row, `(rows,)`, in natural units.

    `log(2 π std²) / 2 + (y - mean)² / (2 std²)`, summed over the targets as if they were independent; with a covariance
    C, `(n log 2 π + log det C + (y - mean)ᵀ C⁻¹ (y - mean)) / 2`; for counts that are expected to be f,
    `f - y log f + log y!`.

    Args:
        truth: `(rows, targets)`.
        mean: predicted, alike.
        std: predicted, alike.
        covariance: predicted, `(rows, targets, targets)`, or None.
        counts: whether they are counts.

    Example:
        >>> round(float(negative_log_likelihood(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1)))[0]), 3)
        1.419
    """
    away = truth - mean
    if counts:
        return _of_counts(mean, truth)
    if covariance is None:
        each = 0.5 * (LOG_2_PI + (away / std) ** 2) + np.log(std)
        return np.asarray(each.sum(axis=-1))
    _, log_determinant = np.linalg.slogdet(covariance)
    squares = np.einsum("...i,...i", away, np.linalg.solve(covariance, away[..., None])[..., 0])
    return np.asarray(0.5 * (away.shape[-1] * LOG_2_PI + log_determinant + squares))


def _of_counts(expected: np.ndarray, counts: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln

    expected = np.maximum(expected, 1e-12)
    return np.asarray((expected - counts * np.log(expected) + gammaln(counts + 1.0)).sum(axis=-1))

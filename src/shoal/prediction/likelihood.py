"""How likely the test values are in view of what was predicted."""

from __future__ import annotations

import numpy as np

from shoal.prediction.prediction import Prediction

LOG_2_PI = float(np.log(2.0 * np.pi))


def negative_log_likelihood(prediction: Prediction, truth: np.ndarray, counts: bool = False) -> np.ndarray:
    """Return the negative log-likelihood of the targets of each row, `(rows,)`, in natural units.

    `log(2 π std²) / 2 + (y - mean)² / (2 std²)`, summed over the targets as if they were independent; with a covariance
    C, `(n log 2 π + log det C + (y - mean)ᵀ C⁻¹ (y - mean)) / 2`; for counts that are expected to be f,
    `f - y log f + log y!`.

    Args:
        prediction: of numbers, with mean and std.
        truth: `(rows, targets)`.
        counts: whether they are counts.

    Example:
        >>> said = Prediction(("y",), mean=np.zeros((1, 1)), std=np.ones((1, 1)))
        >>> round(float(negative_log_likelihood(said, np.ones((1, 1)))[0]), 3)
        1.419
    """
    assert prediction.mean is not None
    assert prediction.std is not None
    away = truth - prediction.mean
    if counts:
        return _of_counts(prediction.mean, truth)
    if prediction.covariance is None:
        each = 0.5 * (LOG_2_PI + (away / prediction.std) ** 2) + np.log(prediction.std)
        return np.asarray(each.sum(axis=-1))
    _, log_determinant = np.linalg.slogdet(prediction.covariance)
    squares = np.einsum("...i,...i", away, np.linalg.solve(prediction.covariance, away[..., None])[..., 0])
    return np.asarray(0.5 * (away.shape[-1] * LOG_2_PI + log_determinant + squares))


def _of_counts(expected: np.ndarray, counts: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln

    expected = np.maximum(expected, 1e-12)
    return np.asarray((expected - counts * np.log(expected) + gammaln(counts + 1.0)).sum(axis=-1))

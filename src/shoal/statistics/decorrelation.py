"""Independent combinations of correlated rows, and the residuals in units of their errors."""

from __future__ import annotations

import numpy as np


def independent(covariance: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variances of independent combinations of rows `(rows,)`, and these as columns `(rows, rows)`.

    They are the eigenvalues and eigenvectors of the covariance; for residuals `r`, `vectorsᵀ r` are independent.

    Args:
        covariance: `(rows, rows)`; what stands on its diagonal is not looked at.
        sigma: `(rows,)`, the roots of its diagonal, perhaps with other errors of single rows in them.

    Example:
        >>> variances, _ = independent(np.array([[0.0, 3.0], [3.0, 0.0]]), np.array([2.0, 2.0]))
        >>> variances.tolist()
        [1.0, 7.0]
    """
    total = np.array(covariance, np.float64)
    np.fill_diagonal(total, np.square(sigma))
    variances, vectors = np.linalg.eigh(total)
    return variances, vectors


def whitening(covariance: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the matrix `C^(-1/2)` that turns residuals into independent pulls of width one, and the share of its rank.

    The symmetric root keeps each pull as near to its own row as can be (Kessy, Lewin and Strimmer, Am. Stat. 72, 309,
    2018), so that weights of rows are those of their pulls. Combinations without an error of their own tell nothing:
    where there are any, the rank is below the number of rows, and pulls are scaled so that their width is one all the
    same.

    Args:
        covariance: as for `independent`.
        sigma: as for `independent`.

    Example:
        >>> matrix, share = whitening(np.zeros((2, 2)), np.array([0.5, 0.1]))
        >>> matrix.tolist(), share
        ([[2.0, 0.0], [0.0, 10.0]], 1.0)
    """
    variances, vectors = independent(covariance, sigma)
    # what rounding leaves of a zero lies on both sides of it
    floor = max(len(variances) * np.finfo(np.float64).eps * variances[-1], -3.0 * variances[0])
    known = variances > floor
    share = float(known.mean())
    scaled = vectors[:, known] / np.sqrt(variances[known] * share)
    return scaled @ vectors[:, known].T, share

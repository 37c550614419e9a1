"""Correlated errors told apart, and what networks learn of them.

Rows that taught the networks and rows that test them share errors: an offset of all rows is learned with the law and
does not show in the residuals. So the scatter of the residuals is that of `ε - δ`, with `ε` the errors of the rows and
`δ` how far the networks moved with the errors of those that taught them. Replicas tell both: of each draw it is known
what the rows that taught had for errors, hence what those of the test rows are on average, and how far the ensemble
moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.prediction.replicas import taught_rows
from shoal.training.resampling import independent_noise

if TYPE_CHECKING:
    from shoal.data import Dataset, Split
    from shoal.prediction.predictor import Predictor


@dataclass(frozen=True)
class LearnedErrors:
    """What networks leave of the errors of some rows.

    Attributes:
        moved: `(draws, rows)`, what a draw tells of the error of a row less how far the ensemble moved there, both less
            their mean over the draws.
        left: `(rows, rows)`, the covariance of what no draw tells.
    """

    moved: np.ndarray
    left: np.ndarray

    def squares(self, matrix: np.ndarray) -> np.ndarray:
        """Return the mean squares of a linear function of the residuals, `matrix @ residuals`, `(rows,)`."""
        moved = np.square(self.moved @ matrix.T).sum(axis=0) / (len(self.moved) - 1)
        return np.asarray(moved + np.einsum("ij,ij->i", matrix @ self.left, matrix))


def learned_errors(
    predictor: Predictor, dataset: Dataset, split: Split, rows: np.ndarray, seed: int, sigma: np.ndarray
) -> LearnedErrors | None:
    """Return what the networks leave of the correlated errors of some rows; None without replicas.

    Args:
        predictor: with its replicas.
        dataset: with a covariance.
        split: whose rows taught the networks.
        rows: positions of those that are asked about.
        seed: of the run, which names the draws.
        sigma: `(rows,)` their errors, perhaps with errors of single rows that the covariance does not know.
    """
    covariance = dataset.covariance
    if covariance is None or not predictor.replicas:
        return None
    draws, moves = predictor.moves(predictor.preparation.transform(dataset.inputs(rows)))
    taught = taught_rows(split)
    shared = covariance.shared(taught, rows)
    known = (shared @ independent_noise(seed, draws, len(taught))).T
    left = covariance.of(rows) - shared @ shared.T
    left[np.diag_indices_from(left)] += np.square(sigma) - np.square(covariance.sigma[rows])
    return LearnedErrors(known - known.mean(axis=0) - moves[:, :, 0], left)


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
    full = np.array(covariance, np.float64)
    np.fill_diagonal(full, np.square(sigma))
    variances, vectors = np.linalg.eigh(full)
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

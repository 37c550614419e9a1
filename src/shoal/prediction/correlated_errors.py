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

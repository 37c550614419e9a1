"""The covariance of measured targets, and what a matrix must satisfy to be one.

Errors of measurements are seldom independent: a calibration, a background or a lamp moves many rows together. The
matrix `C` holds the variance of each row on its diagonal and the covariance of each pair beside it, in units of the
target squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.errors import DataError

ASYMMETRY = 1e-5
"""Of the product of two standard errors: so much may the two covariances of a pair differ, as rounded numbers do."""
NEGATIVE = 1e-7
"""Of the largest eigenvalue: so far below zero may the smallest lie, as rounded numbers leave it."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """The covariance of the measured errors of the target.

    Attributes:
        matrix: `(rows, rows)` float64, symmetric and positive semi-definite, in units of the target squared.
        name: of the file that it was read from.
    """

    matrix: np.ndarray
    name: str

    @property
    def sigma(self) -> np.ndarray:
        """The standard error of each row, `(rows,)`."""
        return np.sqrt(np.diagonal(self.matrix))

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the covariance of some rows, `(rows, rows)`."""
        return self.matrix[np.ix_(rows, rows)]

    @property
    def correlated(self) -> bool:
        """Whether any two rows have to do with each other; else the standard errors say everything."""
        return bool(np.count_nonzero(self.matrix) > len(self.matrix))

    def root(self, rows: np.ndarray) -> np.ndarray:
        """Return a matrix `L` with `L Lᵀ = C` for some rows, by which independent errors become correlated.

        It is Cholesky's, or that of the eigenvalues where some combination of rows has no error.
        """
        part = self.of(rows)
        try:
            return np.linalg.cholesky(part)
        except np.linalg.LinAlgError:
            values, vectors = _sound_eigenvalues(part)
            return vectors * np.sqrt(values)

    def shared(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the matrix `B` by which errors `L z` of some rows tell those of others: `B z` on average.

        What is left is independent of `z`, with the covariance `C - B Bᵀ` of the others.

        Args:
            rows: those with `L`, their `root`.
            others: any, also some of the same.
        """
        from scipy.linalg import solve_triangular

        part, between = self.of(rows), self.matrix[np.ix_(others, rows)]
        try:
            return np.asarray(solve_triangular(np.linalg.cholesky(part), between.T, lower=True).T)
        except np.linalg.LinAlgError:
            values, vectors = _sound_eigenvalues(part)
            inverse = np.divide(1.0, np.sqrt(values), out=np.zeros_like(values), where=values > 0.0)
            return np.asarray(between @ vectors * inverse)


def _sound_eigenvalues(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of a covariance; those that rounding alone holds up are zero."""
    values, vectors = np.linalg.eigh(part)
    floor = max(len(values) * np.finfo(np.float64).eps * values[-1], -3.0 * values[0])
    return np.where(values > floor, values, 0.0), vectors


def check_covariance(matrix: np.ndarray, path: str | Path, numbers: np.ndarray | None = None) -> np.ndarray:
    """Return a matrix, exactly symmetric, that is a covariance.

    Args:
        matrix: `(rows, rows)`.
        path: where it comes from, for messages.
        numbers: what the rows are called in messages; default: from 1.

    Raises:
        DataError: a value that is not finite, a variance that is not positive, two covariances of one pair, a
            correlation above one, or a negative eigenvalue; the message names the rows.

    Example:
        >>> check_covariance(np.array([[1.0, 0.5], [0.5, 4.0]]), "c.npy").tolist()
        [[1.0, 0.5], [0.5, 4.0]]
    """
    numbers = np.arange(1, len(matrix) + 1) if numbers is None else numbers

    def pair(wrong: np.ndarray) -> tuple[int, int, str]:
        i, j = (int(k) for k in np.unravel_index(int(wrong.argmax()), wrong.shape))
        return i, j, f"rows {numbers[i]} and {numbers[j]}" if i != j else f"row {numbers[i]}"

    finite = np.isfinite(matrix)
    if not finite.all():
        i, j, which = pair(~finite)
        raise DataError(f"y_cov: {path} must hold finite numbers, but the covariance of {which} is {matrix[i, j]:g}")
    variance = np.diagonal(matrix)
    if not (variance > 0.0).all():
        i = int((variance > 0.0).argmin())
        raise DataError(
            f"y_cov: {path}: the variance of a measured value must be positive, but that of row {numbers[i]} (on the "
            f"diagonal) is {variance[i]:g}"
        )
    size = np.sqrt(variance)
    limit = np.outer(size, size)
    wrong = np.abs(matrix - matrix.T) > ASYMMETRY * limit
    if wrong.any():
        i, j, which = pair(wrong)
        raise DataError(
            f"y_cov: {path} must be symmetric, but the covariance of {which} is {matrix[i, j]:g} in one place and "
            f"{matrix[j, i]:g} in the other"
        )
    wrong = np.abs(matrix) > (1.0 + ASYMMETRY) * limit
    if wrong.any():
        i, j, which = pair(wrong)
        raise DataError(
            f"y_cov: {path}: the correlation of {which} is {matrix[i, j] / limit[i, j]:.4g}, beyond ±1. Does the "
            "diagonal hold variances, the squares of the standard errors?"
        )
    matrix = 0.5 * (matrix + matrix.T)
    _check_eigenvalues(matrix, path)
    return matrix


def _check_eigenvalues(matrix: np.ndarray, path: str | Path) -> None:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        values = np.linalg.eigvalsh(matrix)
        negative = int((values < -NEGATIVE * values[-1]).sum())
        if negative:
            raise DataError(
                f"y_cov: {path} is no covariance: of its {len(values):,} eigenvalues {negative:,} "
                f"{'is' if negative == 1 else 'are'} negative, the smallest {values[0]:.4g} (the largest is "
                f"{values[-1]:.4g}), so that some combination of the rows would have a negative variance. Was it "
                "rounded, or put together from parts? Add a little to the diagonal, or set these eigenvalues to zero."
            ) from None

"""Principal components: the best linear autoencoder, which a nonlinear one has to beat.

Not scikit-learn's `PCA`, which knows no weights of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_EXACT = 1_500  # rows or columns, the fewer of them, up to which the components are computed exactly


@dataclass(frozen=True)
class Principal:
    """A mean and directions of largest variance.

    Of all linear maps to `k` numbers and back, that to the first `k` components has the least squared error (Baldi and
    Hornik, Neural Networks 2, 53, 1989, for autoencoders).

    Attributes:
        mean: `(columns,)`.
        directions: `(components, columns)`, orthonormal; the largest entry of each is positive.
        shares: `(components,)`, the share of the variance along each.

    Example:
        >>> x = np.outer(np.arange(5.0), [1.0, 2.0])
        >>> line = Principal.fit(x, 1)
        >>> bool(np.allclose(line.reconstruct(x), x)), line.shares.round(6).tolist()
        (True, [1.0])
    """

    mean: np.ndarray
    directions: np.ndarray
    shares: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray, components: int, weights: np.ndarray | None = None, seed: int = 0) -> Principal:
        """Return the first components of rows; fewer where there are fewer rows or columns.

        Args:
            x: `(rows, columns)`.
            components: how many, at least 1.
            weights: `(rows,)`; negative ones count as zero. None: all alike.
            seed: of the random projection by which components of very large data are found (Halko et al., SIAM Rev. 53,
                217, 2011).
        """
        x = np.asarray(x, np.float64)
        w = np.ones(len(x)) if weights is None else np.clip(np.asarray(weights, np.float64), 0.0, None)
        w = w / w.sum() if w.sum() > 0 else np.full(len(x), 1.0 / len(x))
        mean = w @ x
        z = (x - mean) * np.sqrt(w)[:, None]
        directions, variances = _directions(z, min(components, *x.shape), seed)
        signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
        total = float((z**2).sum())
        return cls(mean, directions * signs[:, None], variances / (total or 1.0))

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return rows along the components, `(rows, components)`."""
        return np.asarray((np.asarray(x, np.float64) - self.mean) @ self.directions.T)

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Return what is left of rows after the projection, `(rows, columns)`."""
        return np.asarray(self.project(x) @ self.directions + self.mean)


def _directions(z: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the right singular vectors `(count, columns)` with the largest values, and the squares of these."""
    if min(z.shape) > MOST_EXACT:
        from sklearn.utils.extmath import randomized_svd

        _, values, directions = randomized_svd(z, count, random_state=seed % 2**32)
        return directions, values**2
    if z.shape[1] <= z.shape[0]:
        variances, vectors = np.linalg.eigh(z.T @ z)
        return vectors.T[::-1][:count], np.clip(variances[::-1][:count], 0.0, None)
    _, values, directions = np.linalg.svd(z, full_matrices=False)
    return directions[:count], values[:count] ** 2

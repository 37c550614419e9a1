"""Chi-square and pulls: whether the measured errors of the targets are as large as their scatter about the networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.prediction.correlated_errors import LearnedErrors
from shoal.statistics.decorrelation import whitening

SURE = 2.0  # standard errors by which a width must differ to be told


@dataclass(frozen=True)
class ChiSquare:
    """How the residuals of some rows compare with their measured errors, for one target.

    Attributes:
        chi2: `sum(((y - f) / σ)²)`, with a covariance `(y - f)ᵀ C⁻¹ (y - f)`.
        ndf: number of rows, of which none was fitted; effective rows where rows have weights.
        p_value: of a larger chi-square, if errors are normal and the networks are right.
        mean, mean_error: of the pulls `(y - f) / σ`, with a covariance `C^(-1/2) (y - f)`, with its standard error.
        width, width_error: standard deviation of the pulls about their mean (divisor n - 1), with its standard error.
        expected: the width that the pulls have if `σ` is right: above 1 by the error of the fit.
    """

    chi2: float
    ndf: float
    p_value: float
    mean: float
    mean_error: float
    width: float
    width_error: float
    expected: float = 1.0

    @property
    def factor(self) -> float:
        """How many times the measured errors are too small."""
        return self.width / self.expected

    @property
    def wide(self) -> bool:
        """Whether the pulls are surely wider than they should be."""
        return self.width > self.expected * math.exp(SURE * self._relative_error)

    @property
    def narrow(self) -> bool:
        """Whether the pulls are surely narrower than they should be."""
        return self.width < min(self.expected, 1.0) * math.exp(-SURE * self._relative_error)

    @property
    def _relative_error(self) -> float:
        """The relative error of the width, at least that of normal pulls.

        Widths are compared by their logarithms: a sample that comes out narrow has a small error of its width, too,
        so that one time in fourteen right errors would be called too large.
        """
        return max(self.width_error / max(self.width, 1e-300), math.sqrt(0.5 / self.ndf))


def chi_square(
    residuals: np.ndarray,
    sigma: np.ndarray,
    weights: np.ndarray | None = None,
    fit: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
    learned: LearnedErrors | None = None,
) -> ChiSquare:
    """Return chi-square and pulls of one target.

    With a covariance the pulls are decorrelated. Errors that these rows share with those that taught the networks are
    learned with the law and do not show in the residuals: each such error, an offset for example, takes about one
    from chi-square. The expected width knows it if replicas tell what was learned.

    The standard error of the width is that of a sample of any distribution, `sqrt((m₄ - m₂²) / n) / (2 sqrt(m₂))`, so
    that heavy tails are not taken for errors that are too small.

    Args:
        residuals: `(rows,)` true minus predicted values, of rows that trained no weight.
        sigma: `(rows,)` measured errors.
        weights: `(rows,)` or None.
        fit: `(rows,)` errors of the predictions, or None.
        covariance: `(rows, rows)` of the measured errors, whose diagonal is `sigma²`; None: they are independent.
        learned: what the networks leave of correlated errors; `fit` then holds all but the error that those cause.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> test = chi_square(0.2 * rng.normal(size=500), np.full(500, 0.1))
        >>> test.wide, round(test.factor)
        (True, 2)
    """
    from scipy.special import gammaincc

    share, squares, fitted = 1.0, None, None
    if covariance is None:
        pulls = np.asarray(residuals, np.float64) / sigma
        fitted = None if fit is None else np.square(fit / sigma)
    else:
        matrix, share = whitening(covariance, sigma)
        pulls = matrix @ np.asarray(residuals, np.float64)
        squares = None if learned is None else learned.squares(matrix)
        fitted = None if fit is None else np.square(matrix) @ np.square(fit)
    w = np.ones(len(pulls)) if weights is None else np.asarray(weights, np.float64)
    count = float(w.sum() ** 2 / np.square(w).sum()) * share
    w = w / w.sum()
    mean = float(np.sum(w * pulls))
    second, fourth = (float(np.sum(w * (pulls - mean) ** k)) for k in (2, 4))
    variance = second * count / max(count - 1.0, 1.0)
    of_variance = max(fourth - second**2, 0.0) / count
    width = float(np.sqrt(variance))
    chi2 = count * float(np.sum(w * pulls**2))
    expected = 1.0 if squares is None else float(np.sum(w * squares))
    expected = float(np.sqrt(expected + (0.0 if fitted is None else np.sum(w * fitted))))
    error = float(np.sqrt(of_variance)) / (2.0 * width) if width > 0.0 else 0.0
    p_value = float(gammaincc(0.5 * count, 0.5 * chi2))
    return ChiSquare(chi2, count, p_value, mean, width / float(np.sqrt(count)), width, error, expected)

"""Chi-square and pulls: whether the measured errors of the targets are as large as their scatter about the networks."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace

import numpy as np

from shoal.prediction.correlated_errors import LearnedErrors
from shoal.statistics.bootstrap import normal_quantile
from shoal.statistics.decorrelation import whitening
from shoal.statistics.weighted import effective_number

SURE = 2.0  # standard errors by which a width must differ to be told
LEVEL = 0.05
"""How often right errors may be called wrong."""
FAR = 5.0
"""Times the core of the pulls beyond which a pull is an outlier: one normal pull in two million."""


class Finding(enum.StrEnum):
    """What pulls say of the measured errors, see `ChiSquare.finding`."""

    RIGHT = "right"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    HEAVY_TAILS = "heavy tails"
    BIASED = "biased"
    HIDDEN = "hidden by the error of the fit"
    TOO_FEW = "too few rows"


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
        core: half the width that holds 68.3 % of the pulls about their median; of normal pulls the width.
        outliers: number of pulls that lie more than five times the core (of few rows a little more) from their median.
        largest: of these, the distance from the median; 0 where there are none.
        rest: the same of all other pulls; None where there are no outliers.
    """

    chi2: float
    ndf: float
    p_value: float
    mean: float
    mean_error: float
    width: float
    width_error: float
    expected: float = 1.0
    core: float = 1.0
    outliers: int = 0
    largest: float = 0.0
    rest: ChiSquare | None = None

    @property
    def factor(self) -> float:
        """How many times the measured errors are too small."""
        return self.width / self.expected

    @property
    def wide(self) -> bool:
        """Whether the pulls are surely wider than they should be."""
        return self.width > self.expected * math.exp(SURE * self.relative_error)

    @property
    def narrow(self) -> bool:
        """Whether the pulls are surely narrower than they should be."""
        return self.width < min(self.expected, 1.0) * math.exp(-SURE * self.relative_error)

    @property
    def relative_error(self) -> float:
        """The relative error of the width, at least that of normal pulls.

        Widths are compared by their logarithms: a sample that comes out narrow has a small error of its width, too,
        so that one time in fourteen right errors would be called too large.
        """
        return max(self.width_error / max(self.width, 1e-300), math.sqrt(0.5 / self.ndf))

    def finding(self, level: float = LEVEL) -> Finding:
        """Return what chi-square and width say together; of the rows that are no outliers, where there are some.

        Chi-square, in units of the expected width, is rejected at a fifth of the level, the width at the rest of it. A
        chi-square that is too large comes from the tails where the core is wide by less than half as much (logarithms).

        Args:
            level: how often right errors may be called wrong.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> pulls = rng.normal(size=200)
            >>> chi_square(pulls, np.ones(200)).finding(), chi_square(pulls, np.full(200, 3.0)).finding()
            (<Finding.RIGHT: 'right'>, <Finding.TOO_LARGE: 'too large'>)
        """
        if self.rest is not None:
            return self.rest.finding(level)
        if self.ndf < 2.0 or not math.isfinite(self.width):
            return Finding.TOO_FEW
        sure = normal_quantile(1.0 - 0.8 * level)
        unsure = math.exp(sure * self.relative_error)
        too_large, too_small = self._tails_of_chi_square()
        wide = self.width > self.expected * unsure
        if wide or too_large < 0.1 * level:
            of_core = math.exp(sure * 0.96 / math.sqrt(self.ndf))  # of 68.3 % of normal numbers
            mostly_tails = math.log(max(self.core, 1e-300) / self.expected) < 0.5 * math.log(self.width / self.expected)
            if mostly_tails and self.core * of_core < self.width:
                return Finding.HEAVY_TAILS
            return Finding.TOO_SMALL if wide or not self._shifted(level) else Finding.BIASED
        if self.width * unsure < min(self.expected, 1.0) or too_small < 0.1 * level:
            return Finding.TOO_LARGE
        if self._shifted(0.02 * level):
            return Finding.BIASED
        if self.expected > math.sqrt(2.0):
            return Finding.HIDDEN
        return Finding.RIGHT if unsure < 1.5 else Finding.TOO_FEW

    def _shifted(self, level: float) -> bool:
        """Return whether the mean of the pulls is not zero, as a fit that is off on all rows leaves it."""
        return abs(self.mean) > normal_quantile(1.0 - level) * self.mean_error

    def _tails_of_chi_square(self) -> tuple[float, float]:
        """Return the probabilities of a larger and of a smaller chi-square, if the errors are right."""
        from scipy.special import gammainc, gammaincc

        half = 0.5 * self.chi2
        larger = gammaincc(0.5 * self.ndf, half / self.expected**2)
        return float(larger), float(gammainc(0.5 * self.ndf, half / min(self.expected, 1.0) ** 2))


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
    share, variances = 1.0, np.ones(len(residuals))
    if covariance is None:
        pulls = np.asarray(residuals, np.float64) / sigma
        fitted = None if fit is None else np.square(fit / sigma)
    else:
        matrix, share = whitening(covariance, sigma)
        pulls = matrix @ np.asarray(residuals, np.float64)
        variances = variances if learned is None else learned.squares(matrix)
        fitted = None if fit is None else np.square(matrix) @ np.square(fit)
    w = np.ones(len(pulls)) if weights is None else np.asarray(weights, np.float64)
    variances = variances if fitted is None else variances + fitted
    everything = _of_pulls(pulls, w, variances, share)
    away = np.abs(pulls - _median(pulls, w))
    far = away > FAR * (1.0 + 2.0 / math.sqrt(max(everything.ndf, 1.0))) * everything.core
    if not far.any() or far.all() or everything.core == 0.0:
        return everything
    rest = _of_pulls(pulls[~far], w[~far], variances[~far], share)
    return replace(everything, outliers=int(far.sum()), largest=float(away.max()), rest=rest)


def _of_pulls(pulls: np.ndarray, weights: np.ndarray, variances: np.ndarray, share: float) -> ChiSquare:
    """Return the comparison for pulls that have these variances if the errors are right.

    `share` is how many independent errors there are for each row.
    """
    from scipy.special import gammaincc

    count = effective_number(weights) * share
    if not weights.sum() > 0.0:
        return ChiSquare(math.nan, count, math.nan, math.nan, math.nan, math.nan, math.nan)
    w = weights / weights.sum()
    mean = float(np.sum(w * pulls))
    second, fourth = (float(np.sum(w * (pulls - mean) ** k)) for k in (2, 4))
    with np.errstate(invalid="ignore"):  # negative weights can leave a variance below zero
        width = float(np.sqrt(second * count / max(count - 1.0, 1.0)))
        expected = float(np.sqrt(np.sum(w * variances)))
    mean_error = width / math.sqrt(count)
    of_variance = max(fourth - second**2, 0.0) / count
    chi2 = count * float(np.sum(w * pulls**2))
    error = math.sqrt(of_variance) / (2.0 * width) if width > 0.0 else 0.0
    p_value = float(gammaincc(0.5 * count, 0.5 * chi2))
    core = _quantile(np.abs(pulls - _median(pulls, weights)), weights, 0.6827)
    return ChiSquare(chi2, count, p_value, mean, mean_error, width, error, expected, core)


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    return _quantile(values, weights, 0.5)


def _quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Return the value below which this share of the weights lies; rows that take away count as any other."""
    order = np.argsort(values, kind="stable")
    risen = np.cumsum(np.abs(weights)[order])
    return float(np.interp(level, (risen - 0.5 * np.abs(weights)[order]) / risen[-1], values[order]))

"""Chi-square and pulls: the distributions that they have where the truth is known, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shoal.evaluation.chi_square import ChiSquare, chi_square
from shoal.evaluation.topics.pulls import errors_sentence
from shoal.results import Interval

NONE = Interval(0.0, 0.0, 0.1, "likelihood")


def measured(seed: int, rows: int = 200, told: float = 1.0, scatter: float = 0.0) -> ChiSquare:
    """Return what comes out where errors are `told` times what they should be."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.05, 0.2, rows)
    return chi_square(np.hypot(sigma, scatter) * rng.standard_normal(rows), told * sigma)


def test_chi_square_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    residuals, sigma = rng.normal(size=50), rng.uniform(0.5, 1.5, 50)
    found = chi_square(residuals, sigma)
    pulls = residuals / sigma
    assert found.chi2 == pytest.approx(np.sum(pulls**2))
    assert (found.ndf, found.expected) == (50.0, 1.0)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.chi2, 50))
    assert (found.mean, found.width) == pytest.approx((pulls.mean(), pulls.std(ddof=1)))
    assert found.mean_error == pytest.approx(stats.sem(pulls))


def test_pulls_are_standard_normal_within_their_errors_where_errors_are_right() -> None:
    found = [measured(seed) for seed in range(300)]
    means = np.asarray([f.mean / f.mean_error for f in found])
    widths = np.asarray([(f.width - 1.0) / f.width_error for f in found])
    for standard in (means, widths):
        assert abs(standard.mean()) < 4.0 / np.sqrt(300) + 0.1  # the width of few pulls is a little skewed
        assert 0.85 < standard.std() < 1.15
    assert stats.kstest([f.p_value for f in found], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_halved_and_doubled_errors_are_told(seed: int) -> None:
    halved = measured(seed, told=0.5)
    assert halved.wide
    assert halved.factor == pytest.approx(2.0, abs=4.0 * halved.width_error)
    text = errors_sentence("y", halved, Interval(0.2, 0.1, 0.3))
    assert f"the errors are about {halved.factor:.1f} times too small" in text
    assert "weights only" in text
    assert "intrinsic scatter of about 0.2." in text
    doubled = measured(seed, told=2.0)
    assert doubled.narrow
    assert "times too large" in errors_sentence("y", doubled, NONE)


def test_right_errors_are_seldom_called_wrong() -> None:
    called = [f.wide or f.narrow for f in (measured(seed) for seed in range(300))]
    assert np.mean(called) < 0.09  # 4.6 % by two standard errors of normal widths
    quiet = errors_sentence("y", measured(1), NONE)
    assert quiet.startswith("The scatter of y about the networks agrees with its measured errors")


def test_the_error_of_the_fit_is_no_fault_of_the_measured_errors() -> None:
    rng = np.random.default_rng(3)
    residuals = rng.standard_normal(4000) * np.hypot(1.0, 0.75)
    assert chi_square(residuals, np.ones(4000)).wide
    found = chi_square(residuals, np.ones(4000), fit=np.full(4000, 0.75))
    assert found.expected == pytest.approx(1.25)
    assert not found.wide
    wider = chi_square(2.0 * residuals, np.ones(4000), fit=np.full(4000, 0.75))
    assert "instead of about 1.25" in errors_sentence("y", wider, NONE)


def test_heavy_tails_widen_the_error_of_the_width() -> None:
    rng = np.random.default_rng(4)
    normal, heavy = rng.standard_normal(2000), rng.standard_t(5, 2000)
    errors = [chi_square(r / r.std(), np.ones(2000)).width_error for r in (normal, heavy)]
    assert errors[0] == pytest.approx(1.0 / np.sqrt(4000), rel=0.1)
    assert errors[1] > 1.4 * errors[0]


def test_weights_count_as_repeated_rows_and_give_the_effective_number() -> None:
    rng = np.random.default_rng(5)
    residuals, counts = rng.normal(size=300), rng.integers(1, 4, 300)
    weighted = chi_square(residuals, np.ones(300), counts.astype(float))
    repeated = chi_square(np.repeat(residuals, counts), np.ones(counts.sum()))
    assert (weighted.mean, weighted.width) == pytest.approx((repeated.mean, repeated.width), rel=2e-3)
    assert weighted.ndf == pytest.approx(counts.sum() ** 2 / (counts**2).sum())
    assert weighted.chi2 / weighted.ndf == pytest.approx(repeated.chi2 / repeated.ndf)

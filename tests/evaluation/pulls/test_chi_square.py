"""Chi-square and pulls: the distributions that they have where the truth is known, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from shoal.evaluation.chi_square import ChiSquare, Finding, chi_square
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


def pulls_of(scale: float | np.ndarray, rows: int = 240) -> Callable[[np.random.Generator], ChiSquare]:
    return lambda random: chi_square(scale * random.standard_normal(rows), np.ones(rows))


def gross(rows: int, share: float = 0.01) -> np.ndarray:
    """Errors are right but for some rows, whose residuals are fifty times as large."""
    return np.where(np.arange(rows) < max(1, round(share * rows)), 50.0, 1.0)


def with_scatter(random: np.random.Generator) -> ChiSquare:
    sigma = random.uniform(0.05, 0.2, 240)
    return chi_square(np.hypot(sigma, 0.2) * random.standard_normal(240), sigma)


def behind_a_poor_fit(random: np.random.Generator) -> ChiSquare:
    return chi_square(np.hypot(1.0, 24.0) * random.standard_normal(240), np.ones(240), fit=np.full(240, 24.0))


def weighted(random: np.random.Generator) -> ChiSquare:
    weights = np.where(random.random(400) < 0.1, -1.0, 1.0)
    return chi_square(2.0 * random.standard_normal(400), np.ones(400), weights)


def correlated(random: np.random.Generator) -> ChiSquare:
    """An offset that all rows share, known to the covariance, and errors that are twice as large as told."""
    covariance = np.eye(60) + 0.5
    return chi_square(2.0 * (random.standard_normal(60) + np.sqrt(0.5) * random.standard_normal()), np.ones(60),
                      covariance=covariance)  # fmt: skip


RIGHT, SMALL, LARGE = Finding.RIGHT, Finding.TOO_SMALL, Finding.TOO_LARGE
# What is measured, what may be found, how often at least, and whether outliers are told.
KNOWN: dict[str, tuple[Callable[[np.random.Generator], ChiSquare], set[Finding], float, bool]] = {
    "right": (pulls_of(1.0), {RIGHT}, 0.92, False),
    "right, 30 rows": (pulls_of(1.0, 30), {RIGHT}, 0.9, False),
    "halved": (pulls_of(2.0), {SMALL}, 1.0, False),
    "halved, 30 rows": (pulls_of(2.0, 30), {SMALL}, 0.95, False),
    "doubled": (pulls_of(0.5), {LARGE}, 1.0, False),
    "doubled, 30 rows": (pulls_of(0.5, 30), {LARGE}, 0.97, False),
    "a fifth too small": (pulls_of(1.2, 1000), {SMALL}, 0.97, False),
    "right, 1 % gross": (pulls_of(gross(240)), {RIGHT}, 0.92, True),
    "halved, 1 % gross": (pulls_of(2.0 * gross(240)), {SMALL}, 0.97, True),
    "doubled, 1 % gross": (pulls_of(0.5 * gross(240)), {LARGE}, 1.0, True),
    "seven rows": (pulls_of(1.0, 7), {Finding.TOO_FEW}, 0.85, False),
    "heavy tails": (
        lambda random: chi_square(random.standard_t(3, 240), np.ones(240)),
        {SMALL, Finding.HEAVY_TAILS},
        0.95,
        False,
    ),
    "one row in ten three times as large": (
        pulls_of(np.where(np.arange(240) % 10, 1.0, 3.0)),
        {SMALL, Finding.HEAVY_TAILS},
        0.85,
        False,
    ),
    "intrinsic scatter": (with_scatter, {SMALL}, 0.97, False),
    "half an error off": (
        lambda random: chi_square(0.5 + random.standard_normal(240), np.ones(240)),
        {Finding.BIASED},
        0.9,
        False,
    ),
    "behind a poor fit": (behind_a_poor_fit, {Finding.HIDDEN}, 0.92, False),
    "halved, negative weights": (weighted, {SMALL}, 0.97, False),
    "halved, correlated": (correlated, {SMALL}, 0.97, False),
}


@pytest.mark.parametrize("case", KNOWN)
def test_what_is_said_of_errors_whose_truth_is_known_is_mostly_right(case: str) -> None:
    measure, right, share, with_outliers = KNOWN[case]
    tests = [measure(np.random.default_rng(seed)) for seed in range(100)]
    assert np.mean([test.finding() in right for test in tests]) >= share
    if with_outliers:
        assert np.mean([test.outliers > 0 for test in tests]) > 0.95


def test_right_errors_of_several_targets_are_seldom_called_wrong() -> None:
    wrong = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        tests = [chi_square(random.standard_normal(100), np.ones(100)) for _ in range(5)]
        wrong += any(not errors_sentence("y", t, NONE, targets=5).startswith("The scatter of y") for t in tests)
    assert wrong / 100 <= 0.08


def test_agreement_is_not_claimed_beside_a_chi_square_that_is_not() -> None:
    """The page said of width 24.09 ± 8.06 and a chi-square of 139368.8 / 240 that they agree with measured errors."""
    random = np.random.default_rng(0)
    gross_rows = np.where(np.arange(240) < 4, 180.0, 1.0) * random.standard_normal(240)
    test = chi_square(gross_rows, np.ones(240), fit=np.full(240, 0.3))
    assert test.chi2 > 1e4
    text = errors_sentence("y", test, NONE)
    assert "far outside all others" in text
    assert f"χ² is {test.chi2:.1f} with" in text
    hidden = errors_sentence("y", behind_a_poor_fit(random), NONE)
    assert hidden.startswith("Nothing can be said of the measured errors of y: the error of the fit is 24.0 times")
    few = errors_sentence("y", pulls_of(1.0, 7)(random), NONE)
    assert few.startswith("7 rows are too few")
    nan = chi_square(np.ones(3), np.ones(3), np.array([1.0, -1.0, 0.0]))
    assert nan.finding() is Finding.TOO_FEW

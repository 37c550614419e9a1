"""Correlated errors: chi-square and pulls against scipy, what networks learn of them, the scatter beside them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import linalg, stats

from shoal.data.covariance import Covariance
from shoal.evaluation.chi_square import chi_square
from shoal.evaluation.topics.pulls import errors_sentence
from shoal.prediction.correlated_errors import LearnedErrors, learned_errors
from shoal.prediction.intrinsic_scatter import intrinsic_scatter
from shoal.prediction.replicas import data_spread, moves, taught_rows, with_redrawn_targets
from shoal.results import Interval
from shoal.statistics.decorrelation import independent, whitening
from shoal.training.resampling import correlated_noise

RNG = np.random.default_rng(1)
N = 80
PLACE = np.sort(RNG.uniform(0.0, 10.0, N))
SIGMA = RNG.uniform(0.1, 0.3, N)
SMOOTH = 0.04 * np.exp(-0.5 * (PLACE[:, None] - PLACE) ** 2) + np.diag(SIGMA**2)


def drawn(covariance: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(covariance)), covariance, method="cholesky")


def test_chi_square_is_that_of_the_inverse_covariance() -> None:
    residuals = drawn(SMOOTH, 0)
    found = chi_square(residuals, np.sqrt(np.diag(SMOOTH)), covariance=SMOOTH)
    assert found.chi2 == pytest.approx(residuals @ linalg.solve(SMOOTH, residuals))
    assert found.ndf == N
    assert found.p_value == pytest.approx(stats.chi2.sf(found.chi2, N))
    pulls = np.real(linalg.inv(linalg.sqrtm(SMOOTH))) @ residuals
    assert (found.mean, found.width) == pytest.approx((pulls.mean(), pulls.std(ddof=1)))


def test_what_stands_on_the_diagonal_is_what_sigma_says() -> None:
    residuals, more = drawn(SMOOTH, 1), np.full(N, 0.2)
    sigma = np.sqrt(np.diag(SMOOTH) + more**2)
    found = chi_square(residuals, sigma, covariance=SMOOTH)
    assert found.chi2 == pytest.approx(residuals @ linalg.solve(SMOOTH + np.diag(more**2), residuals))


def test_without_correlations_everything_is_as_with_standard_errors() -> None:
    residuals, fit, weights = SIGMA * RNG.normal(size=N), np.full(N, 0.1), RNG.uniform(0.5, 2.0, N)
    with_errors, with_matrix = (
        chi_square(residuals, SIGMA, weights, fit, covariance) for covariance in (None, np.diag(SIGMA**2))
    )
    for name in ("chi2", "ndf", "p_value", "mean", "width", "width_error", "expected"):
        assert getattr(with_matrix, name) == pytest.approx(getattr(with_errors, name)), name


@pytest.mark.slow
def test_pulls_are_standard_normal_where_the_covariance_is_right() -> None:
    sigma = np.sqrt(np.diag(SMOOTH))
    found = [chi_square(drawn(SMOOTH, seed), sigma, covariance=SMOOTH) for seed in range(200)]
    means = np.asarray([f.mean / f.mean_error for f in found])
    assert 0.85 < means.std() < 1.15
    assert np.mean([f.width for f in found]) == pytest.approx(1.0, abs=0.02)
    assert stats.kstest([f.p_value for f in found], "uniform").pvalue > 1e-3
    assert np.mean([f.wide or f.narrow for f in found]) < 0.1
    # the standard errors alone take what rows share for chance in each of them
    alone = [chi_square(drawn(SMOOTH, seed), sigma) for seed in range(200)]
    assert stats.kstest([f.p_value for f in alone], "uniform").pvalue < 1e-6


def test_combinations_without_an_error_tell_nothing() -> None:
    flat = np.ones((6, 6)) + np.diag([0.0, 0.0, 0.0, 0.04, 0.04, 0.04])
    residuals = drawn(flat + 1e-14 * np.eye(6), 0)
    matrix, share = whitening(flat, np.sqrt(np.diag(flat)))
    assert share == pytest.approx(4 / 6)
    found = chi_square(residuals, np.sqrt(np.diag(flat)), covariance=flat)
    assert found.ndf == pytest.approx(4.0)
    assert found.chi2 == pytest.approx(residuals @ np.linalg.pinv(flat) @ residuals)
    mean_squares = np.einsum("ij,jk,ik->i", matrix, flat, matrix)
    assert mean_squares.mean() == pytest.approx(1.0)


def least_squares(x: np.ndarray, at: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return what a straight line fitted with weights 1 / σ² says at other places, as a matrix times the targets."""
    design, new = (np.stack([np.ones(len(where)), where], axis=1) for where in (x, at))
    weighted = design / sigma[:, None] ** 2
    return new @ np.linalg.solve(weighted.T @ design, weighted.T)


OFFSET = 0.09 + np.diag(SIGMA**2)
TAUGHT, TEST = np.arange(0, N, 2), np.arange(1, N, 2)


def learned_by_a_line(covariance: np.ndarray, draws: int, seed: int = 0) -> LearnedErrors:
    """Return what a straight line leaves of the errors of the test rows, by replicas that need no training."""
    sigma = np.sqrt(np.diag(covariance))
    line = least_squares(PLACE[TAUGHT], PLACE[TEST], sigma[TAUGHT])
    found = Covariance(covariance, "c")
    noise = correlated_noise(seed, draws, found.root(TAUGHT))

    def move(_: Any) -> tuple[np.ndarray, np.ndarray]:
        each = (line @ noise).T[:, :, None]
        return np.arange(draws), each - each.mean(axis=0)

    split: Any = SimpleNamespace(train=TAUGHT[:30], validation=TAUGHT[30:], folds=None)
    dataset: Any = SimpleNamespace(covariance=found, inputs=lambda rows: rows)
    preparation = SimpleNamespace(transform=lambda inputs: inputs)
    predictor: Any = SimpleNamespace(replicas=(None,), moves=move, preparation=preparation)
    learned = learned_errors(predictor, dataset, split, TEST, seed, sigma[TEST])
    assert learned is not None
    return learned


@pytest.mark.slow
@pytest.mark.parametrize("covariance", [OFFSET, SMOOTH, np.diag(SIGMA**2)], ids=["offset", "smooth", "independent"])
def test_replicas_tell_how_wide_the_pulls_of_test_rows_are(covariance: np.ndarray) -> None:
    sigma = np.sqrt(np.diag(covariance))
    matrix, _ = whitening(covariance[np.ix_(TEST, TEST)], sigma[TEST])
    line = least_squares(PLACE[TAUGHT], PLACE[TEST], sigma[TAUGHT])
    both = np.zeros((len(TEST), N))  # the residuals as a linear function of all errors
    both[:, TAUGHT], both[np.arange(len(TEST)), TEST] = -line, 1.0
    exact = np.einsum("ij,jk,ik->i", matrix @ both, covariance, matrix @ both)
    squares = np.mean([learned_by_a_line(covariance, 40, seed).squares(matrix) for seed in range(10)], axis=0)
    assert squares.mean() == pytest.approx(exact.mean(), rel=0.05)
    np.testing.assert_allclose(squares, exact, atol=0.12)
    # with an offset that all rows share, the error of the fit would be counted for each row if it were independent
    if covariance is OFFSET:
        assert exact.mean() < 1.15
        fit = np.sqrt(np.einsum("ij,jk,ik->i", line, covariance[np.ix_(TAUGHT, TAUGHT)], line))
        assert chi_square(np.zeros(len(TEST)), sigma[TEST], None, fit, covariance[np.ix_(TEST, TEST)]).expected > 1.5


@pytest.mark.slow
def test_the_expected_width_judges_the_pulls() -> None:
    sigma, own = np.sqrt(np.diag(OFFSET)), OFFSET[np.ix_(TEST, TEST)]
    line = least_squares(PLACE[TAUGHT], PLACE[TEST], sigma[TAUGHT])
    learned, called, widths, halved = learned_by_a_line(OFFSET, 40), [], [], []
    for seed in range(200):
        errors = drawn(OFFSET, seed)
        residuals = errors[TEST] - line @ errors[TAUGHT]
        found = chi_square(residuals, sigma[TEST], None, None, own, learned)
        called.append(found.wide or found.narrow)
        widths.append(found.width / found.expected)
        half = LearnedErrors(0.5 * learned.moved, 0.25 * learned.left)
        halved.append(chi_square(residuals, 0.5 * sigma[TEST], None, None, 0.25 * own, half))
    assert np.mean(called) < 0.1
    assert np.mean(widths) == pytest.approx(1.0, abs=0.03)
    assert np.mean([found.wide for found in halved]) > 0.99
    assert "times too small" in errors_sentence("y", halved[0], Interval(0.1, 0.0, 0.2))


def test_nothing_is_known_to_be_learned_without_replicas() -> None:
    predictor: Any = SimpleNamespace(replicas=())
    dataset: Any = SimpleNamespace(covariance=Covariance(OFFSET, "c"))
    assert learned_errors(predictor, dataset, SimpleNamespace(), TEST, 0, SIGMA[TEST]) is None  # type: ignore[arg-type]


def test_an_intrinsic_scatter_is_found_beside_a_common_error() -> None:
    residuals = drawn(OFFSET, 3) + 0.2 * np.random.default_rng(4).normal(size=N)
    variances, combinations = independent(OFFSET, np.sqrt(np.diag(OFFSET)))
    found = intrinsic_scatter(combinations.T @ residuals, variances)
    assert found.low < 0.2 < found.high
    assert found.low > 0.0
    hidden = intrinsic_scatter(residuals - residuals.mean(), np.diag(OFFSET))
    assert hidden.value < 0.1  # behind standard errors that the offset makes large


def test_replicas_of_independent_errors_are_drawn_as_ever() -> None:
    problem: Any = SimpleNamespace()
    dataset: Any = SimpleNamespace(covariance=Covariance(np.diag(SIGMA**2), "c"), y_err=lambda: SIGMA[:, None])
    split: Any = SimpleNamespace(train=TAUGHT, validation=TEST, folds=None)
    np.testing.assert_array_equal(taught_rows(split), np.concatenate([TAUGHT, TEST]))
    from shoal.results import Task
    from shoal.training.loss_choice import choose_loss
    from shoal.training.problem import make_problem

    rows = (np.zeros((40, 1)), np.zeros((40, 1)), None)
    problem = make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, None), rows, rows)
    scale = np.asarray([2.0])
    posed = with_redrawn_targets(problem, dataset, split, scale, 3)
    assert posed.y_noise is None
    np.testing.assert_allclose(posed.validation_y_err, SIGMA[TEST][:, None] / 2.0, rtol=1e-6)
    dataset.covariance = Covariance(OFFSET, "c")
    posed = with_redrawn_targets(problem, dataset, split, scale, 3)
    assert posed.y_err is None
    root = dataset.covariance.root(taught_rows(split)) / 2.0
    expected = correlated_noise(problem.seed, 3, root)
    np.testing.assert_array_equal(posed.y_noise, expected[:40])
    np.testing.assert_array_equal(posed.validation_y_noise, expected[40:])


def test_the_moves_of_the_ensemble_spread_as_told() -> None:
    values = np.random.default_rng(5).normal(size=(6, 2))
    replicas: Any = [SimpleNamespace(origin=k, draw=d) for d in range(6) for k in range(2)]
    draws, each = moves(replicas, lambda replica: values[replica.draw, replica.origin : replica.origin + 1][None])
    assert draws.tolist() == list(range(6))
    spread = data_spread(replicas, lambda replica: values[replica.draw, replica.origin : replica.origin + 1][None])
    np.testing.assert_allclose(spread, [[values.mean(axis=1).std(ddof=1)]])
    np.testing.assert_allclose(np.concatenate(each)[:, 0], values.mean(axis=1) - values.mean())

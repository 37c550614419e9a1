"""How much errors of features count: once, whatever the residuals hold of them already."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.prediction.input_noise import InputNoise


def drawn(seed: int, scatter: float, size: float = 1.0, rows: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals and the spread by errors of the features, which hold `size` times it and a scatter beside."""
    rng = np.random.default_rng(seed)
    moved = rng.uniform(0.05, 0.4, (rows, 1))
    return np.hypot(size * moved, scatter) * rng.standard_normal((rows, 1)), moved


def covered(residuals: np.ndarray, variance: np.ndarray) -> float:
    return float(np.mean(np.abs(residuals) <= np.sqrt(variance)))


@pytest.mark.parametrize("scatter", [0.0, 0.2])
def test_where_propagation_is_right_it_counts_in_full(scatter: float) -> None:
    shares = [InputNoise.of(r, np.full(r.shape, 1e-6), m).share[0] for r, m in (drawn(s, scatter) for s in range(20))]
    assert np.mean(np.equal(shares, 1.0)) >= 0.8  # 95 % with an error of 5 %


def test_where_it_says_too_much_less_of_it_counts() -> None:
    residuals, moved = drawn(0, 0.02, size=0.5)
    noise = InputNoise.of(residuals, np.full(residuals.shape, 1e-6), moved)
    assert noise.share == noise.share_alone == (pytest.approx(0.25, abs=0.1),)
    assert noise.learned_share == (1.0,)
    assert noise.typical[0] == pytest.approx(np.sqrt(np.mean(moved**2)))


@pytest.mark.parametrize("even", [True, False])
def test_a_variance_that_holds_the_noise_is_not_added_to_it(even: bool) -> None:
    residuals, moved = drawn(1, 0.1, rows=4000)
    learned = np.full(moved.shape, np.mean(moved**2) + 0.01) if even else moved**2 + 0.01
    noise = InputNoise.of(residuals, np.full(residuals.shape, 1e-6), moved, learned)
    variance = noise.share[0] * moved**2 + noise.learned_share[0] * learned
    assert covered(residuals, moved**2 + learned) > 0.75  # twice
    assert covered(residuals, variance) == pytest.approx(0.683, abs=0.03)
    # beside a scatter that is learned from the mean noise, rows keep their errors
    small, large = moved < 0.1, moved > 0.35
    for rows in (small, large):
        assert covered(residuals[rows], variance[rows]) == pytest.approx(0.683, abs=0.06)


def test_it_is_that_of_the_target_and_of_the_weights() -> None:
    (a, moved), (b, _) = drawn(2, 0.05), drawn(3, 0.02, size=0.5)
    both, twice = np.hstack([a, b]), np.hstack([moved, moved])
    noise = InputNoise.of(both, np.full(both.shape, 1e-6), twice)
    assert noise.share == (1.0, InputNoise.of(b, np.full(b.shape, 1e-6), moved).share[0])
    half = np.repeat([1.0, 0.0], 300)
    weighted = InputNoise.of(both, np.full(both.shape, 1e-6), twice, weights=half)
    assert weighted == InputNoise.of(both[:300], np.full((300, 2), 1e-6), twice[:300])
    assert InputNoise.from_dict(noise.to_dict()) == noise


def test_one_network_without_any_known_error_is_no_division_by_zero() -> None:
    rng = np.random.default_rng(4)
    moved = np.repeat([0.0, 0.3], 300)[:, None]
    residuals = np.hypot(moved, 0.1) * rng.standard_normal(moved.shape)
    assert InputNoise.of(residuals, np.zeros(moved.shape), moved).share == (1.0,)
    assert InputNoise.of(0.0 * residuals, np.zeros(moved.shape), moved).share == (0.0,)

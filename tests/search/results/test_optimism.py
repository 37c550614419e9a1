from __future__ import annotations

import numpy as np
import pytest

from shoal.results import Interval
from shoal.search.results.optimism import bias_of_best, estimate_optimism


def closure(true_scores: np.ndarray, parts: int, seed: int, repeats: int = 100) -> tuple[float, float, float]:
    """Return the mean bias found and the true one, and how often the interval held the flattery of a choice."""
    rng, found, true, held = np.random.default_rng(seed), [], [], []
    for _ in range(repeats):
        noise = 0.05 * rng.standard_normal((len(true_scores), parts))
        table = 1.0 + true_scores[:, None] + rng.standard_normal(parts) + noise
        counts = estimate_optimism(range(len(table)), table.tolist())
        assert counts is not None
        found.append(counts.bias.value)
        true.append(-float(noise.mean(axis=1)[table.mean(axis=1).argmin()]))
        held.append(counts.bias.low <= true[-1] <= counts.bias.high)
    return float(np.mean(found)), float(np.mean(true)), float(np.mean(held))


NORMAL = np.random.default_rng(9).standard_normal(64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("true_scores", "parts", "ratio"),
    [
        (np.zeros(64), 2, (0.85, 1.0)),
        (np.zeros(500), 2, (0.85, 1.0)),
        (np.zeros(64), 10, (0.85, 1.0)),
        (0.035 * NORMAL, 2, (0.85, 1.25)),
        (0.035 * np.exp(NORMAL), 2, (0.85, 1.25)),
        (np.where(np.arange(64) < 20, 0.0, 0.3 * np.abs(NORMAL)), 2, (0.8, 1.1)),
    ],
    ids=["equal", "500 equal", "equal in folds", "as far apart as the noise", "skew", "a third equal"],
)
def test_the_bias_is_that_of_the_choice(true_scores: np.ndarray, parts: int, ratio: tuple[float, float]) -> None:
    """Adding noise to the scores found, once more, gives 0.7 of it where candidates are equal."""
    found, true, held = closure(true_scores, parts, seed=1)
    assert ratio[0] < found / true < ratio[1]
    assert held > 0.75


def test_the_best_by_far_flatters_by_chance_only() -> None:
    found = bias_of_best(np.array([0.0, 50.0, 60.0, 70.0]), 1.0)
    assert abs(found.value) < 0.01
    assert (found.low, found.high) == (pytest.approx(-1.96, abs=0.05), pytest.approx(1.96, abs=0.05))


def test_without_noise_nothing_flatters() -> None:
    assert bias_of_best(np.array([1.0, 1.0, 2.0, 3.0]), 0.0) == Interval(0.0, 0.0, 0.0, "empirical Bayes")
    assert bias_of_best(np.ones(8), 0.0).value == 0.0


def test_candidates_that_differ_clearly_flatter_little() -> None:
    rng = np.random.default_rng(2)
    scores = np.linspace(0.1, 6.4, 64)[:, None] + 0.01 * rng.standard_normal((64, 2))
    counts = estimate_optimism(range(64), scores.tolist())
    assert counts is not None
    assert abs(counts.bias.value) < 0.001
    assert counts.noise == pytest.approx(0.01 / np.sqrt(2), rel=0.5)
    assert "so far ahead of the others" in counts.sentence


def test_parts_that_are_hard_for_all_are_no_noise() -> None:
    rng = np.random.default_rng(3)
    table = 0.02 * rng.standard_normal((40, 1)) + np.array([[1.0, 2.0, 5.0, 3.0]])
    counts = estimate_optimism(range(40), table.tolist())
    assert counts is not None
    assert counts.noise < 1e-12


def test_members_of_a_candidate_are_its_parts_and_diverged_ones_are_left_out() -> None:
    rng = np.random.default_rng(4)
    parts = rng.normal(1.0, 0.1, (40, 2))
    parts[7] = np.inf
    counts = estimate_optimism([i // 5 for i in range(40)], parts.tolist())
    assert counts is not None
    assert counts.candidates == 8
    assert counts.noise == pytest.approx(0.1 / np.sqrt(10), rel=0.5)
    assert estimate_optimism([0, 1], [[1.0, 2.0], [1.0, 2.0]]) is None

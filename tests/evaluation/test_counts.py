from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.counts import count_candidates


def test_the_bias_is_that_of_the_best_of_many_equals() -> None:
    """Of N equal candidates the least of N normal numbers flatters; the estimate takes some of the scatter for real."""
    rng, found, true = np.random.default_rng(1), [], []
    for _ in range(30):
        table = 1.0 + 0.05 * rng.standard_normal((64, 2))
        counts = count_candidates(range(64), table.tolist())
        assert counts is not None
        found.append(counts.bias.value)
        true.append(1.0 - table.mean(axis=1).min())
    assert 0.6 < np.mean(found) / np.mean(true) < 1.1


def test_candidates_that_differ_clearly_flatter_little() -> None:
    rng = np.random.default_rng(2)
    scores = np.linspace(0.1, 6.4, 64)[:, None] + 0.01 * rng.standard_normal((64, 2))
    counts = count_candidates(range(64), scores.tolist())
    assert counts is not None
    assert abs(counts.bias.value) < 0.001
    assert counts.noise == pytest.approx(0.01 / np.sqrt(2), rel=0.5)
    assert "luckiest of 64" in counts.sentence


def test_parts_that_are_hard_for_all_are_no_noise() -> None:
    rng = np.random.default_rng(3)
    table = 0.02 * rng.standard_normal((40, 1)) + np.array([[1.0, 2.0, 5.0, 3.0]])
    counts = count_candidates(range(40), table.tolist())
    assert counts is not None
    assert counts.noise < 1e-12


def test_members_of_a_candidate_are_its_parts_and_diverged_ones_are_left_out() -> None:
    rng = np.random.default_rng(4)
    parts = rng.normal(1.0, 0.1, (40, 2))
    parts[7] = np.inf
    counts = count_candidates([i // 5 for i in range(40)], parts.tolist())
    assert counts is not None
    assert counts.candidates == 8
    assert counts.noise == pytest.approx(0.1 / np.sqrt(10), rel=0.5)
    assert count_candidates([0, 1], [[1.0, 2.0], [1.0, 2.0]]) is None

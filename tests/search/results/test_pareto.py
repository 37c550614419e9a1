"""The front of score against size, and the smallest candidate that is as good as the best."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.search.results.pareto import pareto_front


def test_the_front_holds_whom_none_as_small_beats() -> None:
    rng = np.random.default_rng(0)
    parameters, scores = rng.integers(1, 40, 200), rng.normal(size=200)
    front = pareto_front(range(200), parameters.tolist(), scores.tolist(), 0.0)
    assert front is not None
    dominated = [
        any((parameters <= p) & (scores < s)) or any((parameters < p) & (scores <= s))
        for p, s in zip(parameters, scores, strict=True)
    ]
    assert sorted(front.candidates.tolist()) == np.flatnonzero(~np.asarray(dominated)).tolist()
    assert (np.diff(front.parameters) > 0).all()
    assert (np.diff(front.scores) < 0).all()
    assert front.scores[-1] == scores.min()
    assert front.good == len(front.scores) - 1  # without noise only the best is as good


@pytest.mark.parametrize(("noise", "size"), [(0.001, 1000), (0.01, 100), (0.1, 10)])
def test_the_smallest_within_one_error_of_a_difference(noise: float, size: int) -> None:
    front = pareto_front([7, 8, 9], [10, 100, 1000], [0.3, 0.21, 0.2], noise)
    assert front is not None
    assert front.size == size
    assert front.error == pytest.approx(noise * 2**0.5)
    assert (front.scores[: front.good] > 0.2 + front.error).all()


def test_sentences() -> None:
    front = pareto_front([0, 1], [67, 1203], [0.1234, 0.12], 0.01)
    assert front is not None
    assert front.sentence == (
        "A network with 67 parameters is as good as the best, with 1,203, within the error: "
        "its score is worse by 0.0034 ± 0.014."
    )
    front = pareto_front([0, 1], [67, 1203], [0.5, 0.12], 0.01)
    assert front is not None
    assert front.sentence.startswith("No network smaller than the best, which has 1,203 parameters, is as good")


def test_what_cannot_be_compared() -> None:
    assert pareto_front([0, 1], [5, 5], [1.0, 2.0], 0.1) is None
    assert pareto_front([0, 1], [5, 9], [1.0, np.inf], 0.1) is None
    front = pareto_front([0, 1, 2], [5, 9, 3], [1.0, 0.5, np.nan], 0.1)
    assert front is not None
    assert front.candidates.tolist() == [0, 1]


def test_equal_scores_count_for_the_smaller_one() -> None:
    front = pareto_front([0, 1, 2], [9, 5, 5], [1.0, 1.0, 1.0], 0.1)
    assert front is not None
    assert front.candidates.tolist() == [1]
    assert front.sentence.startswith("No network smaller")


def test_the_network_taken_is_seldom_truly_worse() -> None:
    """Networks below a certain size are truly worse, by how much is known; the scores are noisy."""
    rng, worse = np.random.default_rng(3), []
    for _ in range(300):
        size = rng.permutation(64)
        true = np.maximum(0.0, 20 - size) * 0.2 + rng.exponential(1.0, 64)
        front = pareto_front(range(64), size.tolist(), (true + rng.standard_normal(64)).tolist(), 1.0)
        assert front is not None
        worse.append(true[front.candidates[front.good]] - true[front.candidates[-1]])
    assert np.mean(np.asarray(worse) > 2**0.5) < 0.16
    assert np.mean(np.asarray(worse) > 2 * 2**0.5) < 0.02

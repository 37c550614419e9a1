"""The error of a score, and what is called worse than the best, where the truth is made up."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.search.results.knob import Judged, Rows, error_of, worse_than_best

ROWS, SEEDS = 40, 5


def population(random: np.random.Generator, means: list[float], row: float, seed: float, rest: float) -> list[Judged]:
    """Return made-up candidates of known means, whose rows are common to all."""
    of_rows = row * random.normal(size=ROWS)
    judged = []
    for mean in means:
        losses = mean + of_rows + seed * random.normal(size=(SEEDS, 1)) + rest * random.normal(size=(SEEDS, ROWS))
        judged.append(Judged(losses.mean(axis=1), losses.mean(axis=0), np.zeros(SEEDS)))
    return judged


@pytest.mark.parametrize(("row", "seed", "rest"), [(1.0, 0.0, 0.5), (0.3, 0.3, 0.3), (0.0, 0.5, 0.1), (1.0, 0.2, 2.0)])
def test_errors_are_how_far_scores_scatter(row: float, seed: float, rest: float) -> None:
    random, rows = np.random.default_rng(1), Rows(np.ones(ROWS), np.arange(ROWS))
    many = [population(random, [1.0], row, seed, rest)[0] for _ in range(600)]
    scatter = np.std([judged.score for judged in many])
    said = np.sqrt(np.mean([error_of(judged, rows) ** 2 for judged in many]))
    assert 0.9 * scatter < said < 1.3 * scatter  # what rows and networks share is counted twice, on the safe side


def test_errors_with_folds_count_the_rows_once() -> None:
    random, rows = np.random.default_rng(2), Rows(np.ones(ROWS), np.arange(ROWS))
    fold, scores, said = np.arange(ROWS) % SEEDS, [], []
    for _ in range(1000):
        losses = random.normal(size=ROWS) + 0.2 * random.normal(size=SEEDS)[fold]
        each = [losses[fold == k] for k in range(SEEDS)]
        within = np.array([values.var(ddof=1) / len(values) for values in each])
        judged = Judged(np.array([values.mean() for values in each]), losses, within)
        scores.append(judged.score)
        said.append(error_of(judged, rows) ** 2)
    assert 0.9 * np.std(scores) < np.sqrt(np.mean(said)) < 1.25 * np.std(scores)


def test_rows_that_belong_together_count_as_one() -> None:
    random = np.random.default_rng(3)
    of_groups = np.repeat(random.normal(size=20), 10)
    alone = Rows(np.ones(200), np.arange(200)).variance(of_groups)[0]
    together = Rows(np.ones(200), np.arange(200) // 10).variance(of_groups)[0]
    assert 9.0 < together / alone < 11.0


def test_weights_count() -> None:
    losses, weights = np.array([1.0, 2.0, 50.0]), np.array([1.0, 1.0, 0.0])
    assert Rows(weights, np.arange(3)).variance(losses)[0] == pytest.approx(3 / 2 * 0.5 / 4)


@pytest.mark.parametrize("noise", [(1.0, 0.1, 0.3), (0.2, 0.5, 0.1)])
def test_equal_values_are_seldom_called_worse_and_poor_ones_mostly(noise: tuple[float, float, float]) -> None:
    random, rows = np.random.default_rng(4), Rows(np.ones(ROWS), np.arange(ROWS))
    wrong = sum(any(worse_than_best(population(random, [1.0] * 4, *noise), rows)) for _ in range(500))
    assert wrong <= 0.05 * 500
    step = 6.0 * np.hypot(noise[1], noise[2] / ROWS**0.5) / SEEDS**0.5
    called = [worse_than_best(population(random, [1.0, 1.0 + step], *noise), rows) for _ in range(100)]
    assert all(not better for better, _ in called)
    assert sum(worse for _, worse in called) > 90


def test_single_networks_tell_nothing_of_seeds() -> None:
    rows = Rows(np.ones(ROWS), np.arange(ROWS))
    good, bad = (Judged(np.array([score]), np.full(ROWS, score), np.zeros(1)) for score in (1.0, 9.0))
    assert worse_than_best([good, bad], rows) == [False, False]

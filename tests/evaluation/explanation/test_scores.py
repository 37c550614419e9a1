"""The error of an importance against how much it scatters when the rows are drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.explanation.scores import SCORES, Estimate, estimate
from shoal.results import Task

SCORE = {score.name: score for score in SCORES[Task.REGRESSION]}


@pytest.mark.parametrize(("name", "noise", "repeats"), [("mse", 0.0, 2), ("mse", 1.0, 5), ("rmse", 1.0, 5)])
def test_errors_are_as_wide_as_the_scatter(name: str, noise: float, repeats: int) -> None:
    rng, rows, found = np.random.default_rng(0), 80, []
    for _ in range(400):
        x, y = rng.normal(size=(2, rows))
        y = 2.0 * x + noise * y
        deals = np.stack([rng.permutation(rows) for _ in range(repeats)])
        before, after = (y - 2.0 * x) ** 2, (y - 2.0 * x[deals]) ** 2
        found.append(estimate(SCORE[name], before[None], after[None], deals, np.ones(rows)))
    ratio = np.sqrt(np.mean([one.error**2 for one in found])) / np.std([one.value for one in found])
    assert 0.88 < ratio < 1.12


def test_rows_of_a_group_count_together() -> None:
    """Each row twice, known to belong together, has the error of the rows once."""
    rng, rows = np.random.default_rng(1), 300
    x, y = rng.normal(size=(2, rows))
    y = x + 0.5 * y
    twice, place = np.tile(np.arange(rows), 2), np.arange(rows)

    def of(index: np.ndarray, groups: np.ndarray | None, seed: int = 0) -> Estimate:
        shuffle = np.random.default_rng(seed)
        deals = np.stack([shuffle.permutation(len(index)) for _ in range(40)])
        a, b = x[index], y[index]
        return estimate(SCORE["mse"], ((b - a) ** 2)[None], ((b - a[deals]) ** 2)[None], deals, a * 0 + 1, groups)

    once, blind, known = of(place, None), of(twice, None), of(twice, twice)
    assert known.rows == pytest.approx(once.rows, rel=0.1)
    assert blind.rows == pytest.approx(once.rows / np.sqrt(2), rel=0.1)


def test_parts_that_are_not_known_are_left_out_of_the_error() -> None:
    assert Estimate(1.0, 0.3, members=0.4).error == pytest.approx(0.5)
    assert np.isnan(Estimate(1.0).error)
    assert set(Estimate(1.0).as_dict()) == {"value", "rows", "permutations", "members", "error"}

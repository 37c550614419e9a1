"""What the best of several runs on the same test rows is worth, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.looks import Looks, looks_of, optimism_of_best
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.results import Task

R = Task.REGRESSION


def runs(random: np.random.Generator, sizes: list[float], rows: int = 40) -> list[PredictedRows]:
    """Runs whose errors have these sizes, beside an error that all of them share."""
    truth = random.normal(size=(rows, 1))
    shared = truth + random.normal(size=truth.shape)
    guesses = [shared + size * random.normal(size=truth.shape) for size in sizes]
    return [PredictedRows(np.arange(rows), truth, guess) for guess in guesses]


def test_the_optimism_of_equally_good_runs_is_that_of_the_choice() -> None:
    estimated, true = [], []
    for seed in range(150):
        several = runs(np.random.default_rng(seed), [0.5] * 4)
        rivals, optimism = optimism_of_best(R, several) or (0, np.nan)
        scores = [float(np.sqrt(np.mean((run.truth - run.guess) ** 2))) for run in several]
        true.append(np.mean(scores) - min(scores))  # what all of them share favours none
        estimated.append(optimism)
        assert rivals <= 4
    assert np.mean(true) > 0.03
    assert np.mean(estimated) == pytest.approx(np.mean(true), rel=0.25)


def test_runs_that_are_surely_worse_are_no_rivals() -> None:
    several = runs(np.random.default_rng(0), [0.2, 0.2, 3.0, 5.0], rows=200)
    looks = looks_of(R, several, runs=4, replaced=0, later=1)
    assert (looks.rivals, looks.count) == (2, 5)
    assert "looked at 5 times, by 4 runs and 1 time later" in looks.sentence
    assert "If the best and the 1 run that these rows cannot tell from it were equally good" in looks.sentence
    alone = looks_of(R, runs(np.random.default_rng(0), [0.1, 3.0], rows=200), runs=2, replaced=0, later=0)
    assert alone.optimism == 0.0
    assert "better than the others by more than chance in RMSE" in alone.sentence


def test_little_is_said_where_little_is_known() -> None:
    assert Looks(1, later=3).sentence == ""
    assert optimism_of_best(R, runs(np.random.default_rng(0), [1.0, 1.0], rows=5)) is None
    unknown = looks_of(Task.RECONSTRUCTION, [], runs=3, replaced=1, later=0)
    assert "looked at 3 times, by 3 runs (1 of them replaced since). The best of them flatters" in unknown.sentence

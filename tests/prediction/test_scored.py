"""Scores over steps of series: what is counted, intervals over whole series, baselines that see neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.evaluation.baselines.tabular import learn_baselines
from shoal.prediction.prediction import ClassPrediction
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.statistics.bootstrap import resampled_weights, with_intervals


def test_rows_are_scored_as_they_are() -> None:
    y = np.array([[1.0], [2.0]])
    scored = Scored.of(Task.REGRESSION, y, None)
    assert scored.truth is y
    assert scored.taken(y) is y
    assert scored.series is None


def test_steps_without_a_target_are_not_scored() -> None:
    y = np.array([[[1.0], [np.nan]], [[np.nan], [np.nan]], [[2.0], [3.0]]])
    scored = Scored.of(Task.REGRESSION, y, np.array([1.0, 5.0, 2.0]))
    assert scored.truth.tolist() == [[1.0], [2.0], [3.0]]
    assert scored.weights is not None
    assert scored.weights.tolist() == [1.0, 2.0, 2.0]
    assert scored.series is not None
    assert scored.series.tolist() == [0, 1, 1]
    assert scored.taken(10 * y).tolist() == [[10.0], [20.0], [30.0]]


def test_whole_series_are_drawn() -> None:
    groups = np.repeat([0, 1, 2], [2, 5, 3])
    drawn = np.concatenate(list(resampled_weights(10, None, 400, seed=0, groups=groups)))
    assert drawn.shape == (400, 10)
    firsts = drawn[:, [0, 2, 7]]
    np.testing.assert_array_equal(drawn, firsts[:, groups])
    assert (firsts.sum(axis=1) == 3).all()


@pytest.mark.slow
def test_intervals_know_that_steps_of_a_series_are_alike() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 50)
    truth = rng.normal(size=2000)[:, None]
    guess = truth + rng.normal(size=40)[groups][:, None]  # a series is off as a whole
    alone = with_intervals(Task.REGRESSION, truth, guess)["rmse"]
    together = with_intervals(Task.REGRESSION, truth, guess, groups=groups)["rmse"]
    assert together.method == "cluster bootstrap"
    assert together.high - together.low > 4 * (alone.high - alone.low)
    right = with_intervals(Task.CLASSIFICATION, groups % 2, np.eye(2)[groups % 2], groups=groups)["accuracy"]
    assert right.low == pytest.approx(0.912, abs=0.01)  # Wilson of 40, not of 2,000


@pytest.mark.slow
def test_baselines_see_neighbouring_steps() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 20, 1)).astype(np.float32)
    y = (x[:, :, 0] + np.roll(x[:, :, 0], 1, axis=1) > 0).astype(int)
    y[0, 3] = -1
    learned = learn_baselines(Task.CLASSIFICATION, x, y, np.ones(30), 2, 0)(x)
    assert list(learned) == ["most_frequent", "logistic_regression_on_neighbours", "gradient_boosting_on_neighbours"]
    assert learned["logistic_regression_on_neighbours"].shape == (30, 20, 2)
    right = (learned["logistic_regression_on_neighbours"].argmax(axis=2) == y)[:, 1:].mean()
    assert right > 0.95
    numbers = learn_baselines(Task.REGRESSION, x, np.concatenate([2 * x, x], axis=2), None, 0, 0)(x)
    np.testing.assert_allclose(numbers["linear_regression_on_neighbours"][:, :, :1], 2 * x, atol=0.02)


def test_a_prediction_of_steps_ends_with_its_series() -> None:
    sure = np.tile([[0.2, 0.8]], (2, 3, 1))
    more = {"probability_std": np.zeros((2, 3, 2)), "averaged": sure, "disagreement": np.zeros((2, 3))}
    prediction = ClassPrediction(("state",), ("a", "b"), sure, **more).until(3, np.array([3, 1]))
    assert prediction.labels is not None
    assert prediction.labels.tolist() == [["b"] * 3, ["b", None, None]]
    frame = prediction.frame()
    assert frame.columns == ["row", "step", "prediction", "probability_a", "probability_b", "disagreement"]
    assert frame["row"].to_list() == [0, 0, 0, 1]
    assert frame["step"].to_list() == [1, 2, 3, 1]
    assert frame["probability_b"].to_list() == [0.8] * 4

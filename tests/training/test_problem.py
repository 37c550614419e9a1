"""From prepared rows to a problem: targets as outputs, weights of mean one, even halves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.errors import DataError, SettingError
from shoal.results import Task
from shoal.training.loss_choice import choose_loss
from shoal.training.losses import get_loss
from shoal.training.problem import Problem, encode_target, make_problem

X = np.ones((6, 2))


def pose(y: Any, w: Any = None, task: Task = Task.CLASSIFICATION, **options: Any) -> Problem:
    classes = options.pop("classes", 3)
    loss = choose_loss(task, classes, options.pop("loss", None))
    return make_problem(task, loss, (X, y, w), (X, y, w), classes=classes, **options)


def test_the_loss_suits_the_task() -> None:
    assert choose_loss(Task.REGRESSION, 0, None).name == "mse"
    assert choose_loss(Task.CLASSIFICATION, 2, None).name == "binary_crossentropy"
    assert choose_loss(Task.CLASSIFICATION, 3, None).name == "categorical_crossentropy"
    assert choose_loss(Task.CLASSIFICATION, 3, "mse").name == "mse"
    with pytest.raises(SettingError, match="does not suit regression"):
        choose_loss(Task.REGRESSION, 0, "binary_crossentropy")


@pytest.mark.parametrize(
    ("classes", "loss", "outputs", "activation"),
    [
        (2, None, 1, "sigmoid"),
        (2, "mse", 1, "sigmoid"),
        (2, "categorical_crossentropy", 2, "softmax"),
        (3, None, 3, "softmax"),
        (3, "mae", 3, "softmax"),
        (3, "binary_crossentropy", 3, "sigmoid"),
    ],
)
def test_classes_become_outputs(classes: int, loss: str | None, outputs: int, activation: str) -> None:
    y = np.asarray([0, 1, classes - 1, 0, 1, 0])
    problem = pose(y, classes=classes, loss=loss)
    assert (problem.outputs, problem.output_activation, problem.y.dtype) == (outputs, activation, np.float32)
    back = problem.y[:, 0] if outputs == 1 else problem.y.argmax(axis=1)
    assert np.array_equal(back, y)


def test_numbers_stay_numbers() -> None:
    y = np.arange(12.0).reshape(6, 2)
    problem = pose(y, task=Task.REGRESSION)
    assert (problem.inputs, problem.outputs, problem.output_activation) == (2, 2, "linear")
    assert np.array_equal(problem.y, y)
    assert np.array_equal(encode_target(Task.REGRESSION, get_loss("mse"), 0, y), y)


def test_without_weights_every_row_counts_one() -> None:
    problem = pose(np.asarray([0, 1, 2, 0, 1, 2]))
    assert np.array_equal(problem.weights, np.ones((6, 1)))


def test_weights_get_mean_one_and_keep_their_signs() -> None:
    weights = np.asarray([10.0, 20.0, -5.0, 10.0, 10.0, 15.0])
    problem = pose(np.asarray([0, 1, 2, 0, 1, 2]), weights)
    assert problem.weights.shape == (6, 1)
    np.testing.assert_allclose(problem.weights[:, 0], weights / 10.0, rtol=1e-6)
    each_target = np.abs(np.random.default_rng(0).normal(size=(6, 2)))
    problem = pose(np.zeros((6, 2)), each_target, Task.REGRESSION)
    np.testing.assert_allclose(problem.weights, each_target / each_target.mean(), rtol=1e-6)


@pytest.mark.parametrize("weights", [np.zeros(6), np.asarray([1.0, 1.0, 1.0, -1.0, -1.0, -2.0])])
def test_weights_that_add_up_to_nothing_are_refused(weights: np.ndarray) -> None:
    with pytest.raises(DataError, match="weights of the training rows must have a positive mean"):
        pose(np.asarray([0, 1, 2, 0, 1, 2]), weights)


def test_two_validation_rows_are_needed() -> None:
    y, loss = np.asarray([0, 1, 2, 0, 1, 2]), get_loss("mse")
    with pytest.raises(DataError, match="at least two validation rows are needed, got 1"):
        make_problem(Task.CLASSIFICATION, loss, (X, y, None), (X[:1], y[:1], None), classes=3)


def test_the_halves_hold_each_class_alike_and_follow_the_seed() -> None:
    y = np.repeat([0, 1, 2], [40, 20, 10])
    x = np.ones((70, 2))
    halves = []
    for seed in (0, 0, 1):
        made = make_problem(
            Task.CLASSIFICATION, get_loss("mse"), (x, y, None), (x, y, None), classes=3, seed=seed
        ).validation_half
        assert [np.bincount(made[y == k]).tolist() for k in range(3)] == [[20, 20], [10, 10], [5, 5]]
        halves.append(made)
    assert np.array_equal(halves[0], halves[1])
    assert not np.array_equal(halves[0], halves[2])


def test_the_halves_of_numbers_are_even() -> None:
    assert np.bincount(pose(np.zeros((6, 2)), task=Task.REGRESSION).validation_half).tolist() == [3, 3]


def test_each_fold_needs_a_row_to_stop_and_a_row_to_judge() -> None:
    half = pose(np.zeros((6, 2)), task=Task.REGRESSION).validation_half
    even = np.empty((6, 1), np.int64)
    even[np.argsort(half, kind="stable"), 0] = np.tile([0, 1, 2], 2)
    problem = pose(np.zeros((6, 2)), task=Task.REGRESSION, folds=even)
    assert problem.folds is not None
    assert problem.folds.dtype == np.int32
    with pytest.raises(DataError, match="each of the 2 folds needs at least two rows"):
        pose(np.zeros((6, 2)), task=Task.REGRESSION, folds=np.column_stack([even[:, 0] > 5, half]))

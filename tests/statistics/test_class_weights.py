"""Weights of classes, as scikit-learn and Keras scale them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from shoal.errors import SettingError
from shoal.results import Task
from shoal.settings import check_settings
from shoal.statistics.class_weights import class_weights
from shoal.training.losses import get_loss
from shoal.training.problem import make_problem

CLASSES = ("a", "b", "c")


def test_balanced_equals_scikit_learn() -> None:
    y = np.random.default_rng(0).choice(3, 50, p=[0.6, 0.3, 0.1])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(class_weights(("balanced",), CLASSES, y), expected)
    w = np.random.default_rng(1).uniform(size=50)
    sums = np.bincount(y, w * class_weights(("balanced",), CLASSES, y, w)[y])
    np.testing.assert_allclose(sums, w.sum() / 3)


@pytest.mark.parametrize("given", [{"a": 2, "c": 0.5}, "a=2,c=0.5", ("a=2", "c=0.5"), "c=0.5, a = 2"])
def test_weights_by_class_can_be_given_in_several_ways(given: Any) -> None:
    choice = check_settings({"class_weight": given}).class_weight
    assert choice is not None
    assert class_weights(choice, CLASSES, np.arange(3)).tolist() == [2.0, 1.0, 0.5]
    assert check_settings({"class_weight": {0: 1, True: 2.5}}).given() == {"class_weight": ["0=1", "true=2.5"]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("ballanced", "got 'ballanced'. Did you mean 'balanced'?"),
        ({"a": 0}, "a positive number, such as a=2,b=1, got 'a=0'"),
        ("a=x", "a positive number"),
        ("a=1,a=2", "class 'a' is named twice"),
        (3, "got '3'"),
        ("virginca=2", "there is no class 'virginca', only a, b, virginica. Did you mean 'virginica'?"),
        ("balanced", "needs training rows of positive weight of each class, not virginica"),
    ],
)
def test_other_weights_are_refused(given: Any, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        class_weights(
            check_settings({"class_weight": given}).class_weight or (), ("a", "b", "virginica"), np.array([0, 1])
        )
    assert message in str(caught.value)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_weights_of_a_problem_are_those_of_rows_times_those_of_classes(classes: int) -> None:
    y, w, of_class = np.arange(6) % classes, np.arange(1.0, 7.0), np.array([1.0, 4.0, 9.0])[:classes]
    loss = get_loss("binary_crossentropy" if classes == 2 else "categorical_crossentropy")
    part = np.zeros((6, 1), np.float32), y, w
    problem = make_problem(Task.CLASSIFICATION, loss, part, part, classes=classes)
    weighed = problem.weighed_by_class(of_class)
    np.testing.assert_allclose(weighed.weights[:, 0], w / w.mean() * of_class[y], rtol=1e-6)
    np.testing.assert_array_equal(weighed.weights, weighed.validation_weights)
    steps = make_problem(
        Task.CLASSIFICATION,
        loss,
        *(2 * [(np.zeros((2, 3, 1)), np.array([[0, 1, -1], [1, 1, 0]]), None)]),
        classes=classes,
    )
    np.testing.assert_allclose(
        steps.weighed_by_class(of_class).weights[..., 0], steps.weights[..., 0] * [[1, 4, 0], [4, 4, 1]], rtol=1e-6
    )

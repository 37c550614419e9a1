"""Small problems that the tests of this room train on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shoal.results import Task
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member, Problem
from shoal.training.problem import choose_loss, make_problem

Members = Callable[..., list[Member]]


def classes_from(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of four features and their three classes, which overlap a little."""
    y = rng.integers(0, 3, rows)
    centres = np.asarray([[1.0, 0.0, 0.5, -1.0], [-1.0, 1.0, 0.0, 0.0], [0.0, -1.0, -0.5, 1.0]])
    return (centres[y] + rng.normal(size=(rows, 4))).astype(np.float32), y


@pytest.fixture(scope="session")
def problem() -> Problem:
    """44 rows to learn three classes from, with weights, and 17 validation rows."""
    rng = np.random.default_rng(5)
    x, y = classes_from(rng, 44)
    validation_x, validation_y = classes_from(rng, 17)
    weights = rng.uniform(0.5, 2.0, 44), rng.uniform(0.5, 2.0, 17)
    loss = choose_loss(Task.CLASSIFICATION, 3, None)
    training, validation = (x, y, weights[0]), (validation_x, validation_y, weights[1])
    return make_problem(Task.CLASSIFICATION, loss, training, validation, classes=3, seed=11)


@pytest.fixture(scope="session")
def regression() -> Problem:
    """44 rows with two targets, each with its own weights, and the root of the mean square as loss."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(61, 3)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 0] * x[:, 2]], axis=1).astype(np.float32)
    weights = rng.uniform(0.5, 2.0, (61, 2))
    parts = [(x[rows], y[rows], weights[rows]) for rows in (slice(0, 44), slice(44, 61))]
    return make_problem(Task.REGRESSION, choose_loss(Task.REGRESSION, 0, "rmse"), parts[0], parts[1], seed=3)


@pytest.fixture(scope="session")
def members() -> Members:
    """Return members made of one dict of hyperparameters each, their identities counted from `start`."""

    def make(*each: dict[str, Any], start: int = 0) -> list[Member]:
        return [Member(start + i, Hyperparameters(**{"batch_size": 16, **h})) for i, h in enumerate(each)]

    return make

"""A small problem of known members, and the executors that must all do the same with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shoal.results import Task
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.member import Member
from shoal.training.problem import Problem, make_problem


@pytest.fixture(scope="package")
def problem() -> Problem:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3)).astype(np.float32)
    y = x @ np.array([[1.0], [-2.0], [0.5]], np.float32)
    made = make_problem(Task.REGRESSION, get_loss("mse"), (x[:80], y[:80], None), (x[80:], y[80:], None), seed=3)
    return replace(made, number_columns=((0, None), (2, None)))


@pytest.fixture(scope="package")
def members() -> list[Member]:
    encodings = ("plain", "piecewise")
    choices = [
        Hyperparameters(
            hidden=(4 + k % 3,), epochs=4 + k % 5, learning_rate=0.01 * (1 + k), feature_encoding=encodings[k % 2]
        )
        for k in range(20)
    ]
    return [Member(number, choice) for number, choice in enumerate(choices)]

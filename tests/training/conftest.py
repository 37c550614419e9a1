"""Small problems that the tests of this room train on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from shoal.results import Task
from shoal.training.engines.base import Engine
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import CURVES, Member, TrainedMember
from shoal.training.problem import Problem, make_problem
from shoal.training.trainer import train

Members = Callable[..., list[Member]]
POPULATION: tuple[dict[str, Any], ...] = (
    {"hidden": (8,), "activation": "relu", "learning_rate": 0.003, "l2": 3.0, "epochs": 3},
    {
        "hidden": (5,),
        "activation": "tanh",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "cosine",
        "warmup_epochs": 1.0,
        "l2": 2.0,
        "l1": 0.2,
        "dropout": 0.3,
        "label_smoothing": 0.1,
    },
    {"hidden": (40,), "activation": "gelu", "learning_rate": 1e30},
    {"hidden": (33,), "optimizer": "rmsprop", "momentum": 0.5, "learning_rate": 0.05, "patience": 2, "epochs": 40},
    {"hidden": (64, 9), "activation": ("silu", "tanh"), "optimizer": "nadam", "dropout": 0.2, "learning_rate": 0.01},
    {"hidden": (4,), "activation": "elu", "optimizer": "lion", "l1": 0.5, "epochs": 11, "schedule": "exponential"},
    {"hidden": (17,), "optimizer": "adagrad", "learning_rate": 0.05, "kernel_initializer": "he_normal"},
    {"hidden": (6, 6), "optimizer": "adamw", "learning_rate": 0.02, "label_smoothing": 0.2, "weight_decay": 0.1},
    {"hidden": (10,), "activation": "sigmoid", "learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
)


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


# what the tests of engines share


@dataclass
class Mixed:
    """One training of the whole population."""

    members: list[TrainedMember]
    programs: int


@pytest.fixture(scope="session")
def population(members: Members) -> list[Member]:
    """Members of many kinds: 0 as Keras trains, 1 as a loop in float64 does, 2 diverges, 3 is stopped early."""
    return members(*({"batch_size": 8, "epochs": 12, "patience": 100, **h} for h in POPULATION))


@pytest.fixture(scope="session")
def mixed_by(problem: Problem, population: list[Member]) -> Callable[[str, Callable[[], Engine]], Mixed]:
    """Return the whole population as an engine of this name trains it, once in a session."""
    known: dict[str, Mixed] = {}

    def mixed(name: str, make: Callable[[], Engine]) -> Mixed:
        if name not in known:
            training = train(problem, population, make())
            known[name] = Mixed(training.members, training.programs)
        return known[name]

    return mixed


@pytest.fixture(scope="session")
def xla_of() -> Callable[..., XlaEngine]:
    """Return an engine that uses one layout only, where it is possible."""

    def make(layout: str, devices: int | None = None) -> XlaEngine:
        made = XlaEngine(devices)
        made.layouts = (layout,)
        return made

    return make


@pytest.fixture(scope="session")
def assert_equal() -> Callable[..., None]:
    """Compare parameters, curves and outcome of one member; without tolerances bit by bit."""

    def compare(a: TrainedMember, b: TrainedMember, rtol: float = 0.0, atol: float = 0.0) -> None:
        assert (a.member, a.status, a.best_epoch) == (b.member, b.status, b.best_epoch)
        for name in CURVES:
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=atol, err_msg=name)
        for layer, other in zip(a.parameters, b.parameters, strict=True):
            assert layer.keys() == other.keys()
            for name in layer:
                np.testing.assert_allclose(layer[name], other[name], rtol=rtol, atol=10 * atol, err_msg=name)

    return compare

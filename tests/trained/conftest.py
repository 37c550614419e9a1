"""Rows and networks that the tests of this room train on."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

from shoal.networks import Dense, Network

Arrays = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def classes() -> Arrays:
    """60 rows of four features and the numbers of their three classes."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 60)
    return (np.eye(3, 4)[y] + 0.4 * rng.normal(size=(60, 4))).astype(np.float32), y


@pytest.fixture(scope="session")
def numbers() -> Arrays:
    """60 rows of four features and a number for each."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    return x, np.sin(x[:, 0]) + x[:, 1]


@pytest.fixture(scope="session")
def classifier() -> Network:
    """The notes' network 4-8-3."""
    return Network([Dense(8, activation="relu"), Dense(3, activation="softmax")], input_shape=4)


@pytest.fixture(scope="session")
def regressor() -> Network:
    """A network 4-6-1."""
    return Network([Dense(6, activation="tanh"), Dense(1)], input_shape=4)

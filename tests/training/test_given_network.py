"""Members that all are one network, which the problem holds: as those that are built of hyperparameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.networks import Dense, Network
from shoal.networks.layers import GroupNormalization
from shoal.training.building import hyperparameters_of
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.suits import unsuited
from shoal.training.problem import Problem
from shoal.training.trainer import train

RATES = (0.001, 0.01, 0.1)
NETWORK = Network.parse("4 8:relu dropout:0.2 5:tanh dropout:0.2 3:softmax")


def given_members(members: Any, network: Network) -> Any:
    """Return three members of a network, with a learning rate each."""
    each = hyperparameters_of(network)
    return members(*({**each, "learning_rate": rate, "epochs": 4, "l2": 1.0} for rate in RATES))


def test_a_given_network_is_that_of_its_hyperparameters(problem: Problem, members: Any, assert_equal: Any) -> None:
    population = given_members(members, NETWORK)
    built = train(problem, population, NativeEngine()).members
    given = train(replace(problem, network=NETWORK), population, NativeEngine()).members
    for a, b in zip(built, given, strict=True):
        assert_equal(a, b)
        assert a.network == b.network == NETWORK


def test_a_member_of_a_population_equals_the_network_alone(problem: Problem, members: Any, assert_equal: Any) -> None:
    mixed = Network([Dense(6, activation=("relu", "tanh", "gelu") * 2), Dense(3, activation="softmax")], 4)
    asked, population = replace(problem, network=mixed), given_members(members, mixed)
    together = train(asked, population, NativeEngine()).members
    for member, expected in zip(population, together, strict=True):
        assert_equal(train(asked, [member], NativeEngine()).members[0], expected)
    assert len({float(trained.parameters[0]["kernel"][0, 0]) for trained in together}) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        [Dense(6, activation=("relu", "tanh", "gelu") * 2), *NETWORK.layers[1:-1]],
        [Dense(8, use_bias=False, activation="tanh")],
        [Dense(8, trainable=False, activation="tanh")],
        [*NETWORK.layers[:3]],  # dropout behind one layer and not behind the other
    ],
)
def test_both_engines_train_a_given_network_alike(
    problem: Problem, members: Any, assert_equal: Any, xla_of: Any, first: list[Any]
) -> None:
    mixed = Network([*first, NETWORK.layers[-1]], 4)
    asked, population = replace(problem, network=mixed), given_members(members, mixed)
    each = [train(asked, population, engine).members for engine in (NativeEngine(), xla_of("first"))]
    for a, b in zip(*each, strict=True):
        assert_equal(a, b, rtol=1e-4, atol=1e-5)


def test_all_begin_with_the_weights_that_are_given(problem: Problem, members: Any) -> None:
    start = NETWORK.initialize(5)
    asked = replace(problem, network=NETWORK, start=start)
    population = members(*({**hyperparameters_of(NETWORK), "learning_rate": 1e-30, "epochs": 1} for _ in range(2)))
    for trained in train(asked, population, NativeEngine()).members:
        np.testing.assert_array_equal(trained.parameters[0]["kernel"], start[0]["kernel"])


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([GroupNormalization(2), Dense(3, activation="softmax")], "no layer GroupNormalization"),
        ([Dense(8, activation=lambda z: z), Dense(3, activation="softmax")], "a user's own"),
        ([Dense(8), Dense(3, activation="tanh")], "linear, sigmoid, softmax"),
    ],
)
def test_what_the_native_engine_leaves_to_the_other(problem: Problem, members: Any, layers: Any, why: str) -> None:
    network = Network(layers, 4)
    population = members({"hidden": (8,)})
    assert why in str(unsuited(replace(problem, network=network), population))
    assert unsuited(replace(problem, network=NETWORK), population) is None

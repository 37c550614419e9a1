"""Packing: members that can share a program do, and padding loses and draws nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from shoal.training.grouping import structure_of
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import (
    batch_order,
    member_network,
    member_numbers,
    pad_parameters,
    padded_starts,
    unpad_parameters,
)
from shoal.training.problem import Problem
from shoal.training.structure import Structure


def split(structure: Structure, flat: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return the parameters of each layer with parameters, cut out of a flat vector."""
    layers, start = [], 0
    for shapes in structure.network.parameter_shapes:
        layer = {}
        for name, shape in shapes.items():
            stop = start + int(np.prod(shape))
            layer[name], start = flat[start:stop].reshape(shape), stop
        if layer:
            layers.append(layer)
    assert start == len(flat)
    return layers


MIXED = (
    {"hidden": (5,)},
    {"hidden": (3, 20), "dropout": 0.3, "activation": ("tanh", "elu")},
    {"hidden": (20, 6, 4)},
)


@pytest.mark.parametrize("which", range(3))
def test_padding_and_cutting_give_the_parameters_back(problem: Problem, members: Any, which: int) -> None:
    mixed = members(*MIXED)
    structure = structure_of(problem, mixed)
    network = member_network(problem, mixed[which])
    own = initial_parameters(network, problem.seed, which)
    padded = split(structure, pad_parameters(structure, own)[0])
    total = sum(np.abs(array).sum(dtype=float) for layer in padded for array in layer.values())
    assert total == pytest.approx(sum(np.abs(array).sum(dtype=float) for layer in own for array in layer.values()))
    back = unpad_parameters(network, padded)
    network.check_parameters(back)
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(own, back, strict=True) for name in a)


def test_the_start_is_drawn_in_a_members_own_size(problem: Problem, members: Any) -> None:
    narrow, wide = members({"hidden": (5,)}, {"hidden": (64,)})
    structures = structure_of(problem, [narrow]), structure_of(problem, [wide, narrow])
    alone = split(structures[0], padded_starts(problem, structures[0], [narrow])[0])
    beside = split(structures[1], padded_starts(problem, structures[1], [wide, narrow])[1])
    assert alone[0]["kernel"].shape == (4, 8)
    assert beside[0]["kernel"].shape == (4, 64)
    assert np.array_equal(alone[0]["kernel"][:, :5], beside[0]["kernel"][:, :5])
    assert not beside[0]["kernel"][:, 5:].any()


def test_the_start_depends_on_seed_and_identity(problem: Problem, members: Any) -> None:
    (member,) = members({"hidden": (5,)})
    structure = structure_of(problem, [member])

    def kernel(problem: Problem, member: Member) -> np.ndarray:
        return split(structure, padded_starts(problem, structure, [member])[0])[0]["kernel"]

    first = kernel(problem, member)
    assert np.array_equal(first, kernel(problem, replace(member)))
    assert not np.array_equal(first, kernel(problem, replace(member, id=1, origin=1)))
    assert not np.array_equal(first, kernel(replace(problem, seed=12), member))


def test_numbers_of_a_member(problem: Problem, members: Any) -> None:
    settings = {"hidden": (5, 3), "activation": ("tanh", "relu"), "optimizer": "sgd", "dropout": 0.25, "epochs": 7}
    mixed = members(settings, {"hidden": (8, 8)})
    structure = structure_of(problem, mixed)
    both = member_numbers(problem, structure, mixed)
    numbers = jax.tree.map(lambda array: array[0], both)
    assert numbers["weights"] == 4 * 5 + 5 * 3 + 3 * 3
    assert numbers["total_steps"] == 7 * 3  # 44 rows in batches of 16
    assert structure.optimizers[numbers["optimizer"]] == "sgd"
    first, rate, second, _, output = numbers["layers"]
    assert not output
    assert not structure.masks
    assert {structure.activations[i] for i in first["activation"]} == {"tanh"}
    assert {structure.activations[i] for i in second["activation"]} == {"relu"}
    assert rate["rate"] == np.float32(0.25)


def test_weights_behind_neurons_that_padding_would_wake_are_marked(problem: Problem, members: Any) -> None:
    mixed = members({"hidden": (3,), "activation": "sigmoid"}, {"hidden": (8,)})
    structure = structure_of(problem, mixed)
    assert structure.masks
    own = [split(structure, row) for row in member_numbers(problem, structure, mixed)["own"]]
    assert own[0][1]["kernel"].tolist() == [[True] * 3] * 3 + [[False] * 3] * 5
    assert own[1][1]["kernel"].all()
    assert not structure_of(problem, members({"hidden": (8,), "activation": "sigmoid"})).masks


def test_starts_of_many_members_are_those_of_each(problem: Problem, members: Any) -> None:
    mixed = members(*(MIXED * 3), {"hidden": (5,), "kernel_initializer": "orthogonal"})
    structure = structure_of(problem, mixed)
    together = padded_starts(problem, structure, mixed)
    for member, start in zip(mixed, together, strict=True):
        own = initial_parameters(member_network(problem, member), problem.seed, member.id)
        np.testing.assert_array_equal(start, pad_parameters(structure, own)[0])


def test_batches_hold_each_row_once_in_an_epoch(problem: Problem) -> None:
    order = batch_order(problem, 16, 10)
    assert order.shape == (10, 3, 16)
    for epoch in order:
        assert sorted(epoch.ravel()) == [-1] * 4 + list(range(44))
        assert not (epoch[:2] == -1).any()  # only the last batch is short
    assert len({tuple(epoch.ravel()) for epoch in order}) == 10


def test_batches_depend_on_the_run_and_their_size_alone(problem: Problem) -> None:
    order = batch_order(problem, 16, 10)
    assert np.array_equal(order, batch_order(problem, 16, 10))
    assert np.array_equal(order[:4], batch_order(problem, 16, 4))
    assert not np.array_equal(order, batch_order(replace(problem, seed=1), 16, 10))

"""Packing: members that can share a program do, and padding loses and draws nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.training import packing
from shoal.training.member import Member, Problem, initial_parameters
from shoal.training.packing import (
    batch_order,
    bucket,
    group_members,
    member_network,
    member_numbers,
    pad_parameters,
    padded_start,
    unpad_parameters,
)


@pytest.mark.parametrize(
    ("width", "padded"), [(1, 4), (4, 4), (5, 8), (33, 64), (64, 64), (65, 128), (4096, 4096), (4097, 8192)]
)
def test_buckets(width: int, padded: int) -> None:
    assert bucket(width) == padded


def test_what_is_a_number_does_not_part_members(problem: Problem, members: Any) -> None:
    mixed = members(
        {"hidden": (5,)},
        {"hidden": (64,), "activation": "tanh", "optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        {"hidden": (8,), "dropout": 0.5, "l2": 1.0, "l1": 0.1, "label_smoothing": 0.1, "epochs": 3, "patience": 2},
        {"hidden": (17,), "schedule": "cosine", "warmup_epochs": 2.0, "kernel_initializer": "he_normal"},
    )
    (group,) = group_members(problem, mixed)
    assert group.members == tuple(mixed)
    assert group.structure.hidden == (64,)
    assert group.structure.activations == ("relu", "tanh")
    assert group.structure.optimizers == ("adam", "sgd")
    assert group.structure.dropout


@pytest.mark.parametrize(
    "other",
    [{"hidden": (5,), "batch_size": 8}, {"hidden": (65,)}, {"hidden": ()}, {"hidden": (5,), "activation": "softmax"}],
)
def test_what_is_structure_parts_members(problem: Problem, members: Any, other: dict[str, Any]) -> None:
    mixed = members({"hidden": (5,)}, other, {"hidden": (6,)})
    groups = group_members(problem, mixed)
    assert [[member.id for member in group.members] for group in groups] == [[0, 2], [1]]


def test_depths_share_a_program_where_that_is_cheap(
    problem: Problem, members: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = members({"hidden": (5,)}, {"hidden": (20, 6)}, {"hidden": (4, 4, 4)})
    (group,) = group_members(problem, mixed)
    assert group.structure.hidden == (32, 32, 32)
    assert group.structure.skips
    monkeypatch.setattr(packing, "COMPILE_SECONDS", 0.0)
    assert [group.structure.hidden for group in group_members(problem, mixed)] == [(8,), (32, 8), (4, 4, 4)]


def test_activations_that_mix_neurons_are_not_padded(problem: Problem, members: Any) -> None:
    (group,) = group_members(problem, members({"hidden": (5, 7), "activation": ("softmax", "relu")}))
    assert group.structure.hidden == (5, 7)
    assert group.structure.fixed_activations == ("softmax", "relu")
    assert not group.structure.chooses_activation


def test_penalties_of_the_user_see_no_padding(problem: Problem, members: Any) -> None:
    def mean_square(xp: Any, parameters: Any) -> Any:
        return sum(xp.mean(layer["kernel"] ** 2) for layer in parameters)

    asked = replace(problem, penalties=(mean_square,))
    groups = group_members(asked, members({"hidden": (5,)}, {"hidden": (9, 3)}, {"hidden": (5,), "activation": "tanh"}))
    assert [group.structure.hidden for group in groups] == [(5,), (9, 3)]
    assert len(groups[0].members) == 2


def test_a_batch_is_no_larger_than_the_rows(problem: Problem, members: Any) -> None:
    (group,) = group_members(problem, members({"batch_size": 1000}))
    assert group.structure.batch_size == len(problem.x)


MIXED = (
    {"hidden": (5,)},
    {"hidden": (3, 20), "dropout": 0.3, "activation": ("tanh", "elu")},
    {"hidden": (20, 6, 4)},
)


@pytest.mark.parametrize("which", range(3))
def test_padding_and_cutting_give_the_parameters_back(problem: Problem, members: Any, which: int) -> None:
    mixed = members(*MIXED)
    structure = group_members(problem, mixed)[0].structure
    network = member_network(problem, mixed[which])
    own = initial_parameters(network, problem.seed, which)
    padded = pad_parameters(structure, own)
    expected = [shapes for shapes in structure.network.parameter_shapes if shapes]
    assert [{name: array.shape for name, array in layer.items()} for layer in padded] == expected
    total = sum(np.abs(array).sum(dtype=float) for layer in padded for array in layer.values())
    assert total == pytest.approx(sum(np.abs(array).sum(dtype=float) for layer in own for array in layer.values()))
    back = unpad_parameters(network, padded)
    network.check_parameters(back)
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(own, back, strict=True) for name in a)


def test_the_start_is_drawn_in_a_members_own_size(problem: Problem, members: Any) -> None:
    narrow, wide = members({"hidden": (5,)}, {"hidden": (64,)})
    alone = padded_start(problem, group_members(problem, [narrow])[0].structure, narrow)
    beside = padded_start(problem, group_members(problem, [wide, narrow])[0].structure, narrow)
    assert alone[0]["kernel"].shape == (4, 8)
    assert beside[0]["kernel"].shape == (4, 64)
    assert np.array_equal(alone[0]["kernel"][:, :5], beside[0]["kernel"][:, :5])
    assert not beside[0]["kernel"][:, 5:].any()


def test_the_start_depends_on_seed_and_identity(problem: Problem, members: Any) -> None:
    (member,) = members({"hidden": (5,)})
    structure = group_members(problem, [member])[0].structure

    def kernel(problem: Problem, member: Member) -> np.ndarray:
        return padded_start(problem, structure, member)[0]["kernel"]

    first = kernel(problem, member)
    assert np.array_equal(first, kernel(problem, replace(member)))
    assert not np.array_equal(first, kernel(problem, replace(member, id=1)))
    assert not np.array_equal(first, kernel(replace(problem, seed=12), member))


def test_numbers_of_a_member(problem: Problem, members: Any) -> None:
    settings = {"hidden": (5, 3), "activation": ("tanh", "relu"), "optimizer": "sgd", "dropout": 0.25, "epochs": 7}
    mixed = members(settings, {"hidden": (8, 8)})
    structure = group_members(problem, mixed)[0].structure
    numbers = member_numbers(problem, structure, mixed[0])
    assert numbers["weights"] == 4 * 5 + 5 * 3 + 3 * 3
    assert numbers["total_steps"] == 7 * 3  # 44 rows in batches of 16
    assert structure.optimizers[numbers["optimizer"]] == "sgd"
    first, second = numbers["layers"]
    assert first["mask"].tolist() == [1.0] * 5 + [0.0] * 3
    assert second["mask"].sum() == 3
    assert {structure.activations[i] for i in first["activation"]} == {"tanh"}
    assert {structure.activations[i] for i in second["activation"]} == {"relu"}
    assert first["rate"] == np.float32(0.25)


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

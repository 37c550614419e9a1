"""Grouping: members share a program where that costs less than compiling one more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.training import grouping
from shoal.training.grouping import group_members, structure_of
from shoal.training.losses import get_loss
from shoal.training.member import Member
from shoal.training.problem import Problem
from shoal.training.structure import bucket, bucket_rows


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
    assert set(group.members) == set(mixed)
    assert group.structure.hidden == (64,)
    assert group.structure.activations == ("relu", "tanh")
    assert group.structure.optimizers == ("adam", "sgd")
    assert group.structure.dropout


@pytest.mark.parametrize(
    "other",
    [{"hidden": (5,), "batch_size": 8}, {"hidden": ()}, {"hidden": (5,), "activation": "softmax"}],
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
    monkeypatch.setattr(grouping, "COMPILE_SECONDS", 0.0)
    assert [group.structure.hidden for group in group_members(problem, mixed)] == [(8,), (32, 8), (4, 4, 4)]


def test_wide_networks_have_a_program_of_their_own_where_many_narrow_ones_would_carry_them(
    problem: Problem, members: Any
) -> None:
    few = members({"hidden": (8,), "epochs": 5}, {"hidden": (512,), "epochs": 5})
    assert len(group_members(problem, few)) == 1
    many = members(*[{"hidden": (8,)}] * 500, *[{"hidden": (2048,)}] * 3)
    assert [group.structure.hidden for group in group_members(problem, many)] == [(8,), (2048,)]


def test_members_of_long_training_enter_first(problem: Problem, members: Any) -> None:
    mixed = members({"epochs": 5}, {"epochs": 7}, {"epochs": 5}, {"epochs": 9})
    (group,) = group_members(problem, mixed)
    assert [member.id for member in group.members] == [3, 1, 0, 2]


def test_many_members_of_few_activations_train_in_blocks_of_one_activation(problem: Problem, members: Any) -> None:
    mixed = members(*[{"activation": "relu"}, {"activation": "tanh"}] * grouping.FEWEST_OF_ONE_ACTIVATION)
    assert structure_of(problem, mixed).one_activation
    assert not structure_of(problem, mixed[2:]).one_activation
    own = members({"hidden": (4, 4), "activation": ("relu", "tanh")}, start=1000)
    assert not structure_of(problem, mixed + own).one_activation
    assert not structure_of(problem, mixed[::2]).one_activation  # there is nothing to choose


def test_tiny_networks_lie_side_by_side(problem: Problem, members: Any) -> None:
    tiny, wide = members({"hidden": (8,), "batch_size": 8}, {"hidden": (64, 64), "batch_size": 8})
    assert structure_of(problem, [tiny]).layout == "last"
    assert structure_of(problem, [wide]).layout == "first"
    assert structure_of(problem, [tiny], layouts=("first",)).layout == "first"

    def own(xp: Any, target: Any, output: Any) -> Any:
        return (target - output) ** 2

    assert structure_of(replace(problem, loss=get_loss(own)), [tiny]).layout == "first"
    assert structure_of(replace(problem, loss=get_loss("mse")), [tiny]).layout == "first"  # of a softmax


@pytest.mark.parametrize("count", [1, 5, 8, 9, 17, 96, 97, 1000, 12_345, 1_000_000])
def test_lengths_that_data_sets_share(count: int) -> None:
    assert count <= bucket_rows(count) <= 1.25 * count
    assert bucket_rows(bucket_rows(count)) == bucket_rows(count)


def test_lengths_are_few() -> None:
    assert len({bucket_rows(n) for n in range(1, 100_001)}) < 70


def test_what_members_see_is_part_of_the_structure(problem: Problem, members: Any) -> None:
    (member,) = members({})
    assert not structure_of(problem, [member]).bootstrap
    both = [member, Member(1, member.hyperparameters, bootstrap=True, replica=True)]
    structure = structure_of(replace(problem, folds=np.zeros((44, 1), np.int32)), both)
    assert (structure.folds, structure.bootstrap, structure.replicas) == (True, True, True)


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

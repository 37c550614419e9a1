"""The table of hyperparameters: what it accepts, what it refuses, and its defaults."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shoal.training.hyperparameters import Hyperparameters
from shoal.training.optimizers import OPTIMIZERS
from shoal.training.schedules import SCHEDULES


@pytest.mark.parametrize("hidden", ["64,32", "64 32", " 64, 32 ", [64, 32], (64, 32), ("64", "32")])
def test_widths_can_be_typed_in_several_ways(hidden: Any) -> None:
    assert Hyperparameters(hidden=hidden).hidden == (64, 32)


def test_one_width_needs_no_list() -> None:
    assert Hyperparameters(hidden=16).hidden == (16,)
    assert Hyperparameters(hidden="").hidden == ()


def test_one_activation_serves_all_layers() -> None:
    assert Hyperparameters(hidden=(4, 4, 4), activation="tanh").layer_activations() == ("tanh",) * 3
    assert Hyperparameters(hidden=(4, 4), activation="tanh,relu").layer_activations() == ("tanh", "relu")
    assert Hyperparameters(hidden=()).layer_activations() == ()


def test_beta_2_has_the_usual_value_of_the_optimizer() -> None:
    assert Hyperparameters(optimizer="adam").second_decay() == 0.999
    assert Hyperparameters(optimizer="lion").second_decay() == 0.99
    assert Hyperparameters(optimizer="lion", beta_2=0.5).second_decay() == 0.5
    assert Hyperparameters(optimizer="lion", beta_2=0.0).second_decay() == 0.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_can_be_chosen(name: Any) -> None:
    assert Hyperparameters(optimizer=name).optimizer == name


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_can_be_chosen(name: Any) -> None:
    assert Hyperparameters(schedule=name).schedule == name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": (0,)}, "greater than or equal to 1"),
        ({"hidden": (70_000,)}, "less than or equal to 65535"),
        ({"hidden": (1.5,)}, "valid integer"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"learning_rate": float("nan")}, "finite number"),
        ({"learning_rate": float("inf")}, "finite number"),
        ({"l2": -0.1}, "greater than or equal to 0"),
        ({"l1": float("inf")}, "finite number"),
        ({"dropout": 1.0}, "less than 1"),
        ({"momentum": -0.1}, "greater than or equal to 0"),
        ({"final_fraction": 0.0}, "greater than 0"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"batch_size": 0}, "greater than or equal to 1"),
        ({"optimizer": "adamm"}, "'adam'"),
        ({"learning_rat": 0.1}, "Extra inputs"),
    ],
)
def test_values_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Hyperparameters(**settings)


def test_every_hyperparameter_is_described_or_named_by_its_type() -> None:
    undescribed = [name for name, field in Hyperparameters.model_fields.items() if not field.description]
    assert undescribed == []


def test_a_candidate_survives_json() -> None:
    h = Hyperparameters(hidden=(5, 3), activation=("relu", "tanh"), learning_rate=1 / 3, dropout=0.1)
    assert Hyperparameters(**h.model_dump(mode="json")) == h

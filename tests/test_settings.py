"""The options of fit: one table, checked with clear words."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.errors import NetworkError, SettingError
from shoal.settings import FitSettings, check_settings
from shoal.training.hyperparameters import Hyperparameters


def custom_loss(xp: Any, target: Any, output: Any) -> Any:
    return (target - output) ** 2


def test_every_hyperparameter_can_be_fixed() -> None:
    assert set(Hyperparameters.model_fields) <= set(FitSettings.model_fields)


def test_nothing_is_fixed_by_default() -> None:
    settings = check_settings({})
    assert settings.fixed() == {}
    assert settings.given() == {}


def test_fixed_hyperparameters_are_those_given() -> None:
    settings = check_settings({"hidden": "8", "l2": 0, "optimizer": "adam", "nesterov": False, "networks": 3})
    assert settings.fixed() == {"hidden": (8,), "l2": 0.0, "optimizer": "adam", "nesterov": False}


def test_given_settings_are_plain_and_make_the_same_settings_again() -> None:
    given = {"target": ["y"], "hidden": [8, 4], "minutes": 0.5, "l2": 0.0, "seed": 7, "activation": ["relu"]}
    settings = check_settings(given)
    assert settings.given() == given
    assert check_settings(settings.given()) == settings


def test_a_callable_is_given_by_its_name() -> None:
    def penalty(xp: Any, parameters: Any) -> float:
        return 0.0

    settings = check_settings({"loss": custom_loss, "penalties": (penalty,)})
    assert settings.loss is custom_loss
    assert settings.fixed()["loss"] == "custom_loss"
    assert settings.given() == {"loss": "custom_loss", "penalties": ["penalty"]}


@pytest.mark.parametrize("target", ["a,b", ["a", "b"], ("a", "b"), " a , b "])
def test_column_names_can_be_given_in_several_ways(target: Any) -> None:
    assert check_settings({"target": target}).target == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"netwroks": 3}, r"fit has no setting 'netwroks'. Did you mean 'networks'\?"),
        ({"networks": 0}, "networks: expected 1 or more, got networks=0"),
        ({"networks": 2.5}, "networks: .*got networks=2.5"),
        ({"signal_yield": 3.0}, "a significance needs the yields of signal and background; add background_yield"),
        ({"background_uncertainty": 0.1}, "add signal_yield and background_yield"),
        ({"cv": 1}, "cv: expected 2 or more, got cv=1"),
        ({"cv": 2.5}, "cv: .*got cv=2.5"),
        ({"repeats": 0}, "repeats: expected 1 or more, got repeats=0"),
        ({"minutes": -1}, "minutes: expected more than 0, got minutes=-1"),
        ({"memory": "4 apples"}, "memory must be a positive number with a unit, such as 4GB.*got .4 apples."),
        ({"memory": 4}, "memory: expected a text, got memory=4"),
        ({"seed": -1}, "seed: expected 0 or more"),
        ({"learning_rate": -0.1}, "learning_rate: expected more than 0, got learning_rate=-0.1"),
        ({"l2": -1.0}, "l2: expected 0 or more, got l2=-1.0"),
        ({"dropout": 1.0}, "dropout: expected less than 1, got dropout=1.0"),
        ({"epochs": 0}, "epochs: .*got epochs=0"),
        ({"hidden": "8,x"}, "hidden: .*got hidden='8,x'"),
        ({"optimizer": "adma"}, "optimizer: expected one of sgd, .*got 'adma'. Did you mean 'adam'"),
        ({"normalization": "minmax"}, "normalization: expected one of standard, robust"),
        ({"validation_size": 0.5, "test_size": 0.5}, "together must stay below 1"),
        ({"hidden": (8, 8), "activation": ("relu", "tanh", "relu")}, r"one per hidden layer \(2\), got 3"),
        ({"activation": "relu,tanh"}, "2 names need --hidden"),
        ({"activation": "rleu"}, "'relu'"),
        ({"kernel_initializer": "glorot_unifrom"}, "'glorot_uniform'"),
    ],
)
def test_a_wrong_value_is_named_with_its_reason(values: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingError, NetworkError), match=message):
        check_settings(values)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        check_settings({}).seed = 3  # type: ignore[misc]

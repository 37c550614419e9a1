"""Alternatives and limits: every form gives the same, and what makes no sense is refused by name."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

import shoal
from shoal.cli.from_settings import parameter
from shoal.errors import NetworkError, SettingError
from shoal.search.knobs import SAME_FOR_ALL, check_effect, knob_text
from shoal.search.space import Categorical, Limits
from shoal.settings import check_settings
from shoal.training.hyperparameters import Hyperparameters

# Two alternatives of every hyperparameter, as they are typed.
TYPED = {
    "hidden": "8; 32,32",
    "activation": "relu; tanh",
    "optimizer": "Adam; sgd",
    "learning_rate": "0.001; 1e-2",
    "nesterov": "no; yes",
    "schedule": "constant; cosine",
    "kernel_initializer": "glorot_uniform; he_normal",
    "layers": "16 8; lstm:8",
    "feature_encoding": "plain; piecewise",
    "batch_size": "8; 64",
    "epochs": "10; 20",
    "patience": "5; 10",
}
NUMBERS = "momentum beta_1 beta_2 rho epsilon weight_decay warmup_epochs final_fraction l2 l1 dropout label_smoothing"
TYPED |= dict.fromkeys([*NUMBERS.split(), "shift", "flip", "rotation", "zoom", "noise"], "0.1; 0.2")
LIMITS = {name: "1..5" if name in ("batch_size", "epochs", "patience", "hidden") else "0.1..0.2" for name in TYPED}


def test_every_hyperparameter_is_tried_here() -> None:
    assert set(TYPED) | set(SAME_FOR_ALL) == set(Hyperparameters.model_fields)


@pytest.mark.parametrize("name", TYPED)
def test_alternatives_in_every_form_are_the_same(name: str) -> None:
    settings = check_settings({name: TYPED[name]})
    knob = settings.knobs()[name]
    assert isinstance(knob, Categorical)
    assert len(knob.values) == 2
    assert settings.fixed() == {}
    kept = tomllib.loads(tomli_w.dumps(settings.given()))
    for again in (kept, {name: shoal.choices(*knob.values)}, {name: knob_text(knob)}):
        assert check_settings(again) == settings
    for value in knob.values:
        assert getattr(Hyperparameters(**{name: value}), name) == value


@pytest.mark.parametrize("name", TYPED)
def test_limits_in_every_form_are_the_same_or_refused_of_words(name: str) -> None:
    if isinstance(Hyperparameters.model_fields[name].default, str | bool) or name == "activation":
        with pytest.raises(SettingError, match=f"{name}: limits are for numbers, got .*semicolons"):
            check_settings({name: LIMITS[name]})
        return
    settings = check_settings({name: LIMITS[name]})
    knob = settings.knobs()[name]
    assert isinstance(knob, Limits)
    kept = tomllib.loads(tomli_w.dumps(settings.given()))
    for again in (kept, {name: shoal.between(knob.low, knob.high)}, {name: knob_text(knob)}):
        assert check_settings(again) == settings


@pytest.mark.parametrize("name", [name for name in TYPED if name != "nesterov"])
def test_the_command_line_takes_both(name: str) -> None:
    option = parameter(name).annotation.__metadata__[0]
    read = option.parser or (lambda text: text)
    assert check_settings({name: read(TYPED[name])}).knobs()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"activation": "relu; tanhh"}, r"'tanhh'. Did you mean 'tanh'\?"),
        ({"optimizer": "adam; adma"}, r"got 'adma'. Did you mean 'adam'\?"),
        ({"learning_rate": "0.1; 0.10"}, "learning_rate: 0.1 stands twice"),
        ({"hidden": "8; 8"}, "hidden: 8 stands twice"),
        ({"learning_rate": "0.1;"}, "a value is missing"),
        ({"learning_rate": "0.1; ; 0.2"}, "a value is missing"),
        ({"learning_rate": "0.1; fast"}, "learning_rate: expected a number, got 'fast'"),
        ({"epochs": "1.5; 2"}, "epochs: expected a whole number, got '1.5'"),
        ({"dropout": "0..1"}, "dropout: expected less than 1, got '1'"),
        ({"learning_rate": "-1; 2"}, "learning_rate: expected more than 0, got '-1'"),
        ({"learning_rate": "0.1..0.001"}, "the lower limit comes first, got '0.1..0.001'; turn them round"),
        ({"hidden": "8..64,32..16"}, "the lower limit comes first"),
        ({"learning_rate": "0.1..0.1"}, "are equal, so there is nothing to vary"),
        ({"hidden": "8..many"}, "hidden: expected a whole number, got 'many'"),
        ({"hidden": "8; 8..16"}, "'8..16' are limits; name either alternatives or limits, not both"),
        ({"hidden": shoal.between((8, 8), 4)}, "need a width for each layer"),
        ({"learning_rate": {"from": 1}}, "learning_rate: expected a value, .*got the keys from"),
        (
            {"learning_rate": [0.1, 0.2]},
            "expected a number, .*alternatives are a text with semicolons, or shoal.choices",
        ),
        ({"learning_rate": "0.1, 0.2"}, "alternatives are a text with semicolons"),
        ({"learning_rate": shoal.choices(0.1)}, "two values or more, got 1"),
        ({"loss": "mse; mae"}, "loss: candidates are compared by their loss"),
        ({"huber_delta": "1..2"}, "huber_delta: candidates are compared by their loss"),
        ({"networks": "2; 3"}, "networks: expected a whole number"),
        ({"search": "one-at-the-time"}, r"search: expected one of evolution, grid, .*Did you mean 'one-at-a-time'"),
        ({"activation": "relu,tanh; relu", "hidden": "8; 8,8"}, r"one per hidden layer \(1\), got 2"),
        ({"kernel_initializer": "glorot_uniform; he_norml"}, "'he_normal'"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingError, NetworkError), match=message):
        check_settings(values)


@given(st.floats(1e-6, 1e3), st.floats(1.0001, 1e6), st.floats(0.0, 1.0), st.booleans())
def test_values_stay_within_limits(low: float, factor: float, u: float, whole: bool) -> None:
    limits = Limits(int(low) + 1, int(low * factor) + 2) if whole else Limits(low, low * factor)
    value = limits.at((u,))
    assert limits.low <= value <= limits.high
    assert isinstance(value, int) is whole
    assert limits.low <= limits.near(value, 0.5, (u,)) <= limits.high


def test_limits_are_even_in_the_logarithm_where_they_span_a_decade() -> None:
    assert Limits(1e-4, 0.1).spread == (0.0001, 0.00056, 0.0032, 0.018, 0.1)
    assert Limits(0.0, 0.5).spread == (0.0, 0.125, 0.25, 0.375, 0.5)
    assert Limits(8, 128).spread == (8, 16, 32, 64, 128)
    assert Limits(1, 3).spread == (1, 2, 3)
    assert check_settings({"l2": "0..1"}).knobs()["l2"].spread == (0.0, 0.001, 0.01, 0.1, 1.0)
    assert check_settings({"hidden": "8..16,4"}).knobs()["hidden"].spread == (
        (8, 4),
        (10, 4),
        (12, 4),
        (14, 4),
        (16, 4),
    )


def test_whole_limits_are_each_as_likely() -> None:
    drawn = [Limits(1, 4).at(((i + 0.5) / 400,)) for i in range(400)]
    assert [drawn.count(n) for n in (1, 2, 3, 4)] == [100] * 4


def test_a_hyperparameter_without_effect_is_refused() -> None:
    adam = [Hyperparameters(momentum=m) for m in (0.0, 0.5, 0.9)]
    with pytest.raises(SettingError, match=r"momentum: there is nothing to vary.*sgd or rmsprop.*add --optimizer sgd"):
        check_effect(["momentum"], adam)
    check_effect(["momentum"], [Hyperparameters(optimizer="sgd", momentum=m) for m in (0.0, 0.5)])

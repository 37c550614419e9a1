"""Optimizers: many steps on random gradients equal to Keras' and, where the formulas are one, to optax'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.training.hyperparameters import Hyperparameters
from shoal.training.optimizers import OPTIMIZERS, SECOND_STARTS_AT, Slots, update

STEPS, SIZE = 25, 12
RNG = np.random.default_rng(1)
START = RNG.normal(size=SIZE).astype(np.float32)
GRADIENTS = (RNG.normal(size=(STEPS, SIZE)) * np.logspace(-3, 1, SIZE)).astype(np.float32)

# our settings, Keras' class, its settings
CASES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "sgd": ({"optimizer": "sgd"}, "SGD", {}),
    "sgd momentum": ({"optimizer": "sgd", "momentum": 0.9}, "SGD", {"momentum": 0.9}),
    "sgd nesterov": (
        {"optimizer": "sgd", "momentum": 0.8, "nesterov": True},
        "SGD",
        {"momentum": 0.8, "nesterov": True},
    ),
    "rmsprop": ({"optimizer": "rmsprop", "rho": 0.8}, "RMSprop", {"rho": 0.8}),
    "rmsprop momentum": (
        {"optimizer": "rmsprop", "momentum": 0.7, "epsilon": 1e-3},
        "RMSprop",
        {"rho": 0.9, "momentum": 0.7, "epsilon": 1e-3},
    ),
    "adagrad": ({"optimizer": "adagrad"}, "Adagrad", {}),
    "adam": ({"optimizer": "adam"}, "Adam", {}),
    "adam others": (
        {"optimizer": "adam", "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-2},
        "Adam",
        {"beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-2},
    ),
    "adamw": ({"optimizer": "adamw"}, "AdamW", {"weight_decay": 0.004}),
    "adamw decay": ({"optimizer": "adamw", "weight_decay": 0.3}, "AdamW", {"weight_decay": 0.3}),
    "nadam": ({"optimizer": "nadam"}, "Nadam", {}),
    "nadam others": ({"optimizer": "nadam", "beta_1": 0.6, "beta_2": 0.9}, "Nadam", {"beta_1": 0.6, "beta_2": 0.9}),
    "lion": ({"optimizer": "lion"}, "Lion", {"beta_1": 0.9, "beta_2": 0.99}),
    "lion others": ({"optimizer": "lion", "beta_1": 0.5, "beta_2": 0.8}, "Lion", {"beta_1": 0.5, "beta_2": 0.8}),
}
RATE = 0.05


def numbers_of(settings: dict[str, Any], table: tuple[str, ...] = ()) -> dict[str, Any]:
    h = Hyperparameters(**settings)
    names = ("momentum", "nesterov", "beta_1", "rho", "epsilon", "weight_decay")
    numbers: dict[str, Any] = {name: np.float32(getattr(h, name)) for name in names}
    numbers["beta_2"] = np.float32(h.second_decay())
    numbers["optimizer"] = np.int32(table.index(h.optimizer) if table else 0)
    return numbers


def run(table: tuple[str, ...], settings: dict[str, Any], steps: int = STEPS) -> list[np.ndarray]:
    """Return the parameters after each step, computed by NumPy."""
    second = np.full(SIZE, SECOND_STARTS_AT.get(settings["optimizer"], 0.0), np.float32)
    p, slots = START, Slots(np.zeros(SIZE, np.float32), second, np.float32(1.0))
    numbers, path = numbers_of(settings, table), []
    for i in range(steps):
        t = np.float32(i + 1)
        p, slots = update(np, table, p, GRADIENTS[i], slots, np.float32(RATE), t, numbers)
        path.append(p)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_steps_equal_keras(case: str) -> None:
    import keras

    settings, name, theirs = CASES[case]
    optimizer = getattr(keras.optimizers, name)(learning_rate=RATE, **theirs)
    variable = keras.Variable(START)
    for i, ours in enumerate(run((settings["optimizer"],), settings)):
        optimizer.apply([GRADIENTS[i]], [variable])
        # Keras takes 1 - beta^t of a rounded power, which costs adam and adamw a few more units of the last place
        np.testing.assert_allclose(ours, np.asarray(variable.value), rtol=2e-5, atol=4e-6, err_msg=f"step {i + 1}")
    assert np.abs(ours - START).max() > 0.1


def adam_in_float64(steps: int) -> np.ndarray:
    """Return the parameters after some steps of Adam, by the formulas of its paper."""
    b1, b2 = (float(np.float32(b)) for b in (0.9, 0.999))
    p, m, v = START.astype(np.float64), 0.0, 0.0
    for t in range(1, steps + 1):
        g = GRADIENTS[t - 1].astype(np.float64)
        m, v = b1 * m + (1.0 - b1) * g, b2 * v + (1.0 - b2) * g**2
        p = p - RATE * np.sqrt(1.0 - b2**t) / (1.0 - b1**t) * m / (np.sqrt(v) + 1e-7)
    return p


def test_adam_is_exact() -> None:
    for steps in (1, 2, STEPS):
        np.testing.assert_allclose(run(("adam",), {"optimizer": "adam"}, steps)[-1], adam_in_float64(steps), atol=4e-7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "name", "theirs"),
    [
        ({"optimizer": "sgd", "momentum": 0.9}, "sgd", {"momentum": 0.9}),
        ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True}, "sgd", {"momentum": 0.9, "nesterov": True}),
        ({"optimizer": "adagrad"}, "adagrad", {"initial_accumulator_value": 0.1, "eps": 1e-7}),
        ({"optimizer": "lion"}, "lion", {"b1": 0.9, "b2": 0.99, "weight_decay": 0.0}),
        ({"optimizer": "rmsprop"}, "rmsprop", {"decay": 0.9, "eps": 1e-7, "eps_in_sqrt": True}),
    ],
)
def test_steps_equal_optax(settings: dict[str, Any], name: str, theirs: dict[str, Any]) -> None:
    import jax.numpy as jnp
    import optax

    optimizer = getattr(optax, name)(RATE, **theirs)
    p = jnp.asarray(START)
    state = optimizer.init(p)
    for i, ours in enumerate(run((settings["optimizer"],), settings)):
        change, state = optimizer.update(jnp.asarray(GRADIENTS[i]), state, p)
        p = p + change
        np.testing.assert_allclose(ours, p, rtol=2e-5, atol=2e-6, err_msg=f"step {i + 1}")


@pytest.mark.parametrize("case", CASES)
def test_a_choice_of_a_table_equals_the_optimizer_alone(case: str) -> None:
    settings = CASES[case][0]
    alone = run((settings["optimizer"],), settings)
    for table in (tuple(OPTIMIZERS), tuple(sorted(OPTIMIZERS, reverse=True))):
        assert all(np.array_equal(a, b) for a, b in zip(alone, run(table, settings), strict=True))


def test_padding_stays_zero() -> None:
    zero = np.zeros(3, np.float32)
    for name in OPTIMIZERS:
        second = np.full(3, SECOND_STARTS_AT.get(name, 0.0), np.float32)
        p, slots = zero, Slots(zero, second, np.float32(1.0))
        numbers = numbers_of({"optimizer": name, "momentum": 0.9})
        for t in range(1, 6):
            p, slots = update(np, (name,), p, zero, slots, np.float32(RATE), np.float32(t), numbers)
        assert np.array_equal(p, zero), name

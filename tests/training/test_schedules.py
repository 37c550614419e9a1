"""Schedules: the rate of every step equals Keras' and optax' formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.training.schedules import SCHEDULES, learning_rate

STEPS = 40


def rates(kind: str, warmup: float = 0.0, final: float = 0.1, total: int = STEPS) -> np.ndarray:
    numbers: dict[str, Any] = {
        "learning_rate": 0.3,
        "schedule": SCHEDULES.index(kind),
        "warmup_steps": warmup,
        "total_steps": total,
        "final_fraction": final,
    }
    return np.asarray([learning_rate(np, float(step), numbers) for step in range(total + 5)])


def test_constant() -> None:
    assert np.array_equal(rates("constant"), np.full(STEPS + 5, 0.3))


@pytest.mark.slow
@pytest.mark.parametrize("warmup", [0, 10])
def test_cosine_equals_keras(warmup: int) -> None:
    import keras

    options = {"warmup_target": 0.3, "warmup_steps": warmup} if warmup else {}
    start = 0.0 if warmup else 0.3
    theirs = keras.optimizers.schedules.CosineDecay(start, STEPS - warmup, alpha=0.1, **options)
    expected = [float(theirs(step)) for step in range(STEPS + 5)]
    np.testing.assert_allclose(rates("cosine", warmup), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("warmup", [0, 10])
def test_cosine_equals_optax(warmup: int) -> None:
    import optax

    theirs = optax.warmup_cosine_decay_schedule(
        init_value=0.0 if warmup else 0.3, peak_value=0.3, warmup_steps=warmup, decay_steps=STEPS, end_value=0.03
    )
    expected = [float(theirs(step)) for step in range(STEPS + 5)]
    np.testing.assert_allclose(rates("cosine", warmup), expected, rtol=1e-5, atol=1e-7)


def test_exponential_equals_keras() -> None:
    import keras

    theirs = keras.optimizers.schedules.ExponentialDecay(0.3, STEPS, 0.01)
    expected = [float(theirs(step)) for step in range(STEPS + 1)]
    np.testing.assert_allclose(rates("exponential", final=0.01)[: STEPS + 1], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_warm_up_rises_evenly_to_the_full_rate(kind: str) -> None:
    got = rates(kind, warmup=8)
    np.testing.assert_allclose(got[:9], 0.3 * np.arange(9) / 8.0, rtol=1e-6)
    assert got[9] <= 0.3


@pytest.mark.parametrize("kind", ["cosine", "exponential"])
def test_the_rate_ends_at_the_final_fraction_and_stays(kind: str) -> None:
    got = rates(kind, warmup=5, final=0.02)
    np.testing.assert_allclose(got[STEPS:], 0.3 * 0.02, rtol=1e-6)
    assert np.all(np.diff(got[5 : STEPS + 1]) < 0.0)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_warm_up_longer_than_the_training_is_finite(kind: str) -> None:
    got = rates(kind, warmup=100.0, total=10)
    np.testing.assert_allclose(got, 0.3 * np.arange(15) / 100.0, rtol=1e-6)

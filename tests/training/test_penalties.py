"""The penalty of the notes' equation 1.10: its value, and its gradient strength/k · W."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.networks import numpy_namespace
from shoal.training.penalties import weight_penalty

RNG = np.random.default_rng(2)
KERNELS = [RNG.normal(size=(4, 8)).astype(np.float32), RNG.normal(size=(8, 3)).astype(np.float32)]
K = 4 * 8 + 8 * 3


def test_values() -> None:
    flat = np.concatenate([kernel.ravel() for kernel in KERNELS]).astype(np.float64)
    l2 = weight_penalty(numpy_namespace, KERNELS, {"l2": 0.7, "l1": 0.0, "weights": K})
    l1 = weight_penalty(numpy_namespace, KERNELS, {"l2": 0.0, "l1": 0.7, "weights": K})
    np.testing.assert_allclose(l2, 0.7 / (2 * K) * (flat**2).sum(), rtol=1e-6)
    np.testing.assert_allclose(l1, 0.7 / K * np.abs(flat).sum(), rtol=1e-6)


@pytest.mark.slow
def test_gradients() -> None:
    import jax

    from shoal.training.engines.xla.lifts import xp

    def cost(kernels: list[np.ndarray], l2: float, l1: float) -> float:
        return weight_penalty(xp, kernels, {"l2": l2, "l1": l1, "weights": K})

    for kernel, got in zip(KERNELS, jax.grad(cost)(KERNELS, 0.7, 0.0), strict=True):
        np.testing.assert_allclose(got, 0.7 / K * kernel, rtol=1e-5)
    for kernel, got in zip(KERNELS, jax.grad(cost)(KERNELS, 0.0, 0.7), strict=True):
        np.testing.assert_allclose(got, 0.7 / K * np.sign(kernel), rtol=1e-5)


def test_equals_keras_with_its_strength() -> None:
    import keras

    regularizer = keras.regularizers.L2(0.7 / (2 * K))
    expected = sum(float(regularizer(kernel)) for kernel in KERNELS)
    got = weight_penalty(numpy_namespace, KERNELS, {"l2": 0.7, "l1": 0.0, "weights": K})
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.slow
def test_padding_with_zeros_changes_nothing() -> None:
    import jax

    from shoal.training.engines.xla.lifts import xp

    numbers = {"l2": 0.7, "l1": 0.3, "weights": K}
    padded = [np.pad(kernel, ((0, 4), (0, 4))) for kernel in KERNELS]
    np.testing.assert_allclose(
        weight_penalty(numpy_namespace, padded, numbers), weight_penalty(numpy_namespace, KERNELS, numbers), rtol=1e-6
    )
    for got in jax.grad(lambda kernels: weight_penalty(xp, kernels, numbers))(padded):
        assert not np.any(got[-4:])
        assert not np.any(got[:, -4:])

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import Context, Dropout, numpy_namespace
from shoal.streams import Stream

X = np.ones((400, 50), np.float32)


def test_does_nothing_at_prediction() -> None:
    assert Dropout(0.5).apply(numpy_namespace, {}, X, Context()) is X
    assert Dropout(0.5).apply(numpy_namespace, {}, X, Context(numbers={"rate": np.float32(0.9)})) is X


def test_exact_for_given_uniforms() -> None:
    uniforms = np.array([[0.0, 0.2499], [0.25, 0.999]], np.float32)
    context = Context(training=True, random=lambda _: uniforms)
    out = Dropout(0.25).apply(numpy_namespace, {}, np.full((2, 2), 3.0, np.float32), context)
    np.testing.assert_array_equal(out, np.array([[0, 0], [4, 4]], np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_expectation_and_share_equal_keras(rate: float) -> None:
    import keras

    ours = Dropout(rate).apply(
        numpy_namespace, {}, X, Context(training=True, random=lambda shape: Stream(4).uniform(shape))
    )
    theirs = np.asarray(keras.layers.Dropout(rate, seed=1)(X, training=True))
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs), rtol=1e-6)  # 0 and 1 / (1 - rate)
    spread = np.sqrt(rate / (1 - rate) / X.size)
    assert abs(ours.mean() - 1) < 4 * spread
    assert abs((ours == 0).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / X.size)


def test_the_members_own_rate_counts(jax_namespace) -> None:
    import jax

    uniforms = Stream(4).uniform(X.shape)

    def apply(rate):
        context = Context(training=True, numbers={"rate": rate}, random=lambda _: uniforms)
        return Dropout(0.5).apply(jax_namespace, {}, X, context)

    rates = np.array([0.0, 0.3], np.float32)
    out = jax.jit(jax.vmap(apply))(rates)
    np.testing.assert_array_equal(out[0], X)
    alone = Dropout(0.3).apply(numpy_namespace, {}, X, Context(training=True, random=lambda _: uniforms))
    np.testing.assert_allclose(out[1], alone, rtol=1e-6)
    assert out.dtype == np.float32


@pytest.mark.slow
def test_what_is_left_out_gets_no_gradient(jax_namespace) -> None:
    import jax

    uniforms = np.array([[0.1, 0.9]], np.float32)
    context = Context(training=True, random=lambda _: uniforms)
    x = np.array([[np.inf, 2.0]], np.float32)
    gradient = jax.grad(lambda x: Dropout(0.5).apply(jax_namespace, {}, x, context).sum())(x)
    assert np.asarray(gradient).tolist() == [[0.0, 2.0]]


def test_training_needs_random_numbers() -> None:
    with pytest.raises(NetworkError, match="needs random numbers while training"):
        Dropout(0.5).apply(numpy_namespace, {}, X, Context(training=True))
    assert Dropout(0.0).apply(numpy_namespace, {}, X, Context(training=True)) is X


@pytest.mark.parametrize("rate", [1.0, -0.1, 1.5, float("nan"), "half", None])
def test_rate_is_checked(rate: object) -> None:
    with pytest.raises(SettingError, match="must be at least 0 and below 1, got"):
        Dropout(rate)  # type: ignore[arg-type]

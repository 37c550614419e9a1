"""Normalisation beside what Keras has: rows that are absent, fixed numbers, and settings."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import (
    BatchNormalization,
    Context,
    GroupNormalization,
    LayerNormalization,
    Network,
    Normalization,
    Rescaling,
    numpy_namespace,
)
from shoal.streams import Stream


def trained(x: np.ndarray, layer: BatchNormalization, **options) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    recorded: dict[str, np.ndarray] = {}
    parameters = layer.initialize(x.shape[1:], Stream(0))
    context = Context(training=True, record=recorded.__setitem__, **options)
    return layer.apply(numpy_namespace, parameters, x, context), recorded


@pytest.mark.parametrize("seed", range(5))
def test_absent_rows_count_for_nothing(seed: int) -> None:
    x = Stream(seed).normal((6, 3, 2))
    present = np.array([1, 0, 1, 1, 0, 1], np.float32)
    layer = BatchNormalization(0.9)
    y, recorded = trained(np.where(present[:, None, None] > 0, x, np.nan), layer, present=present)
    kept, expected = trained(x[present > 0], layer)
    np.testing.assert_allclose(y[present > 0], kept, rtol=1e-5, atol=1e-6)
    for name in layer.moving:
        np.testing.assert_allclose(recorded[name], expected[name], rtol=1e-5, atol=1e-6)


def test_weights_count_like_repeated_rows() -> None:
    x, layer = Stream(1).normal((3, 2)), BatchNormalization(0.5)
    _, weighted = trained(x, layer, present=np.array([1, 2, 3], np.float32))
    _, repeated = trained(x[[0, 1, 1, 2, 2, 2]], layer)
    for name in layer.moving:
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-5)


def test_masked_steps_and_absent_rows_go_together() -> None:
    x, layer = Stream(2).normal((3, 4, 2)), BatchNormalization(0.5)
    mask = Stream(3).uniform((3, 4)) < 0.6
    present = np.array([1, 0, 1], np.float32)
    _, recorded = trained(x, layer, present=present, mask=mask)
    chosen = x[mask & (present[:, None] > 0)]
    np.testing.assert_allclose(recorded["moving_mean"], 0.5 * chosen.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(recorded["moving_variance"], 0.5 + 0.5 * chosen.var(0), rtol=1e-5)


def test_a_batch_without_rows_moves_nothing() -> None:
    y, recorded = trained(np.ones((2, 3), np.float32), BatchNormalization(), present=np.zeros(2, np.float32))
    assert np.isfinite(y).all()
    assert recorded["moving_mean"].tolist() == [0.0] * 3
    assert recorded["moving_variance"].tolist() == [1.0] * 3


def test_a_network_hands_on_what_is_recorded() -> None:
    network = Network([Normalization(0.0, 4.0), BatchNormalization(0.5)], (2,))
    recorded = {}

    def record(layer: int, name: str, value: np.ndarray) -> None:
        recorded[layer, name] = value

    x = np.array([[0.0, 2.0], [4.0, 2.0]], np.float32)
    parameters = network.initialize(Stream(0))
    network.apply(parameters, x, training=True, record=lambda i, name, value: recorded.__setitem__((i, name), value))
    assert recorded[1, "moving_mean"].tolist() == [0.5, 0.5]
    assert recorded[1, "moving_variance"].tolist() == [1.0, 0.5]
    assert "moving_mean" not in network.layers[1].regularised


@pytest.mark.slow
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_])
def test_integers_become_float32(kind: type, jax_namespace) -> None:
    x = np.array([[0, 1], [1, 1]], kind)
    for layer in (Normalization((0.5, 1.0), 0.25), Rescaling(1 / 255, offset=-0.5)):
        out = layer.apply(numpy_namespace, {}, x, Context())
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, layer.apply(numpy_namespace, {}, x.astype(np.float64), Context()), rtol=1e-6)
        np.testing.assert_allclose(out, layer.apply(jax_namespace, {}, jax_namespace.asarray(x), Context()), rtol=1e-6)


def test_padding_is_zero_behind_fixed_normalisation() -> None:
    mask = np.array([[True, False]])
    y = Normalization(1.0, 1.0).apply(numpy_namespace, {}, np.full((1, 2, 3), 3.0), Context(mask=mask))
    assert y.tolist() == [[[2.0] * 3, [0.0] * 3]]


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Normalization((1.0, 2.0), 1.0), (4, 3), r"2 numbers as mean, but inputs of shape \(4, 3\) have 3 channels"),
        (Rescaling((1.0, 2.0)), (), r"needs inputs of shape \(\.\.\., channels\)"),
        (GroupNormalization(4), (6,), r"cannot make 4 groups .* Choose groups among 1, 2, 3, 6"),
        (BatchNormalization(), (), r"needs inputs of shape"),
        (LayerNormalization(), (), r"needs inputs of shape"),
    ],
)
def test_shapes_that_do_not_fit_are_told(layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        layer.output_shape(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNormalization(1.0), "momentum must be a number, at least 0 and below 1"),
        (lambda: BatchNormalization(epsilon=-1.0), "epsilon must be a number, at least 0"),
        (lambda: LayerNormalization(axis=1), "axis must be -1"),
        (lambda: GroupNormalization(0), "groups must be a whole number"),
        (lambda: Normalization(0.0, -1.0), "variance must be a finite number of at least 0"),
        (lambda: Normalization("a", 1.0), "mean must be a finite number"),
        (lambda: Rescaling(np.inf), "scale must be a finite number"),
        (lambda: BatchNormalization(center="yes"), "center must be True or False"),
    ],
)
def test_settings_are_checked(make, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()

"""Convolutions and poolings against numbers worked out by hand, masks, and errors."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import (
    AveragePooling1D,
    Context,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Cropping1D,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
    MaxPooling1D,
    MaxPooling2D,
    MinPooling2D,
    Reshape,
    SpatialDropout2D,
    UpSampling1D,
    ZeroPadding1D,
    numpy_namespace,
)
from shoal.streams import Stream

ROWS = ["0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000"]
IMAGE = np.array([[float(pixel) for pixel in row] for row in ROWS])[None, :, :, None]
KERNEL = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])[:, :, None, None]


def test_convolution_by_hand() -> None:
    map_of_filter = Conv2D(1, 3, use_bias=False).apply(numpy_namespace, {"kernel": KERNEL}, IMAGE, Context())[0, ..., 0]
    assert map_of_filter.shape == (5, 5)
    assert map_of_filter[0].tolist() == [1, 4, 3, 4, 1]
    by_sums = [[(IMAGE[0, i : i + 3, j : j + 3] * KERNEL[..., 0]).sum() for j in range(5)] for i in range(5)]
    assert map_of_filter.tolist() == by_sums


def test_pooling_by_hand() -> None:
    x = np.array([[1.0, 4, 3, 4], [1, 2, 4, 3], [1, 2, 3, 4], [1, 3, 3, 1]])[None, ..., None]
    largest = MaxPooling2D(2).apply(numpy_namespace, {}, x, Context())[0, ..., 0]
    smallest = MinPooling2D(2).apply(numpy_namespace, {}, x, Context())[0, ..., 0]
    assert largest.tolist() == [[4, 4], [3, 4]]
    assert smallest.tolist() == [[1, 3], [1, 1]]


def test_padding_does_not_count_in_averages() -> None:
    x = np.array([2.0, 4.0, 9.0])[None, :, None]
    means = AveragePooling1D(2, padding="same").apply(numpy_namespace, {}, x, Context())
    assert means[0, :, 0].tolist() == [3.0, 9.0]


def test_members_may_bring_activations_of_their_filters() -> None:
    layer, x = Conv1D(2, 2, table=("relu", "tanh")), Stream(1).normal((3, 5, 2))
    p = layer.initialize((5, 2), Stream(0))
    chosen = layer.apply(numpy_namespace, p, x, Context(numbers={"activation": np.array([1, 0])}))
    fixed = Conv1D(2, 2, activation=("tanh", "relu"))
    np.testing.assert_allclose(chosen, fixed.apply(numpy_namespace, p, x, Context()), rtol=1e-6)


def test_costs_are_counted() -> None:
    layer = Conv2D(32, 3)
    assert layer.multiplications((28, 28, 1)) == 26 * 26 * 9 * 32
    assert layer.scratch((28, 28, 1)) == 26 * 26 * 9


def test_masks_follow_the_steps() -> None:
    mask, x = np.array([[True, True, True, False, False]]), np.ones((1, 5, 2))
    windows = Conv1D(1, 3, padding="same"), Conv1D(1, 2), MaxPooling1D(2), MaxPooling1D(2, padding="same")
    others = UpSampling1D(2), ZeroPadding1D(1), Cropping1D((1, 0)), Flatten(), Reshape((10,)), GlobalAveragePooling1D()
    behind = [layer.output_mask(numpy_namespace, x, mask) for layer in (*windows, *others)]
    shown = ["".join("01"[int(step)] for step in m[0]) if m is not None else None for m in behind]
    assert shown == ["11100", "1110", "11", "110", "1111110000", "0111000", "1100", None, None, None]


def test_masked_mean_leaves_steps_out() -> None:
    x, mask = np.array([[[1.0], [3.0], [100.0]]] * 2), np.array([[True, True, False], [False] * 3])
    means = GlobalAveragePooling1D().apply(numpy_namespace, {}, x, Context(mask=mask))
    assert means.tolist() == [[2.0], [0.0]]


def test_spatial_dropout_leaves_out_whole_channels() -> None:
    context = Context(training=True, random=lambda shape: Stream(3).uniform(shape))
    y = SpatialDropout2D(0.5).apply(numpy_namespace, {}, np.ones((4, 3, 3, 8), np.float32), context)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1, :1]).all()
    none = SpatialDropout2D(0.5).apply(
        numpy_namespace, {}, y, Context(training=True, random=context.random, numbers={"rate": 0.0})
    )
    assert (none == y).all()


def test_noise_is_normal_and_only_while_training() -> None:
    layer, x = GaussianNoise(0.5), np.zeros((20_000, 2), np.float32)
    context = Context(training=True, random=lambda shape: Stream(3).uniform(shape))
    noise = layer.apply(numpy_namespace, {}, x, context)
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 0.5) < 0.01
    assert abs(np.mean((noise / 0.5) ** 4) - 3) < 0.15
    assert layer.apply(numpy_namespace, {}, x, Context()) is x
    wider = layer.apply(numpy_namespace, {}, x, Context(True, {"stddev": 1.0}, context.random))
    np.testing.assert_allclose(wider, 2 * noise, rtol=1e-6)
    with pytest.raises(NetworkError, match="needs random numbers while training"):
        layer.apply(numpy_namespace, {}, x, Context(training=True))


def test_errors_say_how_to_mend_them() -> None:
    with pytest.raises(NetworkError, match=r"kernel of size \(5, 5\), larger than its input of size \(4, 4\).*smaller"):
        Conv2D(1, 5).output_shape((4, 4, 1))
    with pytest.raises(NetworkError, match=r"input shape \(28, 28, 1\)"):
        Conv2D(1, 3).output_shape((28, 28))
    with pytest.raises(NetworkError, match=r"cuts .* off an input of shape \(2, 1\)"):
        Cropping1D(1).output_shape((2, 1))
    with pytest.raises(NetworkError, match=r"cannot write the 6 numbers of shape \(6,\) in shape \(4,\)"):
        Reshape(4).output_shape((6,))
    for cls in (Conv2D, Conv2DTranspose):
        with pytest.raises(SettingError, match="cannot both be above 1"):
            cls(1, 3, strides=2, dilation_rate=2)
    with pytest.raises(SettingError, match="padding must be one of valid, same, got 'causal'"):
        Conv2D(1, 3, padding="causal")

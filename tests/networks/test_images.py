"""Convolution and pooling of plain arrays: the example of textbooks, SciPy, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate2d

import shoal
from shoal.errors import DataError, NetworkError, SettingError

ROWS = ("0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000")
IMAGE = [[int(digit) for digit in row] for row in ROWS]
KERNEL = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_the_binary_image_of_textbooks() -> None:
    rows = shoal.convolve(IMAGE, KERNEL).astype(int).tolist()
    assert rows == [[1, 4, 3, 4, 1], [1, 2, 4, 3, 3], [1, 2, 3, 4, 1], [1, 3, 3, 1, 1], [3, 3, 1, 1, 0]]


def test_convolution_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(8, 9)), rng.normal(size=(3, 5))
    valid = correlate2d(image, kernel, "valid")
    np.testing.assert_allclose(shoal.convolve(image, kernel), valid)
    np.testing.assert_allclose(shoal.convolve(image, kernel, padding="same"), correlate2d(image, kernel, "same"))
    np.testing.assert_allclose(shoal.convolve(image, kernel, strides=(2, 3), bias=0.5), valid[::2, ::3] + 0.5)
    np.testing.assert_allclose(shoal.convolve(image, kernel, activation="relu"), np.maximum(valid, 0))
    spread = np.zeros((5, 9))
    spread[::2, ::2] = kernel
    np.testing.assert_allclose(shoal.convolve(image, kernel, dilation_rate=2), correlate2d(image, spread, "valid"))


@pytest.mark.parametrize(("pooling", "function"), [("max", np.max), ("min", np.min), ("average", np.mean)])
def test_pooling_takes_each_window(pooling: str, function: Callable[..., Any]) -> None:
    image = np.random.default_rng(1).normal(size=(7, 8))
    halves = image[:6].reshape(3, 2, 4, 2)
    np.testing.assert_allclose(shoal.pool(image, pooling=pooling), function(halves, axis=(1, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 2))
    np.testing.assert_allclose(shoal.pool(image, (3, 2), strides=1, pooling=pooling), function(windows, axis=(2, 3)))
    assert shoal.pool(image, 2, padding="same", pooling=pooling).shape == (4, 4)
    assert shoal.pool(image, 2, padding="same", pooling=pooling)[3, 0] == pytest.approx(function(image[6:, :2]))


@pytest.mark.parametrize(
    ("image", "kernel", "settings", "error", "words"),
    [
        (IMAGE, np.ones((9, 9)), {}, NetworkError, r"kernel of size \(9, 9\), larger than its input of size \(7, 7\)"),
        (IMAGE, np.ones((5, 5)), {"dilation_rate": 2}, NetworkError, r"kernel of size \(9, 9\)"),
        (IMAGE[0], KERNEL, {}, DataError, r"image must be .*\(height, width\), got an array of shape \(7,\)"),
        (np.zeros((4, 4, 3)), KERNEL, {}, DataError, "one channel at a time"),
        ("photo.png", KERNEL, {}, DataError, "image must be a table of numbers, .* got str"),
        ([["a"]], KERNEL, {}, DataError, "image must be a table of numbers"),
        ([[1, 2], [3]], KERNEL, {}, DataError, "its rows have several lengths"),
        ([], KERNEL, {}, DataError, "image must be a table of numbers"),
        (IMAGE, [[1j]], {}, DataError, "kernel must be a table of numbers, .* complex"),
        (IMAGE, KERNEL, {"bias": "x"}, DataError, "bias must be one number"),
        (IMAGE, KERNEL, {"bias": [1, 2]}, DataError, "bias must be one number"),
        (IMAGE, KERNEL, {"strides": 0}, SettingError, "strides must be a whole number, at least 1, got 0"),
        (IMAGE, KERNEL, {"padding": "sane"}, SettingError, "Did you mean 'same'"),
        (IMAGE, KERNEL, {"strides": 2, "dilation_rate": 2}, SettingError, "cannot both be above 1"),
        (IMAGE, KERNEL, {"activation": "relo"}, SettingError, "Did you mean 'relu'"),
    ],
)
def test_bad_input_is_refused(image: Any, kernel: Any, settings: dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        shoal.convolve(image, kernel, **settings)


def test_bad_pooling_is_refused() -> None:
    with pytest.raises(SettingError, match="pooling must be one of max, min, average"):
        shoal.pool(IMAGE, pooling="median")
    with pytest.raises(NetworkError, match=r"window of size \(9, 9\)"):
        shoal.pool(IMAGE, 9)
    with pytest.raises(SettingError, match="pool_size must be a whole number"):
        shoal.pool(IMAGE, "2")

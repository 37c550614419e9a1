"""Convolution and pooling of a single image, a plain array, by the layers of networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.networks.activations import ActivationSpec
from shoal.networks.layers import AveragePooling2D, Conv2D, Layer, MaxPooling2D, MinPooling2D
from shoal.networks.layers.base import Context
from shoal.networks.layers.convolution import Sizes
from shoal.networks.layers.spatial import checked_choice
from shoal.networks.namespace import numpy_namespace

_POOLINGS = {"max": MaxPooling2D, "min": MinPooling2D, "average": AveragePooling2D, "avg": AveragePooling2D}


def convolve(
    image: Any,
    kernel: Any,
    *,
    bias: float = 0.0,
    strides: Sizes = 1,
    padding: str = "valid",
    dilation_rate: Sizes = 1,
    activation: ActivationSpec = None,
) -> np.ndarray:
    """Return what one filter of a `Conv2D` layer makes of an image.

    `y[i, j] = f(sum_{k, l} image[s i + d k, s j + d l] kernel[k, l] + bias)`, s the strides, d the dilation rate; as in
    all networks the kernel is not turned round, which mathematics would call a correlation.

    Args:
        image: `(height, width)` numbers.
        kernel: `(height, width)` weights.
        bias: is added everywhere; default 0.
        strides: steps from place to place, one number or two; default 1.
        padding: "valid" (default, none) or "same" (zeros around, so that stride 1 keeps the size).
        dilation_rate: steps between the elements of the kernel; default 1.
        activation: f, a name or a function, as of a layer; default None, linear.

    Returns:
        `(rows, columns)` float64; along each axis `(size - span) // strides + 1` with padding "valid" and
        `span = dilation_rate (kernel size - 1) + 1`, and `ceil(size / strides)` with "same".

    Raises:
        DataError: image, kernel or bias hold anything but numbers, or have another number of axes.
        NetworkError: the kernel is larger than the image.
        SettingError: strides, padding, dilation rate or activation that no layer has.

    Example:
        >>> convolve([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]).tolist()
        [[1.0, 4.0]]
    """
    x, weights = _checked(image, "image", 2), _checked(kernel, "kernel", 2)
    layer = Conv2D(
        1, weights.shape, strides=strides, padding=padding, dilation_rate=dilation_rate, activation=activation
    )
    parameters = {"kernel": weights[:, :, None, None], "bias": _checked(bias, "bias", 0)[None]}
    return _applied(layer, parameters, x)


def pool(
    image: Any, pool_size: Sizes = 2, *, strides: Sizes | None = None, padding: str = "valid", pooling: str = "max"
) -> np.ndarray:
    """Return the largest, smallest or mean number of each window of an image, by the pooling layers.

    Args:
        image: `(height, width)` numbers.
        pool_size: height and width of the window, one number for both; default 2.
        strides: steps from window to window; default pool_size.
        padding: "valid" (default, what does not fill a window is left out) or "same" (what is added does not count).
        pooling: "max" (default), "min" or "average" (or "avg").

    Returns:
        `(rows, columns)` float64; along each axis `(size - pool_size) // strides + 1`, with padding "same"
        `ceil(size / strides)`.

    Raises:
        DataError: the image holds anything but numbers, or has another number of axes.
        NetworkError: the window is larger than the image.
        SettingError: sizes, padding or pooling that no layer has.

    Example:
        >>> pool([[1, 2, 5, 6], [3, 4, 7, 8]], pooling="average").tolist()
        [[2.5, 6.5]]
    """
    x = _checked(image, "image", 2)
    layer = _POOLINGS[checked_choice("pool", "pooling", pooling, list(_POOLINGS))]
    return _applied(layer(pool_size, strides, padding), {}, x)


def _checked(values: Any, name: str, axes: int) -> np.ndarray:
    """Return numbers with so many axes."""
    wanted = {0: "one number", 2: "a table of numbers, (height, width)"}[axes]
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name} must be {wanted}, but its rows have several lengths") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} must be {wanted}, got {type(values).__name__} of {array.dtype}")
    if array.ndim != axes:
        channels = ". Give one channel at a time: image[..., 0]" if array.ndim == 3 and axes == 2 else ""
        raise DataError(f"{name} must be {wanted}, got an array of shape {array.shape}{channels}")
    if not array.size:
        raise DataError(f"{name} must be {wanted}, got none: shape {array.shape}")
    return array.astype(np.float64)


def _applied(layer: Layer, parameters: dict[str, np.ndarray], image: np.ndarray) -> np.ndarray:
    """Return what a layer makes of one image with one channel."""
    x = image[None, :, :, None]
    layer.output_shape(x.shape[1:])  # refuses windows that are too large
    return np.asarray(layer.apply(numpy_namespace, parameters, x, Context()))[0, :, :, 0]

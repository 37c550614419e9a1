"""Normalization and Rescaling: fixed numbers bring the inputs to a fitting size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.scaled import check_channels

Channels = float | tuple[float, ...]
"""One number for each channel, or one for all."""

SMALLEST_DEVIATION = 1e-7
"""What a standard deviation counts as at least: Keras' own number."""


def _checked_channels(label: str, name: str, value: Any, least: float | None = None) -> Channels:
    """Return one number, or a tuple with one for each channel.

    Raises:
        SettingError: something is no finite number, or below `least`.
    """
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.asarray(np.nan)
    good = numbers.ndim < 2 and numbers.size and np.isfinite(numbers).all()
    if not good or (least is not None and (numbers < least).any()):
        at_least = "" if least is None else f" of at least {least:g}"
        raise SettingError(f"{label}: {name} must be a finite number{at_least}, or one per channel, got {value!r}")
    return tuple(map(float, numbers)) if numbers.ndim else float(numbers)


def _check_fit(label: str, input_shape: Shape, **settings: Channels) -> None:
    for name, value in settings.items():
        if not isinstance(value, tuple):
            continue
        check_channels(label, input_shape)
        if len(value) != input_shape[-1]:
            raise NetworkError(
                f"{label} has {len(value)} numbers as {name}, but inputs of shape {input_shape} have {input_shape[-1]} "
                f"channels. Give one per channel, or a single number for all"
            )


def _as_floats(xp: Any, x: Any) -> Any:
    return x if x.dtype in (np.float32, np.float64) else x.astype(xp.float32)


@dataclass(frozen=True)
class Normalization(Layer):
    """Subtract a fixed mean and divide by a fixed standard deviation, for each channel.

    `y = (x - mean) / max(sqrt(variance), 1e-7)`; 0 at the steps that a mask calls padding

    Integers, such as the bytes of an image, become float32.

    Args:
        mean: a number, or one for each channel, the last axis.
        variance: a number, or one for each channel.

    Raises:
        SettingError: no finite numbers, or a negative variance.

    Example:
        >>> import numpy as np
        >>> Normalization(1.0, 4.0).apply(np, {}, np.array([[1.0, 5.0]]), Context()).tolist()
        [[0.0, 2.0]]
    """

    mean: Channels
    variance: Channels

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _checked_channels(self.label, "mean", self.mean))
        object.__setattr__(self, "variance", _checked_channels(self.label, "variance", self.variance, least=0.0))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        _check_fit(self.label, input_shape, mean=self.mean, variance=self.variance)
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x normalised, with 0 at steps that are padding."""
        x = _as_floats(xp, x)
        deviation = np.maximum(np.sqrt(np.asarray(self.variance)), SMALLEST_DEVIATION)
        y = (x - np.asarray(self.mean, x.dtype)) / deviation.astype(x.dtype)
        if context.mask is None:
            return y
        return xp.where(xp.reshape(context.mask, (*context.mask.shape, *[1] * (x.ndim - 2))), y, 0.0)


@dataclass(frozen=True)
class Rescaling(Layer):
    """Multiply by a fixed scale and add a fixed offset, e.g. to bring bytes to [0, 1].

    `y = scale x + offset`

    Integers become float32.

    Args:
        scale: a number, or one for each channel, the last axis, e.g. `1 / 255`.
        offset: a number, or one for each channel; default 0.

    Raises:
        SettingError: no finite numbers.

    Example:
        >>> import numpy as np
        >>> Rescaling(0.5, offset=-1.0).apply(np, {}, np.array([[2, 4]]), Context()).tolist()
        [[0.0, 1.0]]
    """

    scale: Channels
    offset: Channels = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            object.__setattr__(self, name, _checked_channels(self.label, name, getattr(self, name)))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        _check_fit(self.label, input_shape, scale=self.scale, offset=self.offset)
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x scaled and shifted."""
        x = _as_floats(xp, x)
        return x * np.asarray(self.scale, x.dtype) + np.asarray(self.offset, x.dtype)

"""Upsampling: series, images and volumes made larger without weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.convolution import Sizes
from shoal.networks.layers.settings import checked_integers
from shoal.networks.layers.spatial import Spatial, check_axes, checked_choice, crossed


@dataclass(frozen=True)
class _UpSampling(Spatial, Layer):
    size: Sizes = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", checked_integers(self.label, "size", self.size, self.rank))

    @property
    def note(self) -> str:
        """The factors, for tables and drawings."""
        return crossed(self._factors)

    @property
    def _factors(self) -> tuple[int, ...]:
        return self.size  # type: ignore[return-value]

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return each axis of space times its factor.

        Raises:
            NetworkError: the input has the wrong number of axes.
        """
        check_axes(self.label, self.rank, input_shape)
        return (*(n * k for n, k in zip(input_shape[:-1], self._factors, strict=True)), input_shape[-1])

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return each number repeated along each axis."""
        for axis, factor in enumerate(self._factors, start=1):
            x = xp.repeat(x, factor, axis=axis)
        return x

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask of a series repeated as its steps."""
        return None if mask is None or self.rank > 1 else xp.repeat(mask, self._factors[0], axis=1)


def _interpolated(xp: Any, x: Any, axis: int, factor: int) -> Any:
    """Return numbers between the neighbours along an axis, each standing in the middle of its pixel."""
    here = (slice(None),) * axis
    n = x.shape[axis]
    rim = xp.concatenate([x[(*here, slice(0, 1))], x, x[(*here, slice(n - 1, n))]], axis=axis)
    parts = []
    for phase in range(factor):
        place = (phase + 0.5) / factor + 0.5  # within the padded axis, from the pixel before
        first = math.floor(place)
        share = place - first
        near, far = rim[(*here, slice(first, first + n))], rim[(*here, slice(first + 1, first + 1 + n))]
        parts.append(near if share == 0 else (1.0 - share) * near + share * far)
    stacked = xp.stack(parts, axis=axis + 1)
    return xp.reshape(stacked, (*x.shape[:axis], n * factor, *x.shape[axis + 1 :]))


@dataclass(frozen=True)
class UpSampling1D(_UpSampling, rank=1):
    """Repeat each number of a series along each axis.

    `y[t, c] = x[t // size, c]`

    Inputs are `(time, channels)`, outputs `(size time, channels)`.

    Args:
        size: how often, along time; default 2.

    Raises:
        SettingError: a size below 1.

    Example:
        >>> UpSampling1D().output_shape((5, 3))
        (10, 3)
    """


@dataclass(frozen=True)
class UpSampling2D(_UpSampling, rank=2):
    """Repeat each number of an image along each axis.

    `y[i, j, c] = x[i // size, j // size, c]`

    Inputs are `(height, width, channels)`, outputs `(size height, size width, channels)`.

    Args:
        size: how often, along height and width; one number for both; default 2.
        interpolation: "nearest" (default) or "bilinear", straight lines between the middles of the pixels.

    Raises:
        SettingError: a size below 1, or an unknown interpolation.

    Example:
        >>> UpSampling2D().output_shape((13, 13, 32))
        (26, 26, 32)
    """

    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        super().__post_init__()
        known = ("nearest", "bilinear")
        object.__setattr__(
            self, "interpolation", checked_choice(self.label, "interpolation", self.interpolation, known)
        )

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the image with each pixel repeated, or with numbers between the pixels."""
        if self.interpolation == "nearest":
            return super().apply(xp, parameters, x, context)
        for axis, factor in enumerate(self._factors, start=1):
            x = _interpolated(xp, x, axis, factor)
        return x


@dataclass(frozen=True)
class UpSampling3D(_UpSampling, rank=3):
    """Repeat each number of a volume along each axis.

    `y[i, j, m, c] = x[i // size, j // size, m // size, c]`

    Inputs are `(depth, height, width, channels)`, outputs `(size depth, size height, size width, channels)`.

    Args:
        size: how often, along depth, height and width; one number for all; default 2.

    Raises:
        SettingError: a size below 1.

    Example:
        >>> UpSampling3D().output_shape((4, 4, 4, 2))
        (8, 8, 8, 2)
    """

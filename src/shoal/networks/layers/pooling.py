"""Pooling: the largest, smallest or mean number of each window, which makes series and images smaller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Parameters
from shoal.networks.layers.convolution import Sizes
from shoal.networks.layers.settings import checked_integers
from shoal.networks.layers.spatial import WindowLayer, checked_choice


@dataclass(frozen=True)
class _Pooling(WindowLayer):
    combine: ClassVar[str]
    """The function of two arrays of the namespace that joins what windows see."""
    over_axes: ClassVar[str]
    """The same over axes of an array."""
    neutral: ClassVar[float]
    """What padding holds, so that it changes no result."""

    details = """
        Inputs are `{axes}`, outputs `({places}, channels)`; places of each axis are
        `(size - pool_size) // strides + 1`, and `ceil(size / strides)` with padding "same".

        Args:
            pool_size: {extent} of the window{for_all}; default 2.
            strides: steps from window to window; default pool_size.
            padding: "valid" (default, what does not fill a window is left out) or "same" (what is added does not
                count).

        Raises:
            SettingError: a size below 1, or an unknown padding.
    """

    pool_size: Sizes = 2
    strides: Sizes | None = None
    padding: str = "valid"

    def __post_init__(self) -> None:
        for name in ("pool_size", "strides"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, checked_integers(self.label, name, value, self.rank))
        object.__setattr__(self, "padding", checked_choice(self.label, "padding", self.padding, ("valid", "same")))

    @property
    def _sizes(self) -> tuple[tuple[int, ...], ...]:
        size: Any = self.pool_size
        strides: Any = size if self.strides is None else self.strides
        return size, strides, (1,) * self.rank

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the places of the window along each axis, and the channels.

        Raises:
            NetworkError: the input has the wrong number of axes, or the window is larger than it.
        """
        return (*self._places(input_shape), input_shape[-1])

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return what is left of each window."""
        return self._joined(xp, self._padded(xp, x, self.neutral))

    def _joined(self, xp: Any, x: Any) -> Any:
        size, strides, _ = self._sizes
        if size != strides:
            return reduce(getattr(xp, self.combine), xp.windows(x, *self._sizes))
        # Windows side by side: axes of their own are faster than slices, mostly backwards.
        places = [n // k for n, k in zip(x.shape[1:-1], size, strict=True)]
        x = x[(slice(None), *(slice(n * k) for n, k in zip(places, size, strict=True)))]
        split = [n for pair in zip(places, size, strict=True) for n in pair]
        x = xp.reshape(x, (x.shape[0], *split, x.shape[-1]))
        return getattr(xp, self.over_axes)(x, axis=tuple(range(2, 2 * self.rank + 1, 2)))


class _MaxPooling(_Pooling):
    combine, over_axes, neutral = "maximum", "max", -math.inf


class _MinPooling(_Pooling):
    combine, over_axes, neutral = "minimum", "min", math.inf


class _AveragePooling(_Pooling):
    combine, over_axes, neutral = "add", "sum", 0.0

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the mean of each window; padding does not count."""
        sums = super().apply(xp, parameters, x, context)
        if self.padding == "valid":
            return sums / math.prod(self._sizes[0])
        ones = xp.ones((1, *x.shape[1:-1], 1), dtype=x.dtype)
        return sums / self._joined(xp, self._padded(xp, ones))


@dataclass(frozen=True)
class MaxPooling1D(_MaxPooling, rank=1):
    """Keep the largest number of each window of a series, for each channel by itself.

    `y[t, c] = max_{k} x[s t + k, c]`, s the strides

    Example:
        >>> MaxPooling1D().output_shape((10, 3))
        (5, 3)
    """


@dataclass(frozen=True)
class MaxPooling2D(_MaxPooling, rank=2):
    """Keep the largest number of each window of an image, for each channel by itself.

    `y[i, j, c] = max_{k, l} x[s i + k, s j + l, c]`, s the strides

    Example:
        >>> MaxPooling2D().output_shape((26, 26, 32))
        (13, 13, 32)
    """


@dataclass(frozen=True)
class MaxPooling3D(_MaxPooling, rank=3):
    """Keep the largest number of each window of a volume, for each channel by itself.

    `y[i, j, m, c] = max_{k, l, n} x[s i + k, s j + l, s m + n, c]`, s the strides

    Example:
        >>> MaxPooling3D().output_shape((8, 8, 8, 4))
        (4, 4, 4, 4)
    """


@dataclass(frozen=True)
class MinPooling1D(_MinPooling, rank=1):
    """Keep the smallest number of each window of a series, for each channel by itself.

    Keras has no such layer; it equals `-MaxPooling1D()(-x)`.

    `y[t, c] = min_{k} x[s t + k, c]`, s the strides

    Example:
        >>> MinPooling1D().output_shape((10, 3))
        (5, 3)
    """


@dataclass(frozen=True)
class MinPooling2D(_MinPooling, rank=2):
    """Keep the smallest number of each window of an image, for each channel by itself.

    Keras has no such layer; it equals `-MaxPooling2D()(-x)`.

    `y[i, j, c] = min_{k, l} x[s i + k, s j + l, c]`, s the strides

    Example:
        >>> MinPooling2D().output_shape((26, 26, 32))
        (13, 13, 32)
    """


@dataclass(frozen=True)
class MinPooling3D(_MinPooling, rank=3):
    """Keep the smallest number of each window of a volume, for each channel by itself.

    Keras has no such layer; it equals `-MaxPooling3D()(-x)`.

    `y[i, j, m, c] = min_{k, l, n} x[s i + k, s j + l, s m + n, c]`, s the strides

    Example:
        >>> MinPooling3D().output_shape((8, 8, 8, 4))
        (4, 4, 4, 4)
    """


@dataclass(frozen=True)
class AveragePooling1D(_AveragePooling, rank=1):
    """Keep the mean number of each window of a series, for each channel by itself.

    `y[t, c] = mean_{k} x[s t + k, c]`, s the strides

    Example:
        >>> AveragePooling1D().output_shape((10, 3))
        (5, 3)
    """


@dataclass(frozen=True)
class AveragePooling2D(_AveragePooling, rank=2):
    """Keep the mean number of each window of an image, for each channel by itself.

    `y[i, j, c] = mean_{k, l} x[s i + k, s j + l, c]`, s the strides

    Example:
        >>> AveragePooling2D().output_shape((26, 26, 32))
        (13, 13, 32)
    """


@dataclass(frozen=True)
class AveragePooling3D(_AveragePooling, rank=3):
    """Keep the mean number of each window of a volume, for each channel by itself.

    `y[i, j, m, c] = mean_{k, l, n} x[s i + k, s j + l, s m + n, c]`, s the strides

    Example:
        >>> AveragePooling3D().output_shape((8, 8, 8, 4))
        (4, 4, 4, 4)
    """

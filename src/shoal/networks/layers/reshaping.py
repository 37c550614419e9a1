"""The numbers of a row in other shapes and orders: reshaped, with axes exchanged, or repeated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import checked_integer


@dataclass(frozen=True)
class Reshape(Layer):
    """Write the numbers of a row in another shape, the last axis running fastest.

    Args:
        target_shape: shape of an output row; one number may be -1 and is then what is left.

    Raises:
        SettingError: a number that is neither -1 nor at least 1, or -1 twice.

    Example:
        >>> Reshape((8, 8, 1)).output_shape((64,))
        (8, 8, 1)
        >>> Reshape((-1, 4)).output_shape((8, 8))
        (16, 4)
    """

    target_shape: int | tuple[int, ...]

    def __post_init__(self) -> None:
        shape = self.target_shape
        sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        fits = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and (n > 0 or n == -1) for n in sizes)
        if not fits or sizes.count(-1) > 1:
            raise SettingError(
                f"{self.label}: target_shape must hold whole numbers of at least 1, and -1 at most once, got {shape!r}"
            )
        object.__setattr__(self, "target_shape", tuple(int(n) for n in sizes))

    @property
    def _target(self) -> tuple[int, ...]:
        return self.target_shape  # type: ignore[return-value]

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the target shape, with -1 worked out.

        Raises:
            NetworkError: it has another number of numbers than the input.
        """
        numbers, known = math.prod(input_shape), math.prod(n for n in self._target if n > 0)
        if numbers % known or (numbers != known and -1 not in self._target):
            raise NetworkError(
                f"{self.label} cannot write the {numbers} numbers of shape {input_shape} in shape {self._target}. "
                f"The product of the target shape must be {numbers}; one of its numbers may be -1"
            )
        return tuple(numbers // known if n == -1 else n for n in self._target)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x in the target shape."""
        return xp.reshape(x, (x.shape[0], *self.output_shape(x.shape[1:])))

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return None: the steps are others."""
        return None


@dataclass(frozen=True)
class Permute(Layer):
    """Put the axes of a row in another order.

    `y[i, j] = x[j, i]` for `Permute((2, 1))`

    Args:
        dims: which input axis each output axis is, counted from 1, as in Keras.

    Raises:
        SettingError: the numbers are not 1 to the number of axes, each once.

    Example:
        >>> Permute((2, 1)).output_shape((10, 64))
        (64, 10)
    """

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        dims = tuple(self.dims) if isinstance(self.dims, (tuple, list)) else (self.dims,)
        if any(isinstance(d, bool) for d in dims) or sorted(map(str, dims)) != sorted(
            map(str, range(1, len(dims) + 1))
        ):
            raise SettingError(
                f"{self.label}: dims must hold each axis once, counted from 1, e.g. (2, 1), got {self.dims!r}"
            )
        object.__setattr__(self, "dims", tuple(int(d) for d in dims))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape in the order of dims.

        Raises:
            NetworkError: the input has another number of axes.
        """
        if len(input_shape) != len(self.dims):
            raise NetworkError(
                f"{self.label} orders {len(self.dims)} axes by dims {self.dims}, but its input has shape "
                f"{input_shape}. Give dims one number for each axis"
            )
        return tuple(input_shape[d - 1] for d in self.dims)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with its axes in the order of dims."""
        return xp.transpose(x, (0, *self.dims))

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask if time stays the first axis, else None."""
        return mask if self.dims[0] == 1 else None


@dataclass(frozen=True)
class RepeatVector(Layer):
    """Repeat a row of features, as a series of equal steps.

    `y[t, c] = x[c]`

    Inputs are `(features,)`, outputs `(n, features)`.

    Args:
        n: number of steps.

    Raises:
        SettingError: n is below 1.

    Example:
        >>> RepeatVector(3).output_shape((4,))
        (3, 4)
    """

    n: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", checked_integer(self.label, "n", self.n))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (n, features).

        Raises:
            NetworkError: the input has more or fewer axes than one.
        """
        if len(input_shape) != 1:
            raise NetworkError(
                f"{self.label} needs inputs of shape (features,), got {input_shape}. Put a Flatten layer before it"
            )
        return (self.n, *input_shape)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return each row n times."""
        return xp.repeat(x[:, None, :], self.n, axis=1)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return None: all steps are real."""
        return None

"""ReLU, LeakyReLU, PReLU, ELU: activations with numbers of their own, as layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError
from shoal.networks.activations import elu, leaky_relu
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.scaled import checked_number
from shoal.networks.layers.settings import check_initializers, checked_integer


@dataclass(frozen=True)
class ReLU(Layer):
    """A line above a threshold, a flatter one below it, and a ceiling.

    `y = min(x, max_value)` for x ≥ threshold, else `negative_slope (x - threshold)`

    Args:
        max_value: the ceiling, at least 0; default none.
        negative_slope: the slope below the threshold, at least 0; default 0.
        threshold: where the line begins, at least 0; default 0.

    Raises:
        SettingError: a number below 0.

    Example:
        >>> import numpy as np
        >>> ReLU(6.0).apply(np, {}, np.array([[-1.0, 2.0, 8.0]]), Context()).tolist()
        [[0.0, 2.0, 6.0]]
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        for name in ("max_value", "negative_slope", "threshold"):
            value = getattr(self, name)
            if value is not None or name != "max_value":
                object.__setattr__(self, name, checked_number(self.label, name, value))

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the rectified x."""
        below = self.negative_slope * (x - self.threshold) if self.negative_slope else 0.0
        # At 0 itself the slope is that below, as of the activation relu.
        above = x > 0 if self.threshold == 0 else x >= self.threshold
        y = xp.where(above | xp.isnan(x), x, below)
        return y if self.max_value is None else xp.where(y > self.max_value, self.max_value, y)


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """Leave positive numbers, and flatten the others (Maas et al., 2013).

    `y = x` for x ≥ 0, else `negative_slope x`

    Args:
        negative_slope: the slope below 0, at least 0; default 0.3. That of leaky_relu is 0.2, as in Keras.

    Raises:
        SettingError: a slope below 0.

    Example:
        >>> import numpy as np
        >>> LeakyReLU(0.5).apply(np, {}, np.array([[-1.0, 2.0]]), Context()).tolist()
        [[-0.5, 2.0]]
    """

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        slope = checked_number(self.label, "negative_slope", self.negative_slope)
        object.__setattr__(self, "negative_slope", slope)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with its negative numbers flattened."""
        return leaky_relu(xp, x, self.negative_slope)


@dataclass(frozen=True)
class PReLU(Layer):
    """A LeakyReLU whose slope below 0 is learned (He et al., 2015).

    `y = x` for x ≥ 0, else `alpha x`

    Args:
        alpha_initializer: start of the slopes; default "zeros".
        shared_axes: axes along which one slope serves all, counted from 1, the first behind the rows: (1, 2) for
            images; default none.

    Raises:
        SettingError: an unknown initializer, or axes below 1.

    Example:
        >>> PReLU(shared_axes=(1, 2)).parameter_shapes((28, 28, 3))
        {'alpha': (1, 1, 3)}
    """

    alpha_initializer: str | Initializer = "zeros"
    shared_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_initializers(self.alpha_initializer)
        if self.shared_axes is not None:
            axes = self.shared_axes if isinstance(self.shared_axes, (tuple, list)) else (self.shared_axes,)
            axes = tuple(checked_integer(self.label, "shared_axes", axis) for axis in axes)
            object.__setattr__(self, "shared_axes", axes)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shape of alpha: the input shape, with 1 along shared axes."""
        shared = self.shared_axes or ()
        if max(shared, default=0) > len(input_shape):
            raise NetworkError(
                f"{self.label} shares axis {max(shared)}, but inputs of shape {input_shape} have {len(input_shape)}"
            )
        return {"alpha": tuple(1 if i in shared else n for i, n in enumerate(input_shape, start=1))}

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        self.parameter_shapes(input_shape)
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with its negative numbers times alpha."""
        return xp.where(x >= 0, x, parameters["alpha"] * x)


@dataclass(frozen=True)
class ELU(Layer):
    """Leave positive numbers, and let the others approach -alpha (Clevert et al., 2016).

    `y = x` for x > 0, else `alpha (exp(x) - 1)`

    Args:
        alpha: at least 0; default 1.

    Raises:
        SettingError: alpha below 0.

    Example:
        >>> ELU(0.5).output_shape((4,))
        (4,)
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", checked_number(self.label, "alpha", self.alpha))

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the elu of x."""
        return elu(xp, x, self.alpha)

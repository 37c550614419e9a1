"""DenseWithConstants: a dense layer without activation, and numbers behind it that are the same for every row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import check_initializers, checked_integer


@dataclass(frozen=True)
class DenseWithConstants(Layer):
    """Linear neurons and, behind their outputs, learned numbers that do not depend on the inputs.

    `y = concatenate(x @ kernel + bias, constant)`

    It ends networks that predict values together with a scatter that is the same everywhere.

    Args:
        units: number of neurons, at least 1.
        constants: number of constants, at least 1; they start at zero.
        kernel_initializer: start of the weights; default "glorot_uniform".

    Raises:
        SettingError: units or constants below 1, or an unknown initializer.

    Example:
        >>> DenseWithConstants(2, 2).output_shape((4,))
        (4,)
        >>> DenseWithConstants(2, 1).parameter_shapes((4,))
        {'kernel': (4, 2), 'bias': (2,), 'constant': (1,)}
    """

    units: int
    constants: int
    kernel_initializer: str | Initializer = "glorot_uniform"

    def __post_init__(self) -> None:
        for name in ("units", "constants"):
            object.__setattr__(self, name, checked_integer(self.label, name, getattr(self, name)))
        check_initializers(self.kernel_initializer)

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on the kernel."""
        return ("kernel",)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape with `units + constants` in place of its last number."""
        if not input_shape:
            raise NetworkError(f"{self.label} needs inputs of shape (features,) or (..., features), got shape ()")
        return (*input_shape[:-1], self.units + self.constants)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of kernel (features, units), bias (units,) and constant (constants,)."""
        self.output_shape(input_shape)
        return {"kernel": (input_shape[-1], self.units), "bias": (self.units,), "constant": (self.constants,)}

    def initializer(self, name: str) -> str | Initializer:
        """Return that of the kernel; bias and constants start at zero."""
        return self.kernel_initializer if name == "kernel" else "zeros"

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return `x @ kernel + bias`, and the constants once for each row."""
        z = xp.matmul(x, parameters["kernel"]) + parameters["bias"]
        beside = xp.zeros_like(xp.take(z, np.zeros(self.constants, np.int32), axis=xp.features))
        return xp.concatenate([z, beside + parameters["constant"]], axis=xp.features)

    def multiplications(self, input_shape: Shape) -> int:
        """Return inputs × units, at each position."""
        return math.prod(input_shape) * self.units

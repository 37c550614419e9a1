"""Dense: every input feeds every neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError
from shoal.networks.activations import ActivationSpec
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.activation import activated, activated_shape, checked_activation, checked_table
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import check_initializers, checked_integer


@dataclass(frozen=True)
class Dense(Layer):
    """Neurons that each weigh all inputs, add a bias and apply an activation.

    `y = f(x @ kernel + bias)`

    Args:
        units: number of neurons, at least 1.
        activation: a name, a tuple of names with one per neuron, a function `(xp, z)`, or None for linear.
        use_bias: whether a bias is added; default True.
        kernel_initializer: start of the weights; default "glorot_uniform".
        bias_initializer: start of the biases; default "zeros".
        table: names that the number `activation` of a member indexes, one index per neuron; then `activation`
            is not used: so members of different activation share one program. Where the number `skip` is
            true, the layer hands on its input: so members of different depth share one, too.

    Raises:
        SettingError: units below 1, or an unknown activation or initializer.

    Example:
        >>> Dense(8, activation="relu").output_shape((4,))
        (8,)
        >>> Dense(8).parameter_shapes((4,))
        {'kernel': (4, 8), 'bias': (8,)}
    """

    units: int
    activation: ActivationSpec = None
    use_bias: bool = True
    kernel_initializer: str | Initializer = "glorot_uniform"
    bias_initializer: str | Initializer = "zeros"
    table: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", checked_integer(self.label, "units", self.units))
        object.__setattr__(self, "activation", checked_activation(self.label, self.activation))
        object.__setattr__(self, "table", checked_table(self.table))
        check_initializers(self.kernel_initializer, self.bias_initializer)

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on the kernel."""
        return ("kernel",)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape with `units` in place of its last number."""
        if not input_shape:
            raise NetworkError(
                f"{self.label} needs inputs of shape (features,) or (..., features), got single numbers of "
                f"shape (). Give the data a feature axis: x[:, None]"
            )
        return activated_shape(self.label, self.activation, (*input_shape[:-1], self.units))

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of kernel (features, units) and bias (units,)."""
        self.output_shape(input_shape)
        shapes: dict[str, Shape] = {"kernel": (input_shape[-1], self.units)}
        if self.use_bias:
            shapes["bias"] = (self.units,)
        return shapes

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return `f(x @ kernel + bias)`, with the member's own activations where it has them."""
        z = xp.matmul(x, parameters["kernel"])
        if self.use_bias:
            z = z + parameters["bias"]
        z = activated(xp, self, z, context)
        skip = context.numbers.get("skip")
        return z if skip is None else xp.where(skip, x, z)

    def multiplications(self, input_shape: Shape) -> int:
        """Return inputs × units, at each position."""
        return math.prod(input_shape) * self.units

    @property
    def final_activation(self) -> ActivationSpec:
        """The layer's activation."""
        return self.activation

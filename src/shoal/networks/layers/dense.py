"""Dense: every input feeds every neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from shoal.errors import NetworkError, SettingError
from shoal.networks.activations import ActivationSpec, apply_activation, apply_table, get_activation
from shoal.networks.initializers import Initializer, Shape, get_initializer
from shoal.networks.layers.activation import activated_shape, checked_activation
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.streams import Stream, Streams


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

    regularised: ClassVar[tuple[str, ...]] = ("kernel",)

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or not isinstance(self.units, (int, np.integer)) or self.units < 1:
            raise SettingError(f"{self.label}: units must be a whole number of neurons, at least 1, got {self.units!r}")
        object.__setattr__(self, "units", int(self.units))
        object.__setattr__(self, "activation", checked_activation(self.label, self.activation))
        object.__setattr__(self, "table", tuple(get_activation(name).name for name in self.table))
        for initializer in (self.kernel_initializer, self.bias_initializer):
            if not callable(initializer):
                get_initializer(initializer)

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

    def initialize(self, input_shape: Shape, stream: Stream | Streams) -> dict[str, np.ndarray]:
        """Return start values for kernel and bias."""
        start = {"kernel": self.kernel_initializer, "bias": self.bias_initializer}
        values = {}
        for i, (name, shape) in enumerate(self.parameter_shapes(input_shape).items()):
            initializer = start[name]
            draw = initializer if callable(initializer) else get_initializer(initializer)
            values[name] = draw(stream.child(i), shape)
        return values

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return `f(x @ kernel + bias)`, with the member's own activations where it has them."""
        z = xp.matmul(x, parameters["kernel"])
        if self.use_bias:
            z = z + parameters["bias"]
        if not context.logits:
            choice = context.numbers.get("activation")
            named = choice is None
            z = apply_activation(xp, self.activation, z) if named else self._chosen(xp, choice, z)
        skip = context.numbers.get("skip")
        return z if skip is None else xp.where(skip, x, z)

    def _chosen(self, xp: Any, choice: Any, z: Any) -> Any:
        if not self.table:
            raise NetworkError(
                f"{self.label} got the number 'activation' but has no table that it could index. Give the "
                f"layer one: Dense({self.units}, table=('relu', 'tanh'))"
            )
        return apply_table(xp, self.table, choice, z)

    @property
    def final_activation(self) -> ActivationSpec:
        """The layer's activation."""
        return self.activation

    @classmethod
    def examples(cls) -> tuple[tuple[Self, Shape], ...]:
        """Return layers with input shapes that the contract tests run through."""
        return (
            (cls(3), (4,)),
            (cls(3, activation="softmax", name="out"), (4,)),
            (cls(3, activation=("relu", "tanh", "linear"), use_bias=False), (2,)),
            (cls(4, activation="glu", kernel_initializer="he_normal", bias_initializer="ones"), (3,)),
            (cls(2, activation="gelu"), (3, 5)),
        )

"""LSTM: long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from shoal.networks.activations import apply_activation
from shoal.networks.initializers import Shape
from shoal.networks.layers.recurrent import GatedRecurrent
from shoal.networks.layers.settings import check_flag
from shoal.streams import Stream, Streams


@dataclass(frozen=True)
class LSTM(GatedRecurrent):
    """Long short-term memory: gates decide what a cell forgets, takes in and shows.

    With `i, f, g, o` the four parts of `z_t = x_t @ kernel + h_(t-1) @ recurrent_kernel + bias`, in this order,

    `c_t = s(f) c_(t-1) + s(i) a(g)`, `h_t = s(o) a(c_t)`, with `h_0 = c_0 = 0`,

    a the activation and s the recurrent one (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000). Rows
    are series (time, features); the output is the last h (units,), or (time, units) with `return_sequences`.

    Args:
        units: size of h and c, at least 1.
        activation: a, a name of an elementwise activation, a function `(xp, z)`, or None for linear; default "tanh".
        return_sequences: hand on h after each step, not only after the last; default False.
        recurrent_activation: s, as `activation`; default "sigmoid".
        use_bias: whether a bias is added; default True.
        kernel_initializer: start of the weights of the inputs; default "glorot_uniform".
        recurrent_initializer: start of the weights of h; default "orthogonal".
        bias_initializer: start of the biases; default "zeros".
        unit_forget_bias: start the biases of the forget gate at 1 (Jozefowicz et al., 2015); default True.
        go_backwards: read the series from its end, and hand on the states in that order; default False.

    Raises:
        SettingError: units below 1, or an unknown activation or initializer.

    Example:
        >>> LSTM(8, return_sequences=True).output_shape((20, 3))
        (20, 8)
        >>> LSTM(8).parameter_shapes((20, 3))
        {'kernel': (3, 32), 'recurrent_kernel': (8, 32), 'bias': (32,)}
    """

    unit_forget_bias: bool = field(default=True, kw_only=True)

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.label, "unit_forget_bias", self.unit_forget_bias)

    def initialize(self, input_shape: Shape, stream: Stream | Streams) -> dict[str, np.ndarray]:
        """Return start values for the kernels and the bias, that of the forget gate at 1."""
        values = super().initialize(input_shape, stream)
        if self.use_bias and self.unit_forget_bias:
            values["bias"] = np.array(values["bias"])
            values["bias"][..., self.units : 2 * self.units] = 1.0
        return values

    def _cell(self, xp: Any, inputs: Any, product: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        take, forget, new, show = inputs + product
        kept = apply_activation(xp, self.recurrent_activation, forget) * carry[1]
        added = apply_activation(xp, self.recurrent_activation, take) * apply_activation(xp, self.activation, new)
        c = kept + added
        return apply_activation(xp, self.recurrent_activation, show) * apply_activation(xp, self.activation, c), c

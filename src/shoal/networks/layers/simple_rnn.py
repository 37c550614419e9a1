"""SimpleRNN: a hidden state that is fed back as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.networks.activations import apply_activation
from shoal.networks.layers.recurrent import Recurrent


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """A recurrent layer whose state is computed anew at each step (Elman, "Finding structure in time", 1990).

    `h_t = f(x_t @ kernel + h_(t-1) @ recurrent_kernel + bias)`, with `h_0 = 0`

    Rows are series (time, features); the output is the last state (units,), or (time, units) with `return_sequences`.

    Args:
        units: size of the hidden state, at least 1.
        activation: f, a name of an elementwise activation, a function `(xp, z)`, or None for linear; default "tanh".
        return_sequences: hand on the state after each step, not only after the last; default False.
        use_bias: whether a bias is added; default True.
        kernel_initializer: start of the weights of the inputs; default "glorot_uniform".
        recurrent_initializer: start of the weights of the state; default "orthogonal".
        bias_initializer: start of the biases; default "zeros".
        go_backwards: read the series from its end, and hand on the states in that order; default False.

    Raises:
        SettingError: units below 1, or an unknown activation or initializer.

    Example:
        >>> SimpleRNN(8).output_shape((20, 3))
        (8,)
        >>> SimpleRNN(8).parameter_shapes((20, 3))
        {'kernel': (3, 8), 'recurrent_kernel': (8, 8), 'bias': (8,)}
    """

    def _cell(self, xp: Any, inputs: Any, product: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ARG002
        return (apply_activation(xp, self.activation, inputs[0] + product[0]),)

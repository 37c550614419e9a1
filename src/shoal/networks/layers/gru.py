"""GRU: gated recurrent units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from shoal.networks.activations import apply_activation
from shoal.networks.initializers import Shape
from shoal.networks.layers.recurrent import GatedRecurrent
from shoal.networks.layers.settings import check_flag
from shoal.networks.namespace import Affine


@dataclass(frozen=True)
class GRU(GatedRecurrent):
    """Gated recurrent units: one gate mixes the old state with a new one, another resets it for the new one.

    With `z, r, g` the three parts of `x_t @ kernel + bias[0]` and `z', r', g'` those of
    `h_(t-1) @ recurrent_kernel + bias[1]`, in this order,

    `h_t = u h_(t-1) + (1 - u) a(g + s(r + r') g')`, `u = s(z + z')`, with `h_0 = 0`,

    a the activation and s the recurrent one (Cho et al., 2014; reset behind the product, as cuDNN has it). With
    `reset_after=False` there is a single bias, and `g' = (s(r + r') h_(t-1)) @ recurrent_kernel` stands in place of
    `s(r + r') g'`, as in the paper. Rows are series (time, features); the output is the last state (units,), or
    (time, units) with `return_sequences`.

    Args:
        units: size of the hidden state, at least 1.
        activation: a, a name of an elementwise activation, a function `(xp, z)`, or None for linear; default "tanh".
        return_sequences: hand on the state after each step, not only after the last; default False.
        recurrent_activation: s, as `activation`; default "sigmoid".
        reset_after: reset behind the product with the state, which takes one product less; default True.
        use_bias: whether biases are added; default True.
        kernel_initializer: start of the weights of the inputs; default "glorot_uniform".
        recurrent_initializer: start of the weights of the state; default "orthogonal".
        bias_initializer: start of the biases; default "zeros".
        go_backwards: read the series from its end, and hand on the states in that order; default False.

    Raises:
        SettingError: units below 1, or an unknown activation or initializer.

    Example:
        >>> GRU(8).output_shape((20, 3))
        (8,)
        >>> GRU(8).parameter_shapes((20, 3))
        {'kernel': (3, 24), 'recurrent_kernel': (8, 24), 'bias': (2, 24)}
    """

    reset_after: bool = field(default=True, kw_only=True)

    gates: ClassVar[int] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.label, "reset_after", self.reset_after)

    def _bias_shape(self) -> Shape:
        width = self.gates * self.units
        return (2, width) if self.reset_after else (width,)

    def _biases(self, bias: Any) -> tuple[Any, Any]:
        return (bias[0], bias[1]) if self.reset_after and bias is not None else (bias, None)

    def _recur(self, xp: Any, x: Any, of_inputs: Affine, of_state: Affine, mask: Any) -> tuple[Any, Any]:
        if self.reset_after:
            return super()._recur(xp, x, of_inputs, of_state, mask)
        units, kernel = self.units, of_state[0]
        of_gates, of_new = kernel[:, : 2 * units], kernel[:, 2 * units :]

        def step(state: Any, now: Any) -> Any:
            inputs, real = now
            gates = inputs[:, : 2 * units] + xp.matmul(state, of_gates)
            reset = apply_activation(xp, self.recurrent_activation, gates[:, units:])
            new = inputs[:, 2 * units :] + xp.matmul(reset * state, of_new)
            (kept,) = xp.kept(real, (self._mixed(xp, gates[:, :units], new, state),), (state,))
            return kept, kept

        inputs = xp.affine_at_steps(x, of_inputs)
        real = None if mask is None else xp.swapaxes(mask, 0, 1)
        last, states = xp.scan(step, xp.zeros((len(x), units), inputs.dtype), (inputs, real))
        return xp.swapaxes(states, 0, 1), last

    def _cell(self, xp: Any, inputs: Any, product: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        (z, r, new), (z_state, r_state, new_state) = inputs, product
        reset = apply_activation(xp, self.recurrent_activation, r + r_state)
        return (self._mixed(xp, z + z_state, new + reset * new_state, carry[0]),)

    def _mixed(self, xp: Any, z: Any, new: Any, state: Any) -> Any:
        update = apply_activation(xp, self.recurrent_activation, z)
        return update * state + (1.0 - update) * apply_activation(xp, self.activation, new)

"""What recurrent layers have in common: products of inputs and state make the gates of a cell, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from shoal.errors import NetworkError, SettingError
from shoal.networks.activations import ActivationSpec, get_activation
from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.activation import checked_activation
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.settings import check_flag, check_initializers, checked_integer
from shoal.networks.namespace import Affine


@dataclass(frozen=True)
class Recurrent(Layer):
    """A layer that reads a series step by step and remembers; `SimpleRNN`, `LSTM` and `GRU` are its kinds.

    A step that the mask calls padding leaves the memory as it is, and what is handed on repeats the step before.

    Args:
        units: size of the hidden state, at least 1.
        activation: of the new state; a name of an elementwise activation, a function `(xp, z)`, or None for linear.
        return_sequences: hand on the hidden state after each step, not only after the last; default False.
        use_bias: whether biases are added; default True.
        kernel_initializer: start of the weights of the inputs; default "glorot_uniform".
        recurrent_initializer: start of the weights of the hidden state; default "orthogonal".
        bias_initializer: start of the biases; default "zeros".
        go_backwards: read the series from its end, and hand on the states in that order; default False.
    """

    units: int
    activation: ActivationSpec = "tanh"
    return_sequences: bool = False
    use_bias: bool = field(default=True, kw_only=True)
    kernel_initializer: str | Initializer = field(default="glorot_uniform", kw_only=True)
    recurrent_initializer: str | Initializer = field(default="orthogonal", kw_only=True)
    bias_initializer: str | Initializer = field(default="zeros", kw_only=True)
    go_backwards: bool = field(default=False, kw_only=True)

    gates: ClassVar[int] = 1
    """How many vectors of `units` numbers each step computes from inputs and state."""
    states: ClassVar[int] = 1
    """How many vectors of `units` numbers are remembered."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", checked_integer(self.label, "units", self.units))
        object.__setattr__(self, "activation", checked_gate(self.label, "activation", self.activation))
        for name in ("return_sequences", "use_bias", "go_backwards"):
            check_flag(self.label, name, getattr(self, name))
        check_initializers(self.kernel_initializer, self.recurrent_initializer, self.bias_initializer)

    @property
    def regularised(self) -> tuple[str, ...]:
        """L1 and L2 act on both kernels."""
        return ("kernel", "recurrent_kernel")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (units,), or (time, units) with `return_sequences`."""
        check_series(self.label, input_shape)
        return (input_shape[0], self.units) if self.return_sequences else (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of kernel (features, gates units), recurrent_kernel (units, gates units) and bias."""
        check_series(self.label, input_shape)
        width = self.gates * self.units
        shapes: dict[str, Shape] = {"kernel": (input_shape[-1], width), "recurrent_kernel": (self.units, width)}
        if self.use_bias:
            shapes["bias"] = self._bias_shape()
        return shapes

    def _bias_shape(self) -> Shape:
        return (self.gates * self.units,)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the hidden state after the last step, or after each."""
        mask = context.mask
        if self.go_backwards:
            x, mask = xp.flip(x, axis=1), None if mask is None else xp.flip(mask, axis=1)
        of_inputs, of_state = self._biases(parameters.get("bias"))
        by = (parameters["kernel"], of_inputs), (parameters["recurrent_kernel"], of_state)
        states, last = self._recur(xp, x, *by, mask)
        return states if self.return_sequences else last

    def _biases(self, bias: Any) -> tuple[Any, Any]:
        """Return what is added to the product of the inputs and to that of the state, or None."""
        return bias, None

    def _recur(self, xp: Any, x: Any, of_inputs: Affine, of_state: Affine, mask: Any) -> tuple[Any, Any]:
        """Return the hidden state after each step, and after the last."""
        return xp.recur(partial(self._cell, xp), x, of_inputs, of_state, self.states, mask)

    def _cell(self, xp: Any, inputs: Any, product: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the carry after a step; both products have the gates first."""
        raise NotImplementedError(f"{type(self).__name__} must say what it computes at each step")

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return the mask in the order of the steps handed on; None where only the last is."""
        if mask is None or not self.return_sequences:
            return None
        return xp.flip(mask, axis=1) if self.go_backwards else mask

    def multiplications(self, input_shape: Shape) -> int:
        """Return time × (features + units) × gates × units."""
        time, features = input_shape
        return time * (features + self.units) * self.gates * self.units

    def scratch(self, input_shape: Shape) -> int:
        """Return the products of the inputs, and every carry, which derivatives need."""
        carried = self.states - 1 if self.return_sequences else self.states
        return input_shape[0] * (self.gates + carried) * self.units


@dataclass(frozen=True)
class GatedRecurrent(Recurrent):
    """A recurrent layer whose gates have an activation of their own.

    Args:
        recurrent_activation: of the gates, as `activation`; default "sigmoid".
    """

    recurrent_activation: ActivationSpec = field(default="sigmoid", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        gate = checked_gate(self.label, "recurrent_activation", self.recurrent_activation)
        object.__setattr__(self, "recurrent_activation", gate)


def check_series(label: str, input_shape: Shape) -> None:
    """Check that rows are series.

    Raises:
        NetworkError: they are not of shape (time, features).
    """
    if len(input_shape) != 2:
        raise NetworkError(
            f"{label} needs series of shape (time, features), got rows of shape {input_shape}. "
            f"{'Give a single channel an axis: x[..., None]' if len(input_shape) == 1 else 'Reshape the rows'}"
        )


def checked_gate(label: str, name: str, activation: ActivationSpec) -> ActivationSpec:
    """Return the activation of a cell with other names made the usual ones.

    Raises:
        SettingError: it is unknown, one per neuron, or needs all neurons at once.
    """
    checked = checked_activation(label, activation)
    if isinstance(checked, tuple) or (isinstance(checked, str) and not get_activation(checked).elementwise):
        raise SettingError(
            f"{label}: {name} must be one activation that acts on each number alone, such as 'tanh', "
            f"got {activation!r}. Put others into a layer of their own behind it"
        )
    return checked

"""Activation: an activation function as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError, SettingError
from shoal.networks.activations import ActivationSpec, apply_activation, apply_table, get_activation, get_elementwise
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.user_function import takes_namespace


def checked_activation(label: str, activation: ActivationSpec | list[str]) -> ActivationSpec:
    """Return the activation with lists made tuples and other names made the usual ones.

    Raises:
        SettingError: an unknown name, one per neuron that needs all neurons at once, a function of other arguments than
            `(z)` or `(xp, z)`, or anything else.
    """
    try:
        if callable(activation):
            takes_namespace(activation, "activation", ("z",))
            return activation
        if isinstance(activation, (list, tuple)):
            return tuple(get_elementwise(name).name for name in activation)
        if activation is not None and not isinstance(activation, str):
            raise SettingError(f"activation must be a name, one name per neuron or a function, got {activation!r}")
        return None if activation is None else get_activation(activation).name
    except SettingError as error:
        raise SettingError(f"{label}: {error}") from None


def activated_shape(label: str, activation: ActivationSpec, shape: Shape) -> Shape:
    """Return the shape after an activation.

    Raises:
        NetworkError: there is not one activation per neuron, or glu gets an odd number of neurons.
    """
    if isinstance(activation, tuple) and (not shape or len(activation) != shape[-1]):
        raise NetworkError(
            f"{label} has outputs of shape {shape} but {len(activation)} activations. Give one name per "
            f"neuron, or a single name for all"
        )
    if isinstance(activation, str) and get_activation(activation).halves:
        if not shape or shape[-1] % 2:
            raise NetworkError(
                f"{label}: {activation} halves the last number of the shape, so {shape} must end in an even "
                f"number. Change the number of neurons by one"
            )
        return (*shape[:-1], shape[-1] // 2)
    return shape


def checked_table(table: tuple[str, ...]) -> tuple[str, ...]:
    """Return a table of activations with other names made the usual ones."""
    return tuple(get_activation(name).name for name in table)


def activated(xp: Any, layer: Any, z: Any, context: Context) -> Any:
    """Return z behind the activation of a layer, the member's own one where it brings one.

    Args:
        xp: array namespace.
        layer: has `activation`, and `table`, which the number `activation` of a member indexes.
        z: `(batch, ..., units)`.
        context: of the call.

    Raises:
        NetworkError: the member brings an activation, but the layer has no table.
    """
    if context.logits:
        return z
    choice = context.numbers.get("activation")
    if choice is None:
        return apply_activation(xp, layer.activation, z)
    if not layer.table:
        raise NetworkError(
            f"{layer.label} got the number 'activation' but has no table that it could index. Give the "
            f"layer one: table=('relu', 'tanh')"
        )
    return apply_table(xp, layer.table, choice, z)


@dataclass(frozen=True)
class Activation(Layer):
    """An activation function as a layer of its own.

    Args:
        activation: a name, a tuple of names with one per neuron, a function `(xp, z)`, or None for linear.

    Raises:
        SettingError: an unknown activation.

    Example:
        >>> Activation("relu").output_shape((4,))
        (4,)
    """

    activation: ActivationSpec

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", checked_activation(self.label, self.activation))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape; glu halves its last number."""
        return activated_shape(self.label, self.activation, input_shape)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the activation of x."""
        return x if context.logits else apply_activation(xp, self.activation, x)

    @property
    def final_activation(self) -> ActivationSpec:
        """The layer's activation."""
        return self.activation

"""Softmax: what a layer hands on becomes probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError, SettingError
from shoal.networks.activations import ActivationSpec, apply_activation
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters


@dataclass(frozen=True)
class Softmax(Layer):
    """Positive numbers with sum 1 along the last axis.

    `y_i = exp(x_i) / sum_j exp(x_j)`

    Args:
        axis: the axis of the sum; always -1, the last.

    Raises:
        SettingError: another axis.

    Example:
        >>> Softmax().output_shape((4,))
        (4,)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        if self.axis != -1:
            raise SettingError(f"{self.label}: axis must be -1, the last, got {self.axis!r}. Permute before it")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        if not input_shape:
            raise NetworkError(f"{self.label} needs inputs of shape (features,) or (..., features), got shape ()")
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the softmax of x."""
        return x if context.logits else apply_activation(xp, "softmax", x)

    @property
    def final_activation(self) -> ActivationSpec:
        """Softmax."""
        return "softmax"

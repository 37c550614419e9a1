"""TimeDistributed: one layer at each step of a series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.activations import ActivationSpec
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters, context_of
from shoal.networks.layers.within import checked_layer
from shoal.streams import Stream, Streams


@dataclass(frozen=True)
class TimeDistributed(Layer):
    """One layer, with the same parameters, at each step of a series, as if steps were rows.

    `y_t = layer(x_t)`

    The parameters have the names that they have in the layer. Statistics over the batch, as `BatchNormalization`
    takes them, run over all real steps of all rows, where Keras takes those of one step after the other.

    Args:
        layer: any layer that fits one step.

    Raises:
        SettingError: it is no layer.

    Example:
        >>> from shoal import Dense
        >>> TimeDistributed(Dense(8)).output_shape((20, 3))
        (20, 8)
        >>> TimeDistributed(Dense(8)).parameter_shapes((20, 3))
        {'kernel': (3, 8), 'bias': (8,)}
    """

    layer: Layer

    def __post_init__(self) -> None:
        checked_layer(self.label, "layer", self.layer)

    @property
    def regularised(self) -> tuple[str, ...]:
        """Those of the layer."""
        return self.layer.regularised

    @property
    def moving(self) -> tuple[str, ...]:
        """Those of the layer."""
        return self.layer.moving

    def trains(self, name: str) -> bool:
        """Return whether training changes a parameter: both this layer and the one within must let it."""
        return self.trainable and self.layer.trains(name)

    @property
    def sources(self) -> int:
        """Those of the layer."""
        return self.layer.sources

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the number of steps before the output shape of the layer."""
        if not input_shape:
            raise NetworkError(
                f"{self.label} needs series of shape (time, ...), got single numbers of shape (). "
                f"Give the data an axis of time"
            )
        try:
            return (input_shape[0], *self.layer.output_shape(input_shape[1:]))
        except NetworkError as error:
            raise NetworkError(f"{self.label}, at each step: {error}") from None

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of the parameters of the layer."""
        return self.layer.parameter_shapes(input_shape[1:])

    def initialize(self, input_shape: Shape, stream: Stream | Streams) -> dict[str, np.ndarray]:
        """Return start values for the layer."""
        return self.layer.initialize(input_shape[1:], stream)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the outputs of the layer at each step."""
        rows, time = x.shape[:2]
        inner = context_of(self.layer, replace(context, mask=None, present=_steps_present(xp, x, context)))
        y = self.layer.apply(xp, parameters, xp.reshape(x, (rows * time, *x.shape[2:])), inner)
        return xp.reshape(y, (rows, time, *y.shape[1:]))

    def multiplications(self, input_shape: Shape) -> int:
        """Return those of the layer at each step."""
        return input_shape[0] * self.layer.multiplications(input_shape[1:])

    def scratch(self, input_shape: Shape) -> int:
        """Return what the layer needs at each step."""
        return input_shape[0] * self.layer.scratch(input_shape[1:])

    @property
    def final_activation(self) -> ActivationSpec:
        """The layer's final activation."""
        return self.layer.final_activation


def _steps_present(xp: Any, x: Any, context: Context) -> Any:
    """Return how much each step of each row counts in statistics over the batch, `(rows time,)`; None: all alike."""
    if context.present is None and context.mask is None:
        return None
    weights = xp.ones(x.shape[:2], xp.float32)
    if context.mask is not None:
        weights = weights * context.mask
    if context.present is not None:
        weights = weights * context.present[:, None]
    return xp.reshape(weights, (x.shape[0] * x.shape[1],))

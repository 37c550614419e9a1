"""Flatten: all axes of a row become one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters


@dataclass(frozen=True)
class Flatten(Layer):
    """Write all numbers of a row in one line, the last axis running fastest.

    Example:
        >>> Flatten().output_shape((8, 8))
        (64,)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the number of inputs as the only axis."""
        return (math.prod(input_shape),)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x as (batch, inputs)."""
        return xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:  # noqa: ARG002
        """Return None: there are no steps left."""
        return None

"""Identity: the input, as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.networks.layers.base import Context, Layer, Parameters


@dataclass(frozen=True)
class Identity(Layer):
    """Hand on the input as it is.

    `y = x`

    Example:
        >>> Identity().output_shape((4,))
        (4,)
    """

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x."""
        return x

"""Dropout: some inputs are left out at random while training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, leave out a share of the inputs at random and scale up the rest; else do nothing.

    `y = x / (1 - rate)` where a uniform number in [0, 1) is at least `rate`, else 0 (Srivastava et al., 2014)

    Args:
        rate: share that is left out, 0 ≤ rate < 1; a member's number `rate` takes its place.

    Raises:
        SettingError: a rate outside [0, 1).

    Example:
        >>> import numpy as np
        >>> context = Context(training=True, random=lambda shape: np.array([[0.1, 0.6]]))
        >>> Dropout(0.5).apply(np, {}, np.array([[1.0, 1.0]]), context).tolist()
        [[0.0, 2.0]]
    """

    rate: float

    def __post_init__(self) -> None:
        try:
            rate = float(self.rate)
        except (TypeError, ValueError):
            rate = float("nan")
        if not 0 <= rate < 1:
            raise SettingError(
                f"{self.label}: rate is the share of inputs left out and must be at least 0 and below 1, "
                f"got {self.rate!r}"
            )
        object.__setattr__(self, "rate", rate)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with inputs left out while training, else x itself."""
        rate = context.numbers.get("rate", self.rate)
        if not context.training or (isinstance(rate, float) and rate == 0):
            return x
        rate = xp.asarray(rate, dtype=x.dtype)
        return xp.where(self._uniform(context, self._drawn(x.shape)) >= rate, x / (1.0 - rate), 0.0)

    def _drawn(self, shape: Shape) -> Shape:
        """Return the shape of the uniform numbers for inputs (rows, ...)."""
        return shape

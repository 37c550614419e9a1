"""Noise: normal numbers are added while training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shoal.errors import SettingError
from shoal.networks.layers.base import Context, Layer, Parameters


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """While training, add normal numbers of mean 0; else do nothing. It blurs rows that are measured with errors.

    `y = x + stddev sqrt(-2 log(1 - u)) cos(2 π v)` with u, v uniform in [0, 1) (Box and Muller, 1958; Bishop, 1995)

    Args:
        stddev: standard deviation, at least 0; a member's number `stddev` takes its place.

    Raises:
        SettingError: a standard deviation that is negative or no number.

    Example:
        >>> import numpy as np
        >>> context = Context(training=True, random=lambda shape: np.full(shape, 0.5))
        >>> GaussianNoise(0.1).apply(np, {}, np.ones((1, 1)), context).round(4).tolist()
        [[0.8823]]
    """

    stddev: float

    def __post_init__(self) -> None:
        try:
            stddev = float(self.stddev)
        except (TypeError, ValueError):
            stddev = math.nan
        if not 0 <= stddev < math.inf:
            raise SettingError(f"{self.label}: stddev must be a number of at least 0, got {self.stddev!r}")
        object.__setattr__(self, "stddev", stddev)

    @property
    def note(self) -> str:
        """The standard deviation, for tables and drawings."""
        return f"{self.stddev:g}"

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with noise while training, else x itself."""
        stddev = context.numbers.get("stddev", self.stddev)
        if not context.training or (isinstance(stddev, float) and stddev == 0):
            return x
        uniform = xp.asarray(self._uniform(context, (*x.shape, 2)), dtype=x.dtype)  # one shape, one draw: both at once
        normal = xp.sqrt(-2.0 * xp.log1p(-uniform[..., 0])) * xp.cos(2.0 * math.pi * uniform[..., 1])
        return x + xp.asarray(stddev, dtype=x.dtype) * normal

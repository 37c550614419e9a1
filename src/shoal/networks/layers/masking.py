"""Masking: steps of a series that are padding are left out by the layers behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.recurrent import check_series


@dataclass(frozen=True)
class Masking(Layer):
    """Mask the steps of a series at which all features have one value, and make them 0.

    `mask_t = any(x_t != mask_value)`, `y_t = x_t` where the mask is true, else 0

    Recurrent layers behind skip such steps, and normalisation leaves them out. A step that a mask before this layer
    leaves out stays so.

    Args:
        mask_value: the value that marks padding; default 0.

    Raises:
        SettingError: the value is no number.

    Example:
        >>> import numpy as np
        >>> x = np.array([[[1.0, 0.0], [0.0, 0.0]]])
        >>> Masking().output_mask(np, x, None).tolist()
        [[True, False]]
    """

    mask_value: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.mask_value, bool) or not isinstance(self.mask_value, (int, float)):
            raise SettingError(f"{self.label}: mask_value must be a number such as 0.0, got {self.mask_value!r}")
        object.__setattr__(self, "mask_value", float(self.mask_value))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape, (time, features)."""
        check_series(self.label, input_shape)
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x, with 0 at the masked steps."""
        return xp.where(self.output_mask(xp, x, context.mask)[:, :, None], x, 0.0)

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:
        """Return where a step is real, `(batch, time)`."""
        real = xp.any(x != self.mask_value, axis=-1)
        return real if mask is None else xp.logical_and(real, mask)

"""Bidirectional: a series is read from both of its ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from shoal.errors import NetworkError, SettingError, listing
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.recurrent import Recurrent
from shoal.networks.layers.within import Composite, Within

MERGE_MODES = ("concat", "sum", "mul", "ave")
"""How the outputs of both directions become one."""


@dataclass(frozen=True)
class Bidirectional(Composite):
    """A recurrent layer and its like that reads the other way, side by side (Schuster and Paliwal, 1997).

    `y_t = merge(forward_t, backward_t)`, both at the same step of the series

    The parameters are called `forward/kernel`, `backward/kernel` and so on. With `return_sequences`, outputs at steps
    that the mask calls padding are 0, as in Keras.

    Args:
        layer: an `LSTM`, `GRU` or `SimpleRNN`; both directions have its settings.
        merge_mode: "concat" (default) puts both outputs side by side, "sum" adds, "mul" multiplies and "ave"
            averages them.

    Raises:
        SettingError: another layer or merge mode.

    Example:
        >>> from shoal import GRU, LSTM
        >>> Bidirectional(LSTM(8)).output_shape((20, 3))
        (16,)
        >>> Bidirectional(GRU(8, return_sequences=True), merge_mode="sum").output_shape((20, 3))
        (20, 8)
    """

    layer: Layer
    merge_mode: Literal["concat", "sum", "mul", "ave"] = "concat"

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Recurrent):
            raise SettingError(
                f"{self.label}: layer must be recurrent, such as LSTM(8), got {type(self.layer).__name__} "
                f"{self.layer!r}"
            )
        if self.merge_mode not in MERGE_MODES:
            raise SettingError(
                f"{self.label}: merge_mode must be one of {listing(MERGE_MODES)}, got {self.merge_mode!r}"
            )

    @property
    def _recurrent(self) -> Recurrent:
        if not isinstance(self.layer, Recurrent):  # checked on construction already
            raise TypeError
        return self.layer

    @property
    def _layers(self) -> Mapping[str, Layer]:
        forward = self._recurrent
        return {"forward": forward, "backward": replace(forward, go_backwards=not forward.go_backwards)}

    def _within(self, input_shape: Shape) -> Within:
        return {name: (layer, input_shape) for name, layer in self._layers.items()}

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the output shape of the layer; "concat" doubles its last number."""
        try:
            *front, units = self.layer.output_shape(input_shape)
        except NetworkError as error:
            raise NetworkError(f"{self.label}: {error}") from None
        return (*front, 2 * units) if self.merge_mode == "concat" else (*front, units)

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the outputs of both directions as one."""
        mask = context.mask
        a, b = (self._apply_inner(xp, parameters, x, context, name, mask) for name in self._layers)
        if not self._recurrent.return_sequences:
            return self._merged(xp, a, b)
        b = xp.flip(b, axis=1)
        if mask is not None:
            real = self.layer.output_mask(xp, x, mask)[:, :, None]
            a, b = xp.where(real, a, 0.0), xp.where(real, b, 0.0)
        return self._merged(xp, a, b)

    def _merged(self, xp: Any, a: Any, b: Any) -> Any:
        if self.merge_mode == "concat":
            return xp.concatenate([a, b], axis=-1)
        if self.merge_mode == "mul":
            return a * b
        return a + b if self.merge_mode == "sum" else (a + b) / 2.0

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:
        """Return the mask behind the layer that reads forwards."""
        return self.layer.output_mask(xp, x, mask)

"""Residual: layers whose input is added to their output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.within import Composite, Within, checked_layer, mask_behind


@dataclass(frozen=True)
class Residual(Composite):
    """Layers in a row whose input is added to their output (He et al., "Deep residual learning", 2016).

    `y = layers(x) + x`, or `y = layers(x) + projection(x)`

    The parameters are called `0/kernel`, `1/bias` and so on, by the place of their layer, and `projection/kernel`.

    Args:
        layers: at least one layer; the last one's output has the shape of the first one's input.
        projection: a layer that gives the input the shape of the output where the two differ; default none.

    Raises:
        SettingError: there is no layer, or something else among them.

    Example:
        >>> from shoal import Dense
        >>> Residual([Dense(8, activation="relu"), Dense(4)]).output_shape((4,))
        (4,)
        >>> Residual([Dense(8)], projection=Dense(8, use_bias=False)).parameter_shapes((4,))
        {'0/kernel': (4, 8), '0/bias': (8,), 'projection/kernel': (4, 8)}
    """

    layers: tuple[Layer, ...]
    projection: Layer | None = None

    def __post_init__(self) -> None:
        layers = (self.layers,) if isinstance(self.layers, Layer) else self.layers
        if not isinstance(layers, (tuple, list)) or not layers:
            raise SettingError(f"{self.label}: layers must be a list of layers such as [Dense(8)], got {layers!r}")
        object.__setattr__(self, "layers", tuple(layers))
        for i, layer in enumerate(self.layers):
            checked_layer(self.label, f"layers[{i}]", layer)
        if self.projection is not None:
            checked_layer(self.label, "projection", self.projection)

    @property
    def _layers(self) -> Mapping[str, Layer]:
        layers = {str(i): layer for i, layer in enumerate(self.layers)}
        return layers if self.projection is None else {**layers, "projection": self.projection}

    def _within(self, input_shape: Shape) -> Within:
        within, shape = {}, input_shape
        for i, layer in enumerate(self.layers):
            within[str(i)] = layer, shape
            shape = self._shape_behind(f"layers[{i}]", layer, shape)
        if self.projection is not None:
            within["projection"] = self.projection, input_shape
        return within

    def _shape_behind(self, place: str, layer: Layer, shape: Shape) -> Shape:
        try:
            return layer.output_shape(shape)
        except NetworkError as error:
            raise NetworkError(f"{self.label}, {place}: {error}") from None

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the output shape of the last layer, which that of the input or its projection must equal."""
        shape, way = input_shape, input_shape
        for i, layer in enumerate(self.layers):
            shape = self._shape_behind(f"layers[{i}]", layer, shape)
        if self.projection is not None:
            way = self._shape_behind("projection", self.projection, input_shape)
        if shape != way:
            what = "the input has" if self.projection is None else "its projection makes of the input"
            raise NetworkError(
                f"{self.label} adds its input to the output of its layers, of shape {shape}, but {what} shape {way}. "
                f"Make the last layer's output {way}, or give a projection whose output is {shape}, such as "
                f"projection=Dense({shape[-1] if shape else 1})"
            )
        return shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return the output of the layers with the input added."""
        y, mask = x, context.mask
        for i, layer in enumerate(self.layers):
            before, y = y, self._apply_inner(xp, parameters, y, context, str(i), mask)
            mask = layer.output_mask(xp, before, mask)
        if self.projection is not None:
            x = self._apply_inner(xp, parameters, x, context, "projection", context.mask)
        return y + x

    def output_mask(self, xp: Any, x: Any, mask: Any) -> Any:
        """Return the mask behind the layers; masks that a layer within makes stay within."""
        within = self._within(x.shape[1:])
        return mask_behind(xp, len(x), [within[str(i)] for i in range(len(self.layers))], mask)

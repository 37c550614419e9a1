"""What layers that hold layers have in common: the names, contexts and start values of those within."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters, context_of
from shoal.streams import Stream, Streams

Within = Mapping[str, tuple[Layer, Shape]]
"""Layers within a layer with their input shapes, by the name that stands before those of their parameters."""


def checked_layer(label: str, name: str, value: Any) -> None:
    """Check that a setting is a layer.

    Raises:
        SettingError: it is something else.
    """
    if not isinstance(value, Layer):
        raise SettingError(f"{label}: {name} must be a layer such as Dense(8), got {type(value).__name__} {value!r}")


def prefixed(name: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return entries with the name of a layer before theirs.

    Example:
        >>> prefixed("forward", {"kernel": (3, 8)})
        {'forward/kernel': (3, 8)}
    """
    return {f"{name}/{key}": value for key, value in entries.items()}


def unprefixed(name: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of one layer within, under the names that it knows.

    Example:
        >>> unprefixed("1", {"0/kernel": 7, "1/kernel": 8, "1/bias": 9})
        {'kernel': 8, 'bias': 9}
    """
    start = f"{name}/"
    return {key.removeprefix(start): value for key, value in entries.items() if key.startswith(start)}


def inner_context(context: Context, layers: Mapping[str, Layer], name: str, mask: Any) -> Context:
    """Return the context of one of the layers within: its own numbers, random numbers and records."""
    names = list(layers)
    first = sum(layers[before].sources for before in names[: names.index(name)])
    random, record = context.random, context.record
    return replace(
        context,
        numbers=unprefixed(name, context.numbers),
        random=None if random is None else lambda shape, part=0: random(shape, first + part),
        record=None if record is None else lambda key, value: record(f"{name}/{key}", value),
        logits=False,
        mask=mask,
    )


def mask_behind(xp: Any, rows: int, path: Iterable[tuple[Layer, Shape]], mask: Any) -> Any:
    """Return the mask behind layers in a row, of which only the input shapes are known; NaN is never padding."""
    for layer, shape in path:
        if mask is not None:
            mask = layer.output_mask(xp, np.broadcast_to(np.float32(np.nan), (rows, *shape)), mask)
    return mask


class Composite(Layer):
    """What layers share that hold others: parameters bear the name of their layer before their own."""

    @property
    def _layers(self) -> Mapping[str, Layer]:
        raise NotImplementedError(f"{type(self).__name__} must say which layers it holds")

    def _within(self, input_shape: Shape) -> Within:
        raise NotImplementedError(f"{type(self).__name__} must say what its layers get")

    @property
    def regularised(self) -> tuple[str, ...]:
        """Those of the layers within."""
        return tuple(f"{name}/{key}" for name, layer in self._layers.items() for key in layer.regularised)

    @property
    def moving(self) -> tuple[str, ...]:
        """Those of the layers within."""
        return tuple(f"{name}/{key}" for name, layer in self._layers.items() for key in layer.moving)

    def trains(self, name: str) -> bool:
        """Return whether training changes a parameter: both this layer and the one within must let it."""
        layer, _, inner = name.partition("/")
        return self.trainable and self._layers[layer].trains(inner)

    @property
    def sources(self) -> int:
        """Those of the layers within."""
        return sum(layer.sources for layer in self._layers.values())

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of the parameters of all layers within."""
        shapes: dict[str, Shape] = {}
        for name, (layer, shape) in self._within(input_shape).items():
            shapes |= prefixed(name, layer.parameter_shapes(shape))
        return shapes

    def initialize(self, input_shape: Shape, stream: Stream | Streams) -> dict[str, np.ndarray]:
        """Return start values of the layers within, each drawn from its own child of the stream."""
        values: dict[str, np.ndarray] = {}
        for i, (name, (layer, shape)) in enumerate(self._within(input_shape).items()):
            values |= prefixed(name, layer.initialize(shape, stream.child(i)))
        return values

    def multiplications(self, input_shape: Shape) -> int:
        """Return those of all layers within."""
        return sum(layer.multiplications(shape) for layer, shape in self._within(input_shape).values())

    def scratch(self, input_shape: Shape) -> int:
        """Return what the layers within need, and their outputs."""
        within = self._within(input_shape).values()
        outputs = sum(int(np.prod(layer.output_shape(shape))) for layer, shape in within)
        return outputs + sum(layer.scratch(shape) for layer, shape in within)

    def _apply_inner(self, xp: Any, parameters: Parameters, x: Any, context: Context, name: str, mask: Any) -> Any:
        """Return the outputs of one of the layers within."""
        layers = self._layers
        inner = context_of(layers[name], inner_context(context, layers, name, mask))
        return layers[name].apply(xp, unprefixed(name, parameters), x, inner)

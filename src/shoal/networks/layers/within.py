"""What layers that hold layers have in common: the names, contexts and start values of those within."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
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


def own(name: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of one layer within, under the names that it knows.

    Example:
        >>> own("1", {"0/kernel": 7, "1/kernel": 8, "1/bias": 9})
        {'kernel': 8, 'bias': 9}
    """
    start = f"{name}/"
    return {key.removeprefix(start): value for key, value in entries.items() if key.startswith(start)}


def all_names(layers: Mapping[str, Layer], kind: str) -> tuple[str, ...]:
    """Return the parameters that the layers within call `regularised` or `moving`, under their full names."""
    return tuple(f"{name}/{key}" for name, layer in layers.items() for key in getattr(layer, kind))


def all_shapes(within: Within) -> dict[str, Shape]:
    """Return the shape of each parameter of the layers within."""
    shapes: dict[str, Shape] = {}
    for name, (layer, shape) in within.items():
        shapes |= prefixed(name, layer.parameter_shapes(shape))
    return shapes


def all_start_values(within: Within, stream: Stream | Streams) -> dict[str, np.ndarray]:
    """Return the start values of the layers within, each drawn from its own child of the stream."""
    values: dict[str, np.ndarray] = {}
    for i, (name, (layer, shape)) in enumerate(within.items()):
        values |= prefixed(name, layer.initialize(shape, stream.child(i)))
    return values


def inner_context(context: Context, layers: Mapping[str, Layer], name: str, mask: Any) -> Context:
    """Return the context of one of the layers within: its own numbers, random numbers and records."""
    names = list(layers)
    first = sum(layers[before].sources for before in names[: names.index(name)])
    random, record = context.random, context.record
    return replace(
        context,
        numbers=own(name, context.numbers),
        random=None if random is None else lambda shape, part=0: random(shape, first + part),
        record=None if record is None else lambda key, value: record(f"{name}/{key}", value),
        logits=False,
        mask=mask,
    )


def apply_inner(
    xp: Any, parameters: Parameters, x: Any, context: Context, layers: Mapping[str, Layer], name: str, mask: Any
) -> Any:
    """Return the outputs of one of the layers within."""
    return layers[name].apply(xp, own(name, parameters), x, inner_context(context, layers, name, mask))

"""Layers before the dense ones, from the text that shoal reads, such as `conv2d:32:3 maxpooling2d:2` or `lstm:64`."""

from __future__ import annotations

import math
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer: its kind, its numbers, and the shape of a row before and behind it."""

    kind: str
    numbers: tuple[int, ...]
    before: Shape
    behind: Shape
    multiplications: int


def layers_of(text: str, shape: Shape) -> list[Layer]:
    """Return the layers of a text on rows of a shape, channels last.

    Example:
        >>> [layer.behind for layer in layers_of("conv2d:32:3 maxpooling2d:2", (28, 28, 1))]
        [(26, 26, 32), (13, 13, 32)]
    """
    layers: list[Layer] = []
    for word in text.split():
        kind, *rest = word.split(":")
        numbers = tuple(map(int, rest))
        layers.append(Layer(kind, numbers, shape, *_behind(kind, numbers, shape)))
        shape = layers[-1].behind
    return layers


def width_behind(text: str, shape: Shape) -> int:
    """Return how many numbers the first dense layer takes of a row."""
    layers = layers_of(text, shape)
    return math.prod(layers[-1].behind if layers else shape)


def _behind(kind: str, numbers: tuple[int, ...], shape: Shape) -> tuple[Shape, int]:
    """Return the shape behind a layer and the multiplications with its kernels that one row takes, forwards."""
    *space, channels = shape
    if kind == "conv2d":
        filters, size = numbers
        places = tuple(n - size + 1 for n in space)
        return (*places, filters), math.prod(places) * size**2 * channels * filters
    if kind == "maxpooling2d":
        return (*(n // numbers[0] for n in space), channels), 0
    if kind == "lstm":
        (units,) = numbers
        return (units,), space[0] * (channels + units) * 4 * units
    raise ValueError(f"no peer builds {kind!r}")

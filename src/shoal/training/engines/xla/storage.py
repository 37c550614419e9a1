"""Storage: how a member's parameters lie in memory while they are trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from shoal.networks import Network
from shoal.training.packing import split_vector

FLAT_UP_TO = 16_384  # parameters of a network that are kept as one vector


class Flat:
    """A member's parameters as one vector: small networks are updated in a single pass over it.

    Parameters are kept as a tuple of parts, here of one; a member axis behind a part's axes stays there.
    """

    def __init__(self, network: Network) -> None:
        self.shapes = network.parameter_shapes
        self.size = sum(math.prod(shape) for layer in self.shapes for shape in layer.values())

    def parts(self, vectors: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the parts of vectors `(members, parameters)`, the members first."""
        return (vectors,)

    def split(self, parts: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Return the parameters of each layer."""
        (vector,) = parts
        return split_vector(self.shapes, vector)

    def join(self, layers: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
        """Return the parts made of the parameters of each layer."""
        pairs = zip(self.shapes, layers, strict=True)
        each = [(layer[name], shape) for shapes, layer in pairs for name, shape in shapes.items()]
        flat = [array.reshape(math.prod(shape), *array.shape[len(shape) :]) for array, shape in each]
        return (jnp.concatenate(flat),)


class ByLayer(Flat):
    """A member's parameters as they are: for large networks, cutting and joining a vector costs more than it saves."""

    def parts(self, vectors: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the parts of vectors `(members, parameters)`, the members first."""
        shapes = [shape for layer in self.shapes for shape in layer.values()]
        ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        pieces = np.split(vectors, ends, axis=1)
        return tuple(piece.reshape(-1, *shape) for piece, shape in zip(pieces, shapes, strict=True))

    def split(self, parts: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Return the parameters of each layer."""
        left = iter(parts)
        return [{name: next(left) for name in shapes} for shapes in self.shapes]

    def join(self, layers: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
        """Return the parts made of the parameters of each layer."""
        pairs = zip(self.shapes, layers, strict=True)
        return tuple(layer[name] for shapes, layer in pairs for name in shapes)


def storage_of(network: Network, layout: str) -> Flat:
    """Return how the parameters of a network are kept in a layout."""
    return Flat(network) if network.parameter_count <= FLAT_UP_TO or layout == "last" else ByLayer(network)

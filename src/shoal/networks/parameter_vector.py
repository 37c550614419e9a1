"""The parameters of a network as one array: those of thousands of networks take little more than their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.network import Network


class ParameterVector(Sequence[dict[str, np.ndarray]]):
    """The parameters of each layer, as views of one vector that are made when they are asked for.

    Args:
        network: whose parameters they are; its layers, and the names of each, tell their order.
        vector: `(parameters,)`, as `joined` gives it.

    Raises:
        NetworkError: the network has more parameters, or fewer.

    Example:
        >>> network = Network.parse("1 2 1")
        >>> parameters = ParameterVector(network, np.arange(7.0))
        >>> len(parameters), parameters[1]["kernel"].tolist()
        (2, [[4.0], [5.0]])
    """

    __slots__ = ("_shapes", "vector")

    def __init__(self, network: Network, vector: np.ndarray) -> None:
        if vector.shape != (network.parameter_count,):
            raise NetworkError(f"the network has {network.parameter_count} parameters, got numbers {vector.shape}")
        self._shapes, self.vector = network.parameter_shapes, vector

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return iter(self[:])

    @overload
    def __getitem__(self, place: int) -> dict[str, np.ndarray]: ...

    @overload
    def __getitem__(self, place: slice) -> list[dict[str, np.ndarray]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, np.ndarray] | list[dict[str, np.ndarray]]:
        sizes = [math.prod(shape) for shapes in self._shapes for shape in shapes.values()]
        arrays = iter(np.split(self.vector, np.cumsum(sizes)))
        layers = [{name: next(arrays).reshape(shape) for name, shape in shapes.items()} for shapes in self._shapes]
        return layers[place]


def joined(network: Network, parameters: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the parameters of a network as one vector, layer by layer, each layer's in the order of their names there.

    Example:
        >>> joined(Network.parse("1 1"), [{"bias": np.ones(1), "kernel": np.zeros((1, 1))}]).tolist()
        [0.0, 1.0]
    """
    if isinstance(parameters, ParameterVector):
        return parameters.vector
    pairs = zip(network.parameter_shapes, parameters, strict=True)
    arrays = [np.asarray(layer[name]).ravel() for shapes, layer in pairs for name in shapes]
    return np.concatenate(arrays) if arrays else np.zeros(0, np.float32)

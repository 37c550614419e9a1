"""The bottleneck of an autoencoder: the narrow layer named `code`, and what lies before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.initializers import Shape
from shoal.networks.layers import Dense, Flatten, Layer
from shoal.networks.network import Network

CODE = "code"


def code_place(layers: Sequence[Layer]) -> int | None:
    """Return which of some layers is the bottleneck, or None where there is none.

    Example:
        >>> from shoal.networks.parsing import parse_layers
        >>> code_place(parse_layers("16:relu code:4 16:relu"))
        1
    """
    return next((i for i, layer in enumerate(layers) if layer.name == CODE), None)


def code_size(layers: Sequence[Layer]) -> int | None:
    """Return how many numbers the code of a row has, or None where there is no bottleneck.

    Example:
        >>> code_size((Dense(8), Dense(3, name="code")))
        3
    """
    place = code_place(layers)
    layer = None if place is None else layers[place]
    return layer.units if isinstance(layer, Dense) else None


def is_autoencoder(layers: Sequence[Layer], input_shape: Shape, outputs: int) -> bool:
    """Return whether layers are an autoencoder to its end: something follows the code, and its size is that of a row.

    Example:
        >>> is_autoencoder((Dense(2, name="code"), Dense(5)), (5,), 5)
        True
    """
    place = code_place(layers)
    if place is None or all(isinstance(layer, Flatten) for layer in layers[place + 1 :]):
        return False
    return math.prod(Network(layers, input_shape).output_shape) == outputs


def encode(
    network: Network,
    parameters: Sequence[Mapping[str, Any]],
    x: np.ndarray,
    predict: Callable[[Network, Sequence[Mapping[str, Any]], np.ndarray], np.ndarray] = Network.predict,
) -> np.ndarray:
    """Return the codes of prepared rows, `(rows, bottleneck)` float32.

    Args:
        network: an autoencoder.
        parameters: one dict of arrays per layer.
        x: `(rows, *input_shape)`.
        predict: what computes; default NumPy.

    Raises:
        NetworkError: the network has no layer named `code`.

    Example:
        >>> network = Network([Dense(1, name="code"), Dense(2)], (2,))
        >>> parameters = [{"kernel": np.ones((2, 1)), "bias": np.zeros(1)}, {"kernel": np.ones((1, 2)),
        ...     "bias": np.zeros(2)}]
        >>> encode(network, parameters, np.array([[1.0, 2.0]])).tolist()
        [[3.0]]
    """
    place = code_place(network.layers)
    if place is None:
        raise NetworkError("the network has no bottleneck, a layer named 'code'; train one with reconstruct=True")
    encoder = Network(network.layers[: place + 1], network.input_shape)
    return predict(encoder, list(parameters[: place + 1]), x)

"""What a trained network sees: filters, feature maps, hidden states, and the pixels that its answer hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import NetworkError, listing
from shoal.networks import Layer, Network
from shoal.networks.gradients import input_gradients
from shoal.networks.layers.convolution import KernelLayer

Parameters = Sequence[Mapping[str, Any]]
"""One dict of arrays per layer."""
NUMBERS_AT_ONCE = 40_000_000  # that gradients keep on their way through the layers


def filters(network: Network, parameters: Parameters) -> np.ndarray:
    """Return the filters of the first convolution.

    Args:
        network: a network with a convolution.
        parameters: one dict of arrays per layer.

    Returns:
        `(filters, height, width, channels)` for images, `(filters, steps, channels)` for series. A depthwise filter
        sees one channel only.

    Raises:
        NetworkError: the network has no convolution.

    Example:
        >>> from shoal.streams import Stream
        >>> network = Network.parse("8x8x1 conv2d:4:3:relu flatten 2")
        >>> filters(network, network.initialize(Stream(0))).shape
        (4, 3, 3, 1)
    """
    network.check_parameters(parameters)
    for layer, arrays in zip(network.layers, parameters, strict=True):
        if isinstance(layer, KernelLayer):
            return _filters_of(layer, arrays)
    raise NetworkError(_lacks(network, "convolution", "conv2d:16:3"))


def feature_maps(network: Network, parameters: Parameters, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return what each convolution and pooling hands on.

    Args:
        network: a network with a convolution or a pooling.
        parameters: one dict of arrays per layer.
        x: `(rows, *input_shape)`, prepared as for prediction.

    Returns:
        For the name of each layer `(rows, height, width, channels)` for images, `(rows, steps, channels)` for series.

    Raises:
        NetworkError: the network has no such layer, or the rows have another shape.

    Example:
        >>> from shoal.streams import Stream
        >>> network = Network.parse("8x8x1 conv2d:4:3:relu maxpooling2d:2 flatten 2")
        >>> maps = feature_maps(network, network.initialize(Stream(0)), np.zeros((5, 8, 8, 1), np.float32))
        >>> {name: values.shape for name, values in maps.items()}
        {'conv2d': (5, 6, 6, 4), 'max_pooling2d': (5, 3, 3, 4)}
    """
    wanted = [_has_maps(layer) and len(shape) > 1 for layer, shape in zip(network.layers, network.shapes, strict=True)]
    if not any(wanted):
        raise NetworkError(_lacks(network, "convolution or pooling", "conv2d:16:3"))
    outputs = network.outputs(parameters, _floats(x))
    return {name: out for name, out, want in zip(network.names, outputs, wanted, strict=True) if want}


def hidden_states(network: Network, parameters: Parameters, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return the hidden state of each recurrent layer after each step.

    Args:
        network: a network with a recurrent layer.
        parameters: one dict of arrays per layer.
        x: `(rows, time, channels)`, prepared as for prediction.

    Returns:
        For the name of each layer `(rows, time, units)`, in the order of time. A step that is padding repeats the
        state before it.

    Raises:
        NetworkError: the network has no recurrent layer, or the rows have another shape.
    """
    places = [i for i, layer in enumerate(network.layers) if is_recurrent(layer)]
    if not places:
        raise NetworkError(_lacks(network, "recurrent layer", "lstm:32"))
    network.check_parameters(parameters)
    states = {}
    for i in places:
        until = Network([*network.layers[:i], _along_time(network.layers[i])], network.input_shape)
        along = until.outputs(parameters[: i + 1], _floats(x))[-1]
        states[network.names[i]] = along[:, ::-1] if getattr(network.layers[i], "go_backwards", False) else along
    return states


def saliency(members: Sequence[tuple[Network, Parameters]], x: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return how strongly an output hangs on each pixel: `|d output / d input|`, the mean over networks.

    After Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks" (2014), who take the score of a class
    before the softmax and, of a pixel, the largest of its channels.

    Args:
        members: networks with their parameters.
        x: `(rows, *input_shape)`, prepared as for prediction.
        output: `(rows,)`, the class asked about in each row. A network with one output for two classes has one score
            for both: what speaks for one speaks against the other.

    Returns:
        `(rows, *input_shape)` float32, at least 0.

    Example:
        >>> network = Network.parse("2 1:sigmoid")
        >>> parameters = [{"kernel": np.array([[3.0], [-1.0]], np.float32), "bias": np.zeros(1, np.float32)}]
        >>> saliency([(network, parameters)], np.ones((1, 2), np.float32), np.array([1])).tolist()
        [[3.0, 1.0]]
    """
    total = np.zeros(np.shape(x), np.float64)
    for network, parameters in members:
        most = int(np.prod(network.output_shape)) - 1
        asked, once = np.minimum(output, most), max(1, min(len(x), NUMBERS_AT_ONCE // network.values))
        gradients = np.empty(np.shape(x), np.float32)
        for i in range(0, len(x), once):
            some = slice(i, i + once)
            gradients[some] = input_gradients(network, parameters, x[some], asked[some])
        total += np.abs(gradients)
    return np.asarray(total / max(len(members), 1), np.float32)


def _filters_of(layer: KernelLayer, parameters: Mapping[str, Any]) -> np.ndarray:
    kernel = np.asarray(parameters.get("kernel", parameters.get("depthwise_kernel")))
    kind = type(layer).__name__
    if kind.endswith("Transpose"):
        kernel = np.swapaxes(kernel, -1, -2)
    if kind.startswith(("Depthwise", "Separable")):
        kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    return np.moveaxis(kernel, -1, 0)


def is_recurrent(layer: Layer) -> bool:
    """Return whether a layer remembers what it has read of a series."""
    return hasattr(getattr(layer, "layer", layer), "return_sequences")


def _along_time(layer: Layer) -> Layer:
    """Return a recurrent layer that hands on its state after each step."""
    settings: dict[str, Any] = {"return_sequences": True}
    if not hasattr(layer, "return_sequences"):  # both directions of a bidirectional layer
        settings = {"layer": _along_time(getattr(layer, "layer", layer))}
    return replace(layer, **settings)


def _has_maps(layer: Layer) -> bool:
    return hasattr(layer, "rank") or type(layer).__name__ in ("Residual", "Branches")


def _floats(x: np.ndarray) -> np.ndarray:
    return x if np.issubdtype(np.asarray(x).dtype, np.floating) else np.asarray(x, np.float32)


def _lacks(network: Network, what: str, example: str) -> str:
    kinds = listing(dict.fromkeys(type(layer).__name__ for layer in network.layers))
    return f"the network has no {what}: its layers are {kinds}. Train one with layers={example!r}"

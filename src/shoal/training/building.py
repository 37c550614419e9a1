"""Building networks: from a candidate's hyperparameters to layers in a row."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from shoal.errors import NetworkError
from shoal.networks import Dense, DenseWithConstants, Dropout, Flatten, Layer, Network
from shoal.networks.activations import activation_label
from shoal.networks.bottleneck import is_autoencoder
from shoal.networks.initializers import Shape
from shoal.networks.parsing import parse_layers
from shoal.training.hyperparameters import Hyperparameters


@lru_cache(maxsize=8192)
def build_network(
    hyperparameters: Hyperparameters,
    input_shape: Shape,
    outputs: int,
    output_activation: str,
    stem: tuple[Layer, ...] = (),
    per_step: bool = False,
    constants: int = 0,
) -> Network:
    """Return the network of a candidate: its trunk, hidden layers and output, with dropout behind each but the last.

    Without hidden layers, a trunk that is an autoencoder to its end is the whole network.

    Args:
        hyperparameters: of the candidate.
        input_shape: shape of one row.
        outputs: number of outputs.
        output_activation: of the last layer.
        stem: layers with which the network begins.
        per_step: whether it answers at each step of a series, by the same dense layers.
        constants: how many of the outputs, the last, are the same for every row.

    Example:
        >>> build_network(Hyperparameters(hidden=(8,)), (4,), 3, "softmax").parameter_count
        67
    """
    h = hyperparameters
    trunk = build_trunk(h.layers, input_shape, stem, per_step)
    layers: list[Layer] = list(activated_trunk(trunk, h.activation[0]))
    layers = [_started(layer, h.kernel_initializer) for layer in layers]
    if not per_step and not h.hidden and is_autoencoder(trunk, input_shape, outputs):
        return Network(layers, input_shape)
    drop = [Dropout(h.dropout)] if h.dropout > 0.0 else []
    if h.layers:
        layers += drop
    for units, activation in zip(h.hidden, h.layer_activations(), strict=True):
        layers += [Dense(units, activation=activation, kernel_initializer=h.kernel_initializer), *drop]
    layers.append(output_layer(outputs, output_activation, constants, h.kernel_initializer))
    return Network(layers, input_shape)


def hyperparameters_of(network: Network) -> dict[str, Any]:
    """Return the layers of a given network as hyperparameters, in the words that these have for them.

    Example:
        >>> hyperparameters_of(Network.parse("4 8:relu 3:softmax"))
        {'hidden': (8,), 'activation': ('relu',), 'dropout': 0.0, 'layers': ''}
    """
    dense = [layer for layer in network.layers if isinstance(layer, Dense)][:-1]
    others = [name for name, layer in zip(network.names[:-1], network.layers, strict=False) if layer not in dense]
    rates = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    return {
        "hidden": tuple(layer.units for layer in dense),
        "activation": tuple(activation_label(layer.activation) for layer in dense) or ("linear",),
        "dropout": rates[0] if rates else 0.0,
        "layers": " ".join(name for name in others if not name.startswith("dropout")),
    }


def output_layer(outputs: int, activation: str, constants: int = 0, initializer: str = "glorot_uniform") -> Layer:
    """Return the last layer of a network, some of whose outputs may be the same for every row."""
    if constants:
        return DenseWithConstants(outputs - constants, constants, kernel_initializer=initializer)
    return Dense(outputs, activation=activation, kernel_initializer=initializer)


@lru_cache(maxsize=256)
def build_trunk(
    text: str, input_shape: Shape, stem: tuple[Layer, ...] = (), per_step: bool = False
) -> tuple[Layer, ...]:
    """Return the layers before the hidden ones: the stem, those of the text, and what flattens their output.

    Nothing is flattened with `per_step`, where they hand on every step of a series.

    Raises:
        NetworkError: a layer that is not known or does not fit the one before it, or that loses steps.

    Example:
        >>> build_trunk("", (8, 8)), build_trunk("", (4,))
        ((Flatten(),), ())
    """
    layers = (*stem, *parse_layers(text))
    if per_step:
        _check_keeps_steps(layers, input_shape)
        return layers
    if not layers:
        return (Flatten(),) if len(input_shape) > 1 else ()
    return layers if len(Network(layers, input_shape).output_shape) == 1 else (*layers, Flatten())


def _check_keeps_steps(layers: tuple[Layer, ...], input_shape: Shape) -> None:
    network = Network(layers, input_shape) if layers else None
    steps = input_shape[0]
    if network is None or (len(network.output_shape) == 2 and network.output_shape[0] == steps):
        return
    places = (i for i, shape in enumerate(network.shapes) if len(shape) != 2 or shape[0] != steps)
    at = next(places)
    shape = network.shapes[at]
    answer = "one output per series" if len(shape) < 2 else f"{shape[0]} steps for {steps}"
    raise NetworkError(
        f"each step of a series needs an output, but layer {network.names[at]!r} returns {answer}, shape {shape}; "
        "write lstm:32:true for a recurrent layer, conv1d:32:3:1:same for a convolution, and leave out flatten and "
        "pooling"
    )


def activated_trunk(layers: tuple[Layer, ...], activation: str, table: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    """Return layers of which those that name no activation have the candidate's, or choose from a table."""

    def activated(layer: Any) -> Layer:
        chooses = hasattr(layer, "table") and layer.activation is None
        return replace(layer, activation=activation, table=table) if chooses else layer

    return tuple(activated(layer) for layer in layers)


def _started(layer: Any, initializer: str) -> Layer:
    """Return a layer whose weights start as the candidate says, where the layer itself says nothing."""
    unsaid = getattr(layer, "kernel_initializer", None) == "glorot_uniform"
    return replace(layer, kernel_initializer=initializer) if unsaid else layer

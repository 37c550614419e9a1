"""Many networks of one shape: their parameters as rows of one array, and their outputs all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import NetworkError, SettingError
from shoal.networks import Dense, Network
from shoal.networks.activations import apply_activation
from shoal.networks.namespace import numpy_namespace
from shoal.resources import available_memory, memory_text
from shoal.training.packing import split_vector

COPIES = 6
"""Arrays of the size of the population, of eight bytes a number, that an algorithm and an evaluation hold at once."""


def vector_of(network: Network, parameters: Any) -> np.ndarray:
    """Return the parameters of one network as a vector: layer by layer, arrays in the order of their names there."""
    ordered = network.ordered(parameters)
    pairs = zip(network.parameter_shapes, ordered, strict=True)
    return np.concatenate([np.asarray(layer[name], np.float64).ravel() for shapes, layer in pairs for name in shapes])


def parameters_of(network: Network, vector: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return the parameters that `vector_of` made a vector, in float32."""
    return split_vector(network.parameter_shapes, np.asarray(vector, np.float32))


def outputs(network: Network, population: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what each member says of rows, `(members, rows, outputs)` float32.

    Args:
        network: the shape of all members.
        population: `(members, parameters)`.
        rows: `(members, rows, inputs)`, or `(1, rows, inputs)` for the same rows to all.
    """
    population, x = np.asarray(population, np.float32), np.asarray(rows, np.float32)
    if not all(isinstance(layer, Dense) and not layer.table for layer in network.layers):
        each = np.broadcast_to(x, (len(population), *x.shape[1:]))
        pairs = zip(population, each, strict=True)
        return np.stack([network.predict(parameters_of(network, member), seen) for member, seen in pairs])
    start = 0
    for layer in network.layers:
        assert isinstance(layer, Dense)
        count = x.shape[-1] * layer.units
        kernel = population[:, start : start + count].reshape(len(population), -1, layer.units)
        start += count
        x = x @ kernel
        if layer.use_bias:
            x = x + population[:, None, start : start + layer.units]
            start += layer.units
        with np.errstate(over="ignore"):
            x = np.asarray(apply_activation(numpy_namespace, layer.activation, x))
    return x


def check_policy(network: Network, observations: int, actions: int, of: str) -> None:
    """Check that a network takes the observations and gives the actions of a task.

    Raises:
        NetworkError: it has other sizes, or nothing to learn.
    """
    if network.parameter_count == 0:
        raise NetworkError("the network has no parameters, so that there is nothing to learn. Add a Dense layer")
    if network.input_shape != (observations,) or network.output_shape != (actions,):
        raise NetworkError(
            f"{of} needs a network from {observations} observations to {actions} outputs, got one from "
            f"{_size(network.input_shape)} to {_size(network.output_shape)}. Write '{observations} 16:tanh {actions}'"
        )


def _size(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


def check_memory(members: int, parameters: int, square: bool) -> None:
    """Check that a population fits into the memory that is free.

    Args:
        members: how many.
        parameters: of each.
        square: whether the algorithm keeps a matrix of the parameters.

    Raises:
        SettingError: it does not.
    """
    needed, free = 8 * COPIES * parameters * (members + (parameters if square else 0)), available_memory()
    if needed > free:
        raise SettingError(
            f"a population of {members:,} networks of {parameters:,} parameters needs about {memory_text(needed)}, and "
            f"{memory_text(free)} are free. Choose a smaller population or network"
        )

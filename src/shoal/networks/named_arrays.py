"""The parameters of a network as arrays with names, as files hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shoal.networks.network import Network


def named_arrays(prefix: str, parameters: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the parameters of each layer by the place of the layer: `prefix/0/kernel`.

    Example:
        >>> list(named_arrays("weights", [{"kernel": np.ones((1, 1))}, {}, {"bias": np.ones(2)}]))
        ['weights/0/kernel', 'weights/2/bias']
    """
    return {f"{prefix}/{i}/{name}": array for i, layer in enumerate(parameters) for name, array in layer.items()}


def named_parameters(prefix: str, network: Network, arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return the parameters that `named_arrays` gave names.

    Raises:
        KeyError: one is missing.
        NetworkError: one has another shape than in the network.
    """
    layers = enumerate(network.parameter_shapes)
    parameters = [{name: arrays[f"{prefix}/{i}/{name}"] for name in shapes} for i, shapes in layers]
    network.check_parameters(parameters)
    return parameters

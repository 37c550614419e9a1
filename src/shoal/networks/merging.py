"""Layers without activation, one after another, are one layer (equation 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from shoal.networks.activations import is_linear
from shoal.networks.layers import Activation, Dense, Layer
from shoal.networks.network import Network, OrderedParameters

LayerParameters = dict[str, np.ndarray]


def merge_linear(network: Network, parameters: OrderedParameters) -> tuple[Network, list[LayerParameters]]:
    """Return an equal network with each linear Dense layer merged into the Dense layer after it.

    Linear Activation layers are left out. Other layers, dropout among them, keep their neighbours apart.

    Raises:
        NetworkError: the parameters do not fit the network.
    """
    network.check_parameters(parameters)
    layers: list[Layer] = []
    values: list[LayerParameters] = []
    for layer, of_layer in zip(network.layers, parameters, strict=True):
        if isinstance(layer, Activation) and is_linear(layer.activation) and len(network.layers) > 1:
            continue
        before = layers[-1] if layers else None
        if isinstance(layer, Dense) and _is_linear_dense(before):
            values[-1] = _product(values[-1], of_layer)
            layers[-1] = replace(layer, use_bias=before.use_bias or layer.use_bias)
        else:
            layers.append(layer)
            values.append({name: np.asarray(value) for name, value in of_layer.items()})
    if not layers:  # nothing but linear Activation layers
        return network, [dict(p) for p in parameters]
    return Network(layers, network.input_shape), values


def _is_linear_dense(layer: Layer | None) -> TypeGuard[Dense]:
    return isinstance(layer, Dense) and not layer.table and is_linear(layer.activation)


def _product(first: Mapping[str, Any], second: Mapping[str, Any]) -> LayerParameters:
    """Return kernel and bias of two linear layers as one, computed in float64."""
    kernel = np.asarray(second["kernel"], np.float64)
    merged = {"kernel": np.asarray(first["kernel"], np.float64) @ kernel}
    if "bias" in first or "bias" in second:
        bias = np.asarray(first.get("bias", np.zeros(len(kernel))), np.float64) @ kernel
        merged["bias"] = bias + second["bias"] if "bias" in second else bias
    dtype = np.asarray(second["kernel"]).dtype
    return {name: value.astype(dtype) for name, value in merged.items()}

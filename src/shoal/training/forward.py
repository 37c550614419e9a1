"""Outputs of trained networks: by the native kernel, and by NumPy where that lacks something or rows are few."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from hashlib import sha256
from itertools import takewhile
from typing import Any

import numpy as np

from shoal.networks import (
    Activation,
    Dense,
    Dropout,
    Flatten,
    Network,
    Normalization,
    PiecewiseEncoding,
    QuantileEncoding,
    Rescaling,
)
from shoal.networks.activations import apply_activation
from shoal.networks.minirocket import beginning_of
from shoal.networks.namespace import numpy_namespace
from shoal.networks.network import NetworkParameters, OrderedParameters
from shoal.networks.parameter_vector import joined
from shoal.resources import available_cores
from shoal.training.engines.native.graphs import Graph, UnsuitedError, graph_of
from shoal.training.engines.native.library import Kernel, best_kernel
from shoal.training.engines.native.records import MEMBER, ROWS

ROWS_AT_ONCE = 65_536
NUMBERS_AT_ONCE = 1_000_000  # of the layers of a network, by NumPy: they stay in the cache
ENCODINGS = (PiecewiseEncoding, QuantileEncoding)
PLAIN = (*ENCODINGS, Dense, Flatten, Dropout, Activation, Normalization, Rescaling)
FEW_ROWS = 64  # for which the call of the kernel costs more than dense layers in NumPy
OF_A_CORE = 5_000_000  # multiplications, fewer of which are not worth a thread


def predict(
    network: Network, parameters: NetworkParameters, x: np.ndarray, *, logits: bool = False, cores: int | None = None
) -> np.ndarray:
    """Return the outputs for rows, in the number type of the parameters.

    By the kernel each row's answer is the same bits, whatever the rows beside it and on any number of cores, and within
    rounding that of `Network.predict`, which answers where layers are dense alone and rows are few, where the kernel
    was not built or lacks something, where parameters are no finite float32, and for rows that are not finite.

    Args:
        network: with layers of any kind.
        parameters: a dict of arrays for each layer, in their order or by the layers' names.
        x: rows of shape (rows, *input_shape).
        logits: leave out the final activation of the last layer; default False.
        cores: threads that share the rows; by default as many as are free and worth it.

    Raises:
        NetworkError: rows or parameters have other shapes than the network's.

    Example:
        >>> network = Network.parse("4 8:relu 3:softmax")
        >>> predict(network, network.initialize(), np.ones((2, 4), np.float32)).shape
        (2, 3)
    """
    if len(x) < FEW_ROWS and _is_plain(network):
        return _by_numpy(network, parameters, x, logits)
    begins = beginning_of(network) or _encodings_of(network)
    if 0 < begins < len(network.layers):
        network.check_parameters(parameters)
        ordered = network.ordered(parameters)
        beginning, rest = _divided(network, begins)
        between = _behind(beginning, ordered[:begins], x, cores)
        return predict(rest, ordered[begins:], between, logits=logits, cores=cores)
    graph = _graph(network)
    kernel = None if graph is None else best_kernel()
    if kernel is None or graph is None or np.shape(x)[1:] != network.input_shape or not len(x):
        return _by_numpy(network, parameters, x, logits)
    network.check_parameters(parameters)
    vector = _vector(network, network.ordered(parameters))
    if vector is None:
        return _by_numpy(network, parameters, x, logits)
    pixels = np.asarray(x).dtype == np.uint8
    x = np.ascontiguousarray(x, np.uint8 if pixels else np.float32)
    outputs = _by_kernel(kernel, graph, vector, x, network, cores)
    if not logits:
        with np.errstate(over="ignore"):
            outputs = np.asarray(apply_activation(numpy_namespace, network.output_activation, outputs))
    odd = np.zeros(0, int) if pixels else np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
    if len(odd):
        outputs[odd] = _by_numpy(network, parameters, x[odd], logits)
    return outputs


_SHARED: ContextVar[OrderedDict[tuple[Any, ...], tuple[Any, np.ndarray]] | None] = ContextVar("shared", default=None)
MOST_SHARED = 4  # members of folds see rows of their own, of which none is asked for again


@contextmanager
def sharing_beginnings() -> Iterator[None]:
    """Let networks of equal frozen beginnings, which predict the same rows within, see them through it once.

    Within, rows must not change.
    """
    token = _SHARED.set(OrderedDict())
    try:
        yield
    finally:
        _SHARED.reset(token)


def _behind(beginning: Network, parameters: OrderedParameters, x: np.ndarray, cores: int | None) -> np.ndarray:
    """Return what a frozen beginning hands on of rows."""
    shared = _SHARED.get()
    if shared is None or not isinstance(x, np.ndarray):
        return predict(beginning, parameters, x, cores=cores)
    rows = (x.ctypes.data, x.shape, x.strides, x.dtype.str)
    values = b"".join(np.asarray(array).tobytes() for layer in parameters for array in layer.values())
    key = (*rows, beginning, sha256(values).digest())
    if key not in shared:
        shared[key] = x, predict(beginning, parameters, x, cores=cores)  # x stays, so that none has its place
        if len(shared) > MOST_SHARED:
            shared.popitem(last=False)
    return shared[key][1]


def _vector(network: Network, parameters: OrderedParameters) -> np.ndarray | None:
    """Return all parameters one behind the other; None where they are no finite float32."""
    vector = joined(network, parameters)
    return vector if len(vector) and vector.dtype == np.float32 and np.isfinite(vector).all() else None


def _encodings_of(network: Network) -> int:
    """Return with how many encodings of the features a network begins."""
    return sum(1 for _ in takewhile(lambda layer: isinstance(layer, ENCODINGS), network.layers))


@lru_cache(maxsize=512)
def _divided(network: Network, begins: int) -> tuple[Network, Network]:
    """Return the first so many layers of a network as one of their own, and the rest."""
    rest = Network(network.layers[begins:], network.shapes[begins - 1])
    return Network(network.layers[:begins], network.input_shape), rest


def _is_plain(network: Network) -> bool:
    return all(isinstance(layer, PLAIN) for layer in network.layers)


@lru_cache(maxsize=512)
def _graph(network: Network) -> Graph | None:
    """Return the operations of a network; None where the kernel lacks something."""
    if network.output_activation == "glu":
        return None
    try:
        return graph_of(network, 0.0)
    except UnsuitedError:
        return None


def _by_kernel(
    kernel: Kernel, graph: Graph, vector: np.ndarray, x: np.ndarray, network: Network, cores: int | None
) -> np.ndarray:
    outputs = np.empty((len(x), *network.output_shape), np.float32)
    rows, member = np.zeros(1, ROWS), np.zeros(1, MEMBER)
    if cores is None:
        worth = len(x) * network.multiplications // OF_A_CORE
        cores = min(worth, available_cores()) if worth > 1 else 1
    cores = min(cores, len(x))
    sizes = {"rows": len(x), "inputs": math.prod(network.input_shape), "outputs": math.prod(network.output_shape)}
    ways = {"batch": -(-len(x) // cores), "bytes": x.dtype == np.uint8, "time": 1, "x": x.ctypes.data}
    for name, value in {**sizes, **ways}.items():
        rows[name] = value
    member["parameters"], member["graph"] = vector.ctypes.data, graph.address(single=True)
    kernel.predict(rows, member, outputs, cores)
    return outputs


def _by_numpy(network: Network, parameters: NetworkParameters, x: np.ndarray, logits: bool) -> np.ndarray:
    """Return the outputs by NumPy, few rows at a time where the network needs many numbers for each."""
    once = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // max(1, network.values)))
    parts = [x[i : i + once] for i in range(0, max(len(x), 1), once)]
    if logits:
        network.check_parameters(parameters)
        return np.concatenate([network.apply(parameters, part, logits=True) for part in parts])
    return np.concatenate([network.predict(parameters, part) for part in parts])

"""Outputs of trained networks: by the native kernel, and by NumPy where that lacks something or rows are few."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache
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
    return BoundNetwork(network, parameters)(x, logits=logits, cores=cores)


class BoundNetwork:
    """A network with parameters of its own: what `predict` makes of both before it sees rows is made once.

    Numbers may change within the arrays, but must stay finite; see `predict` for the arguments of a call.

    Raises:
        NetworkError: parameters have other shapes than the network's.

    Example:
        >>> network = Network.parse("4 8:relu 3:softmax")
        >>> BoundNetwork(network, network.initialize())(np.ones((2, 4), np.float32)).shape
        (2, 3)
    """

    def __init__(self, network: Network, parameters: NetworkParameters) -> None:
        network.check_parameters(parameters)
        self.network, self._given = network, network.ordered(parameters)
        self._plain = _is_plain(network)

    def __reduce__(self) -> tuple[Any, ...]:
        return BoundNetwork, (self.network, self._given)  # without addresses

    def __call__(self, x: np.ndarray, *, logits: bool = False, cores: int | None = None) -> np.ndarray:
        """Return the outputs for rows."""
        if len(x) < FEW_ROWS and self._plain:
            return self._by_numpy(x, logits)
        if self._halves is not None:
            beginning, rest = self._halves
            return rest(beginning.handed_on(x, cores), logits=logits, cores=cores)
        kernel = None if self._graph is None else best_kernel()
        if kernel is None or np.shape(x)[1:] != self.network.input_shape or not len(x) or self._vector is None:
            return self._by_numpy(x, logits)
        pixels = np.asarray(x).dtype == np.uint8
        x = np.ascontiguousarray(x, np.uint8 if pixels else np.float32)
        outputs = self._by_kernel(kernel, x, cores)
        if not logits:
            with np.errstate(over="ignore"):
                outputs = np.asarray(apply_activation(numpy_namespace, self.network.output_activation, outputs))
        if not pixels and not np.isfinite(x).all():
            odd = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
            outputs[odd] = self._by_numpy(x[odd], logits)
        return outputs

    def handed_on(self, x: np.ndarray, cores: int | None) -> np.ndarray:
        """Return the outputs for rows, once for all networks alike within `sharing_beginnings`."""
        shared = _SHARED.get()
        if shared is None or not isinstance(x, np.ndarray):
            return self(x, cores=cores)
        key = (x.ctypes.data, x.shape, x.strides, x.dtype.str, self.network, self._digest)
        if key not in shared:
            shared[key] = x, self(x, cores=cores)  # x stays, so that none has its place
            if len(shared) > MOST_SHARED:
                shared.popitem(last=False)
        return shared[key][1]

    @cached_property
    def _halves(self) -> tuple[BoundNetwork, BoundNetwork] | None:
        """The frozen beginning and the rest, or None."""
        network = self.network
        begins = beginning_of(network) or _encodings_of(network)
        if not 0 < begins < len(network.layers):
            return None
        beginning, rest = _divided(network, begins)
        return BoundNetwork(beginning, self._layers[:begins]), BoundNetwork(rest, self._layers[begins:])

    @cached_property
    def _layers(self) -> OrderedParameters:
        return list(self._given)

    @cached_property
    def _dtype(self) -> np.dtype:
        arrays = [np.asarray(array) for layer in self._layers for array in layer.values()]
        return np.result_type(*arrays) if arrays else np.dtype(np.float32)

    @cached_property
    def _graph(self) -> Graph | None:
        return _graph(self.network)

    @cached_property
    def _vector(self) -> np.ndarray | None:
        """All parameters one behind the other; None where they are no finite float32."""
        vector = joined(self.network, self._given)
        return vector if len(vector) and vector.dtype == np.float32 and np.isfinite(vector).all() else None

    @cached_property
    def _digest(self) -> bytes:
        return sha256(b"".join(np.asarray(a).tobytes() for layer in self._layers for a in layer.values())).digest()

    @cached_property
    def _records(self) -> tuple[bytes, np.ndarray]:
        """The bytes of the record of rows, without these, and the record of the network, which is only read."""
        assert self._graph is not None
        assert self._vector is not None
        rows, member = np.zeros(1, ROWS), np.zeros(1, MEMBER)
        rows["inputs"], rows["outputs"] = math.prod(self.network.input_shape), math.prod(self.network.output_shape)
        rows["time"] = 1
        member["parameters"], member["graph"] = self._vector.ctypes.data, self._graph.address(single=True)
        return rows.tobytes(), member

    def _by_kernel(self, kernel: Kernel, x: np.ndarray, cores: int | None) -> np.ndarray:
        outputs = np.empty((len(x), *self.network.output_shape), np.float32)
        if cores is None:
            worth = len(x) * self.network.multiplications // OF_A_CORE
            cores = min(worth, available_cores()) if worth > 1 else 1
        cores = min(cores, len(x))
        template, member = self._records
        rows = np.frombuffer(bytearray(template), ROWS)  # of its own, since threads may predict by one network
        row = rows[0]
        row["rows"], row["batch"], row["bytes"] = len(x), -(-len(x) // cores), x.dtype == np.uint8
        row["x"] = x.ctypes.data
        kernel.predict(rows, member, outputs, cores)
        return outputs

    def _by_numpy(self, x: np.ndarray, logits: bool) -> np.ndarray:
        """Return the outputs by NumPy, few rows at a time where the network needs many numbers for each."""
        network, layers = self.network, self._layers
        once = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // max(1, network.values)))
        parts = [x[i : i + once] for i in range(0, max(len(x), 1), once)]
        if logits:
            return np.concatenate([network.apply(layers, part, logits=True) for part in parts])
        with np.errstate(over="ignore"):  # an overflow shows as an infinite prediction, which callers see
            return np.concatenate([network.apply(layers, np.asarray(part, self._dtype)) for part in parts])


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

"""Networks as layers of Keras: most one by one, others by several that compute the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from shoal.codec import plain
from shoal.errors import NetworkError
from shoal.keras.layers import KEEP, READ
from shoal.keras.model_graph import KerasGraph, Tensor
from shoal.networks.activations import ActivationSpec, get_activation, is_linear
from shoal.networks.initializers import Shape
from shoal.networks.layers import (
    Bidirectional,
    Branches,
    Dense,
    DenseWithConstants,
    Layer,
    MinPooling1D,
    MinPooling2D,
    MinPooling3D,
    Normalization,
    Parameters,
    PiecewiseEncoding,
    QuantileEncoding,
    ReLU,
    Rescaling,
    Residual,
    Softmax,
    TimeDistributed,
)
from shoal.networks.layers.bidirectional import MERGE_MODES
from shoal.networks.layers.recurrent import Recurrent
from shoal.networks.layers.within import Composite, unprefixed
from shoal.networks.namespace import numpy_namespace
from shoal.networks.network import Network, NetworkParameters


def keras_bytes(network: Network, parameters: NetworkParameters) -> bytes:
    """Return the `.keras` file of a network with its weights.

    Raises:
        NetworkError: a layer that Keras cannot say, or parameters of other shapes.
        DataError: h5py is missing.
    """
    graph = KerasGraph()
    x = graph.input(network.input_shape)
    return graph.to_bytes(add_network(graph, network, parameters, x))


def add_network(
    graph: KerasGraph, network: Network, parameters: NetworkParameters, x: Tensor, prefix: str = ""
) -> Tensor:
    """Add the layers of a network to a graph and return what they give.

    Args:
        graph: what grows.
        network: its layers.
        parameters: their weights.
        x: what the network gets.
        prefix: stands before the names of the layers.

    Raises:
        NetworkError: a layer that Keras cannot say, or parameters of other shapes.
    """
    network.check_parameters(parameters)
    _check_masks(network)
    for layer, name, values in zip(network.layers, network.names, network.ordered(parameters), strict=True):
        x = _Writing(graph, layer.trainable).layer(replace(layer, name=f"{prefix}{name}"), values, x)
    return x


def _check_masks(network: Network) -> None:
    """Check that Keras hands on a mask wherever shoal does and it is looked at.

    Raises:
        NetworkError: it does not.
    """
    masked, forgotten, zeroed = False, "", False
    for layer, name, shape in zip(network.layers, network.names, network.input_shapes, strict=True):
        kind, label = type(layer).__name__, replace(layer, name=name).label
        if masked and forgotten and (kind in READ or isinstance(layer, Composite)):
            raise NetworkError(
                f"{label} looks at a mask that Keras, other than shoal, forgets at {forgotten}. Leave out that layer"
            )
        if masked and zeroed and kind not in KEEP | READ:
            raise NetworkError(
                f"{label} sees the 0 that Normalization makes of masked steps, other than Keras'. Leave one out"
            )
        if masked and isinstance(layer, Recurrent) and layer.go_backwards and layer.return_sequences:
            raise NetworkError(f"{label} reads masked steps backwards and hands on all, which Keras masks otherwise")
        forgotten = forgotten or (
            label if masked and kind not in KEEP | READ and not isinstance(layer, Composite) else ""
        )
        zeroed = zeroed or (masked and isinstance(layer, Normalization))
        nothing = np.broadcast_to(np.float32(np.nan), (1, *shape))
        before = np.ones((1, *shape[:1]), bool) if masked else None
        masked = layer.output_mask(numpy_namespace, nothing, before) is not None


@dataclass(frozen=True)
class _Writing:
    """A graph, and where in it a layer stands: whether it trains, and how many axes of time it is distributed over."""

    graph: KerasGraph
    trainable: bool = True
    steps: int = 0

    def layer(self, layer: Layer, parameters: Parameters, x: Tensor) -> Tensor:
        """Add a layer and return what it gives."""
        way = next((way for kind, way in _WAYS.items() if isinstance(layer, kind)), _Writing.like)
        parameters = {name: parameters[name] for name in layer.parameter_shapes(x.shape[self.steps :])}
        return way(replace(self, trainable=self.trainable and layer.trainable), layer, parameters, x)

    def add(self, kind: str, settings: Mapping[str, Any], x: Any, shape: Shape, **more: Any) -> Tensor:
        """Add a layer of Keras; `shape` is that of its rows, with the axes of time."""
        return self.graph.add(kind, settings, x, shape, trainable=self.trainable, steps=self.steps, **more)

    def like(self, layer: Layer, parameters: Parameters, x: Tensor) -> Tensor:
        """Add Keras' layer of the same name, and behind it an activation that Keras cannot say in one."""
        activation = getattr(layer, "activation", None)
        settings, later = said_settings(layer), _needs_layers(activation)
        bare = replace(layer, activation=None) if later else layer  # type: ignore[call-arg]
        shape = self._shape(bare, x)
        place = "cell/vars" if isinstance(layer, Recurrent) else "vars"
        arrays = {place: list(parameters.values())} if parameters else None
        y = self.add(type(layer).__name__, settings, x, shape, arrays=arrays, name=layer.name)
        return self.activation(layer, activation, y) if later else y

    def _shape(self, layer: Layer, x: Tensor) -> Shape:
        return (*x.shape[: self.steps], *layer.output_shape(x.shape[self.steps :]))

    def activation(self, layer: Layer, activation: Any, z: Tensor) -> Tensor:
        """Add one activation for each neuron, or glu, by layers that pick neurons."""
        units = z.shape[-1]
        if activation == "glu":
            eye = np.eye(units, dtype=np.float32)
            halves = (("linear", eye[:, : units // 2]), ("sigmoid", eye[:, units // 2 :]))
            parts = [self._picked(layer, z, kernel, name) for name, kernel in halves]
            return self.add("Multiply", {}, parts, parts[0].shape, name=f"{layer.name}_glu")
        names = [get_activation(name).name for name in activation]
        parts, order = [], []
        for each in dict.fromkeys(names):
            chosen = [i for i, name in enumerate(names) if name == each]
            parts.append(self._picked(layer, z, np.eye(units, dtype=np.float32)[:, chosen], each))
            order += chosen
        if len(parts) == 1:
            return parts[0]
        joined = self.add("Concatenate", {"axis": -1}, parts, z.shape, name=f"{layer.name}_joined")
        return self._picked(layer, joined, np.eye(units, dtype=np.float32)[order], "linear")

    def _picked(self, layer: Layer, z: Tensor, kernel: np.ndarray, activation: str) -> Tensor:
        """Add neurons that each hand on one of the neurons before, behind an activation."""
        settings = {"units": kernel.shape[1], "use_bias": False, "activation": keras_activation(layer, activation)}
        fixed = replace(self, trainable=False)
        shape = (*z.shape[:-1], kernel.shape[1])
        return fixed.add("Dense", settings, z, shape, arrays={"vars": [kernel]}, name=f"{layer.name}_{activation}")

    def softmax(self, layer: Layer, parameters: Parameters, x: Tensor) -> Tensor:  # noqa: ARG002
        """Add an activation: Keras' Softmax would leave out masked steps, which it cannot along this axis."""
        return self.add("Activation", {"activation": "softmax"}, x, x.shape, name=layer.name)

    def with_constants(self, layer: DenseWithConstants, parameters: Parameters, x: Tensor) -> Tensor:
        """Add Dense, whose weights of the constants are 0."""
        kernel = np.pad(parameters["kernel"], ((0, 0), (0, layer.constants)))
        bias = np.concatenate([parameters["bias"], parameters["constant"]])
        dense = Dense(layer.units + layer.constants, name=layer.name)
        return self.like(dense, {"kernel": kernel, "bias": bias}, x)

    def min_pooling(self, layer: Any, parameters: Parameters, x: Tensor) -> Tensor:  # noqa: ARG002
        """Add MaxPooling of what has changed its sign."""
        kind = type(layer).__name__.replace("Min", "Max")
        minus = self.add("Rescaling", {"scale": -1.0, "offset": 0.0}, x, x.shape, name=f"{layer.name}_minus")
        largest = self.add(kind, said_settings(layer), minus, self._shape(layer, x), name=layer.name)
        return self.add(
            "Rescaling", {"scale": -1.0, "offset": 0.0}, largest, largest.shape, name=f"{layer.name}_smallest"
        )

    def numbers(self, layer: Any, parameters: Parameters, x: Tensor) -> Tensor:  # noqa: ARG002
        """Add Normalization, or Rescaling, by channel or with one number for all."""
        settings = said_settings(layer)
        if isinstance(layer, Normalization):
            by_channel = isinstance(layer.mean, tuple) or isinstance(layer.variance, tuple)
            settings["axis"] = -1 if by_channel else None
            channels = np.ones(x.shape[-1]) if by_channel else np.float64(1.0)
            settings |= {name: (channels * settings[name]).tolist() for name in ("mean", "variance")}
        return self.add(type(layer).__name__, settings, x, x.shape, name=layer.name)

    def time_distributed(self, layer: TimeDistributed, parameters: Parameters, x: Tensor) -> Tensor:
        """Add the layer within, distributed over one axis more."""
        within = replace(layer.layer, name=layer.layer.name or layer.name)
        if len(x.shape) == self.steps + 1:  # steps are single numbers, over which Keras distributes nothing
            if within.output_shape(()) != () or within.parameter_shapes(()):
                raise NetworkError(f"{layer.label} makes more of single numbers, which Keras cannot. Reshape before")
            return replace(self, steps=0).layer(within, parameters, x)
        return replace(self, steps=self.steps + 1).layer(within, parameters, x)

    def bidirectional(self, layer: Bidirectional, parameters: Parameters, x: Tensor) -> Tensor:
        """Add both directions; as two layers where the forward one goes backwards, which Keras refuses."""
        inner: Any = layer.layer
        ways = {name: list(unprefixed(name, parameters).values()) for name in ("forward", "backward")}
        if not inner.go_backwards:
            entry = {"module": "keras.layers", "class_name": type(inner).__name__, "registered_name": None}
            config = {"name": f"forward_{layer.name}", "dtype": "float32", **said_settings(inner)}
            settings = {"layer": {**entry, "config": config}, "merge_mode": layer.merge_mode}
            arrays = {f"{name}_layer/cell/vars": values for name, values in ways.items()}
            return self.add("Bidirectional", settings, x, self._shape(layer, x), arrays=arrays, name=layer.name)
        if inner.return_sequences:
            raise NetworkError(
                f"{layer.label} holds a layer that goes backwards and hands on all steps, which Keras refuses. Let it "
                f"go forwards"
            )
        both = []
        for name, backwards in (("forward", True), ("backward", False)):
            one = replace(inner, go_backwards=backwards, name=f"{layer.name}_{name}")
            both.append(self.like(one, unprefixed(name, parameters), x))
        kind = dict(zip(MERGE_MODES, ("Concatenate", "Add", "Multiply", "Average"), strict=True))[layer.merge_mode]
        return self.add(kind, {}, both, self._shape(layer, x), name=layer.name)

    def encoding(self, layer: PiecewiseEncoding | QuantileEncoding, parameters: Parameters, x: Tensor) -> Tensor:  # noqa: ARG002
        """Add the ramps, of the channel that each reads, and bring them together with what stays as it is."""
        channels, low, steepness = layer.ramps
        picked = np.eye(x.shape[-1], dtype=np.float32)
        ramps = self.fixed_dense(f"{layer.name}_picked", picked[:, channels], -low, x)  # exact where bins are narrow
        ramps = self.layer(Rescaling(tuple(steepness), name=f"{layer.name}_scaled"), {}, ramps)
        ramps = self.layer(ReLU(max_value=1.0, name=f"{layer.name}_ramps"), {}, ramps)
        joined = (*x.shape[:-1], x.shape[-1] + ramps.shape[-1])
        y = self.add("Concatenate", {"axis": -1}, [x, ramps], joined, name=f"{layer.name}_joined")
        if isinstance(layer, PiecewiseEncoding):
            return y
        mixing, start, same = layer.mixing
        return self.fixed_dense(f"{layer.name}_values", np.concatenate([np.diag(same), mixing]), start, y)

    def fixed_dense(self, name: str, kernel: np.ndarray, bias: np.ndarray, x: Tensor) -> Tensor:
        """Add Dense with numbers that no training changes."""
        settings = {"units": kernel.shape[1], "use_bias": True, "activation": "linear"}
        arrays = {"vars": [kernel.astype(np.float32), bias.astype(np.float32)]}
        shape = (*x.shape[:-1], kernel.shape[1])
        return replace(self, trainable=False).add("Dense", settings, x, shape, arrays=arrays, name=name)

    def row(self, layer: Layer, row: tuple[Layer, ...], start: str, parameters: Parameters, x: Tensor) -> Tensor:
        """Add layers within a layer, whose parameters begin with `start` and their place."""
        for j, inner in enumerate(row):
            named = replace(inner, name=f"{layer.name}_{inner.name or f'{start}{j}'.replace('.', '_')}")
            x = self.layer(named, unprefixed(f"{start}{j}", parameters), x)
        return x

    def residual(self, layer: Residual, parameters: Parameters, x: Tensor) -> Tensor:
        """Add the layers, the projection and the sum."""
        y = self.row(layer, layer.layers, "", parameters, x)
        if layer.projection is not None:
            named = replace(layer.projection, name=f"{layer.name}_{layer.projection.name or 'projection'}")
            x = self.layer(named, unprefixed("projection", parameters), x)
        return self.add("Add", {}, [y, x], y.shape, name=layer.name)

    def branches(self, layer: Branches, parameters: Parameters, x: Tensor) -> Tensor:
        """Add the paths and what merges them."""
        ends = [self.row(layer, path, f"{i}.", parameters, x) for i, path in enumerate(layer.paths)]
        if len(ends) == 1:
            return ends[0]
        settings = {"axis": -1} if layer.merge == "concatenate" else {}
        return self.add(layer.merge.capitalize(), settings, ends, self._shape(layer, x), name=layer.name)


_WAYS: dict[Any, Callable[..., Tensor]] = {
    Softmax: _Writing.softmax,
    DenseWithConstants: _Writing.with_constants,
    (MinPooling1D, MinPooling2D, MinPooling3D): _Writing.min_pooling,
    (Normalization, Rescaling): _Writing.numbers,
    (PiecewiseEncoding, QuantileEncoding): _Writing.encoding,
    TimeDistributed: _Writing.time_distributed,
    Bidirectional: _Writing.bidirectional,
    Residual: _Writing.residual,
    Branches: _Writing.branches,
}


def _needs_layers(activation: ActivationSpec) -> bool:
    """Return whether Keras says an activation by layers: one for each neuron, or glu, whose shape it mistakes."""
    return activation == "glu" or (isinstance(activation, tuple) and not is_linear(activation))


def keras_activation(layer: Layer, activation: Any) -> str:
    """Return Keras' name of an activation.

    Raises:
        NetworkError: Keras has no name for it, or computes something else by that name.
    """
    if callable(activation):
        raise NetworkError(
            f"{layer.label} has a Python function as activation, which no file can keep. Use one of the named choices"
        )
    if isinstance(activation, tuple):
        return "linear"
    name = get_activation(activation).name
    if name == "sparsemax":
        raise NetworkError(f"{layer.label} has the activation sparsemax, which Keras computes otherwise. Use softmax")
    return "relu" if name == "threshold" else name  # equal at the threshold 0 that it has


def said_settings(layer: Layer) -> dict[str, Any]:
    """Return the settings of a layer as Keras' layer of the same name has them.

    Raises:
        NetworkError: an activation that Keras lacks, or a table of them.
    """
    if getattr(layer, "table", ()):
        raise NetworkError(f"{layer.label} chooses activations from a table, which Keras lacks. Give it one activation")
    settings: dict[str, Any] = {}
    for f in fields(layer):
        value = getattr(layer, f.name)
        if f.name in ("name", "trainable", "table", "layer") or (f.name.endswith("initializer") and callable(value)):
            continue
        if f.name.endswith("activation"):
            value = "linear" if _needs_layers(value) else keras_activation(layer, value)
        settings[f.name] = plain(value)
    for name in ("padding", "cropping", "size"):  # of one axis of space, Keras takes what stands for it alone
        value = settings.get(name)
        if isinstance(value, list) and len(value) == 1:
            settings[name] = value[0]
    return settings

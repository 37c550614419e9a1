"""Network: layers in a row, from the shape of one input row to the shape of one output row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.codec import stored
from shoal.errors import NetworkError, ShoalError, suggest
from shoal.networks.activations import ActivationSpec
from shoal.networks.call import Call
from shoal.networks.initializers import Shape
from shoal.networks.layers import Layer
from shoal.networks.layers.base import context_of, layer_from_dict
from shoal.networks.layers.settings import check_flag
from shoal.networks.namespace import Namespace, numpy_namespace
from shoal.streams import Stream, Streams

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from shoal.trained.trained_network import TrainedNetwork

FORMAT = 1
"""The format number of `Network.to_dict`."""

OrderedParameters = Sequence[Mapping[str, Any]]
"""The parameters of one member: a dict of arrays for each layer."""

NetworkParameters = OrderedParameters | Mapping[str, Mapping[str, Any]]
"""The parameters of one member: a dict of arrays for each layer, in their order or by the layers' names."""


@stored("network")
@dataclass(frozen=True, init=False)
class Network:
    """Layers in a row; a description without weights, equal to any other with the same layers and input.

    Args:
        layers: at least one layer.
        input_shape: shape of one row, e.g. `(4,)` for four features.

    Raises:
        NetworkError: a layer does not fit the one before it, or two layers have one name.

    Example:
        >>> from shoal.networks.layers import Dense
        >>> network = Network([Dense(8, activation="relu"), Dense(3, activation="softmax")], input_shape=(4,))
        >>> network.parameter_count, network.output_shape
        (67, (3,))
    """

    layers: tuple[Layer, ...]
    input_shape: Shape

    def __init__(self, layers: Sequence[Layer], input_shape: Shape | int) -> None:
        if not isinstance(layers, Iterable):
            raise NetworkError(f"layers must be a list such as [Dense(1)], got {layers!r}")
        object.__setattr__(self, "layers", tuple(layers))
        object.__setattr__(self, "input_shape", _checked_input_shape(input_shape))
        for i, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise NetworkError(f"layer {i} must be a layer such as Dense(8), got {type(layer).__name__} {layer!r}")
            check_flag(layer.label, "trainable", layer.trainable)
        if not self.layers:
            raise NetworkError("a network needs at least one layer, got none. Give it one: [Dense(1)]")
        _ = self.shapes  # every layer checks that it fits the one before it

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each layer: its own, or its class with a number, as in Keras."""
        given = [layer.name for layer in self.layers if layer.name]
        if len(set(given)) < len(given):
            twice = next(name for name in given if given.count(name) > 1)
            raise NetworkError(f"two layers are called {twice!r}. Give each layer a name of its own")
        names: list[str] = []
        for layer in self.layers:
            names.append(layer.name or free_name(snake_case(type(layer).__name__), {*names, *given}))
        return tuple(names)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The output shape of each layer."""
        shape, shapes = self.input_shape, []
        for i, (layer, name) in enumerate(zip(self.layers, self.names, strict=True)):
            shape = self._fitted(i, replace(layer, name=name), shape)
            shapes.append(shape)
        return tuple(shapes)

    def _fitted(self, index: int, layer: Layer, shape: Shape) -> Shape:
        try:
            return layer.output_shape(shape)
        except NetworkError as error:
            source = f"layer {self.names[index - 1]!r} with output" if index else "the network's input"
            raise NetworkError(f"{error} (this is layer {index}; it follows {source} {shape})") from None

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        """The input shape of each layer."""
        return (self.input_shape, *self.shapes[:-1])

    @property
    def output_shape(self) -> Shape:
        """The shape of one output row."""
        return self.shapes[-1]

    @property
    def output_activation(self) -> ActivationSpec:
        """The activation that `apply(..., logits=True)` leaves out; None if the last layer has none."""
        return self.layers[-1].final_activation

    @cached_property
    def parameter_shapes(self) -> tuple[dict[str, Shape], ...]:
        """The shape of every parameter, one dict per layer."""
        return tuple(layer.parameter_shapes(shape) for layer, shape in zip(self.layers, self.input_shapes, strict=True))

    @cached_property
    def parameter_count(self) -> int:
        """The number of weights and biases."""
        return sum(math.prod(shape) for layer in self.parameter_shapes for shape in layer.values())

    @cached_property
    def multiplications(self) -> int:
        """How many multiplications with parameters one row takes, forwards."""
        pairs = zip(self.layers, self.input_shapes, strict=True)
        return sum(layer.multiplications(shape) for layer, shape in pairs)

    @cached_property
    def values(self) -> int:
        """How many numbers one row needs on its way: the output of every layer and what it needs beside."""
        pairs = zip(self.layers, self.input_shapes, strict=True)
        return sum(map(math.prod, self.shapes)) + sum(layer.scratch(shape) for layer, shape in pairs)

    def initialize(self, seed: int | Stream | Streams = 0) -> list[dict[str, np.ndarray]]:
        """Return start values, one dict of float32 arrays per layer; of many streams, theirs before all other axes.

        A seed, 0 by default, or the stream of random numbers itself names them.

        Layers draw from children of the stream that count layers with parameters only, so that a dropout
        layer in between changes no weight.

        Example:
            >>> Network.parse("4 8:relu 3:softmax").initialize(seed=0)[0]["kernel"].shape
            (4, 8)
        """
        stream = Stream(seed) if isinstance(seed, (int, np.integer)) else seed
        values, position = [], 0
        for layer, shape, parameters in zip(self.layers, self.input_shapes, self.parameter_shapes, strict=True):
            values.append(layer.initialize(shape, stream.child(position)))
            position += bool(parameters)
        return values

    def named(self, parameters: NetworkParameters) -> dict[str, dict[str, Any]]:
        """Return parameters by the names of their layers, those that have any; Keras' path is `layer/array`.

        Raises:
            NetworkError: the parameters do not fit the network.

        Example:
            >>> network = Network.parse("4 8:relu dropout:0.2 3")
            >>> {layer: sorted(arrays) for layer, arrays in network.named(network.initialize()).items()}
            {'dense': ['bias', 'kernel'], 'dense_1': ['bias', 'kernel']}
        """
        parameters = self.ordered(parameters)
        self.check_parameters(parameters)
        return {name: dict(layer) for name, layer in zip(self.names, parameters, strict=True) if layer}

    def ordered(self, parameters: NetworkParameters) -> OrderedParameters:
        """Return parameters in the order of their layers, where they may have come by the layers' names.

        Raises:
            NetworkError: no layer has a name that is given.
        """
        if not isinstance(parameters, Mapping):
            return parameters
        for name in parameters:
            if name not in self.names:
                raise NetworkError(f"no layer is called {name!r}.{suggest(name, self.names)} Layers: {self.names}")
        return [parameters.get(name, {}) for name in self.names]

    def freeze(self, *names: str) -> Network:
        """Return the same network with `trainable=False` in the layers of these names, by default in all but the last.

        Raises:
            NetworkError: no layer has such a name.

        Example:
            >>> [layer.trainable for layer in Network.parse("4 8:relu 3").freeze().layers]
            [False, True]
        """
        wanted = self.ordered({name: {"": 0} for name in names or self.names[:-1]})
        pairs = zip(self.layers, self.names, wanted, strict=True)
        layers = [replace(layer, name=name, trainable=False) if frozen else layer for layer, name, frozen in pairs]
        return Network(layers, self.input_shape)

    def apply(
        self,
        parameters: NetworkParameters,
        x: Any,
        *,
        xp: Namespace | ModuleType = numpy_namespace,
        training: bool = False,
        numbers: Sequence[Mapping[str, Any]] | None = None,
        random: Callable[[int, Shape], Any] | None = None,
        logits: bool = False,
        present: Any = None,
        record: Callable[[int, str, Any], None] | None = None,
    ) -> Any:
        """Return the outputs of one member for a batch: a pure function, to be lifted and differentiated.

        Args:
            parameters: a dict of arrays for each layer, in their order or by the layers' names.
            x: batch of shape (rows, *input_shape).
            xp: array namespace; default NumPy.
            training: whether dropout acts; default False.
            numbers: each layer's own numbers of this member (activation, skip, rate); default none.
            random: returns uniform numbers in [0, 1) for the number of a source and a shape; needed for dropout. Each
                layer is one source, or as many as it says.
            logits: leave out the final activation of the last layer, for fused losses; default False.
            present: `(rows,)`, how much each row counts in statistics over the batch; default all alike.
            record: takes layer index, name and new value of the parameters that follow the batches.

        Raises:
            NetworkError: the rows have another shape than `input_shape`, or parameters by name do not fit the layers.

        Example:
            >>> network = Network.parse("2 1")
            >>> network.apply([{"kernel": np.ones((2, 1)), "bias": np.ones(1)}], np.ones((1, 2))).tolist()
            [[3.0]]
        """
        *_, last = self._walk(
            xp,
            parameters,
            np.asarray(x) if isinstance(x, list) else x,
            Call(training, numbers, random, logits, present, record),
        )
        return last

    def outputs(self, parameters: NetworkParameters, x: Any) -> list[np.ndarray]:
        """Return what each layer hands on for rows, computed by NumPy, to look inside the network.

        Example:
            >>> network = Network.parse("2 3:relu 1")
            >>> [o.shape for o in network.outputs(network.initialize(), np.ones((5, 2), np.float32))]
            [(5, 3), (5, 1)]
        """
        self.check_parameters(parameters)
        return [np.asarray(output) for output in self._walk(numpy_namespace, parameters, np.asarray(x))]

    def _walk(
        self, xp: Namespace | ModuleType, parameters: NetworkParameters, x: Any, call: Call | None = None
    ) -> Iterator[Any]:
        """Give the output of one layer after the other."""
        namespace, call = numpy_namespace if xp is np else xp, call or Call()
        if isinstance(parameters, Mapping):
            self.check_parameters(parameters)
        parameters = self.ordered(parameters)
        self._check_rows(x)
        mask, source = None, 0
        for i, layer in enumerate(self.layers):
            context = context_of(layer, call.context(i, source, mask, last=i == len(self.layers) - 1))
            before, x = x, layer.apply(namespace, parameters[i], x, context)
            mask = layer.output_mask(namespace, before, mask)
            source += layer.sources
            yield x

    def predict(self, parameters: NetworkParameters, x: Any) -> np.ndarray:
        """Return the outputs for rows, computed by NumPy in the number type of the parameters.

        Args:
            parameters: a dict of arrays for each layer, in their order or by the layers' names.
            x: rows of shape (rows, *input_shape).

        Raises:
            NetworkError: rows or parameters have other shapes than the network's.
        """
        self.check_parameters(parameters)
        arrays = [np.asarray(value) for layer in self.ordered(parameters) for value in layer.values()]
        dtype = np.result_type(*arrays) if arrays else np.float32
        with np.errstate(over="ignore"):  # an overflow shows as an infinite prediction, which callers see
            return np.asarray(self.apply(parameters, np.asarray(x, dtype)))

    def check_parameters(self, parameters: NetworkParameters) -> None:
        """Check that parameters have this network's layers, names and shapes.

        Raises:
            NetworkError: the first difference, with the layer and both shapes.
        """
        parameters = self.ordered(parameters)
        if len(parameters) != len(self.layers):
            raise NetworkError(
                f"the network has {len(self.layers)} layers but got parameters for {len(parameters)}. "
                f"Give one dict per layer, an empty one for a layer without parameters"
            )
        for name, layer, expected, got in zip(self.names, self.layers, self.parameter_shapes, parameters, strict=True):
            shapes = {key: tuple(np.shape(value)) for key, value in got.items()}
            if shapes != expected:
                raise NetworkError(
                    f"layer {name!r} ({type(layer).__name__}) needs parameters {_shown(expected)}, got "
                    f"{_shown(shapes)}. Use parameters that were made for this network"
                )

    def _check_rows(self, x: Any) -> None:
        shape = tuple(x.shape)
        if len(shape) >= 1 and shape[1:] == self.input_shape:
            return
        first = f"layer {self.names[0]!r} ({type(self.layers[0]).__name__})"
        wanted = ", ".join(["rows", *map(str, self.input_shape)])
        mend = "Change input_shape or the data"
        if shape == self.input_shape:
            mend = "For a single row write x[None]"
        raise NetworkError(f"{first} expects input of shape ({wanted}), got {shape}. {mend}")

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        loss: str | Callable[..., Any] | None = None,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        metrics: Sequence[str | Callable[[Any, Any], float]] = (),
        sample_weight: Any = None,
        seed: int = 0,
        restore_best_weights: bool = False,
        weights: NetworkParameters | None = None,
        penalties: Callable[..., Any] | Sequence[Callable[..., Any]] = (),
        engine: str = "auto",
        **more: Any,
    ) -> TrainedNetwork:
        """Train the network on arrays, as in Keras: no rows are split off, no numbers scaled, no folder is written.

        Each epoch goes once through all rows in batches, in an order that the seed names; ten orders come round. The
        weights are those after the last epoch.

        Args:
            x: features `(rows, *input_shape)`: an array, a data frame of numbers, or lists.
            y: truth `(rows, outputs)`, or `(rows,)` for one output. With `sparse_categorical_crossentropy` class
                numbers `(rows,)`; with `categorical_crossentropy` a column for each class; with `binary_crossentropy`
                0 or 1. Where outputs are steps of a series, `(rows, time, outputs)` or `(rows, time)`.
            loss: a name of Keras such as `mse`, `mae`, `huber` or one of those above, `gaussian_nll`, ..., or a
                function `(y_true, y_pred)` or `(xp, y_true, y_pred)` that returns a number for each row, or each row
                and output; `xp` has NumPy's functions.
            optimizer: sgd, rmsprop, adagrad, adam, adamw, nadam or lion; default adam.
            learning_rate: by default Keras': 0.01 for sgd, 0.001 for all others.
            epochs: passes over the rows; default 1, as in Keras.
            batch_size: rows of one step; default 32.
            validation_data: `(x, y)` or `(x, y, sample_weight)` that validate after each epoch.
            validation_split: the share of the rows, the last as they stand, that validate instead; default none.
            metrics: what else is measured after each epoch: `accuracy`, `roc_auc`, `rmse`, `r2`, ..., the name of a
                loss, or a function `(y_true, y_pred)` of the truth as given and the outputs.
            sample_weight: `(rows,)`; the loss of a batch is the sum of weight times loss over its number of rows.
            seed: names the start weights, the orders of the rows and dropout; default 0.
            restore_best_weights: take the weights of the epoch with the lowest validation loss; default the last.
            weights: to begin with, for each layer or by the names of some; by default `initialize(seed)`.
            penalties: a function `(weights)` or `(xp, weights)` to a number that is added to the cost, or several.
            engine: native, xla or auto, whichever is estimated to be done first.
            more: of `shoal.training.hyperparameters`: momentum, nesterov, beta_1, beta_2, rho, epsilon, weight_decay,
                schedule, warmup_epochs, final_fraction, l2, l1, label_smoothing, huber_delta, and patience, the epochs
                without a lower validation loss after which training stops.

        Returns:
            The trained network, with `predict`, `evaluate`, `history`, `weights`, `plot`, `draw`, `save` and `fit`.

        Raises:
            DataError: x or y do not fit the network or the loss.
            SettingError: an argument makes no sense, or a function of yours fails.
            NetworkError: nothing can be trained, or `weights` have other shapes.

        Example:
            >>> network = Network.parse("2 4:tanh 1:sigmoid")
            >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
            >>> trained = network.fit(x, y, loss="binary_crossentropy", learning_rate=0.1, epochs=200, batch_size=4)
            >>> trained.predict(x).round()[:, 0].tolist()
            [0.0, 1.0, 1.0, 0.0]
        """
        from shoal.trained.fitting import fit_network

        try:
            return fit_network(
                self,
                x,
                y,
                validation_data=validation_data,
                validation_split=validation_split,
                sample_weight=sample_weight,
                weights=weights,
                loss=loss,
                optimizer=optimizer,
                learning_rate=learning_rate,
                epochs=epochs,
                batch_size=batch_size,
                metrics=metrics,
                seed=seed,
                restore_best_weights=restore_best_weights,
                penalties=penalties,
                engine=engine,
                more=more,
            )
        except ShoalError as error:  # what a user mends is said in it, not in our own lines
            raise error.with_traceback(None) from None

    def summary(self) -> str:
        """Return a table of the layers with their output shapes and numbers of parameters."""
        from shoal.networks.summary import summarize

        return summarize(self)

    def _repr_html_(self) -> str:
        """Return the network as notebooks show it: the drawing and the table of the layers."""
        from shoal.networks.summary import summary_html

        return summary_html(self)

    def draw(
        self,
        parameters: NetworkParameters | None = None,
        path: str | Path | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        width: float | None = None,
        show_weights: str = "colours",
    ) -> Figure:
        """Return a figure of nodes and connections; with parameters, weights show as colour and width.

        Args:
            parameters: one dict of arrays per layer; default none, all connections grey.
            path: where to write the figure as well (.png, .svg, .pdf); default nowhere.
            feature_names: names of the inputs.
            class_names: names of the outputs.
            width: of the figure in inches; default as wide as it needs to be.
            show_weights: `values` writes the number of each weight and bias, `symbols` w_ij and b_i with the formula of
                each layer (both of layers of 12 neurons at most); `colours` (default) neither.

        Raises:
            NetworkError: names or parameters do not fit the network, or a layer is too large for texts.
            SettingError: the path has an ending that no figure can be written in, or weights cannot be shown so.
        """
        from shoal.networks.drawing import draw_network, save_drawing

        parameters = None if parameters is None else self.ordered(parameters)
        figure = draw_network(self, parameters, feature_names, class_names, width, show_weights)
        if path is not None:
            save_drawing(figure, path)
        return figure

    def draw_unrolled(self, path: str | Path | None = None) -> Figure:
        """Return a figure of a recurrent network unrolled in time: its layers at each step, and what they hand on.

        Args:
            path: where to write the figure as well (.png, .svg, .pdf); default nowhere.

        Raises:
            NetworkError: no layer is recurrent, or one mixes the steps before.
            SettingError: the path has an ending that no figure can be written in.
        """
        from shoal.networks.drawing import save_drawing
        from shoal.networks.unrolled import draw_unrolled

        figure = draw_unrolled(self)
        if path is not None:
            save_drawing(figure, path)
        return figure

    def merge_linear(self, parameters: NetworkParameters) -> tuple[Network, list[dict[str, np.ndarray]]]:
        """Return an equal network in which layers without activation are one with the next (equation 1.7).

        `(x W1 + b1) W2 + b2 = x (W1 W2) + (b1 W2 + b2)`

        Example:
            >>> network = Network.parse("4 8 5 3:softmax")
            >>> network.merge_linear(network.initialize())[0] == Network.parse("4 3:softmax")
            True
        """
        from shoal.networks.merging import merge_linear

        return merge_linear(self, self.ordered(parameters))

    def to_dict(self) -> dict[str, Any]:
        """Return the network as plain data for JSON.

        Raises:
            NetworkError: an activation or initializer is a Python function, which no file can keep.
        """
        layers = [
            {**replace(layer, name=name).to_dict(), "name": layer.name}
            for layer, name in zip(self.layers, self.names, strict=True)
        ]
        return {"format": FORMAT, "input_shape": list(self.input_shape), "layers": layers}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Network:
        """Return the network that `to_dict` described.

        Raises:
            NetworkError: a newer format, an unknown layer or setting, or entries missing.

        Example:
            >>> network = Network.parse("4 8:relu 3:softmax")
            >>> Network.from_dict(network.to_dict()) == network
            True
        """
        for key in ("format", "input_shape", "layers"):
            if key not in data:
                raise NetworkError(f"this is not a network: the entry {key!r} is missing")
        if data["format"] != FORMAT:
            raise NetworkError(
                f"the network is in format {data['format']!r}, this shoal reads format {FORMAT}. Install a newer shoal"
            )
        return cls([layer_from_dict(entry) for entry in data["layers"]], tuple(data["input_shape"]))

    @classmethod
    def parse(cls, text: str) -> Network:
        """Return the network of a short text such as "4 8:relu 3:softmax".

        Raises:
            NetworkError: a part of the text that cannot be read.

        Example:
            >>> Network.parse("1 4 4 1").parameter_count
            33
        """
        from shoal.networks.parsing import parse_network

        return parse_network(text)

    @classmethod
    def from_keras(cls, model: Any, input_shape: Sequence[int] | int | None = None) -> Network:
        """Return the layers of a Keras model, without its weights, which `TrainedNetwork.from_keras` reads.

        Keras is not imported, and nothing in the file is run. What says how to train is left out: optimizer, loss,
        regularizers, constraints. Names that Keras counts (`dense_7`) give way to shoal's (`dense_1`).

        Args:
            model: a file, `.keras` or `.h5`, or a live `keras.Model`: Sequential, or of one input and one output.
            input_shape: shape of one row, where the model leaves a size open, such as `(20, 3)` for `(None, 3)`.

        Raises:
            NetworkError: a layer that shoal lacks, named with the nearest that it has, or a damaged file.
            DataError: weights are needed, of a layer that was adapted to data, and h5py is missing.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = Network.parse("4 8:relu 3:softmax").to_keras(folder + "/model.keras")
            ...     Network.from_keras(path) == Network.parse("4 8:relu 3:softmax")
            True
        """
        from shoal.keras.reading import read_keras

        return read_keras(model, input_shape, weights=False)[0]

    def to_keras(self, path: str | Path, weights: NetworkParameters | None = None, seed: int = 0) -> Path:
        """Write the network as a `.keras` file, which `keras.saving.load_model` loads without shoal.

        Args:
            path: where to write; ends in `.keras`. A file that is there is replaced.
            weights: for each layer or by the names of all; by default `initialize(seed)`.
            seed: names the start weights; default 0.

        Returns:
            The path.

        Raises:
            NetworkError: a layer that Keras cannot say, or weights of other shapes.
            SettingError: the path has another ending.
            RunError: the file cannot be written.
            DataError: h5py is missing.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Network.parse("4 8:relu 3:softmax").to_keras(folder + "/model.keras").name
            'model.keras'
        """
        from shoal.trained.keras_files import write_keras

        return write_keras(self, self.initialize(seed) if weights is None else weights, path)


def _checked_input_shape(input_shape: Any) -> Shape:
    sizes = (input_shape,) if isinstance(input_shape, (int, np.integer)) else tuple(input_shape)
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise NetworkError(
            f"input_shape must hold whole numbers of at least 1, got {input_shape!r}. For four features write (4,)"
        )
    return tuple(int(n) for n in sizes)


def snake_case(kind: str) -> str:
    """Return the name of a class as Keras writes it, e.g. `max_pooling2d` for MaxPooling2D."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()


def free_name(base: str, taken: set[str]) -> str:
    """Return a name, with a number if it is taken."""
    name, number = base, 0
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _shown(shapes: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"

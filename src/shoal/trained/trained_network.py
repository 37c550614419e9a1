"""A network that was trained on arrays: it predicts, is judged, drawn, saved, and trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import NetworkError, RunError, SettingError, ShoalError, spelled
from shoal.networks import Network
from shoal.networks.named_arrays import named_arrays, named_parameters
from shoal.networks.summary import summary_html
from shoal.notebook.html import table
from shoal.runs.model_file import load_parts, save_model
from shoal.trained.keras_files import UNTRAINED, keras_parts, write_keras
from shoal.trained.rows import SPARSE, checked_features, checked_rows
from shoal.trained.scores import loss_value, scores_of
from shoal.training.forward import predict
from shoal.training.losses import ALIASES, LOSSES, get_loss

if TYPE_CHECKING:
    from shoal.report.figures.canvas import Figure

KIND = "trained network"
MENDING = "Restore it from a copy, or train the network again."


@dataclass(frozen=True, eq=False, repr=False)
class TrainedNetwork:
    """What `Network.fit` returns: a network with its weights and the course of its training.

    Attributes:
        network: the layers.
        parameters: one dict of arrays for each layer.
        history: `loss` and each metric by epoch, of the training rows, and `val_loss` and so on of the validation rows.
            As in Keras, `loss` is the mean over an epoch while the weights change; metrics, and all of the validation
            rows, are measured with the weights at its end. Unlike there, no loss has penalties in it, and no loss of
            validation rows label smoothing.
        arguments: how it was trained.
        best_epoch: that of the lowest validation loss, counted from 1; None without validation rows.
        engine: what trained it, native or xla.
    """

    network: Network
    parameters: list[dict[str, np.ndarray]]
    history: dict[str, list[float]]
    arguments: dict[str, Any]
    best_epoch: int | None = None
    engine: str = ""

    @property
    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The weights by layer and by Keras' names: `weights["dense"]["kernel"]`, bias, gamma, ..."""
        return self.network.named(self.parameters)

    def predict(self, x: Any) -> np.ndarray:
        """Return the outputs for rows `(rows, *input_shape)`, float32: probabilities where the last layer makes them.

        Raises:
            DataError: the rows do not fit the network.
        """
        return predict(self.network, self.parameters, checked_features(self.network, x))

    def evaluate(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Return the loss, without penalties, and the metrics of rows, by name.

        Raises:
            DataError: the rows do not fit the network.
            SettingError: the loss was a function, which no file keeps, or the network comes from Keras.
        """
        given = self.arguments.get("loss")
        if given is None:
            trained_here = "epochs" in self.arguments
            why = "was a function, which no file keeps" if trained_here else "of a model of Keras is not read"
            raise SettingError(f"the loss {why}: go on with trained.fit(x, y, loss=...)")
        loss, sparse = get_loss(given), isinstance(given, str) and spelled(given, [*LOSSES, *ALIASES]) == SPARSE
        rows = checked_rows(self.network, loss, sparse, x, y, sample_weight)
        output = predict(self.network, self.parameters, rows.x)
        numbers = {name: value for name, value in self.arguments["more"].items() if name == "huber_delta"}
        scores = scores_of(self.arguments["metrics"], self.network, loss)
        return {"loss": loss_value(loss, rows, output, numbers)} | {s.name: s.of(rows, output) for s in scores}

    def fit(self, x: Any, y: Any, **changes: Any) -> TrainedNetwork:
        """Return the network trained on, from its present weights, on these rows.

        What is not given is as in the training before, `epochs` included; the optimizer starts anew.

        Args:
            x: features, as for `Network.fit`.
            y: truth.
            changes: arguments of `Network.fit`.
        """
        before = {name: value for name, value in self.arguments.items() if name != "more"}
        return self.network.fit(x, y, **{"weights": self.parameters, **before, **self.arguments["more"], **changes})

    def plot(self, path: str | Path | None = None) -> Figure:
        """Return a figure of the loss and each metric against the epoch; training dashed, validation solid.

        Args:
            path: where to write the figure as well (.png, .svg, .pdf); default nowhere.

        Raises:
            SettingError: the path has an ending that no figure can be written in.
        """
        from shoal.report.figures.history import History

        return History(self.history).draw(path)

    def draw(self, path: str | Path | None = None, **options: Any) -> Figure:
        """Return a figure of the network, its weights as colour and width; see `Network.draw`."""
        return self.network.draw(self.parameters, path, **options)

    def save(self, path: str | Path) -> Path:
        """Save network, weights, history and arguments in a folder: `model.json` and `weights.safetensors`.

        Losses, metrics and penalties that are functions are left out: files hold no code.

        Raises:
            NetworkError: an activation or initializer is a function, without which the network would be another.
            RunError: the folder cannot be written.
        """
        return save_model(path, self)

    @classmethod
    def load(cls, path: str | Path) -> TrainedNetwork:
        """Return what `save` wrote in a folder; no code of the files is run.

        Raises:
            RunError: a file is missing, damaged, of a newer format, or no trained network.
        """
        document, arrays = load_parts(path, MENDING)
        if document.get("kind") != KIND:
            raise RunError(f"{str(path)!r} holds no trained network; shoal.load opens the folder of a run")
        try:
            return cls.from_parts(document, arrays)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ShoalError) as error:
            raise RunError(
                f"{str(path)!r} is damaged: it describes no network that this shoal knows ({type(error).__name__}: "
                f"{error}). {MENDING}"
            ) from None

    @classmethod
    def from_keras(cls, model: Any, input_shape: Sequence[int] | int | None = None) -> TrainedNetwork:
        """Return the layers of a Keras model with its weights; it predicts as the model does.

        Keras is not imported, and nothing in the file is run; see `Network.from_keras` for what is left out. `history`
        is empty, and `fit` needs the loss.

        Args:
            model: a file, `.keras` or `.h5`, or a live `keras.Model`: Sequential, or of one input and one output.
            input_shape: shape of one row, where the model leaves a size open, such as `(20, 3)` for `(None, 3)`.

        Raises:
            NetworkError: a layer that shoal lacks, named with the nearest that it has, or a damaged file.
            DataError: h5py is missing.

        Example:
            >>> import tempfile
            >>> network = Network.parse("4 8:relu 3:softmax")
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model = TrainedNetwork.from_keras(network.to_keras(folder + "/model.keras"))
            >>> model.predict([[1.0, 2.0, 3.0, 4.0]]).shape
            (1, 3)
        """
        network, parameters = keras_parts(model, input_shape)
        return cls(network, parameters, {"loss": []}, dict(UNTRAINED))

    def to_keras(self, path: str | Path) -> Path:
        """Write the network with its weights as a `.keras` file, which `keras.saving.load_model` loads without shoal.

        Raises:
            NetworkError: a layer that Keras cannot say.
            SettingError: the path does not end in `.keras`.
            RunError: the file cannot be written.
            DataError: h5py is missing.
        """
        return write_keras(self.network, self.parameters, path)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return plain data and named arrays."""
        arguments = {name: value for name, value in self.arguments.items() if not callable(value)}
        for name in ("metrics", "penalties"):
            values = self.arguments[name]
            kept = [] if callable(values) else [values] if isinstance(values, str) else list(values)
            arguments[name] = [value for value in kept if not callable(value)]
        document = {
            "kind": KIND,
            "network": self.network.to_dict(),
            "arguments": arguments,
            "history": list(self.history),
            "best_epoch": self.best_epoch,
            "engine": self.engine,
        }
        curves = {f"history/{name}": np.asarray(curve) for name, curve in self.history.items()}
        return document, named_arrays("weights", self.parameters) | curves

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> TrainedNetwork:
        """Return what `to_parts` made plain.

        Raises:
            NetworkError: weights do not fit the network, or are no numbers.
        """
        network = Network.from_dict(document["network"])
        parameters = named_parameters("weights", network, arrays)
        if not all(np.isfinite(array).all() for layer in parameters for array in layer.values()):
            raise NetworkError("a weight is no finite number")
        history = {name: arrays[f"history/{name}"].tolist() for name in document["history"]}
        arguments = {"loss": None, **document["arguments"]}
        return cls(network, parameters, history, arguments, document["best_epoch"], document["engine"])

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={curve[-1]:.4g}" for name, curve in self.history.items() if curve)
        epochs = len(self.history["loss"])
        return f"TrainedNetwork({self.network.parameter_count} parameters, {epochs} epochs, {last})"

    def _repr_html_(self) -> str:
        """Return the network as notebooks show it: the end of its history, the drawing with weights, the layers."""
        after = f"after epoch {len(self.history['loss'])}"
        last = [(name, f"{curve[-1]:.4g}") for name, curve in self.history.items() if curve]
        return table(("", after), last) + summary_html(self.network, self.parameters)

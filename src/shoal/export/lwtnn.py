"""Single dense networks in the JSON that lwtnn reads in C++ (github.com/lwtnn/lwtnn): inputs, layers and outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Never

import numpy as np

from shoal.data.encoders import BooleanEncoder, Encoder, NumberEncoder
from shoal.data.feature_scaling import Standard, Unchanged
from shoal.errors import ExportError, listing
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.networks import Dense, Dropout
from shoal.networks.activations import get_activation
from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import AS_AVERAGED, Predictor
from shoal.results import Task

ACTIVATIONS: dict[str, Any] = {
    "linear": "linear", "sigmoid": "sigmoid", "relu": "rectified", "softmax": "softmax", "tanh": "tanh",
    "elu": {"function": "elu", "alpha": 1.0}, "silu": {"function": "swish", "alpha": 1.0},
    "leaky_relu": {"function": "leakyrelu", "alpha": 0.2},
}  # fmt: skip
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "rectified": lambda z: np.maximum(z, 0.0),
    "softmax": lambda z: (
        np.exp(z - z.max(axis=1, keepdims=True)) / np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
    ),
    "tanh": np.tanh,
    "elu": lambda z: np.where(z >= 0.0, z, np.expm1(z)),
    "swish": lambda z: z / (1.0 + np.exp(-z)),
    "leakyrelu": lambda z: np.where(z >= 0.0, z, 0.2 * z),
}
NOTE = (
    "lwtnn has no error bars: the file says probabilities or means, without standard deviations, intervals, sets of "
    "classes and the flag of rows outside."
)


class LwtnnExporter(Exporter):
    """The sequential format of lwtnn: one dense network on numbers."""

    name = "lwtnn"
    extension = ".lwtnn.json"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:  # noqa: ARG002
        """Return the file; it does not hold rows to check itself."""
        text = json.dumps(document_of(predictor), ensure_ascii=False, indent=1)
        return Written({path: text.encode()}, (NOTE,))

    def written_member(
        self, predictor: Predictor, member: EnsembleMember, path: Path, examples: ExampleRows | None
    ) -> tuple[Written, ExampleRows | None]:
        """Return the file of one network alone, uncalibrated, and rows with what it says of them."""
        written = self.written(replace(predictor, members=(member,), calibration=AS_AVERAGED), path, None)
        kept = len(predictor.members)
        note = f"It is network {member.id} alone, uncalibrated, one of {kept} that were kept."
        written = replace(written, notes=(note, *written.notes))
        if examples is None:
            return written, None
        name = "probabilities" if "probabilities" in examples.answers else "mean"
        answers = {name: predictor.member_output(member, examples.features)}
        return written, replace(examples, answers=answers)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Compute by NumPy what lwtnn computes of the file."""
        (contents,) = files.values()
        said = _said(json.loads(contents), examples.inputs)
        name = "probabilities" if "probabilities" in examples.answers else "mean"
        return Agreement.between({name: said}, examples, "by NumPy as lwtnn computes")


def document_of(predictor: Predictor) -> dict[str, Any]:
    """Return a predictor as lwtnn has it.

    Raises:
        ExportError: it is more than one dense network on numbers, or has an activation that lwtnn lacks.
    """
    preparation = predictor.preparation
    if preparation.signals is not None or preparation.task is Task.RECONSTRUCTION:
        _refuse("images, series and reconstructions")
    kept = len(predictor.members)
    if kept != 1:
        _refuse(f"ensembles, and this run keeps {kept} networks (take one by --member smallest, or fit with --keep 1)")
    if predictor.head.name != "value":
        _refuse(f"the outputs of the loss whose head is {predictor.head.name!r}")
    classes = preparation.task is Task.CLASSIFICATION
    if classes and predictor.calibration.method not in ("none", "temperature"):
        _refuse(f"the calibration {predictor.calibration.method!r}")
    inputs = [_input(encoder) for encoder in preparation.encoders]
    layers = _layers(predictor)
    outputs = preparation.classes if classes else preparation.targets
    return {
        "inputs": inputs,
        "layers": [_layer(*layer) for layer in (_of_classes if classes else _of_numbers)(predictor, layers)],
        "outputs": list(outputs),
        "defaults": {encoder.column: float(getattr(encoder, "fill", 0.0)) for encoder in preparation.encoders},
    }


def _refuse(what: str) -> Never:
    raise ExportError(f"lwtnn's sequential format cannot say {what}. Export C or ONNX instead: .c, .onnx")


def _input(encoder: Encoder) -> dict[str, Any]:
    """Return how lwtnn scales an input: `(x + offset) scale`."""
    if encoder.marker:
        _refuse(f"that the column {encoder.column!r} is missing, which the networks learned from")
    if isinstance(encoder, BooleanEncoder):
        return {"name": encoder.column, "offset": 0.0, "scale": 1.0}
    if not isinstance(encoder, NumberEncoder):
        _refuse(f"the categories of the column {encoder.column!r}")
    way = encoder.normalization
    if isinstance(way, Unchanged):
        return {"name": encoder.column, "offset": 0.0, "scale": 1.0}
    if not isinstance(way, Standard):
        _refuse(f"the normalization {way.name!r} (fit with --normalization standard)")
    return {"name": encoder.column, "offset": -way.mean, "scale": 1.0 / way.scale}


Layered = tuple[np.ndarray, np.ndarray, str]
"""A kernel `(inputs, outputs)`, a bias and the name of an activation."""


def _layers(predictor: Predictor) -> list[Layered]:
    """Return the layers of the one network."""
    (member,) = predictor.members
    layers: list[Layered] = []
    for layer, parameters in zip(member.network.layers, member.network.ordered(member.parameters), strict=True):
        if isinstance(layer, Dropout):
            continue
        if not isinstance(layer, Dense) or layer.table:
            _refuse(f"the layer {type(layer).__name__}")
        if not (layer.activation is None or isinstance(layer.activation, str)):
            _refuse("activations of one's own or of each neuron")
        activation = get_activation(layer.activation).name
        if activation not in ACTIVATIONS:
            _refuse(f"the activation {activation!r}; it has {listing(ACTIVATIONS, most=len(ACTIVATIONS))}")
        kernel = np.asarray(parameters["kernel"], np.float64)
        layers.append((kernel, np.asarray(parameters.get("bias", np.zeros(kernel.shape[1])), np.float64), activation))
    return layers


def _of_classes(predictor: Predictor, layers: list[Layered]) -> list[Layered]:
    """Return layers that end in a softmax over all classes, calibrated."""
    *others, (kernel, bias, activation) = layers
    if activation == "sigmoid" and kernel.shape[1] == 1:
        kernel, bias = np.hstack([np.zeros_like(kernel), kernel]), np.array([0.0, bias[0]])
    elif activation != "softmax":
        _refuse(f"probabilities by the activation {activation!r}")
    calibration = predictor.calibration
    temperature = calibration.temperature if calibration.method == "temperature" else 1.0
    return [*others, (kernel / temperature, bias / temperature, "softmax")]


def _of_numbers(predictor: Predictor, layers: list[Layered]) -> list[Layered]:
    """Return layers that end in the units of the targets."""
    scale, shift = predictor.preparation.target_scale, predictor.preparation.target_mean
    *others, (kernel, bias, activation) = layers
    if activation == "linear":
        return [*others, (kernel * scale, bias * scale + shift, activation)]
    return [*layers, (np.diag(np.broadcast_to(scale, bias.shape)), np.broadcast_to(shift, bias.shape), "linear")]


def _layer(kernel: np.ndarray, bias: np.ndarray, activation: str) -> dict[str, Any]:
    weights = kernel.T.ravel().tolist()
    return {"architecture": "dense", "weights": weights, "bias": bias.tolist(), "activation": ACTIVATIONS[activation]}


def _said(document: dict[str, Any], rows: np.ndarray) -> np.ndarray:
    """Return what lwtnn computes of rows in which missing values are NaN."""
    defaults = [document["defaults"][field["name"]] for field in document["inputs"]]
    offset, scale = (np.array([field[key] for field in document["inputs"]]) for key in ("offset", "scale"))
    x = (np.where(np.isnan(rows), defaults, rows) + offset) * scale
    for layer in document["layers"]:
        bias, activation = np.array(layer["bias"]), layer["activation"]
        z = x @ np.array(layer["weights"]).reshape(len(bias), -1).T + bias
        x = FUNCTIONS[activation if isinstance(activation, str) else activation["function"]](z)
    return x

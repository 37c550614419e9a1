"""One member of an ensemble as a plain network: scaling before, units behind, and nothing but layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.data import Preparation
from shoal.data.feature_scaling import Standard, Unchanged
from shoal.errors import ExportError, SettingError, listing
from shoal.export.example_rows import ExampleRows
from shoal.networks import BatchNormalization, Dense, DenseWithConstants, Layer, Network, Normalization
from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.training.heads import VALUE, GaussianHead, PoissonHead

SMALLEST = "smallest"
Parameters = list[dict[str, np.ndarray]]


@dataclass(frozen=True)
class PlainNetwork:
    """A network that takes numbers as they are and gives probabilities, or values in the units of the targets.

    Attributes:
        network: its layers.
        parameters: their weights.
        answer: what it gives, `probabilities` or `mean`.
    """

    network: Network
    parameters: Parameters
    answer: str

    def examples(self, predictor: Predictor, member: EnsembleMember, rows: ExampleRows) -> ExampleRows:
        """Return rows as it takes them, with what the member says of them."""
        x = rows.features
        shift, scale = _scaling(predictor.preparation)
        said = predictor.member_output(member, x)
        if self.network.output_shape[-1] < said.shape[-1]:
            said = said[..., 1:]
        inputs = rows.inputs if predictor.preparation.signals else np.asarray(x, np.float64) * scale + shift
        return replace(rows, inputs=inputs, answers={self.answer: said})


def chosen_member(predictor: Predictor, which: str | int) -> EnsembleMember:
    """Return the kept network of a number, or the smallest; of equal ones the best.

    Raises:
        SettingError: no network of that number was kept.
    """
    if str(which) == SMALLEST:
        return min(predictor.members, key=lambda member: member.network.parameter_count)
    for member in predictor.members:
        if str(member.id) == str(which):
            return member
    kept = listing(str(member.id) for member in predictor.members)
    raise SettingError(f"member: no network number {which} was kept; expected {SMALLEST!r} or one of {kept}")


def plain_network(predictor: Predictor, member: EnsembleMember) -> PlainNetwork:
    """Return a member with its scaling as BatchNormalization, and the units of the targets in its last layer.

    Raises:
        ExportError: the scaling or what it predicts cannot be said so.
    """
    layers, parameters = list(member.network.layers), [dict(layer) for layer in member.parameters]
    signals = predictor.preparation.signals
    if signals is not None and signals.kind == "images" and isinstance(layers[0], Normalization):
        del layers[0], parameters[0]
    shift, scale = _scaling(predictor.preparation)
    if np.any(shift) or np.any(scale != 1.0):
        layers.insert(0, BatchNormalization(epsilon=0.0, trainable=False, name="scaling"))
        first = shift.astype(np.float32)  # what is left of its digits is in beta
        scaling = {"gamma": 1.0 / scale, "beta": (first - shift) / scale, "moving_mean": first}
        scaling = {name: numbers.astype(np.float32) for name, numbers in scaling.items()}
        parameters.insert(0, {**scaling, "moving_variance": np.ones(len(shift), np.float32)})
    answer = "probabilities"
    if predictor.preparation.task is not Task.CLASSIFICATION:
        layers[-1], parameters[-1] = _in_units(predictor, layers[-1], parameters[-1])
        answer = "mean"
    return PlainNetwork(Network(layers, member.network.input_shape), parameters, answer)


def _in_units(predictor: Predictor, last: Layer, parameters: dict[str, np.ndarray]) -> tuple[Layer, Any]:
    """Return the last layer so that it gives the means in the units of the targets."""
    head, shift, scale = predictor.head, predictor.preparation.target_mean, predictor.preparation.target_scale
    dense = isinstance(last, (Dense, DenseWithConstants))
    if (
        predictor.preparation.task is not Task.REGRESSION
        or not dense
        or not (head == VALUE or isinstance(head, (GaussianHead, PoissonHead)))
    ):
        raise ExportError(
            "one plain network gives probabilities, means or counts; this run predicts something else, or its networks "
            "do not end with Dense. Export the whole model: leave out --member"
        )
    targets = len(scale)
    kernel = np.asarray(parameters["kernel"], np.float64)[:, :targets]
    bias = np.asarray(parameters.get("bias", np.zeros(targets)), np.float64)[:targets]
    counts = isinstance(head, PoissonHead)
    kernel, bias = (kernel, bias + np.log(scale)) if counts else (kernel * scale, bias * scale + shift)
    layer = Dense(targets, activation="exponential" if counts else None, name=last.name)
    return layer, {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}


def _scaling(preparation: Preparation) -> tuple[np.ndarray, np.ndarray]:
    """Return what is taken off each feature or channel, and what it is divided by.

    Raises:
        ExportError: features are scaled otherwise.
    """
    signals = preparation.signals
    if signals is not None and signals.padded:
        raise ExportError("series of unequal lengths need Masking. Export the whole model: leave out --member")
    if signals is not None:
        return np.asarray(signals.mean), np.asarray(signals.scale)
    shift, scale = [], []
    for encoder in preparation.encoders:
        way = getattr(encoder, "normalization", Unchanged())
        if not isinstance(way, (Standard, Unchanged)):
            raise ExportError(
                f"column {encoder.column!r} is scaled by {way.name!r}, which one plain network cannot say. Fit with "
                f"normalization='standard', or export the whole model: leave out --member"
            )
        rest = len(encoder.names) - 1
        mean, size = (way.mean, way.scale) if isinstance(way, Standard) else (0.0, 1.0)
        shift += [mean, *[0.0] * rest]
        scale += [size, *[1.0] * rest]
    return np.asarray(shift), np.asarray(scale)

"""What an ensemble says, as layers of Keras: averages, calibration, and the standard deviation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shoal.errors import ExportError
from shoal.export.keras_rows import curve, picked, rescaled, standardized, weighed
from shoal.keras.model_graph import KerasGraph, Tensor
from shoal.prediction.calibration import TINY, Calibration
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.training.heads import FLOOR, NORMAL_LEVELS, GaussianHead, PoissonHead, QuantileHead

HEADS = ("value", "gaussian", "quantiles", "poisson")


def answered(graph: KerasGraph, predictor: Predictor, x: Tensor, outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return what an ensemble says, by name, from what its members give.

    Raises:
        ExportError: it says something for which there is no way here.
    """
    if predictor.preparation.task is Task.CLASSIFICATION:
        return _classes(graph, predictor, outputs)
    if predictor.preparation.task is Task.REGRESSION and predictor.head.name in HEADS:
        return _numbers(graph, predictor, outputs)
    if predictor.alarm is not None:
        return _reconstructed(graph, predictor, x, outputs)
    raise ExportError(
        f"a model of Keras with the head {predictor.head.name!r} cannot be written: its covariance needs the inverse "
        f"of a matrix. Fit with gaussian_nll"
    )


def average(graph: KerasGraph, values: Sequence[Tensor]) -> Tensor:
    """Return the mean."""
    return values[0] if len(values) == 1 else graph.add("Average", {}, list(values), values[0].shape)


def _squared(graph: KerasGraph, x: Tensor) -> Tensor:
    return graph.add("Multiply", {}, [x, x], x.shape)


def _total(graph: KerasGraph, values: Sequence[Tensor]) -> Tensor:
    return values[0] if len(values) == 1 else graph.add("Add", {}, list(values), values[0].shape)


def _root(graph: KerasGraph, x: Tensor) -> Tensor:
    return graph.operation("Sqrt", [x], x.shape)


def _variance(graph: KerasGraph, values: Sequence[Tensor]) -> Tensor:
    """Return the mean of the squares of the distances from the mean."""
    mean = average(graph, values)
    away = [graph.add("Subtract", {}, [value, mean], mean.shape) for value in values]
    return average(graph, [_squared(graph, each) for each in away])


def _classes(graph: KerasGraph, predictor: Predictor, outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    each = [probabilities_of(graph, output) for output in outputs]
    said = {"probabilities": _calibrated(graph, predictor.calibration, average(graph, each))}
    return said if len(each) == 1 else {**said, "probability_std": _root(graph, _variance(graph, each))}


def probabilities_of(graph: KerasGraph, output: Tensor) -> Tensor:
    """Return one probability for each class; of two classes a network may give that of the second."""
    if output.shape[-1] > 1:
        return output
    return weighed(graph, output, np.asarray([[-1.0, 1.0]]), np.asarray([1.0, 0.0]))


def _calibrated(graph: KerasGraph, calibration: Calibration, probabilities: Tensor) -> Tensor:
    if calibration.method == "none":
        return probabilities
    shape = probabilities.shape
    if calibration.method == "temperature":
        least = graph.operation("Maximum", [probabilities, TINY], shape)
        logits = rescaled(graph, graph.operation("Log", [least], shape), 1.0 / calibration.temperature)
        return graph.add("Activation", {"activation": "softmax"}, logits, shape)
    curves = [
        curve(graph, picked(graph, probabilities, [k]), *np.asarray(points).T)
        for k, points in enumerate(calibration.curves)
    ]
    joined = graph.add("Concatenate", {"axis": -1}, curves, shape)
    risen = graph.operation("Maximum", [joined, TINY], shape)
    return graph.operation("TrueDivide", [risen, weighed(graph, risen, np.ones((shape[-1], shape[-1])))], shape)


def _described(graph: KerasGraph, predictor: Predictor, output: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return mean and variance of what one member says, in scaled units; None where it says nothing of that."""
    head, targets = predictor.head, len(predictor.preparation.targets)
    if isinstance(head, GaussianHead):
        logarithm = picked(graph, output, range(targets, 2 * targets))
        square = graph.add(
            "Activation", {"activation": "exponential"}, rescaled(graph, logarithm, 2.0), logarithm.shape
        )
        return picked(graph, output, range(targets)), rescaled(graph, square, 1.0, FLOOR)
    if isinstance(head, QuantileHead):
        return _of_quantiles(graph, head, targets, output)
    if isinstance(head, PoissonHead):
        return output, graph.add("ReLU", {}, output, output.shape)
    return output, None


def _of_quantiles(graph: KerasGraph, head: QuantileHead, targets: int, output: Tensor) -> tuple[Tensor, Tensor]:
    front, levels = output.shape[:-1], len(head.levels)
    if front:
        raise ExportError("quantiles of each step of a series cannot be written for Keras. Export C (.c)")
    each = graph.add("Reshape", {"target_shape": [levels, targets]}, output, (levels, targets))
    turned = graph.add("Permute", {"dims": [2, 1]}, each, (targets, levels))
    ordered = graph.operation("Sort", [turned], turned.shape, axis=-1)
    kernel = np.zeros((levels, 2))
    kernel[head.levels.index(0.5), 0] = 1.0
    low, high = (head.levels.index(level) for level in NORMAL_LEVELS)
    kernel[low, 1], kernel[high, 1] = -0.5, 0.5
    both = graph.add("Permute", {"dims": [2, 1]}, weighed(graph, ordered, kernel), (2, targets))
    flat = graph.add("Flatten", {}, both, (2 * targets,))
    half = picked(graph, flat, range(targets, 2 * targets))
    return picked(graph, flat, range(targets)), _squared(graph, half)


def _numbers(graph: KerasGraph, predictor: Predictor, outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    shift, scale = predictor.preparation.target_mean, predictor.preparation.target_scale
    described = [_described(graph, predictor, output) for output in outputs]
    mean = average(graph, [each for each, _ in described])
    return {
        "mean": rescaled(graph, mean, scale, shift),
        "std": rescaled(graph, _root(graph, _square_of_std(graph, predictor, described)), _factor(predictor) * scale),
    }


def _factor(predictor: Predictor) -> np.ndarray:
    return np.asarray(1.0 if predictor.scale is None else predictor.scale)


def _square_of_std(
    graph: KerasGraph, predictor: Predictor, described: Sequence[tuple[Tensor, Tensor | None]]
) -> Tensor:
    """Return the variance of new values in scaled units: disagreement, noise, and what the networks predict."""
    scale, noise = predictor.preparation.target_scale, predictor.input_noise
    constant = np.asarray(predictor.noise / scale) ** 2
    share = np.ones(())
    if noise is not None:
        constant = constant + np.asarray(noise.share) * (np.asarray(noise.typical) / scale) ** 2
        share = np.asarray(noise.learned_share)
    folds = [member.fold for member in predictor.members]
    means = [each for each, _ in described]
    within = [[m for m, f in zip(means, folds, strict=True) if f == fold] for fold in dict.fromkeys(folds)]
    spread = average(graph, [_variance(graph, each) for each in within])
    learned = [variance for _, variance in described if variance is not None]
    if not learned:
        return rescaled(graph, spread, 1.0, constant)
    # of counts in units of their mean
    unit = 1.0 / scale if isinstance(predictor.head, PoissonHead) else 1.0
    predicted = rescaled(graph, average(graph, learned), share * unit, constant)
    return _total(graph, [spread, predicted])


def _reconstructed(graph: KerasGraph, predictor: Predictor, x: Tensor, outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return what the best network makes of a row, scaled, and the score of the row."""
    signals, size = predictor.preparation.signals, math.prod(x.shape)
    if signals is not None and signals.kind == "images":
        x = standardized(graph, x, np.asarray(signals.mean), np.asarray(signals.scale))
    truth, *each = [graph.add("Flatten", {}, tensor, (size,)) for tensor in (x, *outputs)]
    errors = [_squared(graph, graph.add("Subtract", {}, [one, truth], (size,))) for one in each]
    score = weighed(graph, average(graph, errors), np.full((size, 1), 1.0 / size))
    return {"reconstruction": each[0], "score": score}

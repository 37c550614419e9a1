"""A few test rows of images and series, right and wrong ones, and what the best network makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.signals import Signals
from shoal.errors import NetworkError
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.explanation.activations import feature_maps, filters, hidden_states, saliency
from shoal.evaluation.topics.base import Topic
from shoal.prediction.prediction import ClassPrediction, Prediction
from shoal.results import Task

MOST, MOST_WRONG = 12, 4
MOST_NETWORKS = 3  # whose saliency is averaged for the page: each structure takes a second to compile
MOST_NUMBERS = 10_000_000  # of the inputs that the record holds


@dataclass(frozen=True)
class SignalRecord:
    """A few test images or series, and what the best network makes of them.

    Attributes:
        kind: `images` or `series`.
        channels: their names.
        shape: of one image or series.
        number_type: in which they are stored, e.g. `uint8`.
        rows: `(few,)` places among the test rows; those predicted well first.
        values: `(few, *shape)` as they were read.
        lengths: `(few,)` real steps of each series; None where all are.
        filters: `(filters, *size, channels)` of the first convolution, or None.
        maps: `(layer, (*places, channels))` of each convolution and pooling, for the first of the rows.
        saliency: `(few, *shape)`, how the score of the predicted class hangs on each number; or None.
        states: `(layer, (time, units))` of each recurrent layer, for the first of the rows.
        forecast: the last rows in time, where rows are windows that predict the next values.
        steps: truth and prediction of each step, where steps have targets.
    """

    kind: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    number_type: str
    rows: np.ndarray
    values: np.ndarray
    lengths: np.ndarray | None = None
    filters: np.ndarray | None = None
    maps: tuple[tuple[str, np.ndarray], ...] = ()
    saliency: np.ndarray | None = None
    states: tuple[tuple[str, np.ndarray], ...] = ()


def measure(evaluation: Evaluation) -> SignalRecord | None:
    """Return a few test rows and what the best network makes of them; None where rows are those of a table."""
    predictor, test = evaluation.fitted.predictor, evaluation.test
    if not isinstance(test.inputs, Signals) or evaluation.task is Task.RECONSTRUCTION:
        return None
    per_step, prediction = predictor.preparation.per_step, test.prediction
    chosen = (choose_series if per_step else choose_rows)(prediction, test.truth)
    chosen = from_both_ends(chosen, max(1, MOST_NUMBERS // math.prod(test.inputs.shape)))
    few = test.inputs[chosen]
    x = predictor.preparation.transform(few)
    best = predictor.members[0]
    network, parameters = best.network, best.parameters
    outputs = np.zeros(len(chosen), int)
    if isinstance(prediction, ClassPrediction) and not per_step:
        outputs = prediction.probabilities[chosen].argmax(axis=1)
    several = [(member.network, member.parameters) for member in predictor.members[:MOST_NETWORKS]]
    return SignalRecord(
        kind=few.kind,
        channels=few.channels,
        shape=few.shape,
        number_type=str(few.values.dtype),
        rows=chosen,
        values=np.asarray(few.values),
        lengths=few.lengths,
        filters=_if_any(filters, network, parameters),
        maps=_of_first(_if_any(feature_maps, network, parameters, x[:1])),
        saliency=None if per_step else saliency(several, x, outputs),
        states=_of_first(_if_any(hidden_states, network, parameters, x[:1])),
    )


def choose_rows(prediction: Prediction, truth: np.ndarray) -> np.ndarray:
    """Return up to twelve rows to show: well predicted ones of all classes or sizes, then up to four bad ones."""
    if isinstance(prediction, ClassPrediction):
        return rows_of_classes(prediction.probabilities, truth)
    return rows_of_numbers(prediction.mean, truth)


def rows_of_classes(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return rows to show, the last those where the ensemble was surest of a wrong class.

    Example:
        >>> rows_of_classes(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 1, 1])).tolist()
        [0, 2, 1]
    """
    sure, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_WRONG]
    right = _by_turns(np.flatnonzero(predicted == truth), truth)
    return np.concatenate([right[: MOST - len(wrong)], wrong])


def rows_of_numbers(mean: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return rows to show, the last those where the ensemble missed the value by most."""
    missed = (np.abs(mean - truth) / (truth.std(axis=0) + 1e-300)).mean(axis=1)
    order = np.argsort(-missed, kind="stable")
    wrong = order[: min(MOST_WRONG, len(order) // 3)]
    rest = np.setdiff1d(order[: -(len(order) // 2) - 1 : -1], wrong)  # the better half
    rest = rest[np.argsort(truth[rest, 0], kind="stable")]
    places = np.linspace(0, max(0, len(rest) - 1), min(len(rest), MOST - MOST_WRONG)).round().astype(int)
    return np.concatenate([rest[places], wrong])


def _by_turns(rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return rows so that the first are one of each class, then another of each."""
    turn = np.zeros(len(rows), int)
    for name in np.unique(truth[rows]):
        of_class = truth[rows] == name
        turn[of_class] = np.arange(of_class.sum())
    return rows[np.lexsort((truth[rows], turn))]


def from_both_ends(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows: the first, which are good ones, and the last, which may be bad.

    Example:
        >>> from_both_ends(np.arange(12), 5).tolist()
        [0, 1, 2, 10, 11]
    """
    return rows if len(rows) <= most else np.concatenate([rows[: most - most // 2], rows[len(rows) - most // 2 :]])


def choose_series(prediction: Prediction, truth: np.ndarray) -> np.ndarray:
    """Return up to twelve series whose steps are predicted: eight from well to badly predicted, then the worst four.

    Args:
        prediction: of each step.
        truth: `(rows, time)` class numbers, -1 without a target; or `(rows, time, targets)` values, NaN there.
    """
    order = np.argsort(np.nan_to_num(errors_of_series(prediction, truth)), kind="stable")
    few = min(MOST_WRONG, len(order) // 3)
    rest, worst = order[: len(order) - few], order[len(order) - few :]
    places = np.linspace(0, max(0, len(rest) - 1), min(len(rest), MOST - MOST_WRONG)).round().astype(int)
    return np.concatenate([rest[places], worst])


def errors_of_series(prediction: Prediction, truth: np.ndarray) -> np.ndarray:
    """Return the share of wrong steps of each series, or the mean square in units of each target's variance."""
    if isinstance(prediction, ClassPrediction):
        present = truth >= 0
        wrong = (prediction.probabilities.argmax(axis=-1) != truth) & present
        return np.asarray(wrong.sum(axis=1) / np.maximum(present.sum(axis=1), 1))
    scale = np.nanvar(truth, axis=(0, 1)) + 1e-300
    return np.asarray(np.nanmean((prediction.mean - truth) ** 2 / scale, axis=(1, 2)))


def _if_any(look: Any, *arguments: Any) -> Any:
    try:
        return look(*arguments)
    except NetworkError:  # it has no such layer
        return None


def _of_first(values: Mapping[str, np.ndarray] | None) -> tuple[tuple[str, np.ndarray], ...]:
    return tuple((name, np.asarray(array[0])) for name, array in (values or {}).items())


TOPIC = Topic(170, SignalRecord, measure)

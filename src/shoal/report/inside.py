"""Looking inside a predictor from Python: numbers that can draw themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.data import Inputs
from shoal.data.labels import Label as ClassLabel
from shoal.data.labels import place_of
from shoal.data.signals import Signals
from shoal.errors import DataError, NetworkError
from shoal.evaluation.explanation import activations
from shoal.prediction.predictor import Predictor
from shoal.report.figures.examples import Label, label_of
from shoal.report.figures.feature_maps import FeatureMaps
from shoal.report.figures.filters import Filters
from shoal.report.figures.hidden_states import HiddenStates
from shoal.report.figures.saliency import Saliency

RowChoice = int | slice | Sequence[int] | np.ndarray | None
FIRST = 8  # rows that are looked at if none are named


def filters_of(predictor: Predictor) -> Filters:
    """Return the filters of the first convolution of the best network; see `Run.filters`."""
    best, signals = predictor.members[0], predictor.preparation.signals
    return Filters(activations.filters(best.network, best.parameters), () if signals is None else signals.channels)


def feature_maps_of(predictor: Predictor, inputs: Inputs, rows: RowChoice = None) -> FeatureMaps:
    """Return what convolutions and poolings of the best network hand on; see `Run.feature_maps`."""
    few, best = chosen(inputs, rows), predictor.members[0]
    maps = activations.feature_maps(best.network, best.parameters, predictor.preparation.transform(few))
    return FeatureMaps(few.values, maps, few.channels)


def hidden_states_of(predictor: Predictor, inputs: Inputs, rows: RowChoice = None) -> HiddenStates:
    """Return the hidden states of the best network along series; see `Run.hidden_states`."""
    few, best = chosen(inputs, rows), predictor.members[0]
    states = activations.hidden_states(best.network, best.parameters, predictor.preparation.transform(few))
    return HiddenStates(few.values, states, few.channels)


def saliency_of(predictor: Predictor, inputs: Inputs, rows: RowChoice = None, of: ClassLabel | None = None) -> Saliency:
    """Return what the answer of the ensemble hangs on; see `Run.saliency`."""
    few, preparation = chosen(inputs, rows), predictor.preparation
    if preparation.per_step:
        raise NetworkError("saliency asks what one answer for a row hangs on, but this run answers at each step")
    x = preparation.transform(few)
    prediction = predictor.predict_features(x)
    names, output = preparation.classes or preparation.targets, np.zeros(len(x), int)
    if of is not None:
        output[:] = place_of(of, names, classes=bool(preparation.classes))
    elif prediction.probabilities is not None:
        output = prediction.probabilities.argmax(axis=1)
    members = [(member.network, member.parameters) for member in predictor.members]
    labels = tuple(_label(prediction.probabilities, names, row, at) for row, at in enumerate(output))
    return Saliency(few.values, activations.saliency(members, x, output), labels, few.lengths)


def _label(probabilities: np.ndarray | None, names: Sequence[str], row: int, output: int) -> Label:
    share = None if probabilities is None else float(probabilities[row, output])
    return Label("", label_of(names[output], share))


def chosen(inputs: Inputs, rows: RowChoice) -> Signals:
    """Return some images or series.

    Args:
        inputs: images or series.
        rows: their places, a single one, or a slice; None: the first eight.

    Raises:
        DataError: they are rows of a table, or there is no such row.
    """
    if not isinstance(inputs, Signals):
        raise DataError("this looks at images and series, but the data are a table of columns")
    wanted = slice(FIRST) if rows is None else rows
    try:
        places = np.atleast_1d(np.arange(len(inputs))[wanted])
    except IndexError:
        raise DataError(f"rows: {rows!r} asks for a row that is not there; the data have {len(inputs)} rows") from None
    if not len(places):
        raise DataError(f"rows: {rows!r} names no row; the data have {len(inputs)} rows")
    return inputs[places]

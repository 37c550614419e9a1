"""Rows as an exported model takes them, with what shoal says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shoal.data.dataset import Inputs
from shoal.data.encoders import BooleanEncoder, CategoryEncoder
from shoal.data.preparation import Preparation
from shoal.prediction.autoencoder import judge, reconstruct
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.results import Task


@dataclass(frozen=True)
class ExampleRows:
    """Rows with their answers.

    Attributes:
        rows: as they were read: a table, images or series.
        inputs: `(rows, ...)`: numbers, NaN where missing, categories as codes; or images or series as they are.
        answers: by the names of the outputs, `(rows, ...)` each.
        kind: `test`, or `validation` where the test is sealed.
    """

    rows: Inputs
    inputs: np.ndarray
    answers: Mapping[str, np.ndarray]
    kind: str

    def __len__(self) -> int:
        return len(self.inputs)


def example_rows(predictor: Predictor, rows: Inputs, kind: str) -> ExampleRows:
    """Return rows of a table, images or series with what a predictor says of them."""
    x = predictor.preparation.transform(rows)
    answers = _answers(predictor, x)
    if predictor.region is not None:
        answers["outside"] = predictor.region.outside(x)
    numbers = {name: np.asarray(values, float) for name, values in answers.items()}
    return ExampleRows(rows, coded(predictor.preparation, rows), numbers, kind)


def coded(preparation: Preparation, rows: Inputs) -> np.ndarray:
    """Return rows as numbers: categories as their places among the known ones, -1 for others."""
    if not isinstance(rows, pl.DataFrame):
        return np.asarray(rows.values, np.float64)
    columns = []
    for encoder in preparation.encoders:
        series = preparation.reading.read(rows.get_column(encoder.column))
        if isinstance(encoder, CategoryEncoder):
            places = {level: i for i, level in enumerate(encoder.levels)}
            columns.append([places.get(str(value), -1) for value in series.cast(pl.String).to_list()])
        elif isinstance(encoder, BooleanEncoder):
            columns.append(series.cast(pl.Float64).fill_null(np.nan).to_list())
        elif series.dtype.is_temporal():
            columns.append((series.cast(pl.Datetime("us")).dt.epoch("us") / 86_400e6).fill_null(np.nan).to_list())
        else:
            columns.append(series.cast(pl.Float64).fill_null(np.nan).to_list())
    return np.array(columns, np.float64).T


def _answers(predictor: Predictor, x: np.ndarray) -> dict[str, np.ndarray]:
    if predictor.preparation.task is Task.RECONSTRUCTION:
        judged = judge(predictor, x)
        return {"reconstruction": reconstruct(predictor, x), "score": judged.score, "anomaly": judged.is_anomaly}
    prediction = predictor.predict_features(x)
    if isinstance(prediction, NumberPrediction):
        return {name: getattr(prediction, name) for name in ("mean", "std", "low", "high")}
    answers = {"probabilities": prediction.probabilities, "probability_std": prediction.probability_std}
    return answers if prediction.sets is None else {**answers, "set": prediction.sets}

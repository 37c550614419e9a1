"""Rows as an exported model takes them, with what shoal says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shoal.data.conversion import to_days, to_labels, to_numbers, to_truth
from shoal.data.dataset import Inputs
from shoal.data.encoders import MISSING, BooleanEncoder, CategoryEncoder, Encoder
from shoal.data.preparation import Preparation
from shoal.prediction.autoencoder import judge, reconstruct
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.results import Task


@dataclass(frozen=True)
class ExampleRows:
    """Rows with their answers.

    Attributes:
        columns: of a table: numbers, NaN where missing; texts of categories, empty where missing.
        inputs: `(rows, ...)`: numbers, NaN where missing, categories as codes; or images or series as they are,
            NaN behind the end of a series that is shorter than others.
        features: what networks see.
        answers: by the names of the outputs, `(rows, ...)` each.
        kind: `test`, or `validation` where the test is sealed.
    """

    columns: Mapping[str, np.ndarray]
    inputs: np.ndarray
    features: np.ndarray
    answers: Mapping[str, np.ndarray]
    kind: str

    def __len__(self) -> int:
        return len(self.inputs)

    def counts(self, name: str) -> np.ndarray:
        """Return which numbers of an answer count: all but those behind the end of series that are shorter."""
        counted = np.ones(self.answers[name].shape, bool)
        if self.inputs.ndim == 3 and counted.shape[:2] == self.inputs.shape[:2]:
            counted[np.isnan(self.inputs).all(axis=2)] = False
        return counted


def example_rows(predictor: Predictor, rows: Inputs, kind: str) -> ExampleRows:
    """Return rows of a table, images or series with what a predictor says of them."""
    x = predictor.preparation.transform(rows)
    answers = _answers(predictor, x)
    if predictor.region is not None:
        answers["outside"] = predictor.region.outside(x)
    numbers = {name: np.asarray(values, float) for name, values in answers.items()}
    preparation = predictor.preparation
    return ExampleRows(_columns(preparation, rows), coded(preparation, rows), x, numbers, kind)


def _columns(preparation: Preparation, rows: Inputs) -> dict[str, np.ndarray]:
    if not isinstance(rows, pl.DataFrame):
        return {}
    columns = {}
    for encoder in preparation.encoders:
        series = preparation.column(rows, encoder.column)
        is_text = isinstance(encoder, CategoryEncoder)
        columns[encoder.column] = (
            to_labels(series).fill_null("").to_numpy().astype(object) if is_text else _coded(encoder, series)
        )
    return columns


def coded(preparation: Preparation, rows: Inputs) -> np.ndarray:
    """Return rows as numbers: NaN where missing, categories as their places among the known ones, -1 for others.

    Behind the end of series that are shorter than others stands NaN.
    """
    if not isinstance(rows, pl.DataFrame):
        values = np.array(rows.values, np.float64)
        if rows.lengths is not None:
            values[np.arange(values.shape[1]) >= np.asarray(rows.lengths)[:, None]] = np.nan
        return values
    columns = [_coded(encoder, preparation.column(rows, encoder.column)) for encoder in preparation.encoders]
    return np.array(columns, np.float64).T


def _coded(encoder: Encoder, series: pl.Series) -> np.ndarray:
    if isinstance(encoder, CategoryEncoder):
        codes = encoder.codes(series)
        return np.where(codes == MISSING, np.nan, codes)
    if isinstance(encoder, BooleanEncoder):
        return to_truth(series).cast(pl.Float64).to_numpy()
    return (to_days(series) if encoder.dates else to_numbers(series)).to_numpy()


def _answers(predictor: Predictor, x: np.ndarray) -> dict[str, np.ndarray]:
    if predictor.preparation.task is Task.RECONSTRUCTION:
        judged = judge(predictor, x)
        return {"reconstruction": reconstruct(predictor, x), "score": judged.score, "anomaly": judged.is_anomaly}
    prediction = predictor.predict_features(x)
    if isinstance(prediction, NumberPrediction):
        return {name: getattr(prediction, name) for name in ("mean", "std", "low", "high")}
    answers = {"probabilities": prediction.probabilities, "probability_std": prediction.probability_std}
    return answers if prediction.sets is None else {**answers, "set": prediction.sets}

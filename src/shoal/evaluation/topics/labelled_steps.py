"""What was true and what was predicted at each step of a few test series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.examples import SignalRecord, errors_of_series
from shoal.prediction.prediction import ClassPrediction


@stored("step_examples")
@dataclass(frozen=True)
class StepExamples:
    """What was true and what was predicted at each step of a few test series, for the figure.

    All are `(few, time)`, NaN where there is no target or no step: class numbers, or values of the first target, with
    `low` and `high` of the interval. `scores` `(few,)` are the shares of right steps, or the RMSE.
    """

    truth: np.ndarray
    said: np.ndarray
    scores: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def measure(evaluation: Evaluation) -> StepExamples | None:
    """Return the steps of the series that are shown; None where single steps have no target."""
    signals = evaluation.record(SignalRecord)
    if signals is None or not evaluation.fitted.predictor.preparation.per_step:
        return None
    prediction, truth, rows = evaluation.test.prediction, evaluation.test.truth, signals.rows
    if isinstance(prediction, ClassPrediction):
        true = np.where(truth[rows] >= 0, truth[rows], np.nan)
        predicted = np.where(np.isnan(true), np.nan, prediction.probabilities[rows].argmax(axis=-1))
        return StepExamples(true, predicted, 1.0 - errors_of_series(prediction, truth)[rows])
    true = truth[rows, :, 0]
    here = ~np.isnan(true)
    ends = prediction.mean, prediction.low, prediction.high
    mean, low, high = (np.where(here, values[rows, :, 0], np.nan) for values in ends)
    return StepExamples(true, mean, np.sqrt(np.nanmean((mean - true) ** 2, axis=1)), low, high)


TOPIC = Topic(190, StepExamples, measure)

"""The last test rows in time of windows that predict the next values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.examples import SignalRecord

LONGEST_STRETCH = 150


@dataclass(frozen=True)
class ForecastRows:
    """The last test rows in time of windows that predict the next values, for the figure.

    `rows` are their places among the test rows, `times` numbers that order them, `last` `(rows,)` the last value that
    each window knew: the forecast of persistence. The first target is shown.
    """

    rows: np.ndarray
    times: np.ndarray
    last: np.ndarray


def measure(evaluation: Evaluation) -> ForecastRows | None:
    """Return the last test rows in time; None where rows are no windows."""
    persistence = evaluation[BaselineScores].predicted.get("persistence")
    if persistence is None or evaluation.record(SignalRecord) is None:
        return None
    times = evaluation.fitted.dataset.times()
    times = None if times is None else times[evaluation.fitted.split.test]
    return last_stretch(persistence, evaluation.test.truth, times)


def last_stretch(persistence: np.ndarray, truth: np.ndarray, times: np.ndarray | None) -> ForecastRows:
    """Return the last rows in time; of several series that run side by side, the first."""
    when = np.arange(len(truth), dtype=float) if times is None else np.asarray(times, float)
    order = np.argsort(when, kind="stable")
    _, first = np.unique(when[order], return_index=True)
    rows = order[first][-LONGEST_STRETCH:]
    return ForecastRows(rows, when[rows], np.asarray(persistence, float)[rows, 0])


TOPIC = Topic(180, ForecastRows, measure)

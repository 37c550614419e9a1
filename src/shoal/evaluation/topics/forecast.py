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
    each window knew: the forecast of persistence. `target` is the number of the target that is shown.
    """

    rows: np.ndarray
    times: np.ndarray
    last: np.ndarray
    target: int = 0


def measure(evaluation: Evaluation) -> ForecastRows | None:
    """Return the last test rows in time; None where rows are no windows."""
    persistence = evaluation[BaselineScores].predicted.get("persistence")
    if persistence is None or evaluation.record(SignalRecord) is None:
        return None
    times = evaluation.fitted.dataset.times()
    when = np.arange(len(persistence), dtype=float)
    if times is not None:
        when = np.asarray(times[evaluation.fitted.split.test], float)
    order = np.argsort(when, kind="stable")
    _, first = np.unique(when[order], return_index=True)  # of several series that run side by side
    rows = order[first][-LONGEST_STRETCH:]
    return ForecastRows(rows, when[rows], np.asarray(persistence, float)[rows, 0])


TOPIC = Topic(180, ForecastRows, measure)

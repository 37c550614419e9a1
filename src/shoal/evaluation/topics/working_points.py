"""Working points: cuts that keep stated shares of the signal, and how much background each rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.evaluation.cuts import Events, drawn_shares
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.signal import has_signal, signal_class
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.scored_rows import ScoredRows
from shoal.results import Interval
from shoal.statistics.bootstrap import percentile_interval

EFFICIENCIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Shares of the signal that cuts are to keep of the validation rows."""


@dataclass(frozen=True)
class WorkingPoint:
    """A cut, the share of the signal that it is to keep, and what it does to the test rows.

    `rejection` is one over the share of background that it keeps.
    """

    wanted: float
    cut: float
    signal_efficiency: Interval
    background_efficiency: Interval
    rejection: Interval


@dataclass(frozen=True)
class WorkingPoints:
    """The working points by rising efficiency, and what the signal is called."""

    signal: str
    points: tuple[WorkingPoint, ...]


def working_points(choosing: Events, quoting: Events, seed: int = 0) -> tuple[WorkingPoint, ...]:
    """Return the highest cuts that keep the wanted shares of one sample's signal, quoted on another with intervals.

    Signal and background are drawn anew each for itself, whole groups where rows have them; weights have any sign.

    Example:
        >>> events = Events(np.arange(20.0), np.arange(20) % 2 == 1, np.ones(20))
        >>> point = working_points(events, events)[1]
        >>> point.cut, point.signal_efficiency.value, point.rejection.value
        (11.0, 0.5, 2.5)
    """
    scores = np.unique(choosing.score[choosing.signal])
    kept, _ = choosing.above(scores)
    cuts = np.array([scores[np.flatnonzero(kept >= wanted - 1e-12)[-1]] for wanted in EFFICIENCIES])
    order = np.argsort(cuts)
    shares = quoting.above(cuts[order])
    drawn = drawn_shares(quoting, cuts[order], seed)
    points = []
    for place, number in enumerate(order):
        signal, background = (
            percentile_interval(share[place], each[:, place]) for share, each in zip(shares, drawn, strict=True)
        )
        with np.errstate(divide="ignore"):
            rejection = percentile_interval(np.divide(1.0, shares[1][place]), np.divide(1.0, drawn[1][:, place]))
        points.append(WorkingPoint(EFFICIENCIES[number], float(cuts[number]), signal, background, rejection))
    return tuple(sorted(points, key=lambda point: point.wanted))


def measure(evaluation: Evaluation) -> WorkingPoints | None:
    """Return the working points where one of two classes is the signal, and its weights and rows allow it."""
    settings, classes = evaluation.fitted.settings.given(), evaluation.fitted.dataset.classes
    if not has_signal(classes, settings):
        return None
    parts = evaluation[ScoredRows].parts
    if "validation" not in parts:
        return None
    signal = signal_class(classes, settings.get("signal"))
    try:
        choosing, quoting = (Events.of(parts[part], signal) for part in ("validation", "test"))
    except DataError:
        return None
    return WorkingPoints(classes[signal], working_points(choosing, quoting, evaluation.seed))


def numbers(record: Record) -> dict[str, Any]:
    """Return the working points."""
    points = record[WorkingPoints].points
    return {"working_points": [{k: _plain(v) for k, v in vars(point).items()} for point in points]}


def _plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Interval) else value


TOPIC = Topic(121, WorkingPoints, measure, numbers)

"""Reliability: how often a class comes true that was given a certain probability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, DASHED, MUTED, add_axes, bars, name_text, narrow, new_figure, text_width
from shoal.report.figures.tabular import Columns
from shoal.report.words import count

PLACE = 60


@stored("figure.calibration")
@dataclass(frozen=True)
class CalibrationFigure:
    """The numbers of the figure, one per group of test rows with similar probability.

    `predicted` is the mean probability, `observed` the share that came true, `low` and `high` its 95 %
    Wilson interval (Wilson 1927), `rows` the number of rows; `event` says in words what came true. `before` is
    predicted and observed before calibration, in groups of its own.
    """

    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    event: str
    unit: str = "row"
    before: tuple[np.ndarray, np.ndarray] | None = None

    def table(self) -> Columns:
        """Return the numbers, one row for each group; groups before calibration are others."""
        columns: Columns = {
            "predicted_probability": self.predicted,
            "observed_share": self.observed,
            "observed_low": self.low,
            "observed_high": self.high,
            f"{self.unit}s": self.rows,
        }
        if self.before is not None:
            columns |= {"predicted_before_calibration": self.before[0], "observed_before_calibration": self.before[1]}
        return columns

    @property
    def alt(self) -> str:
        return f"Observed share against predicted probability of {self.event}, in {count(len(self.rows), 'group')}."

    @property
    def caption(self) -> str:
        alike = " Steps of one series are alike, so that the bars are too short." if self.unit == "step" else ""
        alike += " Grey rings: before calibration." if self.before is not None else ""
        return (
            f"How often {self.event} came true against the probability given for it, in groups of test {self.unit}s "
            "with similar probability. Bars: 95 % Wilson intervals. On the dashed line probabilities can be "
            f"taken at their word.{alike}"
        )


def numbers(record: Record) -> CalibrationFigure | None:
    """Return the numbers of the figure; None in regression or with negative weights, which are no shares."""
    rows = record.get(PredictedTestRows)
    if rows is None or rows.probabilities is None or not len(rows.truth):
        return None
    weights = np.ones(len(rows.truth)) if rows.weights is None else np.asarray(rows.weights, dtype=float)
    if (weights < 0).any() or weights.sum() <= 0:
        return None
    error_bars = record.get(ErrorBars)
    shown = _shown(record, rows.probabilities, weights)
    if error_bars is None or error_bars.raw is None or error_bars.calibration == "none":
        return shown
    before = _shown(record, error_bars.raw, weights)
    return replace(shown, before=(before.predicted, before.observed))


def _shown(record: Record, probabilities: np.ndarray, weights: np.ndarray) -> CalibrationFigure:
    rows = record[PredictedTestRows]
    if probabilities.shape[1] == 2:
        event = f"the class {record[DataRecord].classes[1]}"
        return grouped(probabilities[:, 1], rows.truth == 1, weights, event, rows.unit)
    right = probabilities.argmax(axis=1) == rows.truth
    return grouped(probabilities.max(axis=1), right, weights, "the predicted class", rows.unit)


def grouped(
    probability: np.ndarray, came_true: np.ndarray, weights: np.ndarray, event: str, unit: str = "row"
) -> CalibrationFigure:
    """Return the calibration in up to ten groups of equal size, at least ten rows in each."""
    order = np.argsort(probability, kind="stable")
    groups = [g for g in np.array_split(order, np.clip(len(order) // 10, 1, 10)) if weights[g].sum() > 0]
    total = np.array([weights[g].sum() for g in groups])
    predicted = np.array([(weights[g] * probability[g]).sum() for g in groups]) / total
    observed = np.array([(weights[g] * came_true[g]).sum() for g in groups]) / total
    # Weighted rows count as this many equal ones (Kish 1965).
    effective = total**2 / np.array([(weights[g] ** 2).sum() for g in groups])
    low, high = wilson(observed, effective)
    return CalibrationFigure(predicted, observed, low, high, np.array([len(g) for g in groups]), event, unit)


def wilson(share: np.ndarray, rows: np.ndarray, z: float = 1.959964) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % Wilson interval of shares seen in so many rows.

    >>> low, high = wilson(np.array([1.0]), np.array([10]))
    >>> round(float(low[0]), 3), float(high[0])
    (0.722, 1.0)
    """
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return np.clip(centre - half, 0, 1).round(12), np.clip(centre + half, 0, 1).round(12)


def draw(shown: CalibrationFigure) -> Figure:
    """Draw observed share against probability."""
    figure = new_figure(3.35)
    axes = add_axes(figure, 0.55, 0.45, 0.12, 0.12)
    axes.plot([0, 1], [0, 1], **DASHED)
    if shown.before is not None:
        axes.plot(*shown.before, "o", mfc="none", mec=MUTED, mew=1.0, ms=5, clip_on=False)
    axes.plot(*bars(shown.predicted, shown.low, shown.high), color=BLUE, lw=1.0)
    axes.plot(shown.predicted, shown.observed, "o", color=BLUE, ms=4, clip_on=False)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    text = "predicted probability of "
    most = int((narrow() - 0.3) / text_width(["x"], 8)) - len(text)
    axes.set(xlabel=f"{text}{name_text(shown.event, max(most, 12))}", ylabel="observed share")
    return figure

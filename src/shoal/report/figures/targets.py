"""What the figures of regression share: which targets and rows they draw, and how large a point is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures.canvas import Axes
from shoal.report.figures.style import BLUE, VERMILION
from shoal.report.figures.tabular import Columns, of

MOST_TARGETS = 6
MOST_VECTOR_POINTS = 1500
MOST_BARS = 300
MOST_DRAWN = 10_000


@stored("target_rows")
@dataclass(frozen=True)
class DrawnTargets:
    """The test rows, or steps, of one target in its unit, arrays `(rows,)`; `low` to `high` is the interval.

    `unit` is what an entry is, `label` the name with the unit of the target, `measured_in`.
    """

    name: str
    truth: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pull: np.ndarray
    weights: np.ndarray | None
    unit: str = "row"
    label: str = ""
    measured_in: str = ""

    @property
    def title(self) -> str:
        """The name of the target with its unit."""
        return self.label or self.name

    def table(self) -> Columns:
        parts = {"true": self.truth, "predicted": self.mean, "low": self.low, "high": self.high}
        columns: Columns = {of(self.name, part, self.measured_in): values for part, values in parts.items()}
        return columns | ({} if self.weights is None else {"weight": self.weights})

    def evenly(self) -> DrawnTargets:
        """Return at most 10,000 of the rows, evenly from first to last: more are not seen, but make files large."""
        if len(self.truth) <= MOST_DRAWN:
            return self
        few = np.linspace(0, len(self.truth) - 1, MOST_DRAWN).round().astype(int)
        arrays = {name: getattr(self, name)[few] for name in ("truth", "mean", "low", "high", "pull")}
        return replace(self, **arrays, weights=None if self.weights is None else self.weights[few])

    @property
    def residual(self) -> np.ndarray:
        """True minus predicted value."""
        return self.truth - self.mean


def target_rows(record: Record) -> tuple[DrawnTargets, ...]:
    """Return the test rows of each target, six at most; nothing in classification or without test rows."""
    rows, data = record.get(PredictedTestRows), record[DataRecord]
    if rows is None or rows.mean is None or not len(rows.truth):
        return ()
    truth, mean = _columns(rows.truth), _columns(rows.mean)
    nothing = np.full_like(mean, np.nan)
    std, low, high = (nothing if part is None else _columns(part) for part in (rows.std, rows.low, rows.high))
    pull = np.divide(truth - mean, std, out=nothing.copy(), where=std > 0)
    return tuple(
        DrawnTargets(
            name,
            truth[:, i],
            mean[:, i],
            low[:, i],
            high[:, i],
            pull[:, i],
            rows.weights,
            rows.unit,
            data.label(name),
            data.units.get(name, ""),
        )
        for i, name in enumerate(data.targets[:MOST_TARGETS])
    )


def some_of(panel: DrawnTargets, rows: int, how: str) -> str:
    """Return a clause that says how many of the rows are shown, nothing where all are."""
    shown = len(panel.mean)
    return "" if shown == rows else f" {how} {shown:,} of {rows:,} {panel.unit}s, evenly from first to last."


def rows_with_bars(rows: DrawnTargets) -> np.ndarray:
    """Return the rows that are drawn with an error bar, evenly along the prediction if they are many."""
    if len(rows.mean) <= MOST_BARS:
        return np.arange(len(rows.mean))
    order = np.argsort(rows.mean, kind="stable")
    return order[np.linspace(0, len(order) - 1, MOST_BARS).round().astype(int)]


def scatter(axes: Axes, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
    """Draw points: fainter where they are many, area by weight, vermilion triangles where the weight is negative."""
    many = len(x) > MOST_VECTOR_POINTS
    size = 1.6 if many else 3.4 if len(x) > 200 else 4.2
    alpha = float(np.clip(900 / len(x), 0.12, 0.5)) if many else 0.45 if len(x) > 200 else 0.7
    if weights is None:
        axes.plot(x, y, "o", color=BLUE, ms=size, mew=0, alpha=alpha, rasterized=many)
        return
    area = size**2 * np.clip(np.abs(weights) / max(np.abs(weights).mean(), 1e-300), 0.1, 8)
    for rows, colour, mark in ((weights >= 0, BLUE, "o"), (weights < 0, VERMILION, "v")):
        kept: dict[str, Any] = {"linewidths": 0, "alpha": alpha, "rasterized": many}
        axes.scatter(x[rows], y[rows], s=area[rows], c=colour, marker=mark, **kept)


def _columns(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return values[:, None] if values.ndim == 1 else values
